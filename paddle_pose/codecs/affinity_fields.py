"""Part affinity fields: on a limb, the unit vector along it; elsewhere 0.

Cao, Simon, Wei, Sheikh. Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields. CVPR 2017, Sec. 2.3.
Reference code: CMU-Perceptual-Computing-Lab/caffe_train, `src/caffe/cpm_data_transformer.cpp` (`putVecMaps`), and
tensorboy/pytorch_Realtime_Multi-Person_Pose_Estimation, `lib/datasets/paf.py`.

Letters: L limbs, and as everywhere B batch, K joints, h w map.
"""

from typing import Literal

import paddle
from paddle import Tensor

from paddle_pose.errors import ConfigError
from paddle_pose.skeletons import Skeleton

RULES = ("paper", "released")


class AffinityFields:
    """Draws the fields of one person of each crop, and mirrors fields.

    Args:
        skeleton: whose limbs they are; a vector points from a limb's first joint to its second.
        mirror: (K,) index of each joint's mirror image.
        map_wh: cells across and down.
        stride: crop pixels per cell.
        width_crop, ends_crop, rule: which cells belong to a limb, see `PartAffinity`.

    Raises:
        ConfigError: a limb's mirror image is not a limb.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        mirror: tuple[int, ...],
        map_wh: tuple[int, int],
        stride: int,
        width_crop: float,
        ends_crop: float,
        rule: Literal["paper", "released"],
    ) -> None:
        self._first, self._second = (list(ends) for ends in zip(*skeleton.limb_pairs))
        self._map_wh, self._stride, self._rule = map_wh, stride, rule
        self._width_crop, self._ends_crop = float(width_crop), float(ends_crop)
        self._first_cell_crop = (stride - 1) / 2 if rule == "paper" else 0.0
        self._mirror_channels, self._mirror_signs = _mirror_rule(skeleton, mirror)

    def draw(self, joints_crop: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Fields of one person per crop.

        Args:
            joints_crop: (B, K, 2) x, y in crop pixels; anything, NaN included, where weight is 0.
            weight: (B, K) 0 where a joint has no label. A limb is drawn if both of its joints have one, wherever they
                lie, and are not the same point.

        Returns:
            vectors: (B, L, 2, h, w) float32 unit vectors x, y on the limbs, 0 elsewhere.
            inside: (B, L, 1, h, w) float32, 1 on the limbs.
        """
        labelled, joints_crop = (weight > 0).astype("float32"), joints_crop.astype("float32")
        at = paddle.where(labelled.unsqueeze(-1) > 0, joints_crop, paddle.zeros_like(joints_crop))  # NaN ends here
        first, second = (_pick(at, ends) for ends in (self._first, self._second))  # (B, L, 2)
        length = paddle.sqrt(((second - first) ** 2).sum(-1))
        drawn = _pick(labelled, self._first) * _pick(labelled, self._second) * length > 0
        unit = (second - first) / paddle.where(drawn, length, paddle.ones_like(length)).unsqueeze(-1)
        inside = self._inside(first, second, unit, length) & drawn.unsqueeze(-1).unsqueeze(-1)
        inside = inside.astype("float32").unsqueeze(2)
        return inside * unit.unsqueeze(-1).unsqueeze(-1), inside

    def _inside(self, first: Tensor, second: Tensor, unit: Tensor, length: Tensor) -> Tensor:
        """(B, L, h, w) bool, for limbs of positive length."""
        x, y = (self._from(first, axis) for axis in (0, 1))  # (B, L, w), (B, L, h)
        unit_x, unit_y = (part.unsqueeze(-1) for part in unit.unbind(-1))
        near_line = _grid(-unit_y * x, unit_x * y).abs() <= self._width_crop
        if self._rule == "released":
            across, down = (self._in_box(first[..., axis], second[..., axis], self._map_wh[axis]) for axis in (0, 1))
            return near_line & across.unsqueeze(-2) & down.unsqueeze(-1)
        along = _grid(unit_x * x, unit_y * y)
        last = length.unsqueeze(-1).unsqueeze(-1) + self._ends_crop
        return near_line & (along >= -self._ends_crop) & (along <= last)

    def _from(self, start_crop: Tensor, axis: int) -> Tensor:
        """(B, L, cells): how far each cell lies from `start_crop` along one axis, in crop pixels."""
        at_crop = paddle.arange(self._map_wh[axis], dtype="float32") * self._stride + self._first_cell_crop
        return at_crop - start_crop[..., axis].unsqueeze(-1)

    def _in_box(self, one_crop: Tensor, other_crop: Tensor, cells: int) -> Tensor:
        """(B, L, cells) bool on one axis: between the joints and `ends_crop` beyond, in whole cells; halves go up."""
        low, high = paddle.minimum(one_crop, other_crop), paddle.maximum(one_crop, other_crop)
        low, high = (
            paddle.floor(end / self._stride + 0.5).unsqueeze(-1)
            for end in (low - self._ends_crop, high + self._ends_crop)
        )
        cell = paddle.arange(cells, dtype="float32")
        return (cell >= low) & (cell < high)

    def mirror(self, fields: Tensor) -> Tensor:
        """Fields (B, 2 L, h, w) of a mirrored crop -> as if it had not been mirrored; columns are left alone.

        Left and right limbs change places, x turns round, and so does a limb whose image runs the other way.
        """
        signs = paddle.to_tensor(self._mirror_signs, dtype=fields.dtype).reshape([1, -1, 1, 1])
        return paddle.gather(fields, paddle.to_tensor(self._mirror_channels, dtype="int64"), axis=1) * signs


def _pick(joints: Tensor, ends: list[int]) -> Tensor:
    return paddle.index_select(joints, paddle.to_tensor(ends, dtype="int64"), axis=1)


def _grid(across: Tensor, down: Tensor) -> Tensor:
    """(B, L, w), (B, L, h) -> (B, L, h, w) sums."""
    return across.unsqueeze(-2) + down.unsqueeze(-1)


def _mirror_rule(skeleton: Skeleton, mirror: tuple[int, ...]) -> tuple[list[int], list[float]]:
    """For each of the 2 L channels, the channel of a mirrored crop that it comes from, and its sign."""
    limb_of = {pair: limb for limb, pair in enumerate(skeleton.limb_pairs)}
    channels, signs = [], []
    for a, b in skeleton.limb_pairs:
        image = (mirror[a], mirror[b])
        turned = image not in limb_of
        if turned and image[::-1] not in limb_of:
            limb, missing = ([skeleton.joints[joint] for joint in pair] for pair in ((a, b), image))
            raise ConfigError(
                f"skeleton {skeleton.name}: limb {limb} is {missing} in a mirror, which is no limb; add {missing}"
            )
        limb = limb_of[image[::-1] if turned else image]
        channels += [2 * limb, 2 * limb + 1]
        signs += [1.0, -1.0] if turned else [-1.0, 1.0]
    return channels, signs
