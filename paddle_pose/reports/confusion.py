"""Which joint a predicted joint really lies on: left and right taken for each other, and the rest.

A predicted joint `lies on` the joint of its own person whose true place is nearest to it, in photo pixels, if it is
within the threshold of that joint (in units of that joint); else on none. At equal distances it lies on its own.
Only the joints that are labelled can be lain on.
"""

from dataclasses import dataclass

import numpy as np

from paddle_pose.metrics import pck
from paddle_pose.reports.pairs import Pairs

NONE = -1


def lies_on(pairs: Pairs) -> np.ndarray:
    """(N, K) joint that each predicted one lies on, `NONE` for none, and where its own is not counted."""
    people, joints = pairs.counted.shape
    on = np.full((people, joints), NONE)
    for k in range(joints):
        distances = pck.distances(pairs.found_image[:, k, None], pairs.true_image)
        distances = np.where(pairs.counted & ~np.isnan(distances), distances, np.inf)
        nearest = np.argmin(distances, axis=1)
        least = distances.min(axis=1)
        nearest = np.where(distances[:, k] <= least, k, nearest)
        units = np.take_along_axis(pairs.unit_image, nearest[:, None], axis=1)[:, 0]
        near = np.divide(least, units, out=np.full(people, np.inf), where=units > 0) <= pairs.threshold
        on[:, k] = np.where(near & pairs.counted[:, k], nearest, NONE)
    return on


def confusion(pairs: Pairs, on: np.ndarray) -> np.ndarray:
    """(K, K + 1) counts: row = predicted joint, column = joint that it lies on, the last for none."""
    joints = len(pairs.skeleton)
    table = np.zeros((joints, joints + 1), np.int64)
    for k in range(joints):
        mine = on[pairs.counted[:, k], k]
        table[k] = np.bincount(np.where(mine == NONE, joints, mine), minlength=joints + 1)
    return table


@dataclass(frozen=True)
class Swaps:
    """A mirror pair, over the people who have both joints labelled.

    Args:
        pair: the two joints.
        people: how many.
        first: predictions of the first joint that lie on the second.
        second: predictions of the second joint that lie on the first.
        both: people of whom both do: the two have changed places.
    """

    pair: tuple[str, str]
    people: int
    first: int
    second: int
    both: int

    @property
    def percent(self) -> float:
        """Of the predictions of both joints, how many lie on the other; NaN where there are none."""
        return float(pck.percent(self.first + self.second, 2 * self.people))


def swaps(pairs: Pairs, on: np.ndarray) -> list[Swaps]:
    """Each mirror pair of the skeleton; nothing where it has none."""
    found = []
    for a, b in pairs.skeleton.mirror_pairs or ():
        i, j = pairs.skeleton.index(a), pairs.skeleton.index(b)
        has_both = pairs.counted[:, i] & pairs.counted[:, j]
        first, second = has_both & (on[:, i] == j), has_both & (on[:, j] == i)
        found.append(
            Swaps((a, b), int(has_both.sum()), int(first.sum()), int(second.sum()), int((first & second).sum()))
        )
    return found
