"""The record of an evaluation: the numbers, their definition, and what made them, as one JSON file."""

import json
import math
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from paddle_pose.config import Config
from paddle_pose.errors import UserError
from paddle_pose.interfaces import Dataset
from paddle_pose.samples import Report
from paddle_pose.version import VERSION


def write_record(path: Path, report: Report, dataset: Dataset, config: Config, facts: dict[str, Any]) -> None:
    """Writes a record; `facts` says what was scored (checkpoint or file of predictions, epoch)."""
    record = {
        "scored": facts,
        "protocol": dataset.protocol,
        "people": len(dataset),
        "photos": dataset.num_images,
        "rules": report.rules,
        "values": report.values,
        "table": report.rows,
        "made_by": _environment(),
        "config": config.model_dump(mode="json"),
    }
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(_plain(record), indent=1, allow_nan=False) + "\n", encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another --save_record") from None


def _plain(value: Any) -> Any:
    """Null in place of what is no number (nobody is labelled, or nobody is of that size): JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _environment() -> dict[str, str]:
    from importlib import metadata

    packages = ("paddlepaddle", "paddlepaddle-gpu", "numpy", "opencv-python-headless", "pycocotools")
    found = {package: _version(metadata, package) for package in packages}
    return {
        "paddle_pose": VERSION,
        "commit": _commit(),
        "python": platform.python_version(),
        "processor": _processor(),
        **{package: version for package, version in found.items() if version},
    }


def _version(metadata, package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _commit() -> str:
    """Commit of the checkout that this package lies in, `+` if files differ from it; '' outside of one."""
    folder = Path(__file__).parent
    try:
        commit = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+"], cwd=folder, capture_output=True, text=True
        )
    except OSError:
        return ""
    return commit.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(os.sched_getaffinity(0))} cores" if names else platform.machine()
