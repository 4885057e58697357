"""Gaussian bumps on cells that lie in the middle of their pixels, cut off as in Convolutional Pose Machines.

Reference code: shihenw/caffe, `src/caffe/data_transformer.cpp` (`putGaussianMaps`); OpenPose's is the same.
"""

import paddle
from paddle import Tensor

LARGEST_EXPONENT = 4.6052  # beyond it a bump is below 1 %
FAR_AWAY_CROP = -1e6  # a joint here draws nothing


def draw_bumps(joints_crop: Tensor, weight: Tensor, map_wh: tuple[int, int], stride: int, sigma_crop: float) -> Tensor:
    """One map per joint; exp(-d^2 / (2 sigma^2)) at distance d, 0 where that is below 1 %.

    Args:
        joints_crop: (B, K, 2) x, y in crop pixels; anything, NaN included, where weight is 0.
        weight: (B, K) 0 where nothing is to be drawn.
        map_wh: cells across and down; cell i lies at crop pixel stride * i + (stride - 1) / 2.
        stride: crop pixels per cell.
        sigma_crop: standard deviation in crop pixels.

    Returns:
        (B, K, h, w) float32 in [0, 1].
    """
    joints_crop = joints_crop.astype("float32")
    drawn = (weight > 0).unsqueeze(-1)
    centres = paddle.where(drawn, joints_crop, paddle.full_like(joints_crop, FAR_AWAY_CROP))  # NaN ends here
    across, down = (_exponents(centres[..., axis], map_wh[axis], stride, sigma_crop) for axis in (0, 1))
    exponent = across.unsqueeze(-2) + down.unsqueeze(-1)
    return paddle.exp(-exponent) * (exponent <= LARGEST_EXPONENT).astype("float32")


def _exponents(centre_crop: Tensor, cells: int, stride: int, sigma_crop: float) -> Tensor:
    """(B, K) on one axis -> (B, K, cells): squared distance / (2 sigma^2)."""
    at_crop = paddle.arange(cells, dtype="float32") * stride + (stride - 1) / 2
    distance = at_crop - centre_crop.unsqueeze(-1)
    return distance * distance * (0.5 / sigma_crop**2)
