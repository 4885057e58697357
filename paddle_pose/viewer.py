"""Pictures of poses: joints and limbs over a photo, sheets of pictures, heatmaps."""

import colorsys
from typing import Optional

import cv2
import numpy as np

from paddle_pose.skeletons import Skeleton

_RIGHT, _LEFT, _MIDDLE = (255, 140, 0), (30, 144, 255), (60, 200, 80)  # RGB


def draw_pose(
    image: np.ndarray,
    joints_xy: np.ndarray,
    skeleton: Skeleton,
    shown: Optional[np.ndarray] = None,
    thickness: Optional[int] = None,
    color: Optional[tuple[int, int, int]] = None,
) -> np.ndarray:
    """A copy of a picture with limbs and joints; orange is the person's right, blue the left.

    Args:
        image: (H, W, 3) uint8 RGB.
        joints_xy: (K, 2) in pixels of this picture.
        skeleton: names limbs and sides.
        shown: (K,) bool; all finite joints by default.
        thickness: of the lines, in pixels; by default from the picture's size.
        color: RGB of the limbs; by default that of their side.
    """
    canvas = np.ascontiguousarray(image).copy()
    shown = np.isfinite(joints_xy).all(1) if shown is None else np.asarray(shown, bool) & np.isfinite(joints_xy).all(1)
    thickness = thickness or max(1, round(max(canvas.shape[:2]) / 150))
    points = [
        tuple(int(round(float(v))) for v in np.clip(p, -9999, 9999)) if s else None for p, s in zip(joints_xy, shown)
    ]
    for a, b in skeleton.limb_pairs:
        if points[a] and points[b]:
            limb_color = color or _side_color(skeleton.joints[a], skeleton.joints[b])
            cv2.line(canvas, points[a], points[b], limb_color, thickness, cv2.LINE_AA)
    for name, point in zip(skeleton.joints, points):
        if point:
            cv2.circle(canvas, point, thickness + 1, _side_color(name, name), -1, cv2.LINE_AA)
            cv2.circle(canvas, point, thickness + 1, (255, 255, 255), 1, cv2.LINE_AA)
    return canvas


def draw_people(
    image: np.ndarray, joints_xy: np.ndarray, skeleton: Skeleton, shown: Optional[np.ndarray] = None
) -> np.ndarray:
    """A copy of a picture with everybody in it: limbs in a colour of each person's own, joints as in `draw_pose`.

    Args:
        image: (H, W, 3) uint8 RGB.
        joints_xy: (P, K, 2) in pixels of this picture, best person first: that one is drawn last, over the others.
        skeleton: names limbs and sides.
        shown: (P, K) bool; all finite joints by default.
    """
    shown = np.ones(joints_xy.shape[:2], bool) if shown is None else shown
    for person in reversed(range(len(joints_xy))):
        image = draw_pose(image, joints_xy[person], skeleton, shown[person], color=_person_color(person))
    return image


def caption(image: np.ndarray, text: str) -> np.ndarray:
    """A copy of a picture with lines of text, white on black, in its upper left corner."""
    canvas = np.ascontiguousarray(image).copy()
    size = max(canvas.shape[:2]) / 640
    font = (cv2.FONT_HERSHEY_SIMPLEX, 0.8 * size)
    top = 0
    for line in text.split("\n"):
        (width, height), below = cv2.getTextSize(line, *font, max(1, round(size)))
        canvas[top : top + height + below + 2, :width] = 0
        cv2.putText(canvas, line, (0, top + height + 1), *font, (255, 255, 255), max(1, round(size)), cv2.LINE_AA)
        top += height + below + 2
    return canvas


def overlay_maps(image: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """The largest of (K, h, w) maps at each place, in colour over a (H, W, 3) uint8 RGB picture."""
    height, width = image.shape[:2]
    heat = np.clip(maps.max(0), 0.0, 1.0).astype(np.float32)
    heat = (cv2.resize(heat, (width, height)) * 255).astype(np.uint8)
    colored = cv2.applyColorMap(heat, cv2.COLORMAP_JET)[:, :, ::-1]
    return cv2.addWeighted(np.ascontiguousarray(image), 0.5, np.ascontiguousarray(colored), 0.5, 0.0)


def sheet(images: list[np.ndarray], columns: int, cell_wh: Optional[tuple[int, int]] = None) -> np.ndarray:
    """Pictures side by side, each scaled to fit a cell (by default of the first one's size) and centred on black."""
    width, height = cell_wh or (images[0].shape[1], images[0].shape[0])
    rows = -(-len(images) // columns)
    canvas = np.zeros((rows * height, columns * width, 3), np.uint8)
    for k, image in enumerate(images):
        scale = min(width / image.shape[1], height / image.shape[0])
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        small = (
            image if size == (image.shape[1], image.shape[0]) else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        )
        y = k // columns * height + (height - small.shape[0]) // 2
        x = k % columns * width + (width - small.shape[1]) // 2
        canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
    return canvas


def _side_color(a: str, b: str) -> tuple[int, int, int]:
    if "right_" in a + b and "left_" not in a + b:
        return _RIGHT
    if "left_" in a + b and "right_" not in a + b:
        return _LEFT
    return _MIDDLE


def _person_color(person: int) -> tuple[int, int, int]:
    """A light colour; those of the next few people differ much (hues in steps of the golden section)."""
    return tuple(round(255 * value) for value in colorsys.hsv_to_rgb(0.13 + 0.618034 * person, 0.75, 1.0))
