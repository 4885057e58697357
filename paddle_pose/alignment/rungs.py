"""The rungs: what is compared, and the verdict. Needs numpy only.

A difference is relative to the largest magnitude of the reference's array: outputs of an untrained deep network are
not of order one, so that an absolute threshold such as the guide's 1e-6 would mean something else for each network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Optional

import numpy as np

from paddle_pose.alignment.thresholds import GRADIENT_FLOOR, MARGIN
from paddle_pose.errors import DataError

PASS, FAIL, OPEN, SKIPPED = "pass", "FAIL", "not judged", "skipped"
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        rung: of RUNGS.
        compared: what, in words.
        largest, mean: differences; None where nothing could be compared.
        threshold: of the largest.
        verdict: PASS, FAIL, OPEN or SKIPPED.
        note: where the largest difference is, or why there is no verdict.
    """

    rung: str
    compared: str
    largest: Optional[float]
    mean: Optional[float]
    threshold: Optional[float]
    verdict: str
    note: str = ""


def judge(rung: str, compared: str, differences: Mapping[str, np.ndarray], threshold: float, note: str = "") -> Row:
    """A row of relative differences, by name of what they are of."""
    worst = {name: float(np.max(values, initial=0.0)) for name, values in differences.items()}
    name = max(worst, key=lambda key: np.inf if np.isnan(worst[key]) else worst[key])
    mean = float(np.mean([np.mean(values) for values in differences.values()]))
    passed = worst[name] <= threshold
    where = f"largest in {name}" if len(worst) > 1 and not passed else ""
    return Row(
        rung, compared, worst[name], mean, threshold, PASS if passed else FAIL, ", ".join(filter(None, (where, note)))
    )


def relative(ours: np.ndarray, theirs: np.ndarray, floor: float = 0.0) -> np.ndarray:
    """|ours - theirs| over the largest magnitude of theirs, or over `floor` if that is more."""
    scale = max(float(np.abs(theirs).max(initial=0.0)), floor)
    return np.abs(np.asarray(ours, "float64") - np.asarray(theirs, "float64")) / (scale or 1.0)


def same_entries(ours: Arrays, theirs: Arrays, file: str, prefix: str) -> list[str]:
    """Names of the entries of both under a prefix; DataError unless they and their shapes are the same."""
    names = [name for name in theirs if name.startswith(prefix)]
    here = [name for name in ours if name.startswith(prefix)]
    if sorted(names) != sorted(here):
        odd = sorted(set(names) ^ set(here))[0]
        side = "recording" if odd in theirs else "network"
        raise DataError(f"{file}: {odd} is on the side of the {side} only ({len(names)} there, {len(here)} here)")
    for name in names:
        if np.shape(ours[name]) != np.shape(theirs[name]):
            shapes = f"{np.shape(theirs[name])} there, {np.shape(ours[name])} here"
            raise DataError(f"{file}: {name} is {shapes}; is this the same network, with as many joints?")
    return names


def forward_rows(ours: Arrays, theirs: Arrays, limits: Mapping[str, float]) -> list[Row]:
    """Outputs in eval mode, float32 and where recorded float64."""
    names = same_entries(ours, theirs, "forward_ref.npy", "output_")
    rows = []
    for dtype in ("float32", "float64"):
        chosen = [name for name in names if name.endswith("_float64") == (dtype == "float64")]
        if chosen:
            found = {name: relative(ours[name], theirs[name]) for name in chosen}
            rows.append(judge("forward", f"{_count(chosen, 'output')}, {dtype}", found, limits[dtype]))
    return rows


def loss_rows(ours: Arrays, theirs: Arrays, dtype: str, limits: Mapping[str, float]) -> list[Row]:
    """The loss in eval mode."""
    names = same_entries(ours, theirs, "loss_ref.npy", "loss")
    found = {name: relative(ours[name], theirs[name]) for name in names}
    return [judge("loss", f"loss in eval mode, {dtype}", found, limits[dtype])]


def backward_rows(
    ours: Arrays, theirs: Arrays, again: Optional[Arrays], dtype: str, limits: Mapping[str, float]
) -> list[Row]:
    """Norms of all gradients of the first training step, and the small gradients number by number.

    Args:
        ours, theirs: entries `norm/KEY` and `gradient/KEY`.
        again: theirs of the second training, where there was one.
        dtype: by which they are judged.
        limits: thresholds by precision.
    """
    here, there = ({name[5:] for name in side if name.startswith("norm/")} for side in (ours, theirs))
    rows = [_odd_gradients(here, there)] if here != there else []
    if not here & there:
        return rows
    floor = GRADIENT_FLOOR[dtype] * max(float(theirs[f"norm/{name}"]) for name in here & there)
    if again is not None:
        same_entries(again, theirs, "backward_again_ref.npy", "")
    for prefix, what in (("norm/", "norms of {}"), ("gradient/", "{} number by number")):
        both = [name for name in theirs if name.startswith(prefix) and name[len(prefix) :] in here & there]
        common = {name: ours[name] for name in both if name in ours}
        same_entries(common, {name: theirs[name] for name in both}, "backward_ref.npy", prefix)
        found = {name[len(prefix) :]: relative(ours[name], theirs[name], floor) for name in both}
        own = {name[len(prefix) :]: _largest(again, theirs, name, floor) for name in both}
        rows += _gradient_rows(found, own, f"{what}, {dtype}", limits[dtype])
    return rows


def _gradient_rows(found: dict[str, np.ndarray], own: dict[str, float], what: str, threshold: float) -> list[Row]:
    """Gradients that the reference determines are judged, others not: batch statistics of two cells leave nothing."""
    sure = {name: values for name, values in found.items() if own[name] * MARGIN < threshold}
    open_ones = {name: values for name, values in found.items() if name not in sure}
    rows = [judge("backward", what.format(_count(sure, "gradient")), sure, threshold)] if sure else []
    if open_ones:
        row = judge("backward", what.format(_count(open_ones, "gradient")), open_ones, threshold)
        rows.append(
            _open(row, f"the reference parts from itself here, by up to {max(own[name] for name in open_ones):.1e}")
        )
    return rows


def _largest(again: Optional[Arrays], theirs: Arrays, name: str, floor: float = 0.0) -> float:
    """How far the reference is from itself in an entry; 0 where it was trained once."""
    return 0.0 if again is None else float(relative(again[name], theirs[name], floor).max(initial=0.0))


def _odd_gradients(here: set[str], there: set[str]) -> Row:
    """A parameter that only one side trains: it is detached, frozen, or of another network."""
    name = sorted(here ^ there)[0]
    side = "there" if name in there else "here"
    what = f"{len(there)} gradients there, {len(here)} here"
    return Row("backward", what, None, None, None, FAIL, f"{name.lstrip('*')} has one {side} only")


def training_rows(
    ours: Arrays, theirs: Arrays, again: Optional[Arrays], steps: int, dtype: str, limits: Mapping[str, float]
) -> list[Row]:
    """Losses of the steps, and outputs in eval mode after the first and the last.

    Args:
        ours, theirs: entries `loss_i` and `evaluation_after_i`.
        again: theirs of the second training, where there was one.
        steps: of the recording.
        dtype: by which it is judged.
        limits: thresholds by precision.
    """
    threshold = limits[dtype]
    losses = [f"loss_{step}" for step in range(steps)]
    recorded = sum(name.startswith("loss_") for name in theirs)
    if recorded != steps or not losses:
        raise DataError(f"train_ref.npy: holds losses of {recorded} steps, setup.json says {steps}; record again")
    same_entries(ours, theirs, "train_ref.npy", "loss_")
    if again is not None:
        same_entries(again, theirs, "train_again_ref.npy", "")
    judged = _judged_steps(losses, theirs, again, threshold)
    found = {f"step {step + 1}": relative(ours[name], theirs[name]) for step, name in enumerate(losses)}
    first = dict(list(found.items())[:judged])
    rows = [judge("training", f"losses of {_steps(1, judged)}, {dtype}", first, threshold)]
    if judged < steps:
        own = max(_largest(again, theirs, name) for name in losses[judged:])
        rest = dict(list(found.items())[judged:])
        row = judge("training", f"losses of {_steps(judged + 1, steps)}, {dtype}", rest, threshold)
        rows.append(_open(row, f"the reference parts from itself here, by up to {own:.1e}"))
    for name in same_entries(ours, theirs, "train_ref.npy", "evaluation_after_"):
        what = f"output in eval mode after step {name.rpartition('_')[2]}, {dtype}"
        row = judge("training", what, {name: relative(ours[name], theirs[name])}, threshold)
        own = _largest(again, theirs, name)
        rows.append(row if own * MARGIN < threshold else _open(row, f"the reference parts from itself by {own:.1e}"))
    return rows


def _judged_steps(losses: list[str], theirs: Arrays, again: Optional[Arrays], threshold: float) -> int:
    """How many steps the reference itself determines, at least one."""
    apart = [_largest(again, theirs, name) * MARGIN >= threshold for name in losses]
    return max(1, apart.index(True) if True in apart else len(losses))


def _open(row: Row, note: str) -> Row:
    return replace(row, verdict=OPEN, note=note)


def skipped(rung: str, why: str) -> Row:
    """A row for what was not compared."""
    return Row(rung, "-", None, None, None, SKIPPED, why)


def _count(names: Any, what: str) -> str:
    return f"{len(names)} {what}{'s' if len(names) != 1 else ''}"


def _steps(first: int, last: int) -> str:
    return f"step {first}" if first == last else f"steps {first} to {last}"
