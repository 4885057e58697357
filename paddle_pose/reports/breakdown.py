"""Errors split up: by joint, by person size, by visibility, by confidence. Pure functions on `Pairs`."""

from dataclasses import dataclass
from typing import Optional

import numpy as np

from paddle_pose.metrics import pck
from paddle_pose.reports.pairs import Pairs

QUANTILES = (5, 25, 50, 75, 95)  # of a box and its whiskers
_LARGEST = 1e6  # stands for errors without bound, between which no quantile can be taken


@dataclass(frozen=True)
class Share:
    """Some of the joints.

    Args:
        name: which.
        joints: number of those that count.
        correct: percent within the threshold; NaN where nothing counts.
        not_found: number of those for which there is no position at all.
        quantiles: (5,) errors at 5, 25, 50, 75 and 95 percent, of the found ones; NaN where there are none.
        people: number of people, where they are what was split.
    """

    name: str
    joints: int
    correct: float
    not_found: int
    quantiles: np.ndarray
    people: Optional[int] = None

    @property
    def median(self) -> float:
        """Of the errors."""
        return float(self.quantiles[2])


def share(name: str, pairs: Pairs, chosen: np.ndarray, people: Optional[int] = None) -> Share:
    """Those counted joints that are `chosen`, (N, K) bool."""
    chosen = chosen & pairs.counted
    errors = pairs.errors[chosen]
    known = np.minimum(errors[~np.isnan(errors)], _LARGEST)
    quantiles = np.percentile(known, QUANTILES) if len(known) else np.full(len(QUANTILES), np.nan)
    correct = float(pck.percent((errors <= pairs.threshold).sum(), len(errors)))
    return Share(name, len(errors), correct, len(errors) - len(known), quantiles, people)


def by_joint(pairs: Pairs) -> list[Share]:
    """Each joint, in the skeleton's order."""
    number = np.arange(len(pairs.skeleton))
    return [share(joint, pairs, pairs.counted & (number == k)) for k, joint in enumerate(pairs.skeleton.joints)]


def by_size(pairs: Pairs, bins: int = 5) -> list[Share]:
    """People in bins of equal number by size, smallest first; fewer bins where sizes repeat."""
    number, edges = quantile_bins(np.where(pairs.counted.any(axis=1), pairs.size_image, np.nan), bins)
    shares = []
    for b in range(len(edges) - 1):
        people = number == b
        name = f"{edges[b]:.0f} to {edges[b + 1]:.0f} px"
        shares.append(share(name, pairs, np.repeat(people[:, None], len(pairs.skeleton), 1), int(people.sum())))
    return shares


def quantile_bins(values: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """(N,) bin of each value, -1 for NaN, and the edges; a value on an edge is in the lower bin.

    Args:
        values: (N,).
        bins: how many; edges that fall together make one.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return np.full(len(values), -1), np.zeros(1)
    edges = np.unique(np.percentile(known, np.linspace(0, 100, bins + 1)))
    if len(edges) == 1:
        edges = np.repeat(edges, 2)
    number = np.clip(np.searchsorted(edges, values, side="left") - 1, 0, len(edges) - 2)
    return np.where(np.isnan(values), -1, number), edges


def by_visibility(pairs: Pairs) -> dict[str, list[Share]]:
    """{'visible': the groups of joints, 'hidden': ...}, all joints first; empty where the dataset does not tell."""
    if pairs.visible is None:
        return {}
    named = {"visible": pairs.visible, "hidden": ~pairs.visible}
    return {name: [share("All", pairs, chosen), *_groups(pairs, chosen)] for name, chosen in named.items()}


def _groups(pairs: Pairs, chosen: np.ndarray) -> list[Share]:
    skeleton, shares = pairs.skeleton, []
    for group, joints in skeleton.groups.items():
        mine = np.isin(np.arange(len(skeleton)), [skeleton.index(joint) for joint in joints])
        shares.append(share(group, pairs, chosen & mine))
    return shares


@dataclass(frozen=True)
class Calibration:
    """What scores are worth: found joints in bins of equal number by score, lowest first.

    Args:
        scores: (B,) mean score of each bin.
        correct: (B,) percent of its joints within the threshold.
        joints: (B,) how many.
        order: how often, in percent, a correct joint has a higher score than a wrong one (ties count half); NaN where
            all are correct, or none.
    """

    scores: np.ndarray
    correct: np.ndarray
    joints: np.ndarray
    order: float


def calibration(pairs: Pairs, bins: int = 10) -> Optional[Calibration]:
    """None where there are no scores."""
    if pairs.scores is None:
        return None
    chosen = pairs.counted & ~np.isnan(pairs.errors) & np.isfinite(pairs.scores)
    scores, correct = pairs.scores[chosen], pairs.correct[chosen]
    if not len(scores):
        return None
    number, edges = quantile_bins(scores, bins)
    rows = [number == b for b in range(len(edges) - 1)]
    rows = [row for row in rows if row.any()]
    return Calibration(
        scores=np.array([scores[row].mean() for row in rows]),
        correct=np.array([100.0 * correct[row].mean() for row in rows]),
        joints=np.array([int(row.sum()) for row in rows]),
        order=_order(scores, correct),
    )


def _order(scores: np.ndarray, correct: np.ndarray) -> float:
    """Area under the ROC curve, by ranks, in percent."""
    right, wrong = int(correct.sum()), int((~correct).sum())
    if not right or not wrong:
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[inverse]  # equal scores share the mean of their ranks
    return float(100 * (ranks[correct].sum() - right * (right + 1) / 2) / (right * wrong))
