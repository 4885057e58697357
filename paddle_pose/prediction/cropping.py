"""Boxes in a picture -> crops for a model, as evaluation cuts them.

A box becomes a crop as in data/coco.py: its middle stays, both sides are padded, the shorter one grows to the aspect of
the input. All of it is done by the functions that evaluation uses (geometry.py, data/crops.py).
"""

from dataclasses import dataclass
from typing import Optional

import numpy as np

from paddle_pose import geometry
from paddle_pose.data.augment import View
from paddle_pose.data.crops import view_matrix
from paddle_pose.deployment.description import Description
from paddle_pose.errors import DataError
from paddle_pose.shapes import check_shape

_LONGEST = 32766  # pixels of a side that OpenCV warps
_THIN = 1e-6  # pixels; a box of no width gets its width from the aspect of the input, as in data/coco.py


@dataclass(frozen=True)
class Regions:
    """Where people are looked for in one picture.

    Args:
        boxes_image: (P, 4) left, top, width, height in photo pixels.
        scores: (P,) float64, how sure it is that somebody is there; 1 where nobody doubts it.
        padding: factor on both sides of each box; None: as the model was trained.
    """

    boxes_image: np.ndarray
    scores: np.ndarray
    padding: Optional[float] = None

    def __post_init__(self) -> None:
        check_shape(self.boxes_image, ("P", 4), "boxes_image")
        check_shape(self.scores, (len(self.boxes_image),), "scores")

    def __len__(self) -> int:
        return len(self.scores)


def whole_photo(image: np.ndarray) -> Regions:
    """The picture from edge to edge, not padded: integer coordinates are pixel centres, so it begins at -0.5."""
    height, width = image.shape[:2]
    return Regions(np.array([[-0.5, -0.5, width, height]]), np.ones(1), padding=1.0)


def checked_boxes(boxes_image: object, where: str) -> np.ndarray:
    """(P, 4) float64 of what a user gives; DataError unless they are finite and not empty."""
    try:
        boxes = np.asarray(boxes_image, np.float64)
    except (TypeError, ValueError, OverflowError):  # the last: a whole number beyond 1e308
        boxes = np.zeros(1)
    boxes = boxes.reshape(0, 4) if boxes.shape == (0,) else boxes  # an empty list: nobody
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise DataError(f"{where}: boxes are (P, 4) numbers: left, top, width, height; got shape {np.shape(boxes)}")
    good = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] >= 0).all(axis=1) & (boxes[:, 2:] > 0).any(axis=1)
    if not good.all():
        raise DataError(f"{where}: {boxes[np.argmin(good)].tolist()} is no box; it must be left, top, width, height")
    return boxes


def crop_matrices(regions: Regions, description: Description) -> np.ndarray:
    """(P, 2, 3) crop_from_image of each region."""
    padding = description.padding if regions.padding is None else regions.padding
    centers = regions.boxes_image[:, :2] + regions.boxes_image[:, 2:] / 2
    sizes = np.maximum(regions.boxes_image[:, 2:] * padding, _THIN)
    rows = [
        view_matrix(View(center, size), description.input_wh, description.pixel_centres)
        for center, size in zip(centers, sizes)
    ]
    return np.array(rows).reshape(-1, 2, 3)


def cut(image: np.ndarray, crop_from_image: np.ndarray, description: Description) -> np.ndarray:
    """One crop (H, W, 3) uint8 of an image, for a model."""
    step = -(-max(image.shape[:2]) // _LONGEST)
    if step > 1:  # every second pixel, or third
        crop_from_image = geometry.chain(crop_from_image, np.array([[step, 0.0, 0.0], [0.0, step, 0.0]]))
        image = np.ascontiguousarray(image[::step, ::step])
    return geometry.warp(image, crop_from_image, description.input_wh, description.border)
