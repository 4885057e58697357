"""The folder of this user for what can be fetched or measured again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """`~/.cache/paddle_pose`, or the folder that `PADDLE_POSE_CACHE` names; it need not be there yet."""
    return Path(os.environ.get("PADDLE_POSE_CACHE") or os.path.join("~", ".cache", "paddle_pose")).expanduser()
