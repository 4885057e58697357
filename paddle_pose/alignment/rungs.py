"""The rungs: what is compared, by which threshold, and the verdict. Needs numpy only.

A difference is relative to the largest magnitude of the reference's array: outputs of an untrained deep network are
not of order one, so that an absolute threshold such as the guide's 1e-6 would mean something else for each network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from paddle_pose.errors import DataError, UserError

RUNGS = ("forward", "metric", "loss", "backward", "training")
PASS, FAIL, OPEN, SKIPPED = "pass", "FAIL", "not judged", "skipped"
Arrays = Mapping[str, np.ndarray]

THRESHOLDS: dict[str, dict[str, float]] = {  # rung -> of numbers computed in float32, in float64
    # A sum of thousands of products in another order differs by some 1e-7 of it; a hundred layers make 1e-5 of that.
    # In float64 the same is 1e-13, and a constant that Paddle keeps in float32 may differ by 1e-8 of itself.
    "forward": {"float32": 1e-4, "float64": 1e-8},
    # Joints move with the maps. Values are counts of hits: one joint more or less is whole tenths of a point.
    "metric": {"float32": 1e-4, "float64": 1e-4},
    # A mean over many numbers loses nothing more.
    "loss": {"float32": 1e-4, "float64": 1e-8},
    # Batch statistics of few cells cancel most of a gradient, and with it its first digits.
    "backward": {"float32": 1e-2, "float64": 1e-6},
    # Adam divides small gradients by themselves, so that their rounding comes back at full size.
    "training": {"float32": 1e-2, "float64": 1e-3},
}
# A bias before batch normalisation has no gradient: what is computed is rounding, and differs. A gradient's difference
# is relative to its own norm or to this share of the largest norm, whichever is more.
GRADIENT_FLOOR = {"float32": 1e-4, "float64": 1e-8}
# The reference was trained twice, from weights that differ by a rounding. A step counts as long as that changed its
# loss by less than the threshold over this margin: Paddle's rounding is another one, of unlike size.
MARGIN = 10.0


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


def thresholds(overrides: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """THRESHOLDS with those of the user, for both precisions; UserError for an unknown rung."""
    for rung, value in overrides.items():
        if rung not in RUNGS or not 0 < value < np.inf:
            raise UserError(f"--threshold {rung}={value:g}: write RUNG=NUMBER, RUNG one of {', '.join(RUNGS)}")
    return {
        rung: dict.fromkeys(both, overrides[rung]) if rung in overrides else both for rung, both in THRESHOLDS.items()
    }


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


def backward_rows(ours: Arrays, theirs: Arrays, dtype: str, limits: Mapping[str, float]) -> list[Row]:
    """Norms of all gradients of the first training step, and the small gradients number by number."""
    here, there = ({name[5:] for name in side if name.startswith("norm/")} for side in (ours, theirs))
    rows = [_odd_gradients(here, there)] if here != there else []
    if not here & there:
        return rows
    floor = GRADIENT_FLOOR[dtype] * max(float(theirs[f"norm/{name}"]) for name in here & there)
    for prefix, what in (("norm/", "norms of {}"), ("gradient/", "{} number by number")):
        both = [name for name in theirs if name.startswith(prefix) and name[len(prefix) :] in here & there]
        common = {name: ours[name] for name in both if name in ours}
        names = same_entries(common, {name: theirs[name] for name in both}, "backward_ref.npy", prefix)
        if names:
            found = {name[len(prefix) :]: relative(ours[name], theirs[name], floor) for name in names}
            counted = what.format(_count(names, "gradient"))
            rows.append(judge("backward", f"{counted}, {dtype}", found, limits[dtype]))
    return rows


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
        own = max(float(relative(again[name], theirs[name])) for name in losses[judged:])
        rest = dict(list(found.items())[judged:])
        row = judge("training", f"losses of {_steps(judged + 1, steps)}, {dtype}", rest, threshold)
        rows.append(_open(row, f"the reference parts from itself here, by up to {own:.1e}"))
    for name in same_entries(ours, theirs, "train_ref.npy", "evaluation_after_"):
        what = f"output in eval mode after step {name.rpartition('_')[2]}, {dtype}"
        row = judge("training", what, {name: relative(ours[name], theirs[name])}, threshold)
        own = float(relative(again[name], theirs[name]).max()) if again is not None else 0.0
        rows.append(row if own * MARGIN < threshold else _open(row, f"the reference parts from itself by {own:.1e}"))
    return rows


def _judged_steps(losses: list[str], theirs: Arrays, again: Optional[Arrays], threshold: float) -> int:
    """How many steps the reference itself determines, at least one."""
    if again is None:
        return len(losses)
    apart = [bool(relative(again[name], theirs[name]) * MARGIN >= threshold) for name in losses]
    return max(1, apart.index(True) if True in apart else len(losses))


def _open(row: Row, note: str) -> Row:
    return Row(row.rung, row.compared, row.largest, row.mean, row.threshold, OPEN, note)


def skipped(rung: str, why: str) -> Row:
    """A row for what was not compared."""
    return Row(rung, "-", None, None, None, SKIPPED, why)


def _count(names: Any, what: str) -> str:
    return f"{len(names)} {what}{'s' if len(names) != 1 else ''}"


def _steps(first: int, last: int) -> str:
    return f"step {first}" if first == last else f"steps {first} to {last}"
