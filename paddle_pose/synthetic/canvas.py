"""A photo that is being painted, and the buffer that says what each of its pixels shows.

Parts are convex hulls of balls: a limb is two balls, a torso six. They are painted farthest first, so what
lies nearer covers what lies behind, and the buffer keeps the last painter of every pixel.
"""

from dataclasses import dataclass, field
from typing import Optional

import cv2
import numpy as np

ROUND = np.stack([np.cos(np.linspace(0, 2 * np.pi, 20, False)), np.sin(np.linspace(0, 2 * np.pi, 20, False))], axis=1)
SHIFT = 4  # fractional bits of OpenCV's polygon corners
BACKGROUND, THING = 0, 1  # values of the buffer for what is no person
PARTS_PER_PERSON = 64


@dataclass(frozen=True)
class Paint:
    """What a surface looks like.

    Args:
        color: (3,) RGB, 0 to 255.
        second: (3,) the pattern's other colour.
        pattern: plain, rings (across the limb), stripes (along it) or checks.
        period: length of one repetition, in standing heights.
    """

    color: np.ndarray
    second: Optional[np.ndarray] = None
    pattern: str = "plain"
    period: float = 0.04


@dataclass(frozen=True)
class Part:
    """One convex piece of a person or thing.

    Args:
        name: the piece of the body that it belongs to; visibility is decided by name.
        centers_image: (n, 2) centres of the balls in photo pixels.
        radii_image: (n,) their radii.
        paint: its surface.
        depth: towards the viewer; greater is nearer.
        axis_image: (2, 2) from and to, the direction along which patterns run; None: the first and last ball.
    """

    name: str
    centers_image: np.ndarray
    radii_image: np.ndarray
    paint: Paint
    depth: float
    axis_image: Optional[np.ndarray] = None


@dataclass
class Canvas:
    """An RGB photo in the making.

    Args:
        image: (H, W, 3) float32, 0 to 255.
        light_xy: (2,) direction that light comes from, length up to 1.
        shown: (H, W) int16: BACKGROUND, THING, or (1 + person) * PARTS_PER_PERSON + number of part.
        names: part names by number.
    """

    image: np.ndarray
    light_xy: np.ndarray
    shown: np.ndarray = field(init=False)
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shown = np.zeros(self.image.shape[:2], np.int16)

    def paint_person(self, person: int, parts: list[Part], unit: float) -> None:
        """Paints the parts of one person, farthest first; `unit` is the standing height in pixels."""
        for part in sorted(parts, key=lambda part: part.depth):
            if part.name not in self.names:
                self.names.append(part.name)
            self.paint(part, (1 + person) * PARTS_PER_PERSON + self.names.index(part.name), unit)

    def paint(self, part: Part, shown: int, unit: float) -> None:
        """Paints one part with soft edges; the buffer takes it where it covers more than half a pixel."""
        outline = cv2.convexHull(
            (part.centers_image[:, None] + part.radii_image[:, None, None] * ROUND).reshape(-1, 2).astype(np.float32)
        )[:, 0]
        height, width = self.shown.shape
        left, top = np.maximum(np.floor(outline.min(axis=0)).astype(int) - 1, 0)
        right, bottom = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 2, (width, height))
        if left >= right or top >= bottom:
            return
        cover = np.zeros((bottom - top, right - left), np.uint8)
        corners = np.round((outline - (left, top)) * (1 << SHIFT)).astype(np.int32)
        cv2.fillConvexPoly(cover, corners, 255, cv2.LINE_AA, SHIFT)
        color = self._surface(part, outline, (left, top, right, bottom), unit)
        patch = self.image[top:bottom, left:right]
        patch += (color - patch) * (cover.astype(np.float32) / 255)[..., None]
        self.shown[top:bottom, left:right][cover > 127] = shown

    def _surface(self, part: Part, outline: np.ndarray, box: tuple, unit: float) -> np.ndarray:
        """(h, w, 3) colours of a rounded surface: pattern along the axis, brighter towards the light."""
        left, top, right, bottom = box
        start, end = part.axis_image if part.axis_image is not None else part.centers_image[[0, -1]]
        along_xy = (end - start) / max(float(np.hypot(*(end - start))), 1e-6)
        if not along_xy.any():
            along_xy = np.array([0.0, 1.0])
        across_xy = np.array([-along_xy[1], along_xy[0]])
        side = (outline - start) @ across_xy
        middle, half = (side.max() + side.min()) / 2, max((side.max() - side.min()) / 2, 0.5)
        xs = np.arange(left, right, dtype=np.float32) - np.float32(start[0])
        ys = (np.arange(top, bottom, dtype=np.float32) - np.float32(start[1]))[:, None]
        across = np.clip((xs * across_xy[0] + ys * across_xy[1] - middle) / half, -1, 1).astype(np.float32)
        facing = np.sqrt(1.02 - across * across)
        shade = 0.50 + 0.48 * facing + float(0.26 * (across_xy @ self.light_xy)) * across
        color = part.paint.color.astype(np.float32)
        if part.paint.pattern == "plain":
            return shade[..., None] * color
        along = (xs * along_xy[0] + ys * along_xy[1]) / np.float32(unit)
        other = _pattern(part.paint, along, across * np.float32(half / unit))
        return shade[..., None] * np.where(other[..., None], part.paint.second.astype(np.float32), color)


def _pattern(paint: Paint, along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """(h, w) bool, True where the second colour shows."""
    ring = (along / paint.period) % 1 < 0.5
    if paint.pattern == "rings":
        return ring
    stripe = (across / paint.period) % 1 < 0.5
    return stripe if paint.pattern == "stripes" else ring ^ stripe
