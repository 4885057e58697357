"""Where between the cells a peak lies: argmax, quarter offset, DARK, UDP, parabola.

Quarter offset: Newell et al., "Stacked Hourglass Networks", ECCV 2016, as in HRNet `lib/core/inference.py`.
DARK: Zhang et al., "Distribution-Aware Coordinate Representation", CVPR 2020, as in mmpose.
UDP: Huang et al., "The Devil is in the Details", CVPR 2020, `post_dark_udp` as in mmpose.

All functions take maps (B, K, h, w) and the peak's cell x_map, y_map (B, K) int64, and return the step
(B, K, 2) from that cell, x and y in cells. They run where the maps are.

Differs from the references
    A map whose blurred maximum is not positive gets no step; a singular UDP Hessian too (numpy raises there).
"""

import cv2
import numpy as np
import paddle
from paddle import Tensor

from paddle_pose.codecs.flat_maps import highest, take

_CROSS = ((-1, 0), (1, 0), (0, -1), (0, 1))
# Offset from the peak -> its weights in the derivatives dx, dy, dxx, dxy, dyy. Over two cells:
_DARK_DERIVATIVES = {
    (-1, 0): (-0.5, 0, 0, 0, 0),
    (1, 0): (0.5, 0, 0, 0, 0),
    (0, -1): (0, -0.5, 0, 0, 0),
    (0, 1): (0, 0.5, 0, 0, 0),
    (-2, 0): (0, 0, 0.25, 0, 0),
    (2, 0): (0, 0, 0.25, 0, 0),
    (0, -2): (0, 0, 0, 0, 0.25),
    (0, 2): (0, 0, 0, 0, 0.25),
    (-1, -1): (0, 0, 0, 0.25, 0),
    (1, -1): (0, 0, 0, -0.25, 0),
    (-1, 1): (0, 0, 0, -0.25, 0),
    (1, 1): (0, 0, 0, 0.25, 0),
    (0, 0): (0, 0, -0.5, 0, -0.5),
}
# Over one cell:
_UDP_DERIVATIVES = {
    (-1, 0): (-0.5, 0, 1, -0.5, 0),
    (1, 0): (0.5, 0, 1, -0.5, 0),
    (0, -1): (0, -0.5, 0, -0.5, 1),
    (0, 1): (0, 0.5, 0, -0.5, 1),
    (-1, -1): (0, 0, 0, 0.5, 0),
    (1, 1): (0, 0, 0, 0.5, 0),
    (0, 0): (0, 0, -2, 1, -2),
}
_CELLS_AT_ONCE = 300_000  # blurred on a CPU: 2.4 MB stay in its cache, 30 MB make the same products three times slower
_EPSILON = float(np.finfo(np.float32).eps)  # in the diagonal of the UDP Hessian


def peak(maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cell and value of the maximum of each map, the first in reading order where there are several.

    Returns:
        x_map, y_map: (B, K) int64.
        value: (B, K), of the maps' dtype.
    """
    index, value = highest(maps)
    index, value = index.squeeze(-1), value.squeeze(-1)
    return index % maps.shape[3], index // maps.shape[3], value


def quarter(maps: Tensor, x_map: Tensor, y_map: Tensor) -> Tensor:
    """A quarter cell towards the higher neighbour, per axis; 0 where they are equal.

    Only where 1 < x < w - 1 and 1 < y < h - 1, both tested together (HRNet, mmpose 0.x; mmpose 1.x tests
    each axis alone, which differs for peaks on the border).
    """
    left, right, above, below = _around(maps, x_map, y_map, _CROSS).unbind(-1)
    step = 0.25 * paddle.sign(paddle.stack([right - left, below - above], -1))
    return step * _inside(maps, x_map, y_map, far=1).astype(step.dtype).unsqueeze(-1)


def dark(maps: Tensor, x_map: Tensor, y_map: Tensor, kernel: int) -> Tensor:
    """One Newton step on the logarithm of the blurred map, differences taken over two cells (DARK, Eq. 8).

    Only where 1 < x < w - 2 and 1 < y < h - 2 and the Hessian's determinant is not 0.
    """
    near = _blurred_around(maps, x_map, y_map, kernel, tuple(_DARK_DERIVATIVES))
    step, solved = _newton(paddle.log(paddle.clip(near, min=1e-10)), _DARK_DERIVATIVES, 0.0)
    return _keep(step, solved & _inside(maps, x_map, y_map, far=2))


def udp(maps: Tensor, x_map: Tensor, y_map: Tensor, kernel: int) -> Tensor:
    """One Newton step on the logarithm of the blurred map, differences taken over one cell.

    The blurred map is clipped to 0.001 ... 50, its border cells are repeated outwards.
    """
    near = _blurred_around(maps, x_map, y_map, kernel, tuple(_UDP_DERIVATIVES))
    return _keep(*_newton(paddle.log(paddle.clip(near, min=0.001, max=50.0)), _UDP_DERIVATIVES, _EPSILON))


def parabola_step(maps: Tensor, x_map: Tensor, y_map: Tensor) -> Tensor:
    """(B, K, 2) cells from the highest cell to the top of a parabola through logarithms, at most half a cell.

    Each axis alone, exact for a Gaussian. Values below 0.001 count as 0.001. No step along an axis where the peak
    lies on the border.
    """
    flat, width = maps.flatten(2), maps.shape[3]
    x, y = x_map.astype("float32"), y_map.astype("float32")  # see _around
    steps = []
    for at, length, stride in ((x, width, 1), (y, maps.shape[2], width)):
        inside = (at > 0) & (at < length - 1)
        offset = inside.astype("float32") * stride
        here = y * width + x
        cells = paddle.stack([here - offset, here, here + offset], -1).astype("int64")
        values = paddle.log(take(flat, cells).clip(min=1e-3))
        before, top, after = values.unbind(-1)
        bend = before - 2 * top + after  # not positive
        steps.append(0.5 * (before - after) / bend.clip(max=-1e-6))
    return paddle.stack(steps, -1)


def _blurred_around(maps: Tensor, x_map: Tensor, y_map: Tensor, kernel: int, offsets: tuple) -> Tensor:
    """As `_around`, of the maps after a Gaussian blur of width `kernel` (odd), zero beyond the border.

    Returns:
        (B, K, n) float64, scaled so that the blurred map is as high as the map was: matrix products of float32 would
        be rounded to 10 bits (TF32) on newer GPUs.
    """
    across, down = (paddle.to_tensor(_band(length, kernel)) for length in (maps.shape[3], maps.shape[2]))

    def near(maps: Tensor, x_map: Tensor, y_map: Tensor) -> Tensor:
        maps = maps.astype("float64")
        blurred = paddle.matmul(down, paddle.matmul(maps, across))
        higher = highest(maps)[1] / paddle.clip(highest(blurred)[1], min=1e-30)
        if paddle.in_dynamic_mode():
            return _around(blurred, x_map, y_map, offsets) * higher
        return _around(blurred * higher.unsqueeze(-1), x_map, y_map, offsets)  # the other way oneDNN makes NaN (3.2)

    if not paddle.in_dynamic_mode() or not maps.place.is_cpu_place() or maps.size <= _CELLS_AT_ONCE:
        return near(maps, x_map, y_map)
    step = max(1, _CELLS_AT_ONCE // (maps.size // len(maps)))
    parts = (slice(at, at + step) for at in range(0, len(maps), step))
    return paddle.concat([near(maps[part], x_map[part], y_map[part]) for part in parts])


def _band(length: int, kernel: int) -> np.ndarray:
    """(length, length) symmetric matrix that blurs one axis; sigma follows from `kernel` as in OpenCV."""
    taps = cv2.getGaussianKernel(kernel, 0)[:, 0]
    near = np.arange(length)[None] - np.arange(length)[:, None] + kernel // 2
    return np.where((near >= 0) & (near < kernel), taps[np.clip(near, 0, kernel - 1)], 0.0)


def _around(maps: Tensor, x_map: Tensor, y_map: Tensor, offsets: tuple) -> Tensor:
    """Values (B, K, n) at the peak plus each (dx, dy) of n; beyond the border the border's cell.

    Cells are counted in float32, exactly up to 2^24 of them: in exported models oneDNN fuses sums and products of
    whole numbers, and of float64 with a number, and then gets them wrong (Paddle 3.2), or refuses them (2.6).
    """
    height, width = maps.shape[2:]
    dx, dy = (paddle.to_tensor(axis, dtype="float32") for axis in zip(*offsets))
    x = (x_map.astype("float32").unsqueeze(-1) + dx).clip(0, width - 1)
    y = (y_map.astype("float32").unsqueeze(-1) + dy).clip(0, height - 1)
    return take(maps.flatten(2), (y * width + x).astype("int64"))


def _inside(maps: Tensor, x_map: Tensor, y_map: Tensor, far: int) -> Tensor:
    """(B, K) bool: 1 < x < w - far and 1 < y < h - far."""
    height, width = maps.shape[2:]
    return (x_map > 1) & (x_map < width - far) & (y_map > 1) & (y_map < height - far)


def _newton(logs: Tensor, derivatives: dict, epsilon: float) -> tuple[Tensor, Tensor]:
    """Step to the extremum of a quadratic, and where its Hessian, plus epsilon in its diagonal, can be inverted.

    Args:
        logs: (B, K, n) float64 at the n offsets of `derivatives`, which says how they make up the five derivatives.

    Returns:
        step (B, K, 2) and solved (B, K).
    """
    weights = paddle.to_tensor(np.array(list(derivatives.values()), np.float64))
    diagonal = paddle.to_tensor(np.array([0.0, 0.0, epsilon, 0.0, epsilon]))
    dx, dy, dxx, dxy, dyy = (paddle.matmul(logs, weights) + diagonal).unbind(-1)
    determinant = dxx * dyy - dxy * dxy
    solved = determinant != 0
    determinant = paddle.where(solved, determinant, paddle.ones_like(determinant))
    return paddle.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], -1) / determinant.unsqueeze(-1), solved


def _keep(step: Tensor, valid: Tensor) -> Tensor:
    """Steps as float32, 0 where not valid."""
    return (step * valid.astype(step.dtype).unsqueeze(-1)).astype("float32")
