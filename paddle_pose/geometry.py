"""Affine matrices between photo and crop: make, invert, apply, warp.

A matrix is 2x3 float64 and named target_from_source. Integer coordinate = pixel centre.
Source: Simple Baselines / HRNet, `lib/utils/transforms.py` (`get_affine_transform`), written as a product
of elementary maps; UDP: Huang et al., "The Devil is in the Details", CVPR 2020, Sec. 3.
"""

import cv2
import numpy as np


def fix_aspect(size_wh: np.ndarray, input_wh: tuple[int, int]) -> np.ndarray:
    """Grows the shorter side of a (w, h) box until its aspect is that of the network input."""
    width, height = float(size_wh[0]), float(size_wh[1])
    aspect = input_wh[0] / input_wh[1]
    return np.array([max(width, height * aspect), max(height, width / aspect)])


def crop_matrix(
    center_image_xy: np.ndarray,
    width_image: float,
    angle_deg: float,
    input_wh: tuple[int, int],
    mirrored: bool = False,
    pixel_centres: bool = False,
) -> np.ndarray:
    """The one matrix of a crop: mirror, rotate, scale and shift, in this order.

    Args:
        center_image_xy: (2,) photo point that lands in the middle of the crop.
        width_image: photo pixels that the crop's width spans.
        angle_deg: the photo's up direction, turned clockwise on the screen by this angle, is up in the crop
            (so the picture appears turned the other way), as in HRNet.
        input_wh: crop width and height.
        mirrored: swap left and right in the photo's frame first, as x -> W - 1 - x would.
        pixel_centres: False: HRNet's rule (centre -> W/2, scale W / width). True: UDP's rule (centre ->
            (W-1)/2, scale (W-1) / width), under which a crop of a mirrored photo is the mirrored crop.

    Returns:
        crop_from_image, (2, 3) float64.
    """
    width, height = input_wh
    if pixel_centres:
        width, height = width - 1, height - 1
    scale = width / width_image
    angle = np.deg2rad(angle_deg)
    linear = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    if mirrored:
        linear = linear @ np.diag([-1.0, 1.0])
    shift = np.array([width / 2, height / 2]) - linear @ np.asarray(center_image_xy, np.float64)
    return _matrix(linear, shift)


def invert(matrix: np.ndarray) -> np.ndarray:
    """Inverse of (..., 2, 3) affine matrices."""
    linear = np.linalg.inv(matrix[..., :2])
    return np.concatenate([linear, -linear @ matrix[..., 2:]], axis=-1)


def chain(first: np.ndarray, *more: np.ndarray) -> np.ndarray:
    """Product of (2, 3) affine matrices: c_from_b, b_from_a -> c_from_a."""
    for matrix in more:
        first = _matrix(first[:, :2] @ matrix[:, :2], first[:, :2] @ matrix[:, 2] + first[:, 2])
    return first


def _matrix(linear: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """(2, 3) of (2, 2) and (2,): `column_stack`, which takes longer than all the rest of a matrix."""
    matrix = np.empty((2, 3))
    matrix[:, :2], matrix[:, 2] = linear, shift
    return matrix


def image_from_reduced(step: int, first_xy: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Matrix of a picture of which a pixel stands for step x step photo pixels and lies in the middle of them.

    Args:
        step: photo pixels along a side of a pixel.
        first_xy: the photo pixel in which the picture begins.

    Returns:
        image_from_pixels, (2, 3) float64.
    """
    middle = (step - 1) / 2
    return np.array([[step, 0, first_xy[0] + middle], [0, step, first_xy[1] + middle]], np.float64)


def apply(matrix: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
    """Maps (..., K, 2) points by (..., 2, 3) matrices; leading axes broadcast."""
    return points_xy @ np.swapaxes(matrix[..., :2], -1, -2) + matrix[..., None, :, 2]


def warp(
    image: np.ndarray,
    crop_from_image: np.ndarray,
    input_wh: tuple[int, int],
    border: tuple[int, ...] = (0, 0, 0),
) -> np.ndarray:
    """The crop that a matrix describes: bilinear, of the colour `border` where the photo ends."""
    flags = cv2.INTER_LINEAR
    return cv2.warpAffine(image, crop_from_image, tuple(input_wh), flags=flags, borderValue=tuple(border))
