"""Pictures of single people: the found joints in colour, the true ones in thin white dashes, red lines between."""

from dataclasses import dataclass

import cv2
import numpy as np

from paddle_pose import viewer
from paddle_pose.skeletons import Skeleton

LONGER_SIDE = 360  # pixels of a picture
_PADDING = 0.15  # of the region's longer side, around it
_SMALLEST = 24.0  # photo pixels of a region's sides
_REACH = 0.5  # of the region's longer side: found joints further away do not make it larger
_BEYOND = 0.25  # of a photo's longer side
_GREY = 90
_DASH = 5.0  # pixels of the picture
_BLACK, _WHITE, _RED = (0, 0, 0), (255, 255, 255), (255, 60, 60)


@dataclass(frozen=True)
class Case:
    """A person to show.

    Args:
        photo: path of the file.
        words: what is said below the picture.
        found_image: (K, 2) photo pixels, NaN where not found; all NaN: nobody was found.
        true_image: (K, 2) photo pixels, NaN where not labelled; all NaN: nobody is there.
        wrong: (K,) bool, joints to be joined with their truth.
    """

    photo: str
    words: str
    found_image: np.ndarray
    true_image: np.ndarray
    wrong: np.ndarray


def file_name(photo: str) -> str:
    """The last part of a photo's path, for the words below its picture."""
    return photo.replace("\\", "/").rsplit("/", 1)[-1]


def draw_case(photo: np.ndarray, case: Case, skeleton: Skeleton) -> np.ndarray:
    """The part of the photo around the person, its longer side `LONGER_SIDE` pixels.

    Args:
        photo: (H, W, 3) uint8 RGB.
        case: the person.
        skeleton: names limbs and sides.
    """
    left, top, right, bottom = region(case.found_image, case.true_image, (photo.shape[1], photo.shape[0]))
    scale = LONGER_SIDE / max(right - left, bottom - top)
    size_wh = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = cv2.resize(_part(photo, left, top, right, bottom), size_wh, interpolation=way)
    with np.errstate(over="ignore"):
        found, true = ((joints + 0.5 - (left, top)) * scale - 0.5 for joints in (case.found_image, case.true_image))
    picture = viewer.draw_pose(picture, found, skeleton, thickness=2)
    for joint in np.flatnonzero(case.wrong & np.isfinite(found + true).all(axis=1)):
        cv2.line(picture, _point(found[joint]), _point(true[joint]), _RED, 1, cv2.LINE_AA)
    return _draw_truth(picture, true, skeleton)


def region(found_image: np.ndarray, true_image: np.ndarray, photo_wh: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is shown, in whole photo pixels, the last two not included.

    It holds the true joints and the found ones that are not far away from them (all of them where nobody is there),
    and reaches beyond the photo by a quarter of its longer side at most.
    """
    true = true_image[np.isfinite(true_image).all(axis=1)]
    found = found_image[np.isfinite(found_image).all(axis=1)]
    if len(true):
        side = max(np.ptp(true, axis=0).max(), _SMALLEST)
        low, high = true.min(axis=0) - _REACH * side, true.max(axis=0) + _REACH * side
        found = found[((found >= low) & (found <= high)).all(axis=1)]
    beyond = _BEYOND * max(photo_wh)
    joints = np.clip(np.concatenate([true, found]), -beyond, np.array(photo_wh) + beyond)
    middle, sides = (joints.max(axis=0) + joints.min(axis=0)) / 2, np.maximum(np.ptp(joints, axis=0), _SMALLEST)
    half = sides / 2 + _PADDING * sides.max()
    first, last = np.floor(middle - half).astype(int), np.ceil(middle + half).astype(int) + 1
    return int(first[0]), int(first[1]), int(last[0]), int(last[1])


def _part(photo: np.ndarray, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """A part of a photo, grey where it lies outside."""
    part = np.full((bottom - top, right - left, 3), _GREY, np.uint8)
    height, width = photo.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if x0 < x1 and y0 < y1:
        part[y0 - top : y1 - top, x0 - left : x1 - left] = photo[y0:y1, x0:x1]
    return part


def _draw_truth(picture: np.ndarray, joints_xy: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    known = np.isfinite(joints_xy).all(axis=1)
    for a, b in skeleton.limb_pairs:
        if known[a] and known[b]:
            _dashed(picture, joints_xy[a], joints_xy[b])
    for joint in np.flatnonzero(known):
        cv2.circle(picture, _point(joints_xy[joint]), 3, _BLACK, -1, cv2.LINE_AA)
        cv2.circle(picture, _point(joints_xy[joint]), 2, _WHITE, -1, cv2.LINE_AA)
    return picture


def _dashed(picture: np.ndarray, first: np.ndarray, second: np.ndarray) -> None:
    steps = max(1, round(float(np.linalg.norm(second - first)) / _DASH))
    points = [_point(first + (second - first) * k / steps) for k in range(steps + 1)]
    for k, (start, end) in enumerate(zip(points, points[1:])):
        cv2.line(picture, start, end, _BLACK if k % 2 else _WHITE, 1, cv2.LINE_AA)


def _point(xy: np.ndarray) -> tuple[int, int]:
    x, y = np.clip(xy, -9999, 9999)
    return round(float(x)), round(float(y))
