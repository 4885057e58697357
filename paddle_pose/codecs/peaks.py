"""Peaks of the part maps of whole photos: where, how high, and how sure between the cells.

A peak is a cell above the threshold with none of its eight neighbours higher; equally high ones that touch are one
peak. With the four neighbours of released codes two people are hardly ever told apart more often, and noise makes more
peaks. What the grid tells apart: of the same joints of two people, bumps of sigma 0.875 cells, both are peaks in 35 %
of cases if they are 1.5 cells apart, in 82 % at 2 and in 99 % at 2.5.

Only the cells above the threshold and their neighbours travel from the device to the host, never a map. The work is
in proportion to them.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import paddle
from paddle import Tensor

_FLOOR = 0.01  # a neighbour counts as at least this share of the peak: further out a bump of sigma 0.5 has no meaning


@dataclass(frozen=True)
class Peaks:
    """The N peaks of all photos, ordered by photo, by part, and the highest first.

    Args:
        xy_map: (N, 2) float64 in cells.
        scores: (N,) float64 height of the peak, between the cells.
        counts: (B, K) how many there are of each part in each photo.
        starts: (B, K) index of the first one.
    """

    xy_map: np.ndarray
    scores: np.ndarray
    counts: np.ndarray
    starts: np.ndarray


def find_peaks(maps: Tensor, threshold: float, most: int) -> Peaks:
    """Finds the peaks of all parts of all photos.

    Args:
        maps: (B, K, h, w) float32, on any device; NaN is never a peak.
        threshold: peaks are higher than this.
        most: the highest peaks of a part that are kept in a photo; a warning tells of others.
    """
    height, width = maps.shape[2:]
    cells, around = _candidates(maps, threshold)
    alone = ~_continues_another(cells, height, width) & np.isfinite(around[:, 0])
    cells, around = cells[alone], around[alone]
    step, scores = _between_cells(around)
    maps_of_peaks, places = np.divmod(cells, height * width)
    order = np.lexsort((-scores, maps_of_peaks))
    counts = np.bincount(maps_of_peaks, minlength=math.prod(maps.shape[:2]))
    rank = np.arange(len(order)) - np.repeat(group_starts(counts), counts)
    if counts.size and counts.max() > most:
        warnings.warn(f"a part has more than most_peaks={most} peaks in one photo; the highest are kept", stacklevel=2)
        order, counts = order[rank < most], np.minimum(counts, most)
    xy = np.stack([places % width, places // width], axis=1) + step
    counts = counts.reshape(maps.shape[:2])
    return Peaks(xy[order], scores[order], counts, group_starts(counts))


def _candidates(maps: Tensor, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Cells that are not lower than a neighbour: (N,) flat indices, ascending, and (N, 5) heights.

    The heights are those of the cell, left, right, above and below it, NaN beyond the border.
    """
    height, width = maps.shape[2:]
    flat = maps.flatten()
    cells = paddle.nonzero(flat > threshold).numpy().ravel()
    if not len(cells):
        return np.zeros(0, np.int64), np.zeros((0, 5))
    x, y = cells % width, cells // width % height
    left, right = -1 * (x > 0), 1 * (x < width - 1)  # no step beyond the border
    above, below = -width * (y > 0), width * (y < height - 1)
    steps = [0 * x, left, right, above, below, above + left, above + right, below + left, below + right]
    around = paddle.gather(flat, paddle.to_tensor((cells + steps).ravel())).numpy().reshape(9, -1)
    rows = np.flatnonzero(~(around[1:] > around[0]).any(axis=0))
    outside = np.stack(steps[1:5])[:, rows] == 0
    around = around[:5, rows].astype(np.float64)
    around[1:][outside] = math.nan
    return cells[rows], around.T


def _continues_another(cells: np.ndarray, height: int, width: int) -> np.ndarray:
    """Which of the ascending flat indices have another one to the left, or in the three cells above: a plateau."""
    if not len(cells):
        return np.zeros(0, bool)
    dx, dy = np.array([(-1, 0), (-1, -1), (0, -1), (1, -1)]).T[:, :, None]
    x, y = cells % width + dx, cells // width % height + dy
    other = cells + dy * width + dx
    at = np.searchsorted(cells, other).clip(max=len(cells) - 1)
    return ((x >= 0) & (x < width) & (y >= 0) & (cells[at] == other)).any(axis=0)


def _between_cells(around: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steps (N, 2) to the top of the parabolas through the logarithms, and the heights (N,) there.

    Exact for a Gaussian. At most half a cell, as no neighbour is higher; none along an axis where one is missing.
    """
    here = around[:, :1]
    logs = np.log(np.maximum(around / here, _FLOOR))  # 0 at the peak
    before, after = logs[:, 1::2], logs[:, 2::2]  # (N, 2): x, y
    bend = before + after
    step = np.where(bend < -1e-9, 0.5 * (before - after) / np.where(bend < -1e-9, bend, -1.0), 0.0)
    rise = 0.25 * (after - before) * step
    return np.nan_to_num(step), here[:, 0] * np.exp(np.nan_to_num(rise).sum(axis=1))


def group_starts(counts: np.ndarray) -> np.ndarray:
    """Index of the first member of each group where groups of these sizes lie one after the other; same shape."""
    return np.cumsum(counts).reshape(counts.shape) - counts
