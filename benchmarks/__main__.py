"""The table of docs/performance.md in one run: its benchmarks one after another, each in a process of its own.

    python -m benchmarks --save table.md
    python -m benchmarks --only codecs grouping --tensorboy DIR --lightweight DIR     # these: see benchmarks.grouping

What they print is passed on, and their rows stand in one table at the end. A benchmark that fails does not stop the
others; what is missing in the table, why, and how long all took, is said below it.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from itertools import takewhile
from pathlib import Path

from benchmarks.comparison import HEADER, machine
from paddle_pose.atomic_files import replacing
from paddle_pose.environment import version_of

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = {  # arguments of each, as docs/performance.md has them
    "training_step": ["--turns", "5"],
    "training_floor": [],
    "data_path": ["--turns", "4"],
    "codecs": [],
    "grouping": [],
    "laptop": ["--turns", "9"],
    "precision": ["--networks", "hrnet", "hourglass", "deeppose", "cpm", "openpose"],
    "start_up": [],
    "scale": [],
    "video": [],
}
OPTIONAL = {  # packages without which rows are missing
    "training_step": ["torch"],
    "training_floor": ["torch"],
    "laptop": ["torch", "onnxruntime", "paddle2onnx"],
    "precision": ["onnxruntime", "paddle2onnx"],
}
PEERS = ("tensorboy", "lightweight")  # flags of grouping
EXIT_FAILED, EXIT_INTERRUPTED = 1, 130


def main() -> int:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--only", nargs="+", choices=list(BENCHMARKS), default=list(BENCHMARKS), metavar="NAME")
    flags.add_argument("--save", metavar="FILE.md", help="the table goes there too")
    for name in PEERS:
        flags.add_argument(f"--{name}", metavar="DIR", type=Path, help="of benchmarks.grouping")
    arguments = flags.parse_args()
    head, began, rows, notes, code = heading(), time.monotonic(), [], [], 0
    try:
        with tempfile.TemporaryDirectory() as models:
            for name in arguments.only:
                found, failed = run(name, BENCHMARKS[name] + words_of(name, arguments, models))
                rows += found
                notes += notes_of(name, arguments, failed)
                code = code or (EXIT_FAILED if failed else 0)
    except KeyboardInterrupt:
        notes, code = [*notes, f"{name}: interrupted, and nothing was run after it"], EXIT_INTERRUPTED
    took = f"{', '.join(arguments.only)}: {(time.monotonic() - began) / 60:.0f} minutes in all"
    text = "\n".join([head, "", HEADER, *rows, "", *(f"- {note}" for note in [*notes, took])]) + "\n"
    print("\n" + text, end="")
    if arguments.save:
        with replacing(arguments.save) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return code


def heading() -> str:
    """Machine and load before the first benchmark, date, versions."""
    versions = [f"{name} {version_of(name) or 'not installed'}" for name in ("torch", "onnxruntime")]
    paddle = version_of("paddlepaddle") or version_of("paddlepaddle-gpu")
    return f"{machine()}; {time.strftime('%Y-%m-%d %H:%M')}; Paddle {paddle}, {', '.join(versions)}"


def words_of(name: str, arguments: argparse.Namespace, models: str) -> list[str]:
    """What a benchmark is told besides: a folder for exported models, which two share; code of others."""
    if name in ("laptop", "precision"):
        return ["--models", models]
    peers = PEERS if name == "grouping" else ()
    given = ((peer, getattr(arguments, peer)) for peer in peers)
    return [word for peer, folder in given if folder for word in (f"--{peer}", str(folder.resolve()))]


def run(name: str, words: list[str]) -> tuple[list[str], int]:
    """The rows of a benchmark and its exit code; what it prints is passed on as it comes."""
    print(f"\n== python -m benchmarks.{' '.join([name, *words])}", flush=True)
    command, printed = [sys.executable, "-u", "-m", f"benchmarks.{name}", *words], []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            print(line, end="", flush=True)
            printed.append(line)
    return table_rows("".join(printed)), child.returncode


def table_rows(printed: str) -> list[str]:
    """The rows of the tables in what a benchmark printed."""
    tables = printed.split(f"{HEADER}\n")[1:]
    return [row for table in tables for row in takewhile(lambda line: line.startswith("|"), table.splitlines())]


def notes_of(name: str, arguments: argparse.Namespace, failed: int) -> list[str]:
    """Why rows of a benchmark are missing."""
    missing = [package for package in OPTIONAL.get(name, []) if not version_of(package)]
    notes = [f"{name}: without {', '.join(missing)}, which pip installs"] if missing else []
    absent = [f"--{peer}" for peer in PEERS if name == "grouping" and not getattr(arguments, peer)]
    notes += [f"{name}: not beside the code that {' and '.join(absent)} name"] if absent else []
    return notes + ([f"{name}: **failed** with exit code {failed}; its words are above"] if failed else [])


if __name__ == "__main__":
    sys.exit(main())
