"""The demo as AI Studio hosts it: a file that ends in `.gradio.py`, makes `demo` and launches it.

    pip install 'gradio>=6.31,<7'         # Python 3.9: see docs/demo.md
    python scripts/main.gradio.py

The platform chooses address and port (GRADIO_SERVER_NAME, GRADIO_SERVER_PORT). MODEL names another model file, or one
of the zoo.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from paddle_pose.web.limits import Limits  # noqa: E402
from paddle_pose.web.models import Models, choices  # noqa: E402
from paddle_pose.web.server import guarded_page  # noqa: E402

demo, arguments = guarded_page(Models(choices(os.environ.get("MODEL"), None)), Limits())

if __name__ == "__main__":
    demo.launch(**arguments)
