"""A whole photo of any aspect -> network inputs of several sizes, for networks that find everybody in it.

Sources: `fit` "shorter" as in the re-implementation tensorboy/pytorch_Realtime_Multi-Person_Pose_Estimation, "height"
as in ZheC/Realtime_Multi-Person_Pose_Estimation, the authors' release.

Geometry: the photo is anchored in the top left corner. Output pixel i of a resized side of n pixels, of N in the photo,
is the photo at (i + 0.5) N / n - 0.5, pixel centre to pixel centre, each axis with its own factor where rounding to
whole pixels makes them differ. Bilinear, as training cuts its crops; below half the size the mean of all pixels that an
output pixel covers, without which fine patterns would flicker.

Differs from those codes
    A photo's longer side is at most `LONGEST` times `side`; they need gigabytes for a strip of 20 x 4000 pixels.
    Coordinates go back by the matrix of the pixels, not by x / scale, which lies up to half a pixel beside it.
"""

import concurrent.futures
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Callable, Literal, Optional

import cv2
import numpy as np

from paddle_pose.data.photos import read_photo
from paddle_pose.errors import DataError

LONGEST = 4  # sides: a photo that is longer than 4 : 1 is shrunk until it fits
_AREA_BELOW = 0.5
_PREFETCH = 2  # photos in flight per worker


@dataclass(frozen=True)
class ScaledPhoto:
    """One network input of a whole photo.

    Args:
        image: (H, W, 3) uint8 RGB; H and W are multiples of the network's stride.
        photo_wh: width and height of the part of it that shows the photo; right of it and below is the border colour.
        input_from_image: (2, 3) float64.
    """

    image: np.ndarray
    photo_wh: tuple[int, int]
    input_from_image: np.ndarray


class PhotoPyramid:
    """Makes the network inputs of a photo.

    Args:
        side: pixels that the side named by `fit` gets at scale 1.
        fit: "shorter", "longer" or "height".
        scales: factors of `side`.
        stride: what width and height of the inputs are multiples of.
        border: RGB colour, 0 to 255, of what lies beyond the photo.
    """

    def __init__(
        self,
        side: int,
        fit: Literal["shorter", "height", "longer"],
        scales: tuple[float, ...],
        stride: int,
        border: tuple[int, int, int] = (0, 0, 0),
    ) -> None:
        self.side, self.fit, self.scales, self._stride = side, fit, tuple(scales), stride
        self._border = np.array(border, np.uint8)

    def __call__(self, photo: np.ndarray) -> tuple[ScaledPhoto, ...]:
        """The inputs of an (H, W, 3) uint8 RGB photo, one for each scale; DataError if it is no such array."""
        if not isinstance(photo, np.ndarray):  # cv2.imread gives None of a file that is not there
            raise DataError(f"a photo is an (H, W, 3) array of uint8, RGB, but got {type(photo).__name__}")
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8 or not photo.size:
            raise DataError(f"a photo is an (H, W, 3) array of uint8, RGB, but got {photo.shape} of {photo.dtype}")
        return tuple(self._scaled(photo, scale) for scale in self.scales)

    def _scaled(self, photo: np.ndarray, scale: float) -> ScaledPhoto:
        photo_wh = np.array(photo.shape[1::-1])
        fitted = {"shorter": photo_wh.min(), "longer": photo_wh.max(), "height": photo_wh[1]}[self.fit]
        factor = scale * self.side * min(1 / fitted, LONGEST / photo_wh.max())
        width, height = (int(side) for side in np.maximum(1, np.rint(photo_wh * factor)))
        across, down = np.array([width, height]) / photo_wh
        how = cv2.INTER_AREA if factor < _AREA_BELOW else cv2.INTER_LINEAR
        padded_hw = (-(-height // self._stride) * self._stride, -(-width // self._stride) * self._stride)
        image = np.empty((*padded_hw, 3), np.uint8)
        image[:] = self._border
        image[:height, :width] = cv2.resize(photo, (width, height), interpolation=how)
        matrix = np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5]])
        return ScaledPhoto(image, (width, height), matrix)


def read_pyramids(
    photos: Iterable[tuple[int, str, Optional[tuple[int, int]]]],
    make: Callable[[np.ndarray], tuple[ScaledPhoto, ...]],
    workers: int,
) -> Iterator[tuple[int, tuple[ScaledPhoto, ...]]]:
    """(index, inputs) of photo files, decoded and resized in threads, in the order of `photos`.

    Args:
        photos: (index, file, width and height by the annotations or none).
        make: a `PhotoPyramid`.
        workers: threads; 0 works in the caller's.

    Raises:
        DataError: a photo cannot be read, or is not of the size that the annotations say.
    """
    if workers == 0:
        yield from ((index, make(read_photo(path, wh))) for index, path, wh in photos)
        return
    pool = concurrent.futures.ThreadPoolExecutor(workers)
    pending: deque = deque()
    try:
        for index, path, wh in photos:
            pending.append((index, pool.submit(lambda path=path, wh=wh: make(read_photo(path, wh)))))
            if len(pending) >= workers * _PREFETCH:
                index, made = pending.popleft()
                yield index, made.result()
        while pending:
            index, made = pending.popleft()
            yield index, made.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
