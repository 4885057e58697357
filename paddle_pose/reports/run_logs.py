"""What training runs wrote of themselves, as series over steps: metrics.jsonl, or a log for people.

Logs for people: `[TRAIN] epoch: 1/8, iter: 50/414, loss: 0.0404, lr: 7.996e-03, ...`, `[EVAL] Ankle=79.0 ...` (ours);
`[TRAIN] epoch=0, batch_id=10, loss=0.002716, lr=0.000010, ...` and `[EVAL] epoch=0:Ankle=37.0 ...` (the first Paddle
reproduction of Hourglass). Keys of series are those of metrics.jsonl, `train/loss`, `valid/Mean`.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from paddle_pose.curves import without_repeats
from paddle_pose.errors import DataError

NUMBERS = "metrics.jsonl"
AXES = ("iter", "epoch", "hours")
_EPOCH, _SECONDS = "train/epoch", "train/batch_seconds"
_PAIR = re.compile(r"([A-Za-z][\w@./-]*)\s*[:=]\s*(-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?:/(\d+))?")
_LINE = re.compile(r"\[(TRAIN|EVAL)\](.*)")


@dataclass(frozen=True)
class RunLog:
    """A run's rows, by growing step.

    Args:
        path: of the file.
        rows: each with `step` and numbers by key.
    """

    path: Path
    rows: list[dict[str, float]]

    def known(self) -> list[str]:
        """Of all series, in the order of their first rows."""
        return [key for key in dict.fromkeys(key for row in self.rows for key in row) if key != "step"]

    def find(self, name: str) -> Optional[str]:
        """The key that a user means: itself, of training, or of validation; None where there is none."""
        known = self.known()
        return next((key for key in (name, f"train/{name}", f"valid/{name}") if key in known), None)

    def series(self, key: str, axis: str) -> tuple[np.ndarray, np.ndarray]:
        """Places on the axis and values of a key, (P,) each; points that are no numbers left out.

        Raises:
            DataError: the log does not say when, in the units of the axis.
        """
        points = [(row["step"], row[key]) for row in self.rows if key in row and math.isfinite(row[key])]
        steps, values = np.array(points, np.float64).reshape(-1, 2).T
        return self._x(steps, axis), values

    def _x(self, steps: np.ndarray, axis: str) -> np.ndarray:
        if axis == "iter":
            return steps
        key = _EPOCH if axis == "epoch" else _SECONDS
        known = [(row["step"], row[key]) for row in self.rows if key in row and math.isfinite(row[key])]
        if not known:
            others = " or ".join(name for name in AXES if name != axis)
            raise DataError(f"{self.path}: says nothing of {axis}; use --x {others}")
        at, numbers = np.array(known, np.float64).T
        if axis == "hours":
            numbers = np.cumsum(numbers * np.diff(at, prepend=0.0)) / 3600
        return np.interp(steps, np.concatenate([[0.0], at]), np.concatenate([[0.0], numbers]))


def read_run(path: Path) -> RunLog:
    """The log of a run.

    Args:
        path: metrics.jsonl, a log for people, the folder that holds one of them, or a folder of `<size>_training`.

    Raises:
        DataError: there is none, or more than one, or it is damaged, or holds no numbers.
    """
    file = _file_of(path)
    try:
        text = file.read_bytes().decode("utf-8")
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DataError(f"{file}: is no text; give a {NUMBERS} or a log with [TRAIN] lines") from None
    lines = text.split("\n")[:-1]  # a run that goes on may have written half of its last line
    rows = _from_json(lines, file) if file.suffix == ".jsonl" else _from_text(lines)
    rows = without_repeats(rows)
    if not any(len(row) > 1 for row in rows):
        raise DataError(f"{file}: holds no numbers yet; give a {NUMBERS} or a log with [TRAIN] lines")
    return RunLog(file, rows)


def _file_of(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise DataError(f"{path}: no such file or folder; give the folder of a run, its {NUMBERS}, or a log")
    found = [path / NUMBERS] if (path / NUMBERS).is_file() else sorted(path.glob(f"*_training/{NUMBERS}"))
    if not found:
        found = [file for file in (path / "train.log", *sorted(path.glob("*_training/train.log"))) if file.is_file()]
    if len(found) == 1:
        return found[0]
    if not found:
        raise DataError(
            f"{path}: holds no {NUMBERS}, and no folder <size>_training with one; is it the folder of a run?"
        )
    raise DataError(f"{path}: holds {len(found)} runs; name one, as {found[0].parent}")


def _from_json(lines: Sequence[str], file: Path) -> list[dict[str, float]]:
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except ValueError:
            raise DataError(f"{file}: line {number} is not JSON; the file is damaged") from None
        if not isinstance(row, dict) or not _is_number(row.get("step")):
            raise DataError(f'{file}: line {number} has no "step"; this is no {NUMBERS} of a training run')
        rows.append({str(key): value for key, value in row.items() if _is_number(value)})
    return rows


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _from_text(lines: Sequence[str]) -> list[dict[str, float]]:
    """Rows of a log for people; steps are batches from the start of the run."""
    found = [(match[1], _PAIR.findall(match[2])) for match in map(_LINE.search, lines) if match]
    batches = _batches_per_epoch([pairs for kind, pairs in found if kind == "TRAIN"])
    rows: list[dict[str, float]] = []
    last = 0.0
    for kind, pairs in found:
        values = {key: float(value) for key, value, _ in pairs}
        totals = {key: float(total) for key, _, total in pairs if total}
        if kind == "EVAL":
            numbers = {f"valid/{key}": value for key, value in values.items() if key != "epoch"}
            rows.append({"step": _end_of(values, batches, last), **numbers})
        elif "epoch" in values and ("iter" in values or "batch_id" in values):
            rows.append(_training_row(values, totals, batches))
            last = rows[-1]["step"]
    return rows


def _training_row(values: dict[str, float], totals: dict[str, float], batches: float) -> dict[str, float]:
    step = values.get("iter", values.get("batch_id", 0.0))
    epoch = values["epoch"]
    if "batch_id" in values:
        step, epoch = epoch * batches + step, epoch + step / batches
    elif "epoch" in totals:  # iter counts from the start of each epoch
        step, epoch = (epoch - 1) * totals.get("iter", batches) + step, epoch - 1 + step / totals.get("iter", batches)
    known = {"loss": "loss", "lr": "lr", "avg_batch_cost": "batch_seconds", "acc_pose": "acc_pose"}
    return {
        "step": step,
        _EPOCH: epoch,
        **{f"train/{ours}": values[key] for key, ours in known.items() if key in values},
    }


def _end_of(values: dict[str, float], batches: float, last: float) -> float:
    """Step of a validation: the end of the epoch that it names (from 0), or the last step that was told of."""
    return max(last, (values["epoch"] + 1) * batches) if "epoch" in values else last


def _batches_per_epoch(rows: Sequence[Sequence[tuple[str, str, str]]]) -> float:
    """Of a log whose lines come every few batches, across the ends of epochs, and do not say how many there are."""
    points = [{key: float(value) for key, value, _ in pairs} for pairs in rows]
    points = [(p["epoch"], p["batch_id"]) for p in points if "batch_id" in p and "epoch" in p]
    spacing = next((b[1] - a[1] for a, b in zip(points, points[1:]) if a[0] == b[0] and b[1] > a[1]), 1.0)
    for a, b in zip(points, points[1:]):
        if b[0] == a[0] + 1:
            return max(1.0, a[1] + spacing - b[1])
    return max([1.0, *(batch for _, batch in points)])


def names_of(paths: Sequence[Path]) -> list[str]:
    """Short names of runs, all different: as much of the end of each path as that takes."""
    parts = [_telling(path) for path in paths]
    longest = max(map(len, parts), default=0)
    for count in range(1, longest + 1):
        names = ["/".join(words[-count:]) for words in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{number} {'/'.join(words)}" for number, words in enumerate(parts)]


def _telling(path: Path) -> list[str]:
    words = list(path.absolute().parts[1:])
    while len(words) > 1 and (words[-1] in (NUMBERS, "train.log") or words[-1].endswith("_training")):
        words.pop()
    return words
