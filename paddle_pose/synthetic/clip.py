"""A made video: people who walk about before a backdrop that stands still, and what is true of each in every frame."""

from dataclasses import dataclass

import numpy as np

from paddle_pose.errors import DataError
from paddle_pose.synthetic.backdrop import draw_backdrop
from paddle_pose.synthetic.body import Body
from paddle_pose.synthetic.canvas import Canvas
from paddle_pose.synthetic.motion import draw_actor, draw_walks
from paddle_pose.synthetic.scene import Person, Placed, develop, paint, photo_rng, record

SHAPE = 3 / 4  # height / width


@dataclass(frozen=True)
class ClipRecipe:
    """All that a clip depends on.

    Args:
        seconds: how long it is.
        people: how many are in it, always all of them.
        seed: same seed, same frames.
        image_size: width in pixels, the longer side.
        frame_rate: frames per second.

    Raises:
        DataError: no frame fits into so short a time.
    """

    seconds: float = 10.0
    people: int = 3
    seed: int = 0
    image_size: int = 256
    frame_rate: int = 25

    def __post_init__(self) -> None:
        if self.num_frames < 1:
            raise DataError(
                f"{self.seconds:g} seconds at {self.frame_rate} frames per second are no frame; make it longer"
            )

    @property
    def num_frames(self) -> int:
        """How many frames there are."""
        return round(self.seconds * self.frame_rate)

    @property
    def image_hw(self) -> tuple[int, int]:
        """Height and width, both even."""
        return round(self.image_size * SHAPE / 2) * 2, round(self.image_size / 2) * 2


class Clip:
    """The frames of a recipe."""

    def __init__(self, recipe: ClipRecipe) -> None:
        self.recipe = recipe
        rng = photo_rng(recipe.seed, 0)
        self._backdrop = draw_backdrop(rng, recipe.image_hw)
        angle = rng.uniform(0, 2 * np.pi)
        self._light_xy = rng.uniform(0, 1) * np.array([np.cos(angle), np.sin(angle)])
        walks = draw_walks(rng, recipe.people, recipe.seconds, 1 / SHAPE)
        nearness = np.linspace(0, 1, recipe.people) if recipe.people > 1 else [0.5]
        self._actors = [
            draw_actor(photo_rng(recipe.seed, 1 + number), place, own, recipe.seconds, float(near))
            for number, ((place, own), near) in enumerate(zip(walks, nearness))
        ]

    def bodies(self, index: int) -> list[Body]:
        """The people of frame `index`, in its pixels, far to near."""
        return [actor.body(index / self.recipe.frame_rate, self.recipe.image_hw) for actor in self._actors]

    def frame(self, index: int) -> tuple[np.ndarray, list[Person]]:
        """Frame `index`: (H, W, 3) uint8 RGB, and its people, always in the same order, far to near."""
        canvas = Canvas(self._backdrop.copy(), self._light_xy)
        bodies = self.bodies(index)
        painted = [paint(canvas, n, body, actor.outfit) for n, (body, actor) in enumerate(zip(bodies, self._actors))]
        people = [record(canvas, n, Placed(body), count) for n, (body, count) in enumerate(zip(bodies, painted))]
        # the same generator for each frame: exposure, blur and grain stand still
        return develop(photo_rng(self.recipe.seed, 0), canvas.image), people
