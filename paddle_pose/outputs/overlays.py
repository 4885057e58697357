"""What a network of maps said, laid over the picture that it saw.

A map is drawn where `Maps.image_from_map` puts its cells, so a peak lights up at the pixel that is decoded from it.
"""

import cv2
import numpy as np

from paddle_pose.frames import Maps
from paddle_pose.viewer import lay_heat, lay_light


def lay_heatmaps(image: np.ndarray, maps: Maps) -> np.ndarray:
    """The largest value of all joints and all inputs at each pixel, see `viewer.lay_heat`.

    Args:
        image: (H, W, 3) uint8 RGB.
        maps: of this picture.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    heat = np.zeros(image.shape[:2], np.float32)
    for joints, image_from_map in zip(maps.joints, maps.image_from_map):
        np.maximum(heat, _warped(joints.max(axis=0), image_from_map, image), out=heat)
    return lay_heat(image, heat)


def lay_fields(image: np.ndarray, maps: Maps) -> np.ndarray:
    """The longest affinity vector of all limbs at each pixel: its direction as hue, its length as brightness.

    Red points right, then with the clock (as the picture is seen): yellow-green down, cyan left, violet up. A length of
    1 and more has full brightness, 0 adds nothing.

    Args:
        image: (H, W, 3) uint8 RGB.
        maps: of this picture, with fields.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    x, y, lengths = np.zeros((3, *image.shape[:2]), np.float32)
    for fields, image_from_map in zip(maps.fields, maps.image_from_map):
        turn = image_from_map[:, :2] / np.sqrt(abs(np.linalg.det(image_from_map[:, :2])))
        vectors = _warped(_longest(fields) @ turn.T.astype(np.float32), image_from_map, image)
        new = cv2.split(vectors)
        length = cv2.magnitude(*new)
        longer = cv2.compare(length, lengths, cv2.CMP_GT)
        for values, into in ((new[0], x), (new[1], y), (length, lengths)):
            cv2.copyTo(values, longer, into)
    return lay_light(image, _by_direction(x, y, lengths))


def _longest(fields: np.ndarray) -> np.ndarray:
    """(2 L, h, w) -> (h, w, 2), x and y of the limb whose vector is longest in each cell."""
    vectors = fields.reshape(-1, 2, *fields.shape[1:])
    best = np.hypot(vectors[:, 0], vectors[:, 1]).argmax(axis=0)
    return np.take_along_axis(vectors, best[None, None], axis=0)[0].transpose(1, 2, 0)


def _by_direction(x: np.ndarray, y: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(H, W) vectors and their lengths as (H, W, 3) uint8 RGB."""
    hue = cv2.convertScaleAbs(cv2.phase(x, y, angleInDegrees=True), alpha=0.5)  # OpenCV's hues go to 179
    hue[hue == 180] = 0
    value = cv2.convertScaleAbs(lengths, alpha=255)
    return cv2.cvtColor(cv2.merge([hue, np.full_like(hue, 255), value]), cv2.COLOR_HSV2RGB)


def _warped(cells: np.ndarray, image_from_map: np.ndarray, image: np.ndarray) -> np.ndarray:
    """A map in the picture's pixels, between cells in straight lines; 0 beyond it."""
    return cv2.warpAffine(np.ascontiguousarray(cells, np.float32), image_from_map, image.shape[1::-1])
