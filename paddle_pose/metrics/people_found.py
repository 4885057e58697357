"""Whether a network that looks for people finds them.

Own rule; there is no published one. The released test code of Convolutional Pose Machines only counts peaks.
"""

import numpy as np

from paddle_pose.errors import DataError
from paddle_pose.registry import METRICS
from paddle_pose.samples import Predictions, Report, Truth
from paddle_pose.skeletons import Skeleton

NEAR = 0.2  # of the person's size, from centre to centre
SIZE_RATIO = 1.5  # either way


def centres_and_sizes(people_image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """People (..., 2, 2), each a centre and an upper edge -> centres (..., 2) and sizes (...)."""
    return people_image[..., 0, :], 2 * np.linalg.norm(people_image[..., 1, :] - people_image[..., 0, :], axis=-1)


def hits(found_image: np.ndarray, true_image: np.ndarray) -> np.ndarray:
    """(F, T) bool: found person f is near enough to person t, and of like size.

    Args:
        found_image: (F, 2, 2) centre and upper edge of each, in photo pixels.
        true_image: (T, 2, 2).
    """
    (found, found_size), (true, true_size) = centres_and_sizes(found_image), centres_and_sizes(true_image)
    near = np.linalg.norm(found[:, None] - true, axis=-1) <= NEAR * true_size
    ratio = found_size[:, None] / np.maximum(true_size, 1e-9)
    return near & (ratio <= SIZE_RATIO) & (ratio >= 1 / SIZE_RATIO)


def match(found_image: np.ndarray, true_image: np.ndarray) -> int:
    """Number of pairs when each of the F found, surest first, takes the nearest free true person that it hits."""
    hit = hits(found_image, true_image)
    distance = np.linalg.norm(found_image[:, None, 0] - true_image[:, 0], axis=-1)
    free = np.ones(len(true_image), bool)
    for row in range(len(found_image)):
        candidates = np.flatnonzero(hit[row] & free)
        if len(candidates):
            free[candidates[np.argmin(distance[row, candidates])]] = False
    return int((~free).sum())


@METRICS.register("SurestPerson")
class SurestPerson:
    """Share of photos whose surest peak is a person: within 0.2 of its size, and of its size within a factor of 1.5.

    It selects the best epoch; how many of all people are found is what scripts/find_people.py counts.

    Args:
        skeleton: that of dataset PersonCentres.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton

    def value_names(self) -> tuple[str, ...]:
        """Names of the report's values."""
        return ("Found",)

    def check(self, truth: Truth) -> None:
        """DataError unless the truth knows everybody in a photo."""
        if truth.everybody is None:
            raise DataError("SurestPerson needs dataset PersonCentres; this truth does not know who is in a photo")

    def __call__(self, predictions: Predictions, truth: Truth) -> Report:
        """Percent of photos."""
        self.check(truth)
        found = [
            bool(hits(surest[None], everybody).any())
            for surest, everybody in zip(predictions.joints_image, truth.everybody)
        ]
        share = 100.0 * float(np.mean(found))
        rules = f"surest peak within {NEAR:g} of a person's size, sizes within a factor of {SIZE_RATIO:g}, <="
        return Report({"Found": share}, {"photos whose surest peak is a person": {"percent": share}}, rules)
