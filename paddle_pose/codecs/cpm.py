"""Belief maps with a background: the targets of Convolutional Pose Machines.

Wei, Ramakrishna, Kanade, Sheikh. Convolutional Pose Machines. CVPR 2016, Sec. 3.3.
Reference code: shihenw/caffe, `src/caffe/data_transformer.cpp` (`putGaussianMaps`, `generateLabelMap`), and
shihenw/convolutional-pose-machines-release, `testing/python/demo.ipynb` for decoding.

Cell i lies at crop pixel stride * i + (stride - 1) / 2, the middle of its pixels, in `encode` and `decode` alike.

Differs from the paper, as does the released code
    - People's bumps are added and cut to 1; the paper takes the larger one.
    - Bumps end where they fall below 1 %.

Differs from the released code
    - Peaks are placed between cells by a parabola, 100 times less work than maps of the crop's size; with
      `refine: bicubic` by the released rule.
    - A joint without label is left out of the loss unless `unlabelled` says otherwise.
"""

from typing import Literal, Optional

import cv2
import numpy as np
import paddle
from paddle import Tensor

from paddle_pose.codecs.bumps import draw_bumps
from paddle_pose.codecs.flat_maps import on_host
from paddle_pose.codecs.mirrored import reversed_columns
from paddle_pose.codecs.refine import parabola_step, peak
from paddle_pose.errors import ConfigError
from paddle_pose.registry import CODECS

REFINEMENTS = ("parabola", "bicubic")
UNLABELLED = ("unknown", "absent")


@CODECS.register("CPMHeatmap")
class CPMHeatmap:
    """Joints <-> one map per joint and one of the background, on the device of the tensors.

    Args:
        mirror: (K,) index of each joint's mirror image.
        input_wh: crop width and height in pixels.
        stride: crop pixels per cell.
        sigma_crop: standard deviation of the bump in crop pixels.
        background: whether the last map is that of the background, 1 - the largest value of the others.
        all_people_stage1: the first stage's target has everyone in the crop; later ones have the centre person.
        unlabelled: what a joint without label means. unknown: its map is no part of the loss. absent: the joint is
            not in the photo and its map is to be empty, as in the released code.
        refine: how a peak is placed between cells. parabola: through the logarithms of the peak and its neighbours,
            per axis, exact for a Gaussian. bicubic: argmax of the maps resized to the crop, whole pixels.
    """

    pixel_centres = False  # crops are cut by HRNet's rule

    def __init__(
        self,
        mirror: tuple[int, ...],
        input_wh: tuple[int, int],
        stride: int,
        sigma_crop: float = 7.0,
        background: bool = True,
        all_people_stage1: bool = True,
        unlabelled: Literal["unknown", "absent"] = "unknown",
        refine: Literal["parabola", "bicubic"] = "parabola",
    ) -> None:
        if any(side % stride for side in input_wh):
            raise ConfigError(f"input_wh {list(input_wh)} is not a multiple of the stride {stride}")
        if sigma_crop <= 0:
            raise ConfigError(f"sigma_crop must be positive, but is {sigma_crop}")
        if unlabelled not in UNLABELLED:
            raise ConfigError(f"unknown codec unlabelled {unlabelled!r}; known: {', '.join(UNLABELLED)}")
        if refine not in REFINEMENTS:
            raise ConfigError(f"unknown codec refine {refine!r}; known: {', '.join(REFINEMENTS)}")
        self.mirror_joints = tuple(mirror)
        self.map_wh = tuple(side // stride for side in input_wh)
        self.stride, self.sigma_crop, self.background = stride, float(sigma_crop), background
        self.all_people_stage1, self.unlabelled, self.refine = all_people_stage1, unlabelled, refine
        self._first_cell_crop = (stride - 1) / 2

    @property
    def map_from_crop(self) -> np.ndarray:
        """(2, 3) float64: crop pixel -> cell."""
        shift = -self._first_cell_crop / self.stride
        return np.array([[1 / self.stride, 0.0, shift], [0.0, 1 / self.stride, shift]])

    def output_shape(self, num_joints: int) -> tuple[int, int, int]:
        """(C, h, w) of one stage output; C is K, or K + 1 with the background last."""
        return num_joints + self.background, self.map_wh[1], self.map_wh[0]

    @paddle.no_grad()
    def encode(
        self,
        joints_crop: Tensor,
        weight: Tensor,
        others: Optional[tuple[Tensor, Tensor]] = None,
        unknown: Optional[Tensor] = None,
    ) -> tuple[Tensor, Tensor]:
        """Draws the target maps.

        Args:
            joints_crop: (B, K, 2) x, y in crop pixels of the person in the middle; anything, NaN included, where
                weight is 0.
            weight: (B, K) 0 where the joint has no label. Occluded joints with a label count as others.
            others: the same of the other people in the crop, (B, P, K, 2) and (B, P, K); none: nobody else.

        Returns:
            maps: (B, 2, C, h, w) float32 in [0, 1]: [:, 0] everyone, for stage 1; [:, 1] the person in the middle,
                for later stages. Also empty maps of joints outside the crop are targets.
            weight: (B, K) float32, see `unlabelled`.
        """
        weight = weight.astype("float32")
        person = self._bumps(joints_crop, weight)
        everyone = person
        if others is not None and self.all_people_stage1:
            for index in range(others[0].shape[1]):  # one by one: a crowd at once would need as many maps
                everyone = everyone + self._bumps(others[0][:, index], others[1][:, index])
        target = paddle.stack([self._with_background(maps.clip(0.0, 1.0)) for maps in (everyone, person)], 1)
        if self.unlabelled == "absent":
            weight = paddle.where(weight > 0, weight, paddle.ones_like(weight))
        return target, weight

    def _bumps(self, joints_crop: Tensor, weight: Tensor) -> Tensor:
        """(B, K, 2), (B, K) -> (B, K, h, w), all 0 where the weight is 0."""
        return draw_bumps(joints_crop, weight, self.map_wh, self.stride, self.sigma_crop)

    def _with_background(self, maps: Tensor) -> Tensor:
        if not self.background:
            return maps
        return paddle.concat([maps, 1.0 - paddle.amax(maps, 1, keepdim=True)], 1)

    @paddle.no_grad()
    def decode(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Finds the joints; the background is not looked at.

        Args:
            output: (B, C, h, w) maps of any floating type.

        Returns:
            joints_crop: (B, K, 2) float32 x, y in crop pixels.
            scores: (B, K) float32, the maximum of each map.
        """
        maps = output.astype("float32")[:, : len(self.mirror_joints)]
        if self.refine == "bicubic":
            if not paddle.in_dynamic_mode():  # an exported model, whose batch has no length yet
                return self._decode_resized(maps)
            found = [self._decode_resized(maps[index : index + 1]) for index in range(maps.shape[0])]
            return tuple(paddle.concat(parts) for parts in zip(*found))
        x_map, y_map, scores = on_host(peak, maps)
        joints_map = paddle.stack([x_map, y_map], -1).astype("float32") + parabola_step(maps, x_map, y_map)
        return joints_map * self.stride + self._first_cell_crop, scores

    def _decode_resized(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """The released rule; float64, as newer GPUs round float32 products to 10 bits.

        The maps are stride^2 times as large: of one crop after the other they need the memory of one.
        """
        across, down = (_enlarging_matrix(cells, self.stride) for cells in self.map_wh)
        # Not by `transpose_y`, which becomes ONNX of float32 and float64 in one product.
        rows = paddle.matmul(maps.astype("float64"), paddle.to_tensor(np.ascontiguousarray(across.T)))
        large = paddle.matmul(paddle.to_tensor(down), rows)
        x, y, scores = on_host(peak, large)
        return paddle.stack([x, y], -1).astype("float32"), scores.astype("float32")

    def mirror(self, output: Tensor) -> Tensor:
        """Maps (B, C, h, w) of a mirrored crop -> as if it had not been mirrored; the background stays in its place.

        Cells lie symmetrically in the crop, so no column needs to be shifted.
        """
        joints = [*self.mirror_joints, *([len(self.mirror_joints)] if self.background else [])]
        if output.shape[1] != len(joints):
            raise ValueError(f"expected {len(joints)} maps to mirror, but got {output.shape[1]}")
        return reversed_columns(paddle.gather(output, paddle.to_tensor(joints, dtype="int64"), axis=1))


def _enlarging_matrix(cells: int, stride: int) -> np.ndarray:
    """(cells * stride, cells) float64: OpenCV's bicubic resize along one axis."""
    return cv2.resize(np.eye(cells), (cells, cells * stride), interpolation=cv2.INTER_CUBIC)
