"""Pictures of poses: joints and limbs over a photo, sheets of pictures, heatmaps."""

from typing import Optional

import cv2
import numpy as np

from paddle_pose import pose_colors
from paddle_pose.pose_colors import PoseColors
from paddle_pose.skeletons import Skeleton


def draw_pose(
    image: np.ndarray,
    joints_xy: np.ndarray,
    skeleton: Skeleton,
    shown: Optional[np.ndarray] = None,
    thickness: Optional[int] = None,
) -> np.ndarray:
    """A copy of a picture with limbs and joints; orange is the person's right, blue the left.

    Args:
        image: (H, W, 3) uint8 RGB.
        joints_xy: (K, 2) in pixels of this picture.
        skeleton: names limbs and sides.
        shown: (K,) bool; all finite joints by default.
        thickness: of the lines, in pixels; by default from the picture's size.
    """
    canvas = np.ascontiguousarray(image).copy()
    paint_pose(canvas, joints_xy, skeleton, pose_colors.by_side(skeleton), shown, thickness)
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
    canvas = np.ascontiguousarray(image).copy()
    shown = np.ones(joints_xy.shape[:2], bool) if shown is None else shown
    for person in reversed(range(len(joints_xy))):
        colors = pose_colors.by_person(skeleton, person)
        paint_pose(canvas, joints_xy[person], skeleton, colors, shown[person])
    return canvas


def paint_pose(
    canvas: np.ndarray,
    joints_xy: np.ndarray,
    skeleton: Skeleton,
    colors: PoseColors,
    shown: Optional[np.ndarray] = None,
    thickness: Optional[int] = None,
) -> None:
    """Limbs and joints of one person, painted on a contiguous (H, W, 3) uint8 RGB picture; see `draw_pose`."""
    shown = np.isfinite(joints_xy).all(1) if shown is None else np.asarray(shown, bool) & np.isfinite(joints_xy).all(1)
    thickness = thickness or max(1, round(max(canvas.shape[:2]) / 150))
    points = [
        tuple(int(round(float(v))) for v in np.clip(p, -9999, 9999)) if s else None for p, s in zip(joints_xy, shown)
    ]
    for (a, b), color in zip(skeleton.limb_pairs, colors.limbs):
        if points[a] and points[b]:
            cv2.line(canvas, points[a], points[b], color, thickness, cv2.LINE_AA)
    for point, color in zip(points, colors.joints):
        if point:
            cv2.circle(canvas, point, thickness + 1, color, -1, cv2.LINE_AA)
            cv2.circle(canvas, point, thickness + 1, (255, 255, 255), 1, cv2.LINE_AA)


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
    """The largest of (K, h, w) maps at each place, over a (H, W, 3) uint8 RGB picture; see `lay_heat`."""
    height, width = image.shape[:2]
    return lay_heat(image, cv2.resize(maps.max(0).astype(np.float32), (width, height)))


def lay_heat(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """A (H, W) map over a (H, W, 3) uint8 RGB picture, which is darkened: 0 adds nothing, 1 adds light yellow.

    Between them violet, red, orange: ever lighter, so that it reads without colours too. Beyond 0 and 1 it is cut.
    """
    level = cv2.convertScaleAbs(np.maximum(heat, 0.0), alpha=255)
    return lay_light(image, cv2.applyColorMap(level, _heat_colors()))


def lay_light(image: np.ndarray, light: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 colours added to a picture of half its brightness."""
    return cv2.addWeighted(np.ascontiguousarray(image), 0.5, light, 1.0, 0.0)


def _heat_colors() -> np.ndarray:
    """(256, 1, 3) uint8 RGB."""
    colors = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_INFERNO)
    return cv2.cvtColor(colors, cv2.COLOR_BGR2RGB)


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
