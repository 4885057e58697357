"""Logarithms of blurred maps about their peaks, from which DARK and UDP take their derivatives.

The blur is a Gaussian, zero beyond the border, and the blurred map is scaled to be as high as the map was. All in
float64: matrix products of float32 would be rounded to 10 bits (TF32) on newer GPUs.
"""

from typing import Optional

import cv2
import numpy as np
import paddle

from paddle_pose.codecs.flat_maps import Array, around, constant, highest, library

_MAPS_AT_ONCE = 32  # on a CPU: 64x64 cells of them are 1 MB and stay in its cache


def logs_around(
    maps: Array,
    x_map: Array,
    y_map: Array,
    kernel: int,
    offsets: tuple[tuple[int, int], ...],
    clip: tuple[float, Optional[float]],
) -> Array:
    """(B, K, n) float64 logarithms at the peak plus each (dx, dy) of n; beyond the border the border's cell.

    Args:
        maps: (B, K, h, w).
        x_map, y_map: (B, K) int64 cells of the peaks.
        kernel: odd width of the blur in cells; sigma follows from it as in OpenCV.
        offsets: n of (dx, dy) in cells.
        clip: lowest and highest value, None: any, before the logarithm.
    """
    if isinstance(maps, np.ndarray):
        near = _few_blurred(maps, x_map, y_map, kernel, offsets, clip)
    else:
        near = _all_blurred(maps, x_map, y_map, kernel, offsets)
    return library(near).log(_clipped(near, *clip))


def _all_blurred(maps: Array, x_map: Array, y_map: Array, kernel: int, offsets: tuple) -> Array:
    """(B, K, n) of whole maps after blur and scaling."""
    xp = library(maps)
    across, down = (constant(_band(length, kernel), maps, "float64") for length in (maps.shape[3], maps.shape[2]))
    maps = maps.astype("float64")
    blurred = xp.matmul(down, xp.matmul(maps, across))
    higher = highest(maps)[1] / _clipped(highest(blurred)[1], 1e-30)
    if paddle.in_dynamic_mode():
        return around(blurred, x_map, y_map, offsets) * higher
    return around(blurred * higher[..., None], x_map, y_map, offsets)  # the other way oneDNN makes NaN (3.2)


def _few_blurred(maps: np.ndarray, x_map: np.ndarray, y_map: np.ndarray, kernel: int, offsets: tuple, clip: tuple):
    """As `_all_blurred`, up to a factor for each map, where no clip can bite: differences of logarithms lose it.

    The factor alone needs the whole blurred map. It is at least 1, as a mean is no higher than the highest value, and
    lifts no cell above that. So a map whose cells here are not below the lowest value, and whose peak is not above the
    highest, is not clipped, whatever the factor. The others (noise, zeros, NaN) are blurred as a whole.
    """
    lowest, most = clip
    reach = max(abs(step) for offset in offsets for step in offset)
    span, (dx, dy) = np.arange(-reach, reach + 1), np.transpose(offsets) + reach
    bands = [_band(length, kernel) for length in maps.shape[2:]]

    def blurred(one: np.ndarray, *cell_yx: np.ndarray) -> np.ndarray:
        down, across = (band[(at[:, None] + span).clip(0, len(band) - 1)] for band, at in zip(bands, cell_yx))
        return (down @ one.astype("float64") @ across.swapaxes(-1, -2))[:, dy, dx]

    near = np.stack([blurred(*person) for person in zip(maps, y_map, x_map)])  # one by one: it stays in the cache
    sure = near.min(-1) >= lowest
    if most is not None:
        sure &= around(maps, x_map, y_map, ((0, 0),))[..., 0] <= most
    unsure = np.argwhere(~sure)
    for at in range(0, len(unsure), _MAPS_AT_ONCE):
        some = tuple(unsure[at : at + _MAPS_AT_ONCE].T)
        near[some] = _all_blurred(maps[some][None], x_map[some][None], y_map[some][None], kernel, offsets)[0]
    return near


def _clipped(x: Array, low: float, high: Optional[float] = None) -> Array:
    """`x.clip(low, high)`; without `high` Paddle takes infinity for the largest number, and so do arrays here."""
    return x.clip(low, np.finfo(x.dtype).max if high is None and isinstance(x, np.ndarray) else high)


def _band(length: int, kernel: int) -> np.ndarray:
    """(length, length) symmetric matrix that blurs one axis; sigma follows from `kernel` as in OpenCV."""
    taps = cv2.getGaussianKernel(kernel, 0)[:, 0]
    near = np.arange(length)[None] - np.arange(length)[:, None] + kernel // 2
    return np.where((near >= 0) & (near < kernel), taps[np.clip(near, 0, kernel - 1)], 0.0)
