"""Percentage of Correct Parts: limbs of LSP scored as sticks.

Paper: Ferrari et al., "Progressive Search Space Reduction for Human Pose Estimation" (CVPR 2008).
Two readings of its sentence are in use, and three totals; all of them are here by name, none without one.
Checked against the predictions and figures that Convolutional Pose Machines published for LSP (strict, 88.3).
"""

import numpy as np

from paddle_pose.errors import ConfigError
from paddle_pose.metrics import pck
from paddle_pose.registry import METRICS
from paddle_pose.samples import Predictions, Report, Truth
from paddle_pose.skeletons import Skeleton

# Part -> its sticks; a stick is two ends, and an end is the mean of the named joints.
_SHOULDERS, _HIPS = ("right_shoulder", "left_shoulder"), ("right_hip", "left_hip")
_LIMBS = {
    "UpperArm": ("shoulder", "elbow"),
    "Forearm": ("elbow", "wrist"),
    "UpperLeg": ("hip", "knee"),
    "LowerLeg": ("knee", "ankle"),
}
_PARTS = {
    "Head": [(("neck",), ("head_top",))],
    "Torso": [(_SHOULDERS, _HIPS)],
    **{part: [((f"{side}_{a}",), (f"{side}_{b}",)) for side in ("right", "left")] for part, (a, b) in _LIMBS.items()},
}


def stick_errors(predicted: np.ndarray, truth: np.ndarray, first: list[int], second: list[int]) -> np.ndarray:
    """Distance of both ends of a stick to the truth, in units of the true stick.

    Args:
        predicted: (N, K, 2) photo pixels.
        truth: (N, K, 2) photo pixels.
        first: joints whose mean is one end.
        second: joints whose mean is the other end.

    Returns:
        (N, 2); NaN, which is a miss, where a prediction is NaN or the true stick has no length.
    """
    # mean() adds uint8 coordinates in float64; a + b would wrap at 256 (and cost CPM's torso two points).
    found, true = (
        np.stack([joints[:, ids].mean(axis=1) for ids in (first, second)], axis=1) for joints in (predicted, truth)
    )
    return pck.normalised_errors(found, true, pck.distances(true[:, 0], true[:, 1]))


def correct(errors: np.ndarray, strict: bool, threshold: float = 0.5) -> np.ndarray:
    """(N, 2) errors of both ends -> (N,) bool: both <= threshold if strict, else their mean."""
    return (errors.max(axis=1) if strict else errors.mean(axis=1)) <= threshold


@METRICS.register("PCP")
class PCP:
    """PCP@0.5 of ten sticks: head, torso (middle of shoulders to middle of hips), arms and legs.

    A stick is counted where all its joints are labelled. One of no length is counted, and missed.
    A part is the plain mean of its right and left stick.

    Args:
        skeleton: with the joints of LSP; of both predictions and truth.
        strict: whether `Report.values` holds strict PCP; the table has both.
    """

    def __init__(self, skeleton: Skeleton, strict: bool = True) -> None:
        needed = {joint for sticks in _PARTS.values() for stick in sticks for end in stick for joint in end}
        missing = sorted(needed - set(skeleton.joints))
        if missing:
            raise ConfigError(f"PCP needs the joints of LSP, and {skeleton.name} has no {', '.join(missing)}")
        self.skeleton = skeleton
        self.strict = strict

    def value_names(self) -> tuple[str, ...]:
        """The parts and the three means."""
        return (*_PARTS, "Mean", "Mean_6_parts", "Mean_4_limbs")

    def check(self, truth: Truth) -> None:
        """DataError unless somebody is labelled."""
        pck.check_labels(truth)

    def __call__(self, predictions: Predictions, truth: Truth) -> Report:
        """Values in percent: the parts, and `Mean` (10 sticks), `Mean_6_parts`, `Mean_4_limbs`."""
        pck.check_people(predictions, truth, self.skeleton)
        columns = {"strict": self._column(predictions, truth, True)}
        columns["relaxed"] = self._column(predictions, truth, False)
        chosen = columns["strict" if self.strict else "relaxed"]
        rows = {name: {column: values[name] for column, values in columns.items()} for name in chosen}
        names = {
            "Mean": "Mean of 10 sticks (LSP leaderboards, CPM)",
            "Mean_6_parts": "Mean of 6 parts (deeppose_tf)",
            "Mean_4_limbs": "Mean of 4 limb classes (DeepPose paper)",
        }
        rows = {names.get(name, name): row for name, row in rows.items()}
        return Report(chosen, rows, self._rules(len(truth.labelled)))

    def curves(
        self, predictions: Predictions, truth: Truth, last_percent: int
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Percent at the thresholds 0.00, 0.01, ... last_percent / 100, each (T,), by name: parts; means."""
        pck.check_people(predictions, truth, self.skeleton)
        columns = [self._column(predictions, truth, self.strict, percent / 100) for percent in range(last_percent + 1)]
        series = {name: np.array([column[name] for column in columns]) for name in (*_PARTS, "Mean")}
        return {name: series[name] for name in _PARTS}, {"Mean of 10 sticks": series["Mean"]}

    def _column(self, predictions: Predictions, truth: Truth, strict: bool, threshold: float = 0.5) -> dict[str, float]:
        sticks = {
            part: np.array([self._stick_percent(predictions, truth, stick, strict, threshold) for stick in sticks])
            for part, sticks in _PARTS.items()
        }
        parts = {part: float(pck.plain_mean(percents)) for part, percents in sticks.items()}
        return {
            **parts,
            "Mean": float(pck.plain_mean(np.concatenate(list(sticks.values())))),
            "Mean_6_parts": float(pck.plain_mean(np.array(list(parts.values())))),
            "Mean_4_limbs": float(pck.plain_mean(np.array([parts[part] for part in _LIMBS]))),
        }

    def _stick_percent(
        self, predictions: Predictions, truth: Truth, stick: tuple, strict: bool, threshold: float
    ) -> float:
        first, second = ([self.skeleton.index(joint) for joint in end] for end in stick)
        labelled = np.asarray(truth.labelled, bool)[:, first + second].all(axis=1)
        errors = stick_errors(predictions.joints_image, truth.joints_image, first, second)
        return float(pck.percent((correct(errors, strict, threshold) & labelled).sum(), labelled.sum()))

    def _rules(self, people: int) -> str:
        kind = "strict PCP: both ends" if self.strict else "relaxed PCP: mean error of both ends"
        return (
            f"{kind} <= 0.5 x length of the true stick (inclusive); Mean = plain mean of 10 sticks; "
            "Mean_6_parts = of 6 parts; Mean_4_limbs = of upper arm, forearm, upper leg, lower leg; "
            "part = plain mean of right and left; "
            "torso = middle of the shoulders to middle of the hips; left and right "
            f"(the person's own or the observer's) as in the labels; {people} people"
        )
