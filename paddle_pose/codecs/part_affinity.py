"""Confidence maps and part affinity fields: the targets of OpenPose, for everybody in a photo.

Cao, Simon, Wei, Sheikh. Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields. CVPR 2017, Sec. 2.2 and
2.3. Reference code: CMU-Perceptual-Computing-Lab/caffe_train, `src/caffe/cpm_data_transformer.cpp`, and
tensorboy/pytorch_Realtime_Multi-Person_Pose_Estimation, `lib/datasets`.

Maps are in the order 2 L field channels (x, y of limb 0, x, y of limb 1, ...), K joints, background.
Cell i lies at crop pixel stride * i + (stride - 1) / 2, the middle of its pixels, in everything but the fields of
`fields: released`.

Differs from the paper
    - Bumps end where they fall below 1 %, as in released codes. The background's map, 1 - the largest joint, is theirs.
    - A limb's field goes on for half a cell beyond its joints. With the paper's rule (Eq. 8, 9; `limb_ends_crop: 0`)
      short limbs pass between the cells: of 807 limbs in COCO photos, shorter side 368, 20 have no cell at all.

Differs from the released code (`people: add` and `fields: released` give its maps)
    - Where bumps of several people meet, the larger one counts (Eq. 7); released codes add them and cut at 1.
    - Released codes fill an upright box that ends one cell beyond the joints, as far as it is near the line, and take
      cell i of a field to lie at crop pixel stride * i, almost half a cell away from that of the confidence maps.
    - Where limbs of several people overlap, their vectors are averaged (Eq. 9), as in tensorboy. In the Caffe code
      the last person's is kept.
    - The share of a cell's pixels that is known is its weight; the Caffe code resizes the mask by bicubic
      interpolation without smoothing. tensorboy has no mask.
    - tensorboy leaves out joints outside the crop, and the Caffe code those outside the photo.
"""

from dataclasses import replace
from typing import Literal, Optional

import numpy as np
import paddle
from paddle import Tensor

from paddle_pose.codecs.affinity_fields import RULES, AffinityFields
from paddle_pose.codecs.bumps import draw_bumps
from paddle_pose.codecs.grouping import Grouper, GroupingRules
from paddle_pose.codecs.mirrored import reversed_columns
from paddle_pose.codecs.refine import parabola_step, peak
from paddle_pose.errors import ConfigError
from paddle_pose.registry import CODECS
from paddle_pose.samples import FoundPeople
from paddle_pose.skeletons import Skeleton

JOINS = ("max", "add")
DEFAULT_GROUPING = GroupingRules()


@CODECS.register("PartAffinity")
class PartAffinity:
    """Everybody's joints <-> fields, confidence maps and background, on the device of the tensors.

    Args:
        mirror: (K,) index of each joint's mirror image.
        skeleton: its limbs have the fields.
        input_wh: crop width and height in pixels.
        stride: crop pixels per cell.
        sigma_crop: standard deviation of a bump in crop pixels.
        limb_width_crop: how far a limb's cells may lie from its line, in crop pixels (the paper's sigma_l).
        limb_ends_crop: how far they may lie beyond its joints, in crop pixels. The paper has 0. By default half a cell,
            and with `fields: released` a cell, as there.
        people: how bumps of several people are joined. max: the larger one. add: their sum, at most 1.
        fields: which of those cells belong to a limb. paper: those beside the line, between the two joints.
            released: those in the upright box around both joints, with the released codes' position of cells.
        grouping: thresholds of the way back from maps to people.

    Raises:
        ConfigError: a value is impossible, or the skeleton has no limbs, or no mirror image of one.
    """

    pixel_centres = False  # crops are cut by HRNet's rule

    def __init__(
        self,
        mirror: tuple[int, ...],
        skeleton: Skeleton,
        input_wh: tuple[int, int],
        stride: int,
        sigma_crop: float = 7.0,
        limb_width_crop: float = 8.0,
        limb_ends_crop: Optional[float] = None,
        people: Literal["max", "add"] = "max",
        fields: Literal["paper", "released"] = "paper",
        grouping: GroupingRules = DEFAULT_GROUPING,
    ) -> None:
        if any(side % stride for side in input_wh):
            raise ConfigError(f"input_wh {list(input_wh)} is not a multiple of the stride {stride}")
        for name, value in (("sigma_crop", sigma_crop), ("limb_width_crop", limb_width_crop)):
            if not value > 0:
                raise ConfigError(f"{name} must be positive, but is {value}")
        if limb_ends_crop is None:
            limb_ends_crop = stride / 2 if fields == "paper" else stride
        if not limb_ends_crop >= 0:
            raise ConfigError(f"limb_ends_crop must not be negative, but is {limb_ends_crop}")
        for name, value, known in (("people", people, JOINS), ("fields", fields, RULES)):
            if value not in known:
                raise ConfigError(f"unknown codec {name} {value!r}; known: {', '.join(known)}")
        self._group = Grouper(skeleton, grouping)
        self.mirror_joints = tuple(mirror)
        self.map_wh = tuple(side // stride for side in input_wh)
        self.stride, self.sigma_crop, self.join = stride, float(sigma_crop), people
        self._fields = AffinityFields(
            skeleton, self.mirror_joints, self.map_wh, stride, limb_width_crop, limb_ends_crop, fields
        )
        self._num_fields = 2 * len(skeleton.limbs)
        self._first_cell_crop = (stride - 1) / 2

    @property
    def map_from_crop(self) -> np.ndarray:
        """(2, 3) float64: crop pixel -> cell."""
        shift = -self._first_cell_crop / self.stride
        return np.array([[1 / self.stride, 0.0, shift], [0.0, 1 / self.stride, shift]])

    def output_shape(self, num_joints: int) -> tuple[int, int, int]:
        """(2 L + K + 1, h, w) of one stage output."""
        return self._num_fields + num_joints + 1, self.map_wh[1], self.map_wh[0]

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
            joints_crop: (B, K, 2) x, y in crop pixels of one person; anything, NaN included, where weight is 0. Joints
                outside the crop are drawn as far as they reach into it.
            weight: (B, K) 0 where the joint has no label: it is not drawn, nor are its limbs.
            others: the same of everybody else, (B, P, K, 2) and (B, P, K); none: nobody else.
            unknown: (B, H, W) above 0 on pixels that the loss must not look at; none: it looks at all.

        Returns:
            maps: (B, 2 L + K + 1, h, w) float32, fields in [-1, 1], the rest in [0, 1].
            weight: (B, 1, h, w) float32, the share of a cell's pixels that is not unknown.
        """
        people = [(joints_crop, weight)]
        if others is not None:
            people += [(others[0][:, person], others[1][:, person]) for person in range(others[0].shape[1])]
        maps, fields = self._draw(people)
        background = 1.0 - paddle.amax(maps, 1, keepdim=True)
        return paddle.concat([fields, maps, background], 1), self._known(unknown, len(maps))

    def _draw(self, people: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        """Everybody's (B, K, 2) and (B, K) -> confidence maps (B, K, h, w) and fields (B, 2 L, h, w).

        One person of each crop at a time: a crowd at once would need that many times the memory of the target.
        """
        maps = vectors = limbs = paddle.zeros([1])
        for joints, labelled in people:
            bumps = draw_bumps(joints, labelled, self.map_wh, self.stride, self.sigma_crop)
            maps = maps + bumps if self.join == "add" else paddle.maximum(maps, bumps)
            more, inside = self._fields.draw(joints, labelled)
            vectors, limbs = vectors + more, limbs + inside
        return maps.clip(0.0, 1.0), (vectors / limbs.clip(min=1.0)).flatten(1, 2)

    def _known(self, unknown: Optional[Tensor], crops: int) -> Tensor:
        """(B, H, W) -> (B, 1, h, w)."""
        width, height = self.map_wh
        if unknown is None:
            return paddle.ones([crops, 1, height, width])
        cells = (unknown > 0).astype("float32").reshape([crops, 1, height, self.stride, width, self.stride])
        return 1.0 - cells.mean([3, 5])

    @paddle.no_grad()
    def decode(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Finds the highest peak of each part, whoever's it is; `people` finds the people.

        Args:
            output: (B, 2 L + K + 1, h, w) maps of any floating type.

        Returns:
            joints_crop: (B, K, 2) float32 x, y in crop pixels.
            scores: (B, K) float32, the maximum of each map.
        """
        maps = output[:, self._num_fields : -1].astype("float32")
        x_map, y_map, scores = peak(maps)
        joints_map = paddle.stack([x_map, y_map], -1).astype("float32") + parabola_step(maps, x_map, y_map)
        return joints_map * self.stride + self._first_cell_crop, scores

    @paddle.no_grad()
    def people(self, output: Tensor) -> list[FoundPeople]:
        """Everybody in each of B crops or photos.

        Args:
            output: (B, 2 L + K + 1, h, w) maps of any floating type and any size.

        Returns:
            B records, their joints in crop pixels.
        """
        found = self._group(output.astype("float32"))
        return [replace(one, joints_xy=one.joints_xy * self.stride + self._first_cell_crop) for one in found]

    def mirror(self, output: Tensor) -> Tensor:
        """Maps (B, 2 L + K + 1, h, w) of a mirrored crop -> as if it had not been mirrored; maps of any size.

        Cells lie symmetrically in the crop, so no column needs to be shifted (in `fields: released` the network
        learns them half a cell aside, and this is only nearly right).
        """
        joints = [*self.mirror_joints, len(self.mirror_joints)]  # the background stays
        if output.shape[1] != self._num_fields + len(joints):
            raise ValueError(f"expected {self._num_fields + len(joints)} maps to mirror, but got {output.shape[1]}")
        output = reversed_columns(output)
        maps = paddle.gather(output[:, self._num_fields :], paddle.to_tensor(joints, dtype="int64"), axis=1)
        return paddle.concat([self._fields.mirror(output[:, : self._num_fields]), maps], 1)
