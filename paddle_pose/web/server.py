"""The page and how Gradio is to serve it: nothing is given out but the page and what a visitor made."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from paddle_pose.web.limits import Limits
from paddle_pose.web.models import Models
from paddle_pose.web.uploads import keep_clean

TELEMETRY_OFF = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}


def guarded_page(models: Models, limits: Limits) -> tuple[Any, dict[str, Any]]:
    """A page with a folder of its own for uploads, which is deleted when the process ends.

    Args:
        models: to choose from.
        limits: of photos.

    Returns:
        page: a `gradio.Blocks`.
        arguments: `page.launch(**arguments)` serves it behind `guard.Guard`. Further ones may be added: `server_name`
            (Gradio's default is 127.0.0.1), `server_port`, `share`.
    """
    folder = Path(tempfile.mkdtemp(prefix="paddle_pose_demo_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    keep_clean(folder)
    os.environ.update(TELEMETRY_OFF, GRADIO_TEMP_DIR=str(folder))  # read when Gradio is imported, and by each page

    from starlette.middleware import Middleware

    from paddle_pose.web.gradio_versions import launch_arguments
    from paddle_pose.web.guard import Guard
    from paddle_pose.web.page import build_page

    page = build_page(models, folder, limits)
    guard = Middleware(Guard, folder=folder, limits=limits)
    arguments = launch_arguments(
        app_kwargs={"middleware": [guard], "openapi_url": None},
        max_file_size=limits.upload_bytes,
        share=False,
        show_error=False,
        quiet=True,
    )
    return page, arguments
