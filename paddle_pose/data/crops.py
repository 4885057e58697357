"""One person of one photo -> one crop, by one matrix."""

from typing import Callable, Optional, Union

import numpy as np

from paddle_pose import geometry
from paddle_pose.data.augment import View, plain_view
from paddle_pose.data.photos import REDUCTIONS, read_photo, read_reduced
from paddle_pose.interfaces import Dataset
from paddle_pose.samples import Crop, Sample
from paddle_pose.skeletons import Skeleton

Read = Callable[[Sample, np.ndarray, tuple[int, int]], tuple[np.ndarray, np.ndarray]]
"""(sample, crop_from_image, input_wh) -> pixels that hold what the crop shows, and crop_from_pixels."""


def whole_photo(
    sample: Sample, crop_from_image: np.ndarray, input_wh: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The photo file's pixels, whose frame is `_image`.

    Raises:
        DataError: it cannot be read, or is not of the size that the annotations say: joints and masks would not fit.
    """
    return read_photo(sample.image_path, sample.photo_wh), crop_from_image


def reduced_photo(
    sample: Sample, crop_from_image: np.ndarray, input_wh: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The photo, decoded at 1/2, 1/4 or 1/8 of its size where a crop pixel spans that many photo pixels.

    Joints and matrix stay as they are to the last bit; pixels become smoother, for warping alone skips some of them.

    Raises:
        DataError: as `whole_photo`.
    """
    pixels, step = read_reduced(sample.image_path, _reduction(crop_from_image), sample.photo_wh)
    return pixels, geometry.chain(crop_from_image, geometry.image_from_reduced(step))


def _reduction(crop_from_image: np.ndarray) -> int:
    """Photo pixels for each crop pixel along a side, rounded down to one of `REDUCTIONS`."""
    (a, b, _), (c, d, _) = crop_from_image.tolist()
    photo_pixels = abs(a * d - b * c) ** -0.5
    return max(step for step in REDUCTIONS if step == 1 or step <= photo_pixels)


class CropMaker:
    """Cuts the crop of person `index`; what a loader's worker calls.

    Args:
        dataset: the people.
        input_wh: crop width and height.
        pixel_centres: the UDP geometry (see `geometry.crop_matrix`); a codec's `pixel_centres` says which.
        augmentation: draws a random view; None for evaluation.
        read: where pixels come from: photo files, whole or at reduced size, or a packed cache (data/packed.py).
        border: RGB colour, 0 to 255, of what lies beyond the photo.
    """

    def __init__(
        self,
        dataset: Dataset,
        input_wh: tuple[int, int],
        pixel_centres: bool,
        augmentation: Optional[object] = None,
        read: Read = whole_photo,
        border: tuple[int, int, int] = (0, 0, 0),
    ) -> None:
        self._dataset, self.skeleton = dataset, dataset.skeleton
        self._input_wh = tuple(input_wh)
        self._pixel_centres = pixel_centres
        self._augmentation = augmentation
        self.read = read
        self._border = tuple(border)

    def __len__(self) -> int:
        return len(self._dataset)

    def __call__(self, index: int, rng: np.random.Generator) -> Crop:
        """The crop of person `index`; DataError where its photo cannot be read."""
        sample, view, crop_from_image = self.look(index, rng)
        pixels, crop_from_pixels = self.read(sample, crop_from_image, self._input_wh)
        image = geometry.warp(pixels, crop_from_pixels, self._input_wh, self._border)
        return _crop(image, crop_from_image, sample, view, self.skeleton)

    def look(self, index: int, rng: np.random.Generator) -> tuple[Sample, View, np.ndarray]:
        """Person `index`, how it is looked at, and the view's crop_from_image; no pixel is read."""
        sample = self._dataset.sample(index)
        view = self._augmentation.draw(rng, sample, self.skeleton) if self._augmentation else plain_view(sample)
        return sample, view, view_matrix(view, self._input_wh, self._pixel_centres)


def view_matrix(view: View, input_wh: tuple[int, int], pixel_centres: bool) -> np.ndarray:
    """crop_from_image of a view."""
    width_image = geometry.fix_aspect(view.size_image_wh, input_wh)[0]
    return geometry.crop_matrix(
        view.center_image_xy, width_image, view.angle_deg, input_wh, view.mirrored, pixel_centres
    )


def cut(
    image: np.ndarray,
    sample: Sample,
    view: View,
    skeleton: Skeleton,
    input_wh: tuple[int, int],
    pixel_centres: bool,
) -> Crop:
    """Warps a photo and its joints by the matrix of a view; in a mirrored view left and right swap names."""
    crop_from_image = view_matrix(view, input_wh, pixel_centres)
    return _crop(geometry.warp(image, crop_from_image, input_wh), crop_from_image, sample, view, skeleton)


def _crop(image: np.ndarray, crop_from_image: np.ndarray, sample: Sample, view: View, skeleton: Skeleton) -> Crop:
    order = list(skeleton.mirror) if view.mirrored else slice(None)
    joints_crop, weight = _joints(crop_from_image, sample.joints_image, sample.labelled, order)
    others_crop = others_weight = None
    if sample.others_image is not None:
        others_crop, others_weight = _joints(crop_from_image, sample.others_image, sample.others_labelled, order)
    return Crop(
        image=image,
        joints_crop=joints_crop,
        weight=weight,
        crop_from_image=crop_from_image,
        color_gain=np.asarray(view.color_gain, np.float32),
        others_crop=others_crop,
        others_weight=others_weight,
        unknown_crop=_unknown(sample, crop_from_image, (image.shape[1], image.shape[0])),
        image_path=sample.image_path,
    )


def _joints(
    crop_from_image: np.ndarray, joints_image: np.ndarray, labelled: np.ndarray, order: Union[list, slice]
) -> tuple[np.ndarray, np.ndarray]:
    """Joints (..., K, 2) and flags (..., K) of people in the photo -> in the crop, in the order of its names."""
    joints_crop = geometry.apply(crop_from_image, np.where(labelled[..., None], joints_image, 0.0))
    return joints_crop[..., order, :].astype(np.float32), labelled[..., order].astype(np.float32)


def _unknown(sample: Sample, crop_from_image: np.ndarray, input_wh: tuple[int, int]) -> Optional[np.ndarray]:
    """The sample's `unknown_image` in the crop; what lies beyond the photo is known to be empty."""
    if sample.unknown_image is None:
        return None
    return geometry.warp(sample.unknown_image, crop_from_image, input_wh)
