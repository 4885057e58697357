"""People of four joints in hand-computed places."""

import numpy as np

from paddle_pose.reports.pairs import Pairs
from paddle_pose.skeletons import Skeleton

BODY = Skeleton(
    "body_4",
    ("head", "left_hand", "right_hand", "foot"),
    limbs=(("head", "left_hand"), ("head", "right_hand")),
    oks_sigmas=(0.05, 0.1, 0.1, 0.1),
)
HEAD, LEFT, RIGHT, FOOT = range(4)
TRUE = np.array([[50.0, 10.0], [20.0, 50.0], [80.0, 50.0], [50.0, 90.0]])


def pairs_of(found, counted=None, **changes) -> Pairs:
    """Everybody stands as `TRUE`, unit 10 pixels, threshold 0.5; `found` is (N, 4, 2)."""
    found = np.asarray(found, np.float64)
    shape = found.shape[:2]
    facts = {
        "skeleton": BODY,
        "found_image": found,
        "true_image": np.repeat(TRUE[None], len(found), axis=0),
        "counted": np.ones(shape, bool) if counted is None else np.asarray(counted),
        "unit_image": np.full(shape, 10.0),
        "threshold": 0.5,
        "unit": "length",
        "size_image": np.arange(1.0, len(found) + 1),
        "size": "height",
    }
    return Pairs(**{**facts, **changes})


def moved(*offsets) -> np.ndarray:
    """(1, 4, 2) the truth with joints moved to the right: `moved((HEAD, 3))`."""
    found = TRUE.copy()
    for joint, pixels in offsets:
        found[joint, 0] += pixels
    return found[None]


def swapped() -> np.ndarray:
    """(1, 4, 2) the truth with the hands in each other's place."""
    return TRUE[None][:, [HEAD, RIGHT, LEFT, FOOT]]
