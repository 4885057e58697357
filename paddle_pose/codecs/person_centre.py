"""People of a whole photo <-> one map for each size of a person, and one for the background.

Each person is a bump in three dimensions: across, down, and size. Sizes are a geometric series, so that a step from
one map to the next is the same factor everywhere and a size between two maps shows in both.

Source: the person detector of Convolutional Pose Machines (Wei et al., CVPR 2016, released test code) has one map of
Gaussians at the centres of people; the axis of sizes is ours.
"""

import math
from typing import Optional

import paddle
from paddle import Tensor
from paddle.nn import functional as F  # noqa: N812

from paddle_pose.errors import ConfigError
from paddle_pose.registry import CODECS

_FLOOR = 1e-6  # of a map, before the logarithm


@CODECS.register("PersonCentreHeatmap")
class PersonCentreHeatmap:
    """Centres and sizes of people <-> (sizes + 1) maps.

    A person is given as two joints: the centre of the region that a pose network should see, and the middle of that
    region's upper edge; its size is twice their distance. So crops may be turned and scaled like any other.

    Args:
        mirror: (2,) of the skeleton; both joints are their own mirror images.
        input_wh: width and height of the crop in pixels.
        stride: crop pixels per cell; cell i lies at stride * i + stride / 2 - 0.5.
        sizes: number of sizes.
        largest: the first map's size, as a share of the crop's longer side.
        factor: each size is the one before divided by this.
        sigma_map: standard deviation of the bump in cells; along sizes it is one map.
    """

    pixel_centres = False
    background = True  # the last map

    def __init__(
        self,
        mirror: tuple[int, ...],
        input_wh: tuple[int, int],
        stride: int,
        sizes: int = 6,
        largest: float = 1.25,
        factor: float = 1.4142135,
        sigma_map: float = 1.0,
    ) -> None:
        if any(side % stride for side in input_wh):
            raise ConfigError(f"input_wh {list(input_wh)} is not a multiple of the stride {stride}")
        if len(mirror) != 2:
            raise ConfigError(f"codec PersonCentreHeatmap is for dataset PersonCentres, not for {len(mirror)} joints")
        if sizes < 2 or factor <= 1 or largest <= 0 or sigma_map <= 0:
            raise ConfigError("PersonCentreHeatmap needs sizes >= 2, factor > 1, largest > 0 and sigma_map > 0")
        self.stride, self.sizes = stride, sizes
        self.map_wh = tuple(side // stride for side in input_wh)
        self._largest_crop = largest * max(input_wh)
        self._log_factor = math.log(factor)
        self._sigma_map = sigma_map

    def output_shape(self, num_joints: int) -> tuple[int, int, int]:
        """(sizes + 1, h, w) of one stage output."""
        return self.sizes + 1, self.map_wh[1], self.map_wh[0]

    @paddle.no_grad()
    def encode(
        self,
        joints_crop: Tensor,
        weight: Tensor,
        others: Optional[tuple[Tensor, Tensor]] = None,
        unknown: Optional[Tensor] = None,
    ) -> tuple[Tensor, Tensor]:
        """Draws everybody, for all stages the same.

        Args:
            joints_crop: (B, 2, 2) centre and upper edge of one person, in crop pixels.
            weight: (B, 2) 0 where the photo has nobody.
            others: (B, P, 2, 2) and (B, P, 2), the rest.

        Returns:
            target: (B, 2, sizes + 1, h, w), twice the same maps, as `CPMLoss` wants them.
            weight: (B, sizes) ones: that nobody is there is known everywhere.
        """
        people, present = joints_crop.unsqueeze(1), weight[:, :1]  # (B, 1, 2, 2), (B, 1)
        if others is not None:
            people = paddle.concat([people, others[0]], axis=1)  # (B, P, 2, 2)
            present = paddle.concat([present, others[1][..., 0]], axis=1)
        center = people[:, :, 0].astype("float32")
        size_crop = 2 * (people[:, :, 1].astype("float32") - center).norm(axis=-1)  # (B, P)
        along = paddle.log(self._largest_crop / size_crop.clip(min=1.0)) / self._log_factor  # 0 is the first map
        bumps = self._bump(along.clip(0.0, self.sizes - 1.0), self.sizes, 1.0).unsqueeze([-1, -2])
        bumps = bumps * self._bump(self._cells(center[..., 1]), self.map_wh[1], self._sigma_map).unsqueeze([2, 4])
        bumps = bumps * self._bump(self._cells(center[..., 0]), self.map_wh[0], self._sigma_map).unsqueeze([2, 3])
        maps = (bumps * (present > 0).astype("float32").unsqueeze([2, 3, 4])).amax(axis=1)  # (B, sizes, h, w)
        maps = paddle.concat([maps, 1 - maps.amax(axis=1, keepdim=True)], axis=1)
        return paddle.stack([maps, maps], axis=1), paddle.ones([len(maps), self.sizes])

    def _cells(self, at_crop: Tensor) -> Tensor:
        return (at_crop - (self.stride / 2 - 0.5)) / self.stride

    @staticmethod
    def _bump(center: Tensor, length: int, sigma: float) -> Tensor:
        """(B, P) places on an axis -> (B, P, length)."""
        distance = paddle.arange(length, dtype="float32") - center.unsqueeze(-1)
        return paddle.exp(distance * distance * (-0.5 / sigma**2))

    @paddle.no_grad()
    def peaks(self, output: Tensor, most: int) -> tuple[Tensor, Tensor, Tensor]:
        """Everybody that the maps show: peaks in place and size.

        Args:
            output: (B, sizes + 1, h, w) of one stage.
            most: M, peaks to return.

        Returns:
            center_crop: (B, M, 2) x, y in crop pixels, between cells by a parabola through the logarithm.
            size_crop: (B, M) in crop pixels.
            scores: (B, M) height of the peak, highest first; 0 where there are no more peaks.
        """
        maps = output[:, : self.sizes].astype("float32").unsqueeze(1)  # (B, 1, sizes, h, w)
        is_peak = (maps == F.max_pool3d(maps, 3, 1, 1)) & (maps > 0)
        heights = (maps * is_peak.astype("float32")).flatten(1)
        scores, where = heights.topk(min(most, heights.shape[1]), axis=1)
        width, height = self.map_wh
        steps = (height * width, width, 1)
        places = (where // steps[0], where // width % height, where % width)
        flat = paddle.log(maps.flatten(1).clip(min=_FLOOR))
        along, y_map, x_map = (
            place.astype("float32") + _between(flat, where, place, length, step)
            for place, length, step in zip(places, (self.sizes, height, width), steps)
        )
        center_map = paddle.stack([x_map, y_map], axis=-1)
        size_crop = self._largest_crop * paddle.exp(-along * self._log_factor)
        return center_map * self.stride + (self.stride / 2 - 0.5), size_crop, scores

    def decode(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """The surest person: centre and upper edge (B, 2, 2) in crop pixels, and its score (B, 2)."""
        center, size, scores = self.peaks(output, 1)
        up = paddle.stack([paddle.zeros_like(size), -size / 2], axis=-1)
        return paddle.concat([center, center + up], axis=1), scores.expand([-1, 2])

    def mirror(self, output: Tensor) -> Tensor:
        """Maps (B, sizes + 1, h, w) of a mirrored crop -> as if it had not been mirrored: columns reversed."""
        columns = output.shape[3] - 1 - paddle.arange(output.shape[3])
        return paddle.gather(output, columns, axis=3)


def _between(flat: Tensor, where: Tensor, place: Tensor, length: int, step: int) -> Tensor:
    """How far the top of a parabola through a peak and its neighbours lies from the peak, in [-0.5, 0.5].

    Args:
        flat: (B, n) logarithms of all maps.
        where: (B, M) peaks.
        place: (B, M) their place on the axis.
        length, step: of the axis.
    """
    inside = ((place > 0) & (place < length - 1)).astype("float32")
    last = flat.shape[1] - 1
    before, here, after = (paddle.take_along_axis(flat, (where + shift).clip(0, last), 1) for shift in (-step, 0, step))
    bend = (2 * here - before - after).clip(min=_FLOOR)
    return (0.5 * (after - before) / bend).clip(-0.5, 0.5) * inside
