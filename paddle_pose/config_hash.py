"""What of a configuration stands in a record: its hash, and itself without paths of a machine."""

import hashlib
import json
import re
from typing import Any

# What training does not depend on: how it is evaluated and shown, and where and how fast it runs.
_NOT_TRAINING = ("metric", "valid", "reference", "packed", "cpu_threads")
_NOT_TRAINING_IN = {
    "dataset": ("root", "boxes", "box_score_threshold"),
    "train": ("workers", "checkpoint_steps", "log_steps", "max_bad_photos"),
    "joint_crops": ("train_joints", "valid_joints"),
    "cascade": ("stage1",),
}
_PATHS = {
    "dataset": ("root", "boxes"),
    "packed": ("train", "valid"),
    "joint_crops": ("train_joints", "valid_joints"),
    "cascade": ("stage1",),
}
_FOLDERS = re.compile(r"[^\s=,\[\]{}'\"]*/")


def config_hash(config: Any) -> str:
    """SHA-256, in 64 hexadecimal digits, of the settings that training depends on.

    They are written as JSON with sorted keys and without spaces. Settings at their default are left out, so that one
    that a later version adds changes no hash; so are `metric`, `valid`, `reference`, `packed` and `cpu_threads`,
    `dataset.root`, `boxes` and `box_score_threshold`, `train.workers`, `checkpoint_steps`, `log_steps` and
    `max_bad_photos`, the joints files of `joint_crops` and `cascade.stage1`.
    """
    settings = config.model_dump(mode="json", exclude_defaults=True)
    for key in _NOT_TRAINING:
        settings.pop(key, None)
    for section, keys in _NOT_TRAINING_IN.items():
        for key in keys:
            (settings.get(section) or {}).pop(key, None)
    settings = {key: setting for key, setting in settings.items() if setting != {}}
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def named_config(config: Any) -> dict[str, Any]:
    """The whole configuration as JSON, with names alone in place of paths that lead out of a dataset's folder."""
    mapping = config.model_dump(mode="json")
    for section, keys in _PATHS.items():
        for key in keys:
            if (mapping.get(section) or {}).get(key):
                mapping[section][key] = without_folders(mapping[section][key])
    return mapping


def without_folders(text: str) -> str:
    """`--config configs/hrnet/w32.yaml` -> `--config w32.yaml`: names in place of paths, after `=` and in lists too."""
    return _FOLDERS.sub("", text.rstrip("/"))
