"""Random views of whole photos, for networks that find everybody at once.

Sources: the training of Cao et al. (CVPR 2017), released code, `caffe_train/src/caffe/cpm_data_transformer.cpp`;
tensorboy's `lib/datasets/transforms.py`, the transforms of which are chained by its `train_VGG19.py`.

Differs from them: one warp instead of several (so a photo is interpolated once, bilinearly, and nothing is rounded to
whole pixels in between), and colours are jittered by gains or not at all: no JPEG artefacts, no grey photos.
What lies beyond the photo has the colour `normalise.border`: 128 128 128 in the former code, 124 116 104 in the latter.
"""

from dataclasses import replace
from typing import Optional

import numpy as np

from paddle_pose.data.augment import AUGMENTATIONS, HalfBody, Reach, View, plain_view
from paddle_pose.errors import ConfigError
from paddle_pose.samples import Sample
from paddle_pose.skeletons import Skeleton

_NO_HALVES = HalfBody(0.0, 0, 0, 0, 0.0)  # everybody in the photo stays in it


@AUGMENTATIONS.register("OpenPose")
class OpenPoseAugmentation:
    """The views of Cao et al. around main people (`dataset.samples: main_people`).

    Args:
        scale_range: smallest and largest factor of the person's size in the crop, drawn evenly.
        rotation_deg: greatest angle either way, drawn evenly.
        shift: greatest move of the person in the crop, as a share of the crop, in x and y; theirs is 40 pixels of 368.
        mirror_probability: chance of a mirror image.
        color_gain: range of each channel's factor, or none.
    """

    half_body = _NO_HALVES

    def __init__(
        self,
        scale_range: tuple[float, float] = (0.5, 1.1),
        rotation_deg: float = 40.0,
        shift: float = 40 / 368,
        mirror_probability: float = 0.5,
        color_gain: Optional[tuple[float, float]] = None,
    ) -> None:
        _check_range("scale_range", scale_range)
        _check_range("color_gain", color_gain or (1.0, 1.0))
        self._scale_range, self._rotation_deg, self._shift = scale_range, rotation_deg, shift
        self.mirror_probability, self._color_gain = mirror_probability, color_gain

    def draw(self, rng: np.random.Generator, sample: Sample, skeleton: Skeleton) -> View:
        """One random view; the same generator state gives the same view."""
        view = plain_view(sample)
        size_wh = view.size_image_wh / rng.uniform(*self._scale_range)
        angle_deg = rng.uniform(-self._rotation_deg, self._rotation_deg)
        shift = rng.uniform(-self._shift, self._shift, size=2) * size_wh
        view = _finished(rng, replace(view, angle_deg=float(angle_deg)), self.mirror_probability, self._color_gain)
        center_image_xy = view.center_image_xy + _in_photo(shift, view)
        return replace(view, center_image_xy=center_image_xy, size_image_wh=size_wh)

    @property
    def reach(self) -> Reach:
        """The person's region grows by 1 / scale; the shift is a share of that, in a turned crop."""
        small, large = self._scale_range
        return Reach(1 / large, 1 / small, self._rotation_deg, np.sqrt(2) * self._shift / small)


@AUGMENTATIONS.register("WholePhoto")
class WholePhotoAugmentation:
    """The views of tensorboy's training (`dataset.samples: photos`): any part of the photo, as large as the crop.

    The photo is shrunk by a factor, then the crop is laid on it: in each direction in which the photo is longer, at
    a place drawn evenly from half a crop before its edge to half a crop beyond and then moved to the edge (so
    that edges are seen more often), else so that the photo is in the middle.

    Args:
        scale_range: smallest and largest factor, drawn evenly.
        crop_pixels: side of the square crop to which the factors belong; with another `input_size` the same part of
            the photo is seen.
        rotation_deg: greatest angle of a turn about the middle of the crop, drawn evenly; the code turns only in
            its other configuration, by 40.
        mirror_probability: chance of a mirror image.
        color_gain: range of each channel's factor, or none.
    """

    half_body = _NO_HALVES

    def __init__(
        self,
        scale_range: tuple[float, float] = (0.5, 1.0),
        crop_pixels: float = 368.0,
        rotation_deg: float = 0.0,
        mirror_probability: float = 0.5,
        color_gain: Optional[tuple[float, float]] = None,
    ) -> None:
        _check_range("scale_range", scale_range)
        _check_range("color_gain", color_gain or (1.0, 1.0))
        if not crop_pixels > 0:
            raise ConfigError(f"augment.crop_pixels={crop_pixels:g} must be above 0; tensorboy's is 368")
        self._scale_range, self._crop_pixels, self._rotation_deg = scale_range, crop_pixels, rotation_deg
        self.mirror_probability, self._color_gain = mirror_probability, color_gain

    def draw(self, rng: np.random.Generator, sample: Sample, skeleton: Skeleton) -> View:
        """One random view; the same generator state gives the same view."""
        side_image = self._crop_pixels / rng.uniform(*self._scale_range)
        size_image_wh = np.asarray(sample.size_image_wh)
        room = size_image_wh - side_image
        first = np.clip(rng.uniform(-side_image / 2, np.maximum(room, 0) + side_image / 2), 0, np.maximum(room, 0))
        first = np.where(room > 0, first, room / 2)
        corner_image_xy = np.asarray(sample.center_image_xy) - (size_image_wh - 1) / 2
        center_image_xy = corner_image_xy + first + (side_image - 1) / 2
        angle_deg = float(rng.uniform(-self._rotation_deg, self._rotation_deg))
        view = View(center_image_xy, np.full(2, side_image), angle_deg)
        return _finished(rng, view, self.mirror_probability, self._color_gain)

    @property
    def reach(self) -> Reach:
        """None: a packed cache would have to hold the whole photo."""
        raise ConfigError("augment.type=WholePhoto looks at whole photos, which no packed cache holds; set packed=null")


def _in_photo(shift: np.ndarray, view: View) -> np.ndarray:
    """A move along the axes of a view's crop -> along those of the photo, both in photo pixels."""
    angle = np.deg2rad(view.angle_deg)
    x, y = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ shift
    return np.array([-x if view.mirrored else x, y])


def _finished(
    rng: np.random.Generator, view: View, mirror_probability: float, color_gain: Optional[tuple[float, float]]
) -> View:
    gain = tuple(rng.uniform(*color_gain, size=3)) if color_gain else view.color_gain
    return replace(view, mirrored=bool(rng.random() < mirror_probability), color_gain=gain)


def _check_range(name: str, values: tuple[float, float]) -> None:
    if not 0 < values[0] <= values[1]:
        raise ConfigError(f"augment.{name}={list(values)} must be two factors above 0, the smaller one first")
