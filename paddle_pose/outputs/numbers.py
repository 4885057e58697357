"""Numbers as they stand in files: no more digits than mean something, and none that JSON does not have."""

import math
from collections.abc import Iterator

import numpy as np

from paddle_pose.samples import FoundPeople


def pixels(values: np.ndarray) -> list:
    """Nested lists, rounded to a thousandth of a pixel."""
    return np.round(np.asarray(values, np.float64), 3).tolist()


def score(value: float) -> float:
    """Six significant digits; 0 for what is no number."""
    return float(f"{value:.6g}") if math.isfinite(value) else 0.0


def triples(joints_xy: np.ndarray, scores: np.ndarray) -> list[float]:
    """(K, 2), (K,) -> x, y, score of each joint in a row; 0, 0, 0 for one that was not found."""
    known = np.isfinite(joints_xy).all(axis=1)
    joints = pixels(np.where(known[:, None], joints_xy, 0.0))
    return [value for (x, y), given in zip(joints, np.where(known, scores, 0.0)) for value in (x, y, score(given))]


def people_rows(people: FoundPeople) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """(joints (K, 2), their scores (K,), score) of each person."""
    return zip(people.joints_xy, people.joint_scores, (score(value) for value in people.scores.tolist()))
