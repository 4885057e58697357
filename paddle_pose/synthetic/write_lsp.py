"""Synthetic people as Leeds Sports Pose: `joints.mat` and `images/`; each photo's main person is annotated.

| | LSP form | LSPET form |
|---|---|---|
| shape of `joints` | 3 x 14 x N | 14 x 3 x N |
| third row | 1 = occluded | 1 = visible |
| joints that cannot be seen | at their place | at (0, 0) |
| photos | im0001.jpg, whole people | im00001.jpg, some people cut off |

Coordinates are 1-based. Row i is the photo with number i + 1; the first `Recipe.train` rows are to train
on, the rest to evaluate on.
"""

import os
from typing import Callable

import numpy as np

from paddle_pose.skeletons import LSP_14
from paddle_pose.synthetic.folder import make_folder
from paddle_pose.synthetic.produce import Job, produce
from paddle_pose.synthetic.recipe import Recipe
from paddle_pose.synthetic.scene import Person

FIRST_PIXEL = 1.0


def write_lsp(root: str, recipe: Recipe, workers: int = 1, progress: bool = False) -> bool:
    """Writes the dataset in LSP's form; returns and raises as `make_folder`."""
    job = Job(recipe, describe_lsp, whole=True)
    return make_folder(root, "lsp", recipe, _filler(job, "im{:04d}.jpg", (1, 0, 2), workers, progress))


def write_lspet(root: str, recipe: Recipe, workers: int = 1, progress: bool = False) -> bool:
    """Writes the dataset in LSPET's form; returns and raises as `make_folder`."""
    job = Job(recipe, describe_lspet)
    return make_folder(root, "lspet", recipe, _filler(job, "im{:05d}.jpg", (0, 1, 2), workers, progress))


def describe_lsp(people: list[Person], image_hw: tuple[int, int]) -> np.ndarray:
    """(14, 3) of the main person: 1-based x, y and whether the joint is occluded."""
    joints_image, _, visible = _main(people).of(LSP_14)
    return np.column_stack([(joints_image + FIRST_PIXEL).round(3), ~visible])


def describe_lspet(people: list[Person], image_hw: tuple[int, int]) -> np.ndarray:
    """(14, 3) of the main person: 1-based x, y and whether the joint is visible; zeros where it is not."""
    joints_image, _, visible = _main(people).of(LSP_14)
    joints = np.column_stack([(joints_image + FIRST_PIXEL).round(3), np.ones(len(visible))])
    return joints * visible[:, None]


def _main(people: list[Person]) -> Person:
    return next(person for person in people if person.is_main)


def _filler(job: Job, pattern: str, axes: tuple, workers: int, progress: bool) -> Callable[[str], None]:
    """What fills a folder; `axes` orders (joint, x y flag, photo) as the form wants."""

    def fill(folder: str) -> None:
        from scipy.io import savemat

        os.makedirs(os.path.join(folder, "images"))
        indices = range(job.recipe.train + job.recipe.valid)
        paths = [os.path.join(folder, "images", pattern.format(index + 1)) for index in indices]
        rows = produce(job, paths, 0, workers, progress)
        joints = np.stack(rows, axis=-1).transpose(axes)
        savemat(os.path.join(folder, "joints.mat"), {"joints": joints}, do_compression=True)

    return fill
