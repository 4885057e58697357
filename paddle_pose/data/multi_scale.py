"""Crops of one person at several scales, from one decoded photo: what the multi-scale test looks at."""

from dataclasses import replace

import numpy as np

from paddle_pose import geometry
from paddle_pose.data.augment import plain_view
from paddle_pose.data.crops import CropMaker, Read, view_matrix, whole_photo
from paddle_pose.interfaces import Dataset
from paddle_pose.samples import Crop, Sample


class MultiScaleCrops(CropMaker):
    """As `CropMaker` in evaluation, but an image holds S crops, one below the other.

    Args:
        dataset, input_wh, pixel_centres, read, border: see `CropMaker`; sizes are those of one crop.
        scales: the S scales; at scale s the person appears s times as large as in the crop of scale 1.
    """

    def __init__(
        self,
        dataset: Dataset,
        input_wh: tuple[int, int],
        pixel_centres: bool,
        scales: tuple[float, ...],
        read: Read = whole_photo,
        border: tuple[int, int, int] = (0, 0, 0),
    ) -> None:
        super().__init__(dataset, input_wh, pixel_centres, read=read, border=border)
        self._scales = tuple(scales)

    def __call__(self, index: int, rng: np.random.Generator) -> Crop:
        """Image (S x H, W, 3); joints and matrix are those of scale 1, whether it is among the scales or not."""
        sample = self._dataset.sample(index)
        crop_from_image = self._matrix(sample, 1.0)
        # One picture that shows what the smallest scale shows, as finely as the largest.
        finer = max(self._scales) / min(self._scales)
        all_from_image = finer * self._matrix(sample, min(self._scales))
        all_wh = tuple(int(np.ceil(finer * side)) for side in self._input_wh)
        pixels, all_from_pixels = self.read(sample, all_from_image, all_wh)
        image_from_pixels = geometry.chain(geometry.invert(all_from_image), all_from_pixels)
        matrices = [geometry.chain(self._matrix(sample, scale), image_from_pixels) for scale in self._scales]
        crops = [geometry.warp(pixels, matrix, self._input_wh, self._border) for matrix in matrices]
        joints_image = np.where(sample.labelled[:, None], sample.joints_image, 0.0)
        return Crop(
            image=np.concatenate(crops),
            joints_crop=geometry.apply(crop_from_image, joints_image).astype(np.float32),
            weight=sample.labelled.astype(np.float32),
            crop_from_image=crop_from_image,
            color_gain=np.ones(3, np.float32),
            image_path=sample.image_path,
        )

    def _matrix(self, sample: Sample, scale: float) -> np.ndarray:
        """crop_from_image of one scale."""
        view = plain_view(sample)
        return view_matrix(replace(view, size_image_wh=view.size_image_wh / scale), self._input_wh, self._pixel_centres)
