"""Outputs for crops of several scales -> joints in the crop of scale 1.

Source: the multi-scale test of Wei et al., "Convolutional Pose Machines", CVPR 2016 (released code): the person at
0.7, 0.8, ... 1.3 of its size, maps brought back to one frame and averaged, one peak taken of the mean.

Differs from the released code
    The common frame is the map of the crop of scale 1, not the whole photo in pixels; the codec's own decoder places
    the peak between cells.
    Beyond the edge of a crop that code adds maps of zeros. Here a cell's mean is taken over the scales whose crop
    holds it, so that a hand that is out of the crop at 1.3 loses nothing, and no edge is drawn through a peak.
    Coordinates (DeepPose), for which there is no published rule: the mean of the joints found at each scale.
"""

from typing import Optional

import numpy as np
import paddle
from paddle import Tensor

from paddle_pose import geometry
from paddle_pose.errors import ConfigError
from paddle_pose.interfaces import Codec

_EPSILON = 1e-6  # of a cell: rounding must not put a border cell off the map


class ScaleAverage:
    """Running mean over scales; holds one output, however many scales there are.

    Args:
        codec: decodes; for maps it has `map_from_crop`.
        input_wh: crop width and height.
    """

    def __init__(self, codec: Codec, input_wh: tuple[int, int]) -> None:
        self._codec, self._input_wh = codec, tuple(input_wh)
        self._total: Optional[Tensor] = None
        self._scores: Optional[Tensor] = None  # of coordinates, whose decoder makes them
        self._count = 0.0  # scales so far: of maps, an array (h, w)

    def add(self, scale: float, output: Tensor) -> None:
        """Takes in the output (B, K, h, w), or (B, K, 2 or 4) coordinates, for the crops of one scale."""
        scaled_from_crop = crop_from_crop(scale, self._input_wh, self._codec.pixel_centres)
        if output.ndim == 4:
            output, held = self._on_common_map(output, scaled_from_crop)
        else:
            joints, scores = self._codec.decode(output)
            inverse = geometry.invert(scaled_from_crop).astype(np.float32)
            output = joints * paddle.to_tensor(np.diag(inverse)) + paddle.to_tensor(inverse[:, 2])
            self._scores, held = scores if self._scores is None else self._scores + scores, 1.0
        self._total = output if self._total is None else self._total + output
        self._count = self._count + held

    def decode(self) -> tuple[Tensor, Tensor]:
        """Joints (B, K, 2) in pixels of the crop of scale 1, and scores (B, K)."""
        if self._scores is not None:
            return self._total / self._count, self._scores / self._count
        count = np.maximum(self._count, 1.0)  # 0 where every crop is smaller; the maps are 0 there
        return self._codec.decode((self._total / paddle.to_tensor(count)).astype("float32"))

    def _on_common_map(self, maps: Tensor, scaled_from_crop: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """Maps (B, K, h, w) float64 on the cells of scale 1, 0 beyond their crop, and (h, w) 1 where it is held."""
        map_from_crop = getattr(self._codec, "map_from_crop", None)
        if map_from_crop is None:
            raise ConfigError(f"valid.test_scales: {type(self._codec).__name__} cannot average its maps; use [1.0]")
        matrix = geometry.chain(map_from_crop, scaled_from_crop, geometry.invert(map_from_crop))
        height, width = maps.shape[2:]
        across, held_x = resampler(width, matrix[0, 0], matrix[0, 2])
        down, held_y = resampler(height, matrix[1, 1], matrix[1, 2])
        # float64: matrix products of float32 would be rounded to 10 bits (TF32) on newer GPUs
        resampled = paddle.matmul(
            paddle.to_tensor(down), paddle.matmul(maps.astype("float64"), paddle.to_tensor(across.T))
        )
        return resampled, np.outer(held_y, held_x).astype(np.float64)


def crop_from_crop(scale: float, input_wh: tuple[int, int], pixel_centres: bool) -> np.ndarray:
    """(2, 3) matrix: pixel of the crop of scale 1 -> pixel of the crop of the same region at `scale`."""
    one, scaled = (
        geometry.crop_matrix(np.zeros(2), width, 0.0, input_wh, pixel_centres=pixel_centres)
        for width in (1.0, 1.0 / scale)
    )
    return geometry.chain(scaled, geometry.invert(one))


def resampler(length: int, factor: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Reads one axis of maps at other places: output cell i is the input at `factor` x i + `shift`.

    Between cells by cubic convolution (Keys, 1981, a = -0.5), whose error is of third order; border cells are
    repeated where it would look beyond them.

    Returns:
        (length, length) float64 matrix, output from input; rows are 0 where the place is off the input.
        (length,) bool, where it is on the input.
    """
    place = factor * np.arange(length) + shift
    held = (place >= -_EPSILON) & (place <= length - 1 + _EPSILON)
    return between_cells(place, length) * held[:, None], held


def between_cells(place: np.ndarray, length: int) -> np.ndarray:
    """Reads one axis of maps of `length` cells at any places (n,), in cells: (n, length) float64 matrix.

    Cubic convolution; beyond the map its border cells are repeated.
    """
    place = np.clip(place, -1.0, length)  # a cell further on all is border
    matrix = np.zeros((len(place), length))
    first = np.floor(place).astype(int) - 1
    for cell in (first + k for k in range(4)):
        np.add.at(matrix, (np.arange(len(place)), np.clip(cell, 0, length - 1)), _keys(np.abs(place - cell)))
    return matrix


def _keys(distance: np.ndarray) -> np.ndarray:
    """Weight of a cell at a distance from 0 to 2."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance < 1, near, far)
