"""Which peaks are the two ends of a limb: line integrals through the affinity fields, and the assignment.

Source: Cao et al., "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", CVPR 2017, Eq. 10 and 11
(the integral), Eq. 12 to 15 (the assignment of one type of limb; Eq. 13 and 14: one to one).

Differs from the paper
    Between two peaks less than a cell apart, as the eyes and ears of small people are, the way from one to the other
    is mostly the error of their places. There the field's length may stand in for its part along that way, the more
    the closer they are. The OpenPose library gives pairs that are nearly in the same place a fixed low score instead.
"""

from dataclasses import dataclass

import numpy as np
import paddle
from paddle import Tensor
from paddle.nn import functional as F  # noqa: N812
from scipy.optimize import linear_sum_assignment

from paddle_pose.codecs.peaks import Peaks, group_starts

_SAMPLES_AT_ONCE = 2_000_000  # bounds the memory of the integrals: about 100 MB


@dataclass(frozen=True)
class Connections:
    """Pairs of peaks that may be limbs, of all photos and all types of limb.

    Args:
        types: (M,) photo * L + limb.
        first, second: (M,) indices of peaks.
        scores: (M,) float64.
    """

    types: np.ndarray
    first: np.ndarray
    second: np.ndarray
    scores: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> "Connections":
        return Connections(self.types[rows], self.first[rows], self.second[rows], self.scores[rows])


def all_pairs(peaks: Peaks, limbs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every peak of a limb's first part with every peak of its second part in the same photo.

    Args:
        peaks: of B photos.
        limbs: (L, 2) the parts.

    Returns:
        types: (M,) photo * L + limb, ascending.
        first, second: (M,) indices of peaks.
    """
    firsts, seconds = peaks.counts[:, limbs[:, 0]].ravel(), peaks.counts[:, limbs[:, 1]].ravel()  # (B * L,)
    sizes = firsts * seconds
    types = np.repeat(np.arange(len(sizes)), sizes)
    within = np.arange(len(types)) - group_starts(sizes)[types]
    first, second = np.divmod(within, seconds[types])
    first += peaks.starts[:, limbs[:, 0]].ravel()[types]
    second += peaks.starts[:, limbs[:, 1]].ravel()[types]
    return types, first, second


def integrate(
    fields: Tensor, peaks: Peaks, pairs: tuple, samples: int, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Line integrals of all pairs through the fields, sampled between the cells by one bilinear look-up.

    Args:
        fields: (B * L, 2, h, w) float32, on any device.
        peaks, pairs: as `all_pairs` returns them, M pairs.
        samples: points on each line, both ends included.
        threshold: a sample above it passes.

    Returns:
        means: (M,) float64 mean over the samples of the field along the line; NaN where the field is NaN.
        passed: (M,) share of the samples that pass.
    """
    types, first, second = pairs
    size_wh = np.array([fields.shape[3], fields.shape[2]])
    ends = np.concatenate([peaks.xy_map[first], peaks.xy_map[second]], axis=1).reshape(-1, 2, 2)
    sizes = np.bincount(types, minlength=fields.shape[0])
    rank = np.arange(len(types)) - group_starts(sizes)[types]
    # One row of pairs for each field, padded to the longest. grid_sample wants -1 ... 1, the first cell to the last.
    rows, longest = len(sizes), sizes.max()
    slots = types * longest + rank
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    table = _filled((rows, longest, 2, 2), slots, ends * (2 / np.maximum(size_wh - 1, 1)) - 1)
    ways = _filled((rows, longest, 2), slots, (ends[:, 1] - ends[:, 0]) / np.maximum(length, 1e-9)[:, None])
    close = _filled((rows, longest), slots, np.maximum(1 - length, 0))
    step = max(1, _SAMPLES_AT_ONCE // (rows * samples))
    parts = [
        _sample(fields, table[:, at:to], ways[:, at:to], close[:, at:to], samples, threshold)
        for at, to in ((at, at + step) for at in range(0, longest, step))
    ]
    means, passed = np.concatenate(parts, axis=2).reshape(2, -1)[:, slots].astype(np.float64)
    return means, passed


def _filled(shape: tuple[int, ...], slots: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(rows, longest, ...) float32 with the values at these slots, rows * longest of them, and 0 elsewhere."""
    table = np.zeros((shape[0] * shape[1], *shape[2:]), np.float32)
    table[slots] = values
    return table.reshape(shape)


def _sample(
    fields: Tensor, ends: np.ndarray, ways: np.ndarray, close: np.ndarray, samples: int, threshold: float
) -> np.ndarray:
    """(2, B * L, n) means and shares of n lines in each field.

    Args:
        fields: (B * L, 2, h, w).
        ends: (B * L, n, 2, 2) in [-1, 1].
        ways: (B * L, n, 2) unit vectors.
        close: (B * L, n) 1 where both ends are in the same place, 0 from one cell on.
    """
    along = np.linspace(0, 1, samples, dtype=np.float32)
    points = np.stack([1 - along, along], axis=1) @ ends  # (B * L, n, samples, 2)
    one_row = paddle.to_tensor(points.reshape(len(ends), 1, -1, 2))  # twice as fast as n rows
    found = F.grid_sample(fields, one_row, padding_mode="border", align_corners=True)
    found = found.reshape([len(ends), 2, -1, samples])
    dots = _sum_of_both(found * paddle.to_tensor(ways.transpose(0, 2, 1)[..., None]))  # (B * L, n, samples)
    if close.any():
        strength = paddle.maximum(dots, _sum_of_both(found * found).sqrt() * paddle.to_tensor(close[..., None]))
        dots = paddle.where(paddle.to_tensor(close[..., None] > 0), strength, dots)  # other lines keep theirs below 0
    passed = (dots > threshold).astype("float32")
    return paddle.stack([dots.mean(axis=-1), passed.mean(axis=-1)]).numpy()


def _sum_of_both(vectors: Tensor) -> Tensor:
    """(B * L, n, samples) from (B * L, 2, n, samples); on the CPU by NumPy, as Paddle takes four times as long."""
    if not vectors.place.is_cpu_place():
        return vectors.sum(axis=1)
    on_host = vectors.numpy()
    return paddle.to_tensor(on_host[:, 0] + on_host[:, 1])


def assign_greedily(candidates: Connections) -> Connections:
    """One to one within each type: the best pair first, then the best of what is left. Best first in all."""
    taken_first, taken_second, kept = set(), set(), []
    order = np.argsort(-candidates.scores, kind="stable")
    columns = (candidates.types[order], candidates.first[order], candidates.second[order])
    for row, limb, first, second in zip(order.tolist(), *(column.tolist() for column in columns)):
        if (limb, first) not in taken_first and (limb, second) not in taken_second:
            taken_first.add((limb, first))
            taken_second.add((limb, second))
            kept.append(row)
    return candidates[np.array(kept, np.int64)]


def assign_optimally(candidates: Connections) -> Connections:
    """One to one within each type, so that the sum of the scores is highest. Best first in all.

    Candidates must be ordered by type.
    """
    kept = [np.zeros(0, np.int64)]
    bounds = np.flatnonzero(np.diff(candidates.types, prepend=-1, append=-1))
    begins, sizes = bounds[:-1], np.diff(bounds)
    lines, columns = (
        peaks - np.repeat(np.minimum.reduceat(peaks, begins), sizes) for peaks in (candidates.first, candidates.second)
    )
    shapes = zip(*((np.maximum.reduceat(at, begins) + 1).tolist() for at in (lines, columns)))
    for begin, end, shape in zip(begins.tolist(), bounds[1:].tolist(), shapes):
        at = lines[begin:end], columns[begin:end]
        rows = np.full(shape, -1)
        scores = np.zeros(shape)  # 0: no candidate, no gain
        rows[at], scores[at] = np.arange(begin, end), candidates.scores[begin:end]
        chosen = rows[linear_sum_assignment(scores, maximize=True)]
        kept.append(chosen[chosen >= 0])
    kept = np.concatenate(kept)
    return candidates[kept[np.argsort(-candidates.scores[kept], kind="stable")]]
