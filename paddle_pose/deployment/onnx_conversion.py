"""A static model of Paddle's -> ONNX, by paddle2onnx in a process of its own.

It ends a process that it has no conversion for, in Paddle 3 some with an abort; and by default version 2 installs
packages while it runs, which `optimize_tool` prevents.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

from paddle_pose.errors import UserError

OPSET = 13  # both versions of paddle2onnx convert all five networks to it
NEEDED = ("paddle2onnx", "onnxruntime")


def check_packages() -> None:
    """UserError unless what ONNX needs is installed."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"--format onnx needs {' and '.join(missing)}, not installed here: for Paddle 3 pip install "
            "paddle2onnx==2.1.0 onnxruntime, for Paddle 2.6 paddle2onnx==1.3.1; or export --format paddle alone"
        )


def convert(program: Path, weights: Path, target: Path) -> None:
    """Writes `target`; UserError with paddle2onnx's own words where it cannot."""
    words = [str(path) for path in (program, weights, target)]
    done = subprocess.run([sys.executable, "-m", __name__, *words], capture_output=True, text=True, errors="replace")
    if done.returncode == 0 and target.is_file() and target.stat().st_size:
        return
    target.unlink(missing_ok=True)  # version 1 ends well and leaves an empty one
    said = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
    signs = ("support", "Error", "fail", "Fail")
    telling = [line for line in said if any(sign in line for sign in signs)] or said or ["it said nothing"]
    raise UserError(
        f"paddle2onnx cannot convert this model (exit code {done.returncode}: {telling[0][:300]}); "
        "export --format paddle, which runs without it"
    )


def _main(program: str, weights: str, target: str) -> None:
    import paddle2onnx

    # Version 2 has an argument for what it does after the conversion; any name it does not know means nothing.
    settings = {} if paddle2onnx.__version__.startswith("1.") else {"optimize_tool": "None"}
    paddle2onnx.export(program, weights, target, opset_version=OPSET, **settings)


if __name__ == "__main__":
    _main(*sys.argv[1:])
