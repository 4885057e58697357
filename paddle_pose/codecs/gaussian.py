"""One Gaussian bump per joint (Hourglass, CPM of mmpose, HRNet).

Targets
    msra: Xiao et al., "Simple Baselines", ECCV 2018, as in HRNet and mmpose. The centre is rounded to a cell.
    unbiased: Zhang et al., "Distribution-Aware Coordinate Representation" (DARK), CVPR 2020. The centre
        keeps its fraction, the Gaussian covers the map.
    udp: Huang et al., "The Devil is in the Details", CVPR 2020. As unbiased, cut to the patch, and lengths
        are measured between pixel centres: a map of w cells spans w - 1, a crop of W pixels W - 1.

Published rows pair (msra, quarter), (unbiased, dark) and (udp, udp).

Differs from the references
    Where 3 sigma is not a whole number the patch is the cells within 3 sigma; the references cut it unevenly.
    mmpose 1.x scales decoded UDP cells by W / (w - 1), here (W - 1) / (w - 1), the inverse of `encode`.
    A map without a positive value decodes to (0, 0) as in HRNet; mmpose says (-1, -1).
"""

from typing import Literal, Optional

import numpy as np
import paddle
from paddle import Tensor

from paddle_pose.codecs import refine as refinement
from paddle_pose.codecs.flat_maps import Array, constant, library, on_host
from paddle_pose.errors import ConfigError
from paddle_pose.registry import CODECS

TARGETS = ("msra", "unbiased", "udp")
REFINEMENTS = ("argmax", "quarter", "dark", "udp")


@CODECS.register("GaussianHeatmap")
class GaussianHeatmap:
    """Joints <-> one map per joint, on the device of the tensors.

    Args:
        mirror: (K,) index of each joint's mirror image.
        input_wh: crop width and height in pixels.
        stride: crop pixels per cell.
        sigma_map: standard deviation of the bump in cells.
        target: how bumps are drawn; see the top of this file.
        refine: how a peak is placed between cells; see `refine.py`.
        blur_kernel: odd width in cells of the blur before dark and udp. None: from sigma by OpenCV's rule
            sigma = 0.3 (kernel / 2 - 1.5) + 0.8, which gives 11 for sigma 2 and 17 for sigma 3.
        shift_mirrored: move un-mirrored maps right by one cell. Crop-width geometry misaligns them by
            (stride - 1) / stride cells; the shift leaves 1 / stride. UDP's geometry needs none.
    """

    def __init__(
        self,
        mirror: tuple[int, ...],
        input_wh: tuple[int, int],
        stride: int,
        sigma_map: float = 2.0,
        target: Literal["msra", "unbiased", "udp"] = "msra",
        refine: Literal["argmax", "quarter", "dark", "udp"] = "quarter",
        blur_kernel: Optional[int] = None,
        shift_mirrored: bool = False,
    ) -> None:
        self.mirror_joints = tuple(mirror)
        self.input_wh = tuple(input_wh)
        self.map_wh = tuple(side // stride for side in input_wh)
        self.sigma_map = float(sigma_map)
        self.target = target
        self.refine = refine
        self.blur_kernel = _kernel_of(self.sigma_map) if blur_kernel is None else int(blur_kernel)
        self.shift_mirrored = shift_mirrored
        self._check(stride)
        shorter = 1 if self.pixel_centres else 0
        self._crop_pixels_per_cell = ((np.array(self.input_wh) - shorter) / (np.array(self.map_wh) - shorter)).astype(
            np.float32
        )

    def _check(self, stride: int) -> None:
        if any(side % stride for side in self.input_wh):
            raise ConfigError(f"input_wh {list(self.input_wh)} is not a multiple of the stride {stride}")
        if min(self.map_wh) < 2:
            raise ConfigError(f"input_wh {list(self.input_wh)} leaves too few cells of stride {stride}")
        if self.target not in TARGETS:
            raise ConfigError(f"unknown codec target {self.target!r}; known: {', '.join(TARGETS)}")
        if self.refine not in REFINEMENTS:
            raise ConfigError(f"unknown codec refine {self.refine!r}; known: {', '.join(REFINEMENTS)}")
        if self.sigma_map <= 0:
            raise ConfigError(f"sigma_map must be positive, but is {self.sigma_map}")
        if self.blur_kernel < 3 or self.blur_kernel % 2 == 0:
            raise ConfigError(f"blur_kernel must be odd and at least 3, but is {self.blur_kernel}")
        if self.shift_mirrored and self.pixel_centres:
            raise ConfigError("shift_mirrored misaligns udp maps by one cell; set it to false")

    @property
    def pixel_centres(self) -> bool:
        """Whether crops must be cut by `geometry.crop_matrix(pixel_centres=True)`: UDP's size - 1 rule."""
        return self.target == "udp"

    @property
    def map_from_crop(self) -> np.ndarray:
        """(2, 3) float64: crop pixel -> cell. Cell 0 is at pixel 0."""
        return np.column_stack([np.diag(1 / self._crop_pixels_per_cell.astype(np.float64)), np.zeros(2)])

    def output_shape(self, num_joints: int) -> tuple[int, int, int]:
        """(K, h, w) of one stage output."""
        return num_joints, self.map_wh[1], self.map_wh[0]

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
            joints_crop: (B, K, 2) x, y in crop pixels; anything, NaN included, where weight is 0.
            weight: (B, K) 0 where the joint has no label.
            others: not drawn: the network is to find the person in the middle.

        Returns:
            maps: (B, K, h, w) float32 exp(-d^2 / (2 sigma^2)), at most 1. msra and udp are 0 beyond the
                square of 3 sigma around the joint's cell. All 0 where the returned weight is 0.
            weight: (B, K) float32, 0 also where that whole square is off the map.
        """
        joints_map = joints_crop.astype("float32") / paddle.to_tensor(self._crop_pixels_per_cell)
        # int() of the references: towards zero. `unbiased` tests its square without rounding.
        cells = joints_map if self.target == "unbiased" else paddle.trunc(joints_map + 0.5)
        radius = 3 * self.sigma_map
        size = paddle.to_tensor(self.map_wh, dtype="float32")
        on_map = ((cells - radius < size) & (cells + radius + 1 >= 0)).all(-1)
        weight = weight.astype("float32") * on_map.astype("float32")
        drawn = (weight > 0).unsqueeze(-1)
        nowhere = paddle.full_like(cells, -1e4)
        cells = paddle.where(drawn, cells, nowhere)  # NaN ends here
        centres = cells if self.target == "msra" else paddle.where(drawn, joints_map, nowhere)
        across, down = (self._profile(centres[..., i], cells[..., i], n) for i, n in enumerate(self.map_wh))
        return _outer(down, across), weight

    def _profile(self, centre: Tensor, cell: Tensor, length: int) -> Tensor:
        """Centres and their cells (B, K) on one axis -> the bump along it (B, K, length); it is separable."""
        at = paddle.arange(length, dtype="float32")
        distance = at - centre.unsqueeze(-1)
        bump = paddle.exp(distance * distance * (-0.5 / self.sigma_map**2))
        if self.target == "unbiased":
            return bump
        near = (at - cell.unsqueeze(-1)).abs() <= 3 * self.sigma_map
        return bump * near.astype("float32")

    @paddle.no_grad()
    def decode(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Finds the joints.

        Args:
            output: (B, K, h, w) maps of any floating type.

        Returns:
            joints_crop: (B, K, 2) float32 x, y in crop pixels; (0, 0) where the map has no positive value.
            scores: (B, K) float32, the maximum of each map.
        """
        maps = output if output.dtype == paddle.float32 else output.astype("float32")  # Paddle 2.6 would copy it
        return on_host(self._found, maps)

    def _found(self, maps: Array) -> tuple[Array, Array]:
        """What `decode` returns, of float32 maps."""
        xp = library(maps)
        x_map, y_map, scores = refinement.peak(maps)
        joints_map = xp.stack([x_map, y_map], -1).astype("float32")
        if self.refine != "argmax":
            joints_map = joints_map + self._step(maps, x_map, y_map)
        joints_map = xp.where((scores > 0)[..., None], joints_map, xp.zeros_like(joints_map))
        return joints_map * constant(self._crop_pixels_per_cell, like=maps), scores

    def _step(self, maps: Array, x_map: Array, y_map: Array) -> Array:
        """(B, K, 2) from the peak's cell to the joint, in cells."""
        if self.refine == "quarter":
            return refinement.quarter(maps, x_map, y_map)
        if self.refine == "dark":
            return refinement.dark(maps, x_map, y_map, self.blur_kernel)
        return refinement.udp(maps, x_map, y_map, self.blur_kernel)

    def mirror(self, output: Tensor) -> Tensor:
        """Maps (B, K, h, w) of a mirrored crop -> as if it had not been mirrored.

        Columns are reversed and mirror pairs swapped; with `shift_mirrored` column i then comes from i - 1,
        and column 0 stays (HRNet `SHIFT_HEATMAP`).
        """
        if output.shape[1] != len(self.mirror_joints):
            raise ValueError(f"expected {len(self.mirror_joints)} maps to mirror, but got {output.shape[1]}")
        last = output.shape[3] - 1
        columns = [min(column + self.shift_mirrored, last) for column in range(last, -1, -1)]
        joints = paddle.to_tensor(self.mirror_joints, dtype="int64")
        return paddle.gather(paddle.gather(output, joints, axis=1), paddle.to_tensor(columns, dtype="int64"), axis=3)


def _outer(down: Tensor, across: Tensor) -> Tensor:
    """(B, K, h), (B, K, w) -> their products (B, K, h, w).

    On the CPU by `matmul`, three times as fast as Paddle's broadcast and the same to the last bit; newer GPUs would
    round it to 10 bits (TF32).
    """
    down, across = down.unsqueeze(-1), across.unsqueeze(-2)
    on_cpu = paddle.in_dynamic_mode() and down.place.is_cpu_place()
    return paddle.matmul(down, across) if on_cpu else down * across


def _kernel_of(sigma_map: float) -> int:
    """OpenCV's rule for the width of a blur, turned round; odd, at least 3."""
    return max(3, 2 * int((sigma_map - 0.8) / 0.3 + 1 + 1e-6) + 1)
