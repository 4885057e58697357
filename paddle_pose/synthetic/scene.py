"""A photo of one to four people in clutter, and what is true of each of them.

Everything is drawn from the generator that is handed in; `np.random.default_rng((seed, index))` is that of
photo `index`.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from paddle_pose.skeletons import Skeleton
from paddle_pose.synthetic.backdrop import draw_backdrop, paint_front_thing
from paddle_pose.synthetic.body import JOINTS, Body, draw_body
from paddle_pose.synthetic.canvas import PARTS_PER_PERSON, Canvas
from paddle_pose.synthetic.clothes import Outfit, draw_outfit
from paddle_pose.synthetic.difficulty import FULL, Difficulty
from paddle_pose.synthetic.tailor import Tailor
from paddle_pose.synthetic.visibility import FACE, inside, turned_away, visible_joints


@dataclass(frozen=True)
class Person:
    """One person of a photo. Pixels are 0-based; an integer is a pixel's centre.

    Args:
        joints_image: (len(JOINTS), 2) all joints, also those outside the photo.
        labelled: (len(JOINTS),) bool, in the photo; for the face also on the near side of the head.
        visible: (len(JOINTS),) bool, labelled and hidden by nothing.
        height_image: standing height in pixels, whatever the pose.
        head_box_xyxy: (4,) box of the head, hair not counted.
        mask: (H, W) bool, the pixels that show the person.
        shown_share: pixels that show the person / pixels that would if nobody and nothing stood in front.
        is_main: the person that the photo is of; False for passers-by.
        in_crowd: one of a group of tiny people that is annotated as a whole.
    """

    joints_image: np.ndarray
    labelled: np.ndarray
    visible: np.ndarray
    height_image: float
    head_box_xyxy: np.ndarray
    mask: np.ndarray
    shown_share: float
    is_main: bool
    in_crowd: bool

    def of(self, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """joints_image (K, 2), labelled (K,) and visible (K,) in a skeleton's order."""
        order = [JOINTS.index(name) for name in skeleton.joints]
        return self.joints_image[order], self.labelled[order], self.visible[order]


@dataclass(frozen=True)
class Placed:
    """A body at its place in the photo, and its part there; see `Person`."""

    body: Body
    is_main: bool = False
    in_crowd: bool = False


def photo_rng(seed: int, index: int) -> np.random.Generator:
    """The generator of photo `index`."""
    return np.random.default_rng((seed, index))


def render_photo(
    rng: np.random.Generator, image_size: int = 256, whole: bool = False, difficulty: Difficulty = FULL
) -> tuple[np.ndarray, list[Person]]:
    """A photo and its people.

    Args:
        rng: the only source of chance.
        image_size: longer side of the photo, in pixels.
        whole: the main person lies in the frame from head to foot (LSP labels every joint).
        difficulty: shares of what makes a photo hard.

    Returns:
        (H, W, 3) uint8, RGB, and the people, the main one last.
    """
    short = int(round(image_size * rng.choice((1.0, 0.85, 0.75))))
    image_hw = (image_size, short) if rng.random() < 0.7 else (short, image_size)
    people = _place_people(rng, image_hw, whole, difficulty)
    angle = rng.uniform(0, 2 * np.pi)
    canvas = Canvas(draw_backdrop(rng, image_hw), rng.uniform(0, 1) * np.array([np.cos(angle), np.sin(angle)]))
    painted = []
    for number, placed in enumerate(people):
        painted.append(paint(canvas, number, placed.body, draw_outfit(rng)))
    if rng.random() < difficulty.front_thing:
        paint_front_thing(rng, canvas, np.concatenate(people[-1].body.extent()))
    records = [record(canvas, number, *pair) for number, pair in enumerate(zip(people, painted))]
    return develop(rng, canvas.image), records


def paint(canvas: Canvas, number: int, body: Body, outfit: Outfit) -> int:
    """Paints person `number` over what is there; returns the number of its pixels."""
    canvas.paint_person(number, Tailor(body, outfit).parts(), body.height)
    return int(np.count_nonzero(canvas.shown // PARTS_PER_PERSON == number + 1))


def _place_people(
    rng: np.random.Generator, image_hw: tuple[int, int], whole: bool, difficulty: Difficulty
) -> list[Placed]:
    """People from far to near; the main one last, so that nobody covers the photo's subject."""
    main = _place_main(rng, image_hw, whole, difficulty)
    others: list[Placed] = []
    for _ in range(rng.choice(4, p=difficulty.others)):
        height = main.body.height * rng.uniform(*difficulty.other_size)
        origin = rng.uniform((0.0, 0.3), (1.0, 0.75)) * image_hw[::-1]
        taken = [p.body for p in (main, *others)]
        if all(np.hypot(*(origin - b.points["pelvis"][:2])) > 0.3 * max(height, b.height) for b in taken):
            others.append(Placed(draw_body(rng, difficulty).placed(height, origin)))
    others.sort(key=lambda placed: placed.body.height)
    return [*_place_crowd(rng, image_hw, difficulty), *others, main]


def _place_main(rng: np.random.Generator, image_hw: tuple[int, int], whole: bool, difficulty: Difficulty) -> Placed:
    size_wh = np.array(image_hw[::-1], float)
    body = draw_body(rng, difficulty)
    low, high = body.extent()
    low, high = low - 0.07, high + 0.07  # flesh around the points
    if not whole and rng.random() < difficulty.close_up:
        height = rng.uniform(1.05, 1.6) * image_hw[0]
        # the upper body stays in the photo
        origin = size_wh * rng.uniform((0.35, 0.6), (0.65, 0.95))
    else:
        height = min(rng.uniform(*difficulty.main_size) * (size_wh / (high - low)).min(), 1.1 * image_hw[0])
        room = size_wh - 1 - height * (high - low)
        origin = room * np.clip(rng.normal(0.5, 0.25, 2), 0, 1) - height * low
    return Placed(body.placed(height, origin), is_main=True)


def _place_crowd(rng: np.random.Generator, image_hw: tuple[int, int], difficulty: Difficulty) -> list[Placed]:
    """Now and then a row of tiny people far away."""
    if rng.random() >= difficulty.crowd:
        return []
    height, width = image_hw
    tiny = rng.uniform(0.08, 0.13) * height
    start, y = rng.uniform(0, 0.7) * width, rng.uniform(0.25, 0.6) * height
    spots = start + 0.4 * tiny * np.arange(rng.integers(5, 10))
    spots = np.stack([spots, y + rng.normal(0, 0.1, len(spots)) * tiny], axis=1)
    return [Placed(draw_body(rng).placed(tiny * rng.uniform(0.85, 1.15), xy), in_crowd=True) for xy in spots]


def record(canvas: Canvas, number: int, placed: Placed, painted: int) -> Person:
    """What is true of person `number` in a finished picture; it was `painted` pixels large before others came."""
    joints_image = placed.body.joints_image()
    is_face = np.array([name in FACE for name in JOINTS])
    labelled = inside(joints_image, canvas.shown.shape) & ~(is_face & turned_away(placed.body))
    mask = canvas.shown // PARTS_PER_PERSON == number + 1
    return Person(
        joints_image=joints_image,
        labelled=labelled,
        visible=labelled & visible_joints(canvas, number, placed.body),
        height_image=float(placed.body.height),
        head_box_xyxy=_head_box(placed.body),
        mask=mask,
        shown_share=float(np.count_nonzero(mask)) / max(painted, 1),
        is_main=placed.is_main,
        in_crowd=placed.in_crowd,
    )


def _head_box(body: Body) -> np.ndarray:
    """Box of crown, upper neck, and the two balls that the head is painted from (see clothes.py)."""
    center, up, forward = body.points["head_center"], body.head_axes[:, 1], body.head_axes[:, 2]
    balls = (
        (center + body.height * (0.018 * up - 0.006 * forward), 0.052),
        (center - 0.028 * body.height * up, 0.041),
    )
    corners = [body.points["head_top"][:2], body.points["upper_neck"][:2]]
    for ball, radius in balls:
        corners += [ball[:2] - radius * body.height, ball[:2] + radius * body.height]
    return np.concatenate([np.min(corners, axis=0), np.max(corners, axis=0)])


def develop(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Exposure, colour cast, uneven light, blur and grain."""
    height, width = image.shape[:2]
    light = rng.uniform(0.75, 1.2, (2, 2, 1)) * rng.uniform(0.92, 1.08, 3) * rng.uniform(0.75, 1.15)
    image = image * cv2.resize(light.astype(np.float32), (width, height))
    blur = rng.uniform(-0.5, 1.2)
    if blur > 0.3:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    grain = rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(rng.uniform(0, 9))
    return np.clip(image + grain, 0, 255).astype(np.uint8)
