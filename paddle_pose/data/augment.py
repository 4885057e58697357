"""Random views of a person, in the two published flavours, and half-body views.

A draw returns numbers only (`View`); data/crops.py turns them into one matrix. Every random number comes
from the generator that is handed in.

Sources: HRNet, `lib/dataset/JointsDataset.py` (the same in Simple Baselines and mmpose 0.x); mmpose 1.x,
`mmpose/datasets/transforms/common_transforms.py` (`RandomFlip`, `RandomHalfBody`, `RandomBBoxTransform`);
colour gains: Stacked Hourglass, released Lua code (`util/dataset`), also in bearpaw.
"""

from dataclasses import dataclass, replace
from typing import Optional

import numpy as np

from paddle_pose.registry import Registry
from paddle_pose.samples import Sample
from paddle_pose.skeletons import Skeleton

AUGMENTATIONS = Registry("paddle_pose.data")


@dataclass(frozen=True)
class View:
    """How to look at a person.

    Args:
        center_image_xy: (2,) photo point in the middle of the crop.
        size_image_wh: (2,) part of the photo that the crop must hold; its aspect is fixed by the crop.
        angle_deg: rotation, see `geometry.crop_matrix`.
        mirrored: left and right swapped.
        color_gain: (3,) factor of each colour channel.
    """

    center_image_xy: np.ndarray
    size_image_wh: np.ndarray
    angle_deg: float = 0.0
    mirrored: bool = False
    color_gain: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Reach:
    """Bounds of what an augmentation does to a person's region; the defaults are those of evaluation.

    Args:
        smallest: least factor of the region's sides.
        largest: greatest factor.
        angle_deg: greatest angle, either way.
        shift: greatest move of the centre, as a share of the region's width and height.
        half_body: views of one half of the body may be drawn too.
    """

    smallest: float = 1.0
    largest: float = 1.0
    angle_deg: float = 0.0
    shift: float = 0.0
    half_body: bool = False

    def covers(self, other: "Reach") -> bool:
        """True if every view within `other` lies within this one too, whatever its resolution."""
        wide = self.largest >= other.largest and self.angle_deg >= other.angle_deg and self.shift >= other.shift
        return wide and self.half_body >= other.half_body


def plain_view(sample: Sample) -> View:
    """The view of evaluation: nothing random."""
    return View(np.asarray(sample.center_image_xy), np.asarray(sample.size_image_wh))


@dataclass(frozen=True)
class HalfBody:
    """The rule by which one half of a body is chosen.

    Args:
        probability: chance that a person with enough joints is cut in half.
        min_joints: fewest labelled joints of a person that may be cut.
        min_upper: fewest joints of an upper half that may be shown.
        min_lower: the same for the lower half.
        upper_probability: chance of the upper half where both are possible.
    """

    probability: float
    min_joints: int
    min_upper: int
    min_lower: int
    upper_probability: float

    def draw(self, rng: np.random.Generator, sample: Sample, skeleton: Skeleton) -> Optional[View]:
        """A view of one half, 1.5 times the box of its joints, centred on their mean; None to keep the whole."""
        if sample.labelled.sum() < self.min_joints or rng.random() >= self.probability:
            return None
        is_upper = np.isin(np.arange(len(skeleton)), skeleton.upper_body_ids)
        upper, lower = sample.labelled & is_upper, sample.labelled & ~is_upper
        has_upper, has_lower = upper.sum() >= self.min_upper, lower.sum() >= self.min_lower
        if not has_upper and not has_lower:
            return None
        prefers_upper = rng.random() < self.upper_probability
        return half_view(sample, upper if has_upper and (prefers_upper or not has_lower) else lower)


def half_view(sample: Sample, shown: np.ndarray) -> View:
    """1.5 times the box of the joints that are `shown` (K, bool; one at least), centred on their mean."""
    joints_image = np.asarray(sample.joints_image)[shown]
    return View(joints_image.mean(axis=0), np.maximum(1.5 * np.ptp(joints_image, axis=0), 1.0))


class _Augmentation:
    """What both flavours share: mirror, colour and the order of the draws."""

    half_body: HalfBody

    def __init__(self, mirror_probability: float, color_gain: Optional[tuple[float, float]]) -> None:
        self.mirror_probability = mirror_probability
        self._color_gain = color_gain

    def draw(self, rng: np.random.Generator, sample: Sample, skeleton: Skeleton) -> View:
        """One random view of a person; the same generator state gives the same view."""
        view = self.half_body.draw(rng, sample, skeleton) or plain_view(sample)
        view = self._draw_box(rng, view)
        gain = tuple(rng.uniform(*self._color_gain, size=3)) if self._color_gain else view.color_gain
        return replace(view, mirrored=bool(rng.random() < self.mirror_probability), color_gain=gain)

    @property
    def reach(self) -> Reach:
        """How far views go; a packed cache holds what lies within."""
        raise NotImplementedError

    def _draw_box(self, rng: np.random.Generator, view: View) -> View:
        raise NotImplementedError


@AUGMENTATIONS.register("HRNet")
class HRNetAugmentation(_Augmentation):
    """Clipped normal draws, as in HRNet, Simple Baselines and mmpose 0.x.

    Args:
        scale: spread and clip of the scale factor: clip(N(1, scale), 1 - scale, 1 + scale).
        rotation_deg: spread of the angle: clip(N(0, r), -2r, 2r).
        rotation_probability: chance of any rotation.
        mirror_probability: chance of a mirror image.
        half_body_probability: chance of a half-body view of a person with more than 8 labelled joints. The
            reference means to take either half equally often but compares a *normal* draw with 0.5, so the
            upper half comes in 69 % of cases; kept.
        color_gain: range of each channel's factor, or none.
    """

    def __init__(
        self,
        scale: float = 0.25,
        rotation_deg: float = 30.0,
        rotation_probability: float = 0.6,
        mirror_probability: float = 0.5,
        half_body_probability: float = 0.0,
        color_gain: Optional[tuple[float, float]] = None,
    ) -> None:
        super().__init__(mirror_probability, color_gain)
        self._scale, self._rotation_deg = scale, rotation_deg
        self._rotation_probability = rotation_probability
        # 0.6915 = P(N(0, 1) < 0.5)
        self.half_body = HalfBody(half_body_probability, 9, 3, 3, upper_probability=0.6915)

    @property
    def reach(self) -> Reach:
        """Factor 1 - scale to 1 + scale, angle to 2 x rotation_deg."""
        angle_deg = 2 * self._rotation_deg if self._rotation_probability > 0 else 0.0
        half_body = self.half_body.probability > 0
        return Reach(1 - self._scale, 1 + self._scale, angle_deg, half_body=half_body)

    def _draw_box(self, rng: np.random.Generator, view: View) -> View:
        factor = np.clip(rng.standard_normal() * self._scale + 1, 1 - self._scale, 1 + self._scale)
        spread = self._rotation_deg
        angle = np.clip(rng.standard_normal() * spread, -2 * spread, 2 * spread)
        rotates = rng.random() <= self._rotation_probability
        return replace(view, size_image_wh=view.size_image_wh * factor, angle_deg=float(angle) if rotates else 0.0)


@AUGMENTATIONS.register("MMPose")
class MMPoseAugmentation(_Augmentation):
    """Truncated normal draws and a shift, as in mmpose 1.x.

    Args:
        scale_range: smallest and largest scale factor; the draw is a unit normal truncated to [-1, 1],
            stretched over the range.
        rotation_deg: the same draw times this angle.
        rotation_probability: chance of any rotation.
        shift: the same draw times this share of the box, in x and y.
        shift_probability: chance of any shift.
        mirror_probability: chance of a mirror image.
        half_body_probability: chance of a half-body view (at least 9 labelled joints, 2 upper, 3 lower; the
            upper half in 70 % of cases where both are possible).
        color_gain: range of each channel's factor, or none.
    """

    def __init__(
        self,
        scale_range: tuple[float, float] = (0.5, 1.5),
        rotation_deg: float = 80.0,
        rotation_probability: float = 0.6,
        shift: float = 0.16,
        shift_probability: float = 0.3,
        mirror_probability: float = 0.5,
        half_body_probability: float = 0.0,
        color_gain: Optional[tuple[float, float]] = None,
    ) -> None:
        super().__init__(mirror_probability, color_gain)
        self._scale_range, self._rotation_deg = scale_range, rotation_deg
        self._rotation_probability = rotation_probability
        self._shift, self._shift_probability = shift, shift_probability
        self.half_body = HalfBody(half_body_probability, 9, 2, 3, upper_probability=0.7)

    @property
    def reach(self) -> Reach:
        """All draws are truncated to [-1, 1], so the settings are the bounds."""
        angle_deg = self._rotation_deg if self._rotation_probability > 0 else 0.0
        shift = self._shift if self._shift_probability > 0 else 0.0
        return Reach(*self._scale_range, angle_deg, shift, self.half_body.probability > 0)

    def _draw_box(self, rng: np.random.Generator, view: View) -> View:
        size_image_wh = view.size_image_wh
        shift = _truncated_normal(rng, 2) * self._shift * size_image_wh
        shifts = rng.random() < self._shift_probability
        low, high = self._scale_range
        factor = (low + high) / 2 + _truncated_normal(rng, 1)[0] * (high - low) / 2
        angle = float(_truncated_normal(rng, 1)[0] * self._rotation_deg)
        rotates = rng.random() < self._rotation_probability
        return replace(
            view,
            center_image_xy=view.center_image_xy + (shift if shifts else 0.0),
            size_image_wh=size_image_wh * factor,
            angle_deg=angle if rotates else 0.0,
        )


def _truncated_normal(rng: np.random.Generator, count: int) -> np.ndarray:
    """Unit normal draws, drawn again until they lie in [-1, 1]."""
    draws = rng.standard_normal(count)
    while (outside := np.abs(draws) > 1).any():
        draws[outside] = rng.standard_normal(int(outside.sum()))
    return draws
