"""Where between the cells a peak lies: argmax, quarter offset, DARK, UDP, parabola.

Quarter offset: Newell et al., "Stacked Hourglass Networks", ECCV 2016, as in HRNet `lib/core/inference.py`.
DARK: Zhang et al., "Distribution-Aware Coordinate Representation", CVPR 2020, as in mmpose.
UDP: Huang et al., "The Devil is in the Details", CVPR 2020, `post_dark_udp` as in mmpose.

All functions take maps (B, K, h, w) and the peak's cell x_map, y_map (B, K) int64, and return the step
(B, K, 2) from that cell, x and y in cells. They run where the maps are, on tensors, and all but `parabola_step` on
NumPy arrays too (see `flat_maps.py`).

Differs from the references
    A map whose blurred maximum is not positive gets no step; a singular UDP Hessian too (numpy raises there).
"""

import numpy as np
import paddle
from paddle import Tensor

from paddle_pose.codecs.blur import logs_around
from paddle_pose.codecs.flat_maps import Array, around, constant, highest, library, take, unbind

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
_EPSILON = float(np.finfo(np.float32).eps)  # in the diagonal of the UDP Hessian


def peak(maps: Array) -> tuple[Array, Array, Array]:
    """Cell and value of the maximum of each map, the first in reading order where there are several.

    Returns:
        x_map, y_map: (B, K) int64.
        value: (B, K), of the maps' dtype.
    """
    index, value = highest(maps)
    index, value = index.squeeze(-1), value.squeeze(-1)
    return index % maps.shape[3], index // maps.shape[3], value


def quarter(maps: Array, x_map: Array, y_map: Array) -> Array:
    """A quarter cell towards the higher neighbour, per axis; 0 where they are equal.

    Only where 1 < x < w - 1 and 1 < y < h - 1, both tested together (HRNet, mmpose 0.x; mmpose 1.x tests
    each axis alone, which differs for peaks on the border).
    """
    xp = library(maps)
    left, right, above, below = unbind(around(maps, x_map, y_map, _CROSS))
    step = 0.25 * xp.sign(xp.stack([right - left, below - above], -1))
    return step * _inside(maps, x_map, y_map, far=1).astype(step.dtype)[..., None]


def dark(maps: Array, x_map: Array, y_map: Array, kernel: int) -> Array:
    """One Newton step on the logarithm of the blurred map, differences taken over two cells (DARK, Eq. 8).

    Only where 1 < x < w - 2 and 1 < y < h - 2 and the Hessian's determinant is not 0.
    """
    logs = logs_around(maps, x_map, y_map, kernel, tuple(_DARK_DERIVATIVES), clip=(1e-10, None))
    step, solved = _newton(logs, _DARK_DERIVATIVES, 0.0)
    return _keep(step, solved & _inside(maps, x_map, y_map, far=2))


def udp(maps: Array, x_map: Array, y_map: Array, kernel: int) -> Array:
    """One Newton step on the logarithm of the blurred map, differences taken over one cell.

    The blurred map is clipped to 0.001 ... 50, its border cells are repeated outwards.
    """
    logs = logs_around(maps, x_map, y_map, kernel, tuple(_UDP_DERIVATIVES), clip=(0.001, 50.0))
    return _keep(*_newton(logs, _UDP_DERIVATIVES, _EPSILON))


def parabola_step(maps: Tensor, x_map: Tensor, y_map: Tensor) -> Tensor:
    """(B, K, 2) cells from the highest cell to the top of a parabola through logarithms, at most half a cell.

    Each axis alone, exact for a Gaussian. Values below 0.001 count as 0.001. No step along an axis where the peak
    lies on the border.
    """
    flat, width = maps.flatten(2), maps.shape[3]
    x, y = x_map.astype("float32"), y_map.astype("float32")  # see `around`
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


def _inside(maps: Array, x_map: Array, y_map: Array, far: int) -> Array:
    """(B, K) bool: 1 < x < w - far and 1 < y < h - far."""
    height, width = maps.shape[2:]
    return (x_map > 1) & (x_map < width - far) & (y_map > 1) & (y_map < height - far)


def _newton(logs: Array, derivatives: dict, epsilon: float) -> tuple[Array, Array]:
    """Step to the extremum of a quadratic, and where its Hessian, plus epsilon in its diagonal, can be inverted.

    Args:
        logs: (B, K, n) float64 at the n offsets of `derivatives`, which says how they make up the five derivatives.

    Returns:
        step (B, K, 2) and solved (B, K).
    """
    xp = library(logs)
    weights = constant(np.array(list(derivatives.values())), logs, "float64")
    diagonal = constant(np.array([0.0, 0.0, epsilon, 0.0, epsilon]), logs, "float64")
    dx, dy, dxx, dxy, dyy = unbind(xp.matmul(logs, weights) + diagonal)
    determinant = dxx * dyy - dxy * dxy
    solved = determinant != 0
    determinant = xp.where(solved, determinant, xp.ones_like(determinant))
    return xp.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], -1) / determinant[..., None], solved


def _keep(step: Array, valid: Array) -> Array:
    """Steps as float32, 0 where not valid."""
    return (step * valid.astype(step.dtype)[..., None]).astype("float32")
