"""How soon a command answers: --help of each, and predict.py on a photo with a bundled network.

    python -m benchmarks.start_up

Each run is a process of its own, timed from its start to its end; the best of the turns counts, whose files are in the
system's cache. `import paddle` alone stands beside the whole prediction: what we cannot make faster.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.comparison import Comparison, print_table
from paddle_pose.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
HELP_LIMIT_S, PREDICT_LIMIT_S = 0.3, 4.0
SCRIPTS = ("train", "val", "predict", "export")
MODULES = ("paddle_pose", "paddle_pose.synthetic", *(f"paddle_pose.{name}" for name in COMMANDS if name not in SCRIPTS))


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--turns", type=int, default=3)
    flags.add_argument("--photo", help="default: the bundled one, as predict.py without arguments")
    arguments = flags.parse_args()
    print_table([*help_rows(arguments.turns), *prediction_rows(arguments.turns, arguments.photo)])


def help_rows(turns: int) -> list[Comparison]:
    """--help of each script and module."""
    commands = [[f"{name}.py"] for name in SCRIPTS] + [["-m", name] for name in MODULES if runs_by_itself(name)]
    rows = []
    for command in commands:
        seconds, _ = best([*command, "--help"], turns)
        rows.append(Comparison(f"`{' '.join(command)} --help`", seconds, limit=HELP_LIMIT_S, unit="s"))
    return rows


def runs_by_itself(module: str) -> bool:
    """Whether `python -m` takes it: a file, or a package with a __main__."""
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def prediction_rows(turns: int, photo: str) -> list[Comparison]:
    """A photo from the start of the process to the written picture, and the highest memory of that process."""
    with tempfile.TemporaryDirectory() as folder:
        source = ["--input", os.path.abspath(photo)] if photo else []
        command = ["predict.py", *source, "--device", "cpu", "--save_dir", folder]
        seconds, mebibytes = best(command, turns)
    paddle_s, paddle_mebibytes = best(["-c", "import paddle"], turns)
    return [
        Comparison("`predict.py`, one photo", seconds, limit=PREDICT_LIMIT_S, unit="s"),
        Comparison("the same", seconds, paddle_s, "import paddle", unit="s"),
        Comparison("the same, highest memory", mebibytes, paddle_mebibytes, "import paddle", unit="MiB"),
    ]


def best(command: list[str], turns: int) -> tuple[float, float]:
    """Least seconds by the clock, and most MiB resident, of a Python process.

    Raises:
        SystemExit: the command failed; says what it printed.
    """
    runs = [once(command) for _ in range(turns)]
    return min(seconds for seconds, _ in runs), max(mebibytes for _, mebibytes in runs)


def once(command: list[str]) -> tuple[float, float]:
    """One run. `wait4` tells this child's memory; `getrusage` would tell the highest of all children so far."""
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        child = subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{output.read().decode(errors='replace')}")
    return seconds, usage.ru_maxrss / 1024  # KiB on Linux


if __name__ == "__main__":
    main()
