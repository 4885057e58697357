"""Joints as numbers: two coordinates per joint, relative to the crop (DeepPose and its descendants).

Targets, for a crop of W pixels, x = 0 the centre of its first pixel (y and H alike)
    box: Toshev & Szegedy, "DeepPose", CVPR 2014, Sec. 3 (Eq. 1), times 2. -1 is the centre of the first pixel, +1
        that of the last, 0 the middle of the crop: n = 2 x / (W - 1) - 1. Crops are cut by the size - 1 rule
        (`pixel_centres`), so -1 and +1 are also the edges of the person's box, and mirroring is n -> -n exactly.
    mmpose: `RegressionLabel` and `flip_coordinates` of mmpose. n = x / W, so 0 is the centre of the first pixel
        and 1 one pixel beyond the centre of the last. Mirroring is n -> 1 - n, one pixel too far to the right,
        in mmpose 0.x, and n -> 1 - n - 1 / W, exact, in 1.x (`shift_mirrored`).

A joint outside the crop (x < 0 or x > W - 1) has weight 0, as in mmpose.

Differs from the paper
    The paper divides by the box's width, so that its edges are -0.5 and 0.5.
"""

from typing import Literal, Optional

import numpy as np
import paddle
from paddle import Tensor

from paddle_pose.errors import ConfigError
from paddle_pose.registry import CODECS

TARGETS = ("box", "mmpose")


@CODECS.register("Regression")
class Regression:
    """Joints <-> coordinates relative to the crop, on the device of the tensors.

    Outputs are (B, K, 2) x, y, or with `sigma` (B, K, 4) x, y and their standard deviations sigma_x, sigma_y in
    (0, 1), as a network for the RLE loss gives them. Targets are x, y in both cases.

    Args:
        mirror: (K,) index of each joint's mirror image.
        input_wh: crop width and height in pixels.
        target: the range of the numbers; see the top of this file.
        shift_mirrored: mmpose 1.x's shift of un-mirrored x by -1 / W; `box` needs none.
        sigma: whether the network predicts standard deviations too.
    """

    def __init__(
        self,
        mirror: tuple[int, ...],
        input_wh: tuple[int, int],
        target: Literal["box", "mmpose"] = "box",
        shift_mirrored: bool = False,
        sigma: bool = False,
    ) -> None:
        self.mirror_joints = tuple(mirror)
        self.input_wh = tuple(input_wh)
        self.target = target
        self.shift_mirrored = shift_mirrored
        self.sigma = sigma
        if target not in TARGETS:
            raise ConfigError(f"unknown codec target {target!r}; known: {', '.join(TARGETS)}")
        if min(self.input_wh) < 2:
            raise ConfigError(f"input_wh {list(self.input_wh)} is too small; at least 2 pixels are needed")
        if shift_mirrored and target == "box":
            raise ConfigError("shift_mirrored misaligns box coordinates by one pixel; set it to false")
        size = np.array(self.input_wh, np.float32)
        # a crop pixel is the number times scale, plus shift
        self._scale, self._shift = ((size - 1) / 2, (size - 1) / 2) if target == "box" else (size, size * 0)

    @property
    def pixel_centres(self) -> bool:
        """Whether crops must be cut by `geometry.crop_matrix(pixel_centres=True)`: the size - 1 rule."""
        return self.target == "box"

    def output_shape(self, num_joints: int) -> tuple[int, int]:
        """(K, 2), or (K, 4) with sigma, of one stage output."""
        return num_joints, 4 if self.sigma else 2

    @paddle.no_grad()
    def encode(
        self,
        joints_crop: Tensor,
        weight: Tensor,
        others: Optional[tuple[Tensor, Tensor]] = None,
        unknown: Optional[Tensor] = None,
    ) -> tuple[Tensor, Tensor]:
        """Target coordinates.

        Args:
            joints_crop: (B, K, 2) x, y in crop pixels; anything, NaN included, where weight is 0.
            weight: (B, K) 0 where the joint has no label.
            others: not used: the network is to find the person in the middle.

        Returns:
            target: (B, K, 2) float32; 0 where the returned weight is 0.
            weight: (B, K) float32, 0 also where the joint is outside the crop.
        """
        joints_crop = joints_crop.astype("float32")
        last_pixel = paddle.to_tensor(self.input_wh, dtype="float32") - 1
        inside = ((joints_crop >= 0) & (joints_crop <= last_pixel)).all(-1)  # false for NaN
        weight = weight.astype("float32") * inside.astype("float32")
        target = (joints_crop - paddle.to_tensor(self._shift)) / paddle.to_tensor(self._scale)
        return paddle.where((weight > 0).unsqueeze(-1), target, paddle.zeros_like(target)), weight

    @paddle.no_grad()
    def decode(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Finds the joints.

        Args:
            output: (B, K, 2), or (B, K, 4) with sigma, of any floating type.

        Returns:
            joints_crop: (B, K, 2) float32 x, y in crop pixels; may lie outside the crop.
            scores: (B, K) float32, mean of 1 - sigma_x and 1 - sigma_y; 1 without sigma.
        """
        output = output.astype("float32")
        joints_crop = output[..., :2] * paddle.to_tensor(self._scale) + paddle.to_tensor(self._shift)
        if not self.sigma:
            return joints_crop, paddle.ones_like(joints_crop[..., 0])
        return joints_crop, (1 - output[..., 2:]).mean(-1)

    def mirror(self, output: Tensor) -> Tensor:
        """Output (B, K, 2 or 4) for a mirrored crop -> as if it had not been mirrored; mirror pairs swap."""
        if output.shape[1] != len(self.mirror_joints):
            raise ValueError(f"expected {len(self.mirror_joints)} joints to mirror, but got {output.shape[1]}")
        x, rest = output[..., :1], output[..., 1:]
        end = 0.0 if self.target == "box" else 1.0 - self.shift_mirrored / self.input_wh[0]
        joints = paddle.to_tensor(self.mirror_joints, dtype="int64")
        return paddle.index_select(paddle.concat([end - x, rest], axis=-1), joints, axis=1)
