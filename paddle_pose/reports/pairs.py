"""True people, each with the pose that stands for it, and how wrong its joints are.

Letters: N true people, K joints.
"""

from dataclasses import dataclass
from typing import Optional

import numpy as np

from paddle_pose.metrics import pck
from paddle_pose.samples import Predictions, Truth
from paddle_pose.shapes import check_bool, check_shape
from paddle_pose.skeletons import Skeleton


@dataclass(frozen=True)
class Pairs:
    """True people and found poses, row for row.

    Args:
        skeleton: of both.
        found_image: (N, K, 2) photo pixels; NaN for a joint, or a person, that was not found.
        true_image: (N, K, 2) photo pixels.
        counted: (N, K) bool, labelled and scored.
        unit_image: (N, K) photo pixels, what the error of a joint is divided by.
        threshold: largest error of a correct joint, in these units, inclusive.
        unit: in words.
        size_image: (N,) how large a person is, in photo pixels.
        size: what that is, in words.
        scores: (N, K) confidence; None where there is none.
        visible: (N, K) bool, labelled and not hidden; None where the dataset does not tell.
    """

    skeleton: Skeleton
    found_image: np.ndarray
    true_image: np.ndarray
    counted: np.ndarray
    unit_image: np.ndarray
    threshold: float
    unit: str
    size_image: np.ndarray
    size: str
    scores: Optional[np.ndarray] = None
    visible: Optional[np.ndarray] = None

    def __post_init__(self) -> None:
        check_shape(self.found_image, ("N", len(self.skeleton), 2), "found_image")
        check_shape(self.true_image, np.shape(self.found_image), "true_image")
        check_shape(self.size_image, (len(self.found_image),), "size_image")
        check_bool(self.counted, "counted")
        for name in ("counted", "unit_image", "scores", "visible"):
            if getattr(self, name) is not None:
                check_shape(getattr(self, name), np.shape(self.found_image)[:2], name)

    def __len__(self) -> int:
        return len(self.found_image)

    @property
    def errors(self) -> np.ndarray:
        """(N, K) distance to the truth in units; NaN, which is a miss, where nothing was found or there is no unit."""
        return self.in_units(pck.distances(self.found_image, self.true_image))

    @property
    def correct(self) -> np.ndarray:
        """(N, K) bool, counted and within the threshold."""
        return self.counted & (self.errors <= self.threshold)

    def in_units(self, distance_image: np.ndarray) -> np.ndarray:
        """(N, K) photo pixels -> units; NaN where the unit is not above 0."""
        return distance_image / np.where(self.unit_image > 0, self.unit_image, np.nan)


def by_row(
    predictions: Predictions,
    truth: Truth,
    skeleton: Skeleton,
    yardstick: pck.Yardstick,
    visible: Optional[np.ndarray] = None,
) -> Pairs:
    """Pairs where prediction n is of person n, measured as PCK and PCKh do.

    Args:
        predictions: of the same people.
        truth: the people.
        skeleton: of both.
        yardstick: of the metric.
        visible: (N, K) bool, labelled and not hidden; None where the dataset does not tell.
    """
    labelled = np.asarray(truth.labelled, bool)
    same_scores = len(np.unique(np.asarray(predictions.scores)[labelled])) < 2  # a file without scores has 1 everywhere
    return Pairs(
        skeleton=skeleton,
        found_image=np.asarray(predictions.joints_image, np.float64),
        true_image=np.asarray(truth.joints_image, np.float64),
        counted=labelled & yardstick.counted[:, None],
        unit_image=np.repeat(np.asarray(yardstick.length_image, np.float64)[:, None], len(skeleton), axis=1),
        threshold=yardstick.threshold,
        unit=yardstick.words,
        size_image=longer_side(truth.joints_image, labelled),
        size="longer side of the box around the labelled joints",
        scores=None if same_scores else np.asarray(predictions.scores, np.float64),
        visible=None if visible is None else labelled & visible,
    )


def longer_side(joints_image: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """(N,) longer side, in photo pixels, of the upright box around the labelled joints; NaN where there is none."""
    shown = labelled[..., None] & np.isfinite(joints_image)
    low = np.where(shown, joints_image, np.inf).min(axis=1)
    high = np.where(shown, joints_image, -np.inf).max(axis=1)
    sides = np.where(labelled.any(axis=1)[:, None], high - low, np.nan)
    return sides.max(axis=1)
