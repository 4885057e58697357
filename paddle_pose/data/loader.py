"""Crops -> batches, in threads.

OpenCV and numpy release Python's lock while they decode and warp, so threads keep both cores busy without
the costs of worker processes (copies, shared memory, orphans after a kill). A sample depends only on
(seed, epoch, index): any number of workers, and a resumed run, give the same batches.
"""

import concurrent.futures
import threading
from collections import deque
from collections.abc import Iterator
from typing import Callable, Optional

import cv2
import numpy as np

from paddle_pose.errors import DataError
from paddle_pose.samples import Batch, Crop

cv2.setNumThreads(0)  # workers are the threads; OpenCV's own would fight them
_PREFETCH = 2  # batches in flight per worker


def training_order(count: int, batch_size: int, seed: int, epoch: int, rank: int = 0, ranks: int = 1) -> np.ndarray:
    """(steps, batch_size) person indices of one epoch for one process; the remainder is left out.

    The processes' batches of a step are disjoint, and together they are the batch of a single process with
    `ranks * batch_size`.
    """
    order = np.random.default_rng((seed, epoch)).permutation(count)
    steps = count // (batch_size * ranks)
    return order[: steps * batch_size * ranks].reshape(steps, ranks, batch_size)[:, rank]


def evaluation_order(count: int, batch_size: int, rank: int = 0, ranks: int = 1) -> list[np.ndarray]:
    """Batches of every `ranks`-th person from `rank` on: each person once over all processes, none padded."""
    mine = np.arange(rank, count, ranks)
    return [mine[k : k + batch_size] for k in range(0, len(mine), batch_size)]


class BadPhotos:
    """Counts photos that could not be read in training, and stops when they are too many.

    Args:
        total: number of people in the dataset.
        limit: largest share of them that may be skipped before training stops.
        warn: called with a line for each new bad photo.
    """

    def __init__(self, total: int, limit: float, warn: Callable[[str], None]) -> None:
        self._total, self._limit, self._warn = total, limit, warn
        self._lock = threading.Lock()
        self.indices: set[int] = set()

    def add(self, index: int, error: DataError) -> None:
        """Notes that person `index` has a bad photo; DataError when the share is above the limit."""
        with self._lock:  # two workers may meet the same photo
            if index in self.indices:
                return
            self.indices.add(index)
            self._warn(f"skipped (bad photo number {len(self.indices)}): {error}")
            if len(self.indices) > self._limit * self._total:
                raise DataError(
                    f"{len(self.indices)} of {self._total} samples have unreadable photos, more than "
                    f"train.max_bad_photos={self._limit}; last: {error}"
                )


class Loader:
    """Iterates over batches of crops.

    Args:
        make_crop: `(index, rng) -> Crop`, with `len()` (see `crops.CropMaker`).
        workers: threads; 0 works in the caller's.
        seed: first number of every sample's generator.
        bad_photos: None: a photo that cannot be read is an error. Else it is counted there and the next
            person with a readable photo takes its place.
    """

    def __init__(self, make_crop: Callable, workers: int, seed: int, bad_photos: Optional[BadPhotos] = None) -> None:
        self._make_crop, self._workers, self._seed = make_crop, workers, seed
        self._bad_photos = bad_photos

    def batches(self, order: Iterator[np.ndarray], epoch: int = 0) -> Iterator[Batch]:
        """Batches of the given person indices, in that order. An error in a worker is raised here."""
        if self._workers == 0:
            for indices in order:
                yield self._batch(indices, epoch)
            return
        pool = concurrent.futures.ThreadPoolExecutor(self._workers)
        pending: deque = deque()
        try:
            for indices in order:
                pending.append(pool.submit(self._batch, indices, epoch))
                if len(pending) >= self._workers * _PREFETCH:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _batch(self, indices: np.ndarray, epoch: int) -> Batch:
        found = [self._crop(int(index), epoch) for index in indices]
        crops = [crop for _, crop in found]
        others_crop, others_weight = _stack_others(crops)
        return Batch(
            images=np.stack([crop.image for crop in crops]),
            joints_crop=np.stack([crop.joints_crop for crop in crops]),
            weight=np.stack([crop.weight for crop in crops]),
            crop_from_image=np.stack([crop.crop_from_image for crop in crops]),
            color_gain=np.stack([crop.color_gain for crop in crops]),
            index=np.array([index for index, _ in found], np.int64),
            image_paths=tuple(crop.image_path for crop in crops),
            others_crop=others_crop,
            others_weight=others_weight,
            unknown_crop=_stack_unknown(crops),
        )

    def _crop(self, index: int, epoch: int) -> tuple[int, Crop]:
        """The crop of a person, or in training of the next one whose photo can be read."""
        if self._bad_photos is None:
            return index, self._make_crop(index, np.random.default_rng((self._seed, epoch, index)))
        for shift in range(len(self._make_crop)):
            person = (index + shift) % len(self._make_crop)
            try:
                return person, self._make_crop(person, np.random.default_rng((self._seed, epoch, person)))
            except DataError as error:
                self._bad_photos.add(person, error)
        raise DataError("not one photo of the dataset can be read; check dataset.root")


def _stack_others(crops: list[Crop]) -> tuple[Optional[np.ndarray], Optional[np.ndarray]]:
    """Other people of each crop, filled up to the same number with people of weight 0; None where not known."""
    if any(crop.others_crop is None for crop in crops):
        return None, None
    most = max(len(crop.others_crop) for crop in crops)
    others_weight = np.zeros((len(crops), most, len(crops[0].joints_crop)), np.float32)
    others_crop = np.zeros((*others_weight.shape, 2), np.float32)
    for row, crop in enumerate(crops):
        others_crop[row, : len(crop.others_crop)] = crop.others_crop
        others_weight[row, : len(crop.others_crop)] = crop.others_weight
    return others_crop, others_weight


def _stack_unknown(crops: list[Crop]) -> Optional[np.ndarray]:
    """(B, H, W); None where nothing is unknown in any crop."""
    if all(crop.unknown_crop is None for crop in crops):
        return None
    nothing = np.zeros(crops[0].image.shape[:2], np.uint8)
    return np.stack([nothing if crop.unknown_crop is None else crop.unknown_crop for crop in crops])
