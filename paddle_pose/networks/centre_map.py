"""The centre map of Convolutional Pose Machines: tells a network which of the people in a crop is meant.

Wei, Ramakrishna, Kanade, Sheikh. Convolutional Pose Machines. CVPR 2016.
Reference code: shihenw/convolutional-pose-machines-release, layer `pool_center_lower` of
`model/_trained_MPI/pose_deploy_centerMap.prototxt`; shihenw/caffe, `src/caffe/data_transformer.cpp`.

Letters: B batch, h w map, an eighth of the crop.

Differs from the released code
    - The Gaussian is not cut below 1 %. Caffe's training layer cuts it, the test code does not.
"""

from typing import Optional

import paddle

STRIDE = 8
SIGMA_CROP = 21.0
KERNEL = 9  # averages 9x9 pixels, from every 8th on


def draw_centre_map(features: paddle.Tensor, center_crop_xy: Optional[paddle.Tensor] = None) -> paddle.Tensor:
    """The centre map as later stages see it.

    A Gaussian over the crop, averaged over 9x9 pixels from each 8th on; both are products of one axis each. The
    last window has 8 pixels, as in Caffe, which divides by the pixels that there are.

    Args:
        features: (B, anything, h, w), for size, batch and type.
        center_crop_xy: (B, 2) in crop pixels; none: the middle.

    Returns:
        (B, 1, h, w), values in [0, 1].
    """
    kind = "float64" if features.dtype == paddle.float64 else "float32"
    ones = paddle.ones_like(features[:1, 0]).astype(kind)  # (1, h, w); sizes may be unknown in an export
    x_crop, y_crop = (None, None) if center_crop_xy is None else center_crop_xy.astype(kind).unbind(-1)
    across, down = _profile(ones[0, 0], x_crop), _profile(ones[0, :, 0], y_crop)
    centre = (down.unsqueeze(2) * across.unsqueeze(1)).unsqueeze(1).astype(features.dtype)
    return centre + paddle.zeros_like(features[:, :1])  # one for each crop


def _profile(ones: paddle.Tensor, center_crop: Optional[paddle.Tensor]) -> paddle.Tensor:
    """One axis of the centre map, of as many cells as `ones` has, for centres (B,) or the middle: (B or 1, cells)."""
    first = (paddle.cumsum(ones) - 1) * STRIDE
    length = first[-1] + STRIDE
    center_crop = length / 2 if center_crop is None else center_crop
    pixels = first.unsqueeze(1) + paddle.arange(KERNEL).astype(ones.dtype)  # (cells, 9)
    distance = pixels - center_crop.reshape([-1, 1, 1])  # (B, cells, 9)
    inside = (pixels < length).astype(ones.dtype)
    bump = paddle.exp(distance * distance * (-0.5 / SIGMA_CROP**2)) * inside
    return bump.sum(-1) / inside.sum(-1)
