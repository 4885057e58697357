"""One person of one photo -> one crop, by one matrix."""

from typing import Optional, Union

import numpy as np

from paddle_pose import geometry
from paddle_pose.data.augment import View, plain_view
from paddle_pose.data.photos import read_photo
from paddle_pose.interfaces import Dataset
from paddle_pose.samples import Crop, Sample
from paddle_pose.skeletons import Skeleton


class CropMaker:
    """Cuts the crop of person `index`; what a loader's worker calls.

    Args:
        dataset: the people.
        input_wh: crop width and height.
        pixel_centres: the UDP geometry (see `geometry.crop_matrix`); a codec's `pixel_centres` says which.
        augmentation: draws a random view; None for evaluation.
    """

    def __init__(
        self,
        dataset: Dataset,
        input_wh: tuple[int, int],
        pixel_centres: bool,
        augmentation: Optional[object] = None,
    ) -> None:
        self._dataset = dataset
        self._input_wh = tuple(input_wh)
        self._pixel_centres = pixel_centres
        self._augmentation = augmentation

    def __len__(self) -> int:
        return len(self._dataset)

    def image_path(self, index: int) -> str:
        """The photo that person `index` is in."""
        return self._dataset.sample(index).image_path

    def __call__(self, index: int, rng: np.random.Generator) -> Crop:
        """The crop of person `index`; DataError where its photo cannot be read."""
        sample = self._dataset.sample(index)
        skeleton = self._dataset.skeleton
        view = self._augmentation.draw(rng, sample, skeleton) if self._augmentation else plain_view(sample)
        return cut(read_photo(sample.image_path), sample, view, skeleton, self._input_wh, self._pixel_centres)


def cut(
    image: np.ndarray,
    sample: Sample,
    view: View,
    skeleton: Skeleton,
    input_wh: tuple[int, int],
    pixel_centres: bool,
) -> Crop:
    """Warps a photo and its joints by the matrix of a view; in a mirrored view left and right swap names."""
    width_image = geometry.fix_aspect(view.size_image_wh, input_wh)[0]
    crop_from_image = geometry.crop_matrix(
        view.center_image_xy, width_image, view.angle_deg, input_wh, view.mirrored, pixel_centres
    )
    order = list(skeleton.mirror) if view.mirrored else slice(None)
    joints_crop, weight = _joints(crop_from_image, sample.joints_image, sample.labelled, order)
    others_crop = others_weight = None
    if sample.others_image is not None:
        others_crop, others_weight = _joints(crop_from_image, sample.others_image, sample.others_labelled, order)
    return Crop(
        image=geometry.warp(image, crop_from_image, input_wh),
        joints_crop=joints_crop,
        weight=weight,
        crop_from_image=crop_from_image,
        color_gain=np.asarray(view.color_gain, np.float32),
        others_crop=others_crop,
        others_weight=others_weight,
    )


def _joints(
    crop_from_image: np.ndarray, joints_image: np.ndarray, labelled: np.ndarray, order: Union[list, slice]
) -> tuple[np.ndarray, np.ndarray]:
    """Joints (..., K, 2) and flags (..., K) of people in the photo -> in the crop, in the order of its names."""
    joints_crop = geometry.apply(crop_from_image, np.where(labelled[..., None], joints_image, 0.0))
    return joints_crop[..., order, :].astype(np.float32), labelled[..., order].astype(np.float32)
