"""What is behind people: gradients, noise, polygons, lines, boxes, blobs; and a thing in front of them."""

import cv2
import numpy as np

from paddle_pose.synthetic.canvas import THING, Canvas, Paint, Part
from paddle_pose.synthetic.clothes import SKINS


def draw_backdrop(rng: np.random.Generator, image_hw: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) float32 clutter, RGB."""
    image = _clouds(rng, image_hw)
    for painter in rng.permutation([_polygons, _boxes, _lines, _blobs])[: rng.integers(1, 5)]:
        painter(rng, image)
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 4.0))
    if rng.random() < 0.5:
        _sticks(rng, image)
    return image


def _color(rng: np.random.Generator) -> tuple[float, float, float]:
    grey = rng.uniform(20, 235)
    return tuple(float(c) for c in np.clip(grey + rng.normal(0, 30, 3), 0, 255))


def _clouds(rng: np.random.Generator, image_hw: tuple[int, int]) -> np.ndarray:
    """A gradient with smooth noise of two sizes."""
    height, width = image_hw
    corners = np.array([_color(rng) for _ in range(4)], np.float32).reshape(2, 2, 3)
    image = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    for cells, strength in ((6, rng.uniform(0, 30)), (40, rng.uniform(0, 22))):
        noise = rng.standard_normal((cells, cells, 3), dtype=np.float32) * np.float32(strength)
        image += cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(image, 0, 255)


def _points(rng: np.random.Generator, image: np.ndarray, count: int) -> np.ndarray:
    return (rng.uniform(-0.1, 1.1, (count, 2)) * image.shape[1::-1]).astype(np.int32)


def _polygons(rng: np.random.Generator, image: np.ndarray) -> None:
    for _ in range(rng.integers(1, 6)):
        cv2.fillPoly(image, [_points(rng, image, int(rng.integers(3, 6)))], _color(rng), cv2.LINE_8)


def _boxes(rng: np.random.Generator, image: np.ndarray) -> None:
    """Walls, doors and furniture: upright rectangles with a frame and shelves."""
    for _ in range(rng.integers(1, 6)):
        (left, top), size = _points(rng, image, 1)[0], rng.uniform(0.1, 0.5, 2) * image.shape[1::-1]
        right, bottom = int(left + size[0]), int(top + size[1])
        cv2.rectangle(image, (int(left), int(top)), (right, bottom), _color(rng), -1)
        frame = _color(rng)
        for y in np.linspace(top, bottom, int(rng.integers(2, 6))).astype(int):
            cv2.line(image, (int(left), int(y)), (right, int(y)), frame, int(rng.integers(1, 4)))


def _lines(rng: np.random.Generator, image: np.ndarray) -> None:
    for _ in range(rng.integers(2, 14)):
        start, end = _points(rng, image, 2)
        cv2.line(
            image,
            tuple(map(int, start)),
            tuple(map(int, end)),
            _color(rng),
            int(rng.integers(1, 6)),
            cv2.LINE_8,
        )


def _blobs(rng: np.random.Generator, image: np.ndarray) -> None:
    for center in _points(rng, image, int(rng.integers(2, 9))):
        axes = rng.uniform(0.03, 0.2, 2) * min(image.shape[:2])
        axes = (int(axes[0]) + 1, int(axes[1]) + 1)
        cv2.ellipse(image, tuple(map(int, center)), axes, float(rng.uniform(0, 180)), 0, 360, _color(rng), -1)


def _sticks(rng: np.random.Generator, image: np.ndarray) -> None:
    """Rounded bars, some of the colour of skin: limbs of nobody."""
    canvas = Canvas(image, np.zeros(2))
    for _ in range(rng.integers(1, 5)):
        start = _points(rng, image, 1)[0].astype(float)
        end = start + rng.normal(0, 0.15, 2) * image.shape[1::-1]
        tone = np.array(SKINS[rng.integers(len(SKINS))], float) if rng.random() < 0.3 else np.array(_color(rng))
        radius = rng.uniform(0.008, 0.03) * image.shape[0]
        canvas.paint(Part("thing", np.stack([start, end]), np.full(2, radius), Paint(tone), 0.0), THING, 1.0)


def paint_front_thing(rng: np.random.Generator, canvas: Canvas, box_xyxy: np.ndarray) -> None:
    """A table top, post or railing that hides up to a fifth of a person's box."""
    left, top, right, bottom = box_xyxy
    width, height = right - left, bottom - top
    if rng.random() < 0.5:
        y = rng.uniform(top + 0.45 * height, bottom)
        ends = np.array([[left - rng.uniform(0.2, 1) * width, y], [right + rng.uniform(0.2, 1) * width, y]])
        radius = rng.uniform(0.02, 0.07) * height
    else:
        # near a side: a post in the middle would hide nearly all joints of an upright person
        x = rng.choice((left, right)) + rng.uniform(-0.15, 0.15) * width
        ends = np.array([[x, top - rng.uniform(0, 1) * height], [x, bottom + rng.uniform(0, 0.3) * height]])
        radius = rng.uniform(0.02, 0.06) * height
    canvas.paint(Part("thing", ends, np.full(2, radius), Paint(np.array(_color(rng))), 0.0), THING, 1.0)
