"""What a number was made by: versions, commit, machine. Imports nothing heavy."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from paddle_pose.version import VERSION

_PACKAGES = ("paddlepaddle", "paddlepaddle-gpu", "numpy", "opencv-python-headless", "pycocotools")


def environment() -> dict[str, str]:
    """Facts about this process by name; those that are not known are left out, no name or path of a machine is in."""
    facts = {"paddle_pose": VERSION, "commit": _commit(), "python": platform.python_version()}
    facts |= {"processor": processor(), "device": _device()}
    facts |= {package: version_of(package) for package in _PACKAGES}
    return {name: fact for name, fact in facts.items() if fact}


def version_of(package: str) -> str:
    """Version of an installed package, '' where it is not installed; it is not imported."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _commit() -> str:
    """Commit of the checkout that this package lies in, `+` if files differ from it; '' outside of one."""
    # An environment inside somebody's own repository holds files that are not of its commits.
    is_ours = _git("ls-files", "--error-unmatch", Path(__file__).name)
    return _git("describe", "--always", "--abbrev=12", "--dirty=+") if is_ours else ""


def _git(*words: str) -> str:
    """What git says of this package's folder; '' where it fails or is not there."""
    try:
        done = subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip()


def processor() -> str:
    """Name of the CPU and the number of cores that this process may run on."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(os.sched_getaffinity(0))} cores" if names else platform.machine()


def _device() -> str:
    """What Paddle runs on, a GPU by its name; '' where nothing has imported it."""
    paddle = sys.modules.get("paddle")
    if paddle is None:
        return ""
    device = paddle.device.get_device()
    return paddle.device.cuda.get_device_name() if device.startswith("gpu") else device
