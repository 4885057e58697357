"""Renders photos in worker processes and hands back their annotations in order.

A photo depends on its job and index alone, so the files are the same whatever the number of workers.
"""

import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Callable

import cv2

from paddle_pose.errors import DataError
from paddle_pose.synthetic.difficulty import BY_NAME
from paddle_pose.synthetic.recipe import Recipe
from paddle_pose.synthetic.scene import Person, photo_rng, render_photo

JPEG_QUALITY = 92


@dataclass(frozen=True)
class Job:
    """What all photos of a dataset have in common; it travels to the workers.

    Args:
        recipe: what the dataset is asked to be.
        describe: (people, image_hw) -> the photo's annotation; a function of a module.
        whole: the main person lies in the frame from head to foot.
    """

    recipe: Recipe
    describe: Callable[[list[Person], tuple[int, int]], Any]
    whole: bool = False


def produce(job: Job, paths: Sequence[str], first: int, workers: int, progress: bool) -> list:
    """Writes photo `first + i` of the dataset to `paths[i]`, for all of them; returns their annotations.

    Args:
        job: what all photos have in common.
        paths: files to write; their folders exist.
        first: index of the first photo.
        workers: processes that render; the files do not depend on it.
        progress: whether a bar shows how far it is, if this is a terminal.

    Raises:
        DataError: a photo cannot be written.
    """
    tasks = [(job, first + i, path) for i, path in enumerate(paths)]
    results = _in_processes(tasks, workers) if workers > 1 and len(tasks) > 1 else map(_draw, tasks)
    if progress:
        from tqdm import tqdm

        span = f"photos {first + 1}-{first + len(tasks)}"
        results = tqdm(results, total=len(tasks), unit="photo", desc=span, disable=None)  # in a terminal only
    return list(results)


def _in_processes(tasks: list[tuple], workers: int) -> Iterator:
    context = multiprocessing.get_context("spawn")  # a fork could copy OpenCV's threads in the middle of work
    with context.Pool(min(workers, len(tasks)), initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        yield from pool.imap(_draw, tasks, chunksize=8)


def _draw(task: tuple[Job, int, str]) -> Any:
    job, index, path = task
    recipe = job.recipe
    rng = photo_rng(recipe.seed, index)
    image, people = render_photo(rng, recipe.image_size, job.whole, BY_NAME[recipe.difficulty])
    if not cv2.imwrite(path, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)):
        raise DataError(f"cannot write {path}; is the disk full?")
    return job.describe(people, image.shape[:2])
