"""Writes a packed cache (data/packed.py): photos are decoded once, and what random views can reach is kept."""

import concurrent.futures
import json
import os
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Callable

import cv2
import numpy as np

from paddle_pose.data.augment import Reach
from paddle_pose.data.packed import MAGIC, PART, PERSON, PHOTO, PREAMBLE, identify, photo_names
from paddle_pose.data.photos import read_photo
from paddle_pose.data.prediction_files import write_whole
from paddle_pose.data.reached import base_views, reached_box, reduction, shared_boxes, whole_pixels
from paddle_pose.errors import DataError
from paddle_pose.interfaces import Dataset


@dataclass(frozen=True)
class Order:
    """What to pack.

    Args:
        kind: name of the dataset's class.
        split: 'train' or 'valid'.
        input_wh: size of the crops; their aspect counts, and with `reduce` their size.
        reach: bounds of the views.
        reduce: shrink a part by a whole factor (means of n x n pixels) where even the smallest view has n times
            the pixels of the crop. Crops then differ from those of the photos: they are smoother.
        max_bad: largest share of photos that may be unreadable.
    """

    kind: str
    split: str
    input_wh: tuple[int, int]
    reach: Reach
    reduce: bool = False
    max_bad: float = 0.0


@dataclass(frozen=True)
class Packed:
    """What was written: numbers of people, parts and photos, and a line for each photo that could not be read."""

    people: int
    parts: int
    photos: int
    bad: tuple[str, ...]


@dataclass
class _Photo:
    """The people of one photo: their numbers, the boxes (x0, y0, x1, y1) that views reach, and reductions."""

    path: str
    people: list[int]
    boxes_image: list[np.ndarray]
    reductions: list[int]


@dataclass
class _Part:
    """Pixels from (x, y) on for some people of a photo."""

    people: list[int]
    x: int
    y: int
    reduction: int
    pixels: np.ndarray


def write_pack(
    path: Path, dataset: Dataset, order: Order, workers: int, advance: Callable[[], None] = lambda: None
) -> Packed:
    """Packs the people of a dataset; `advance` is called after each photo.

    The file appears under its name when it is complete; an error or interrupt leaves nothing.

    Raises:
        DataError: too many photos cannot be read, or the file cannot be written.
    """
    photos = _photos(dataset, order)
    written: list[Packed] = []

    def write(file: IO[bytes]) -> None:
        written.append(_Writer(file, dataset, order).write(photos, workers, advance))

    write_whole(path, write)
    return written[0]


def _photos(dataset: Dataset, order: Order) -> list[_Photo]:
    photos: dict[str, _Photo] = {}
    for person in range(len(dataset)):
        sample = dataset.sample(person)
        photo = photos.setdefault(sample.image_path, _Photo(sample.image_path, [], [], []))
        views = base_views(sample, dataset.skeleton, order.reach)
        photo.people.append(person)
        photo.boxes_image.append(reached_box(views, order.reach, order.input_wh))
        photo.reductions.append(reduction(views, order.reach, order.input_wh) if order.reduce else 1)
    return list(photos.values())


class _Writer:
    """Fills one file, and collects its index."""

    def __init__(self, file: IO[bytes], dataset: Dataset, order: Order) -> None:
        self._file, self._dataset, self._order = file, dataset, order
        self._part_of_person = np.full(len(dataset), -1, PERSON)
        self._parts: list[tuple] = []
        self._photos: list[tuple] = []
        self._bad: list[str] = []

    def write(self, photos: list[_Photo], workers: int, advance: Callable[[], None]) -> Packed:
        self._file.write(bytes(PREAMBLE.size))  # all 0 until the rest is there
        for photo, found in _decoded(photos, workers):
            if isinstance(found, DataError):
                self._add_bad(found, len(photos))
            else:
                self._add(photo, *found)
            advance()
        self._finish()
        return Packed(len(self._dataset), len(self._parts), len(photos), tuple(self._bad))

    def _add_bad(self, error: DataError, count: int) -> None:
        """Its people stay without a part: reading them will fail as without a cache, and be counted."""
        self._photos.append((0, 0, 0))
        self._bad.append(str(error))
        if len(self._bad) > self._order.max_bad * count:
            raise DataError(f"{len(self._bad)} of {count} photos cannot be read, more than may be; last: {error}")

    def _add(self, photo: _Photo, size_wh: tuple[int, int], parts: list[_Part]) -> None:
        for part in parts:
            self._part_of_person[part.people] = len(self._parts)
            height, width = part.pixels.shape[:2]
            place = (len(self._photos), part.x, part.y, width, height, part.reduction)
            self._parts.append((self._file.tell(), zlib.crc32(part.pixels), *place))
            self._file.write(part.pixels.data)
        self._photos.append((os.path.getsize(photo.path), *size_wh))

    def _finish(self) -> None:
        at = self._file.tell()
        parts, photos = np.array(self._parts, PART), np.array(self._photos, PHOTO)
        index = self._part_of_person.tobytes() + parts.tobytes() + photos.tobytes()
        text = json.dumps(self._description()).encode()
        self._file.write(index + text)
        self._file.seek(0)
        self._file.write(PREAMBLE.pack(MAGIC, at, len(index), len(text), zlib.crc32(index + text)))

    def _description(self) -> dict:
        paths, fingerprint = identify(self._dataset)
        return {
            "dataset": self._order.kind,
            "split": self._order.split,
            "protocol": self._dataset.protocol,
            "input_wh": list(self._order.input_wh),
            "reach": asdict(self._order.reach),
            "reduce": self._order.reduce,
            "people": len(self._dataset),
            "parts": len(self._parts),
            "fingerprint": fingerprint,
            "photos": photo_names(paths),
        }


def _decoded(photos: list[_Photo], workers: int) -> Iterator[tuple]:
    """Each photo with (its size, its parts), or with the error of reading it; in order, a few made ahead."""
    pool = concurrent.futures.ThreadPoolExecutor(max(workers, 1))
    pending: deque = deque()
    try:
        for photo in photos:
            pending.append((photo, pool.submit(_cut_parts, photo)))
            if len(pending) > 2 * workers:
                first, future = pending.popleft()
                yield first, future.result()
        while pending:
            first, future = pending.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _cut_parts(photo: _Photo):
    try:
        image = read_photo(photo.path)
    except DataError as error:
        return error
    size_wh = (image.shape[1], image.shape[0])
    boxes = [whole_pixels(box, size_wh, step) for box, step in zip(photo.boxes_image, photo.reductions)]
    parts = []
    for box, step, members in shared_boxes(boxes, photo.reductions):
        x0, y0, x1, y1 = box
        pixels = _shrunk(image[y0:y1, x0:x1], step)
        parts.append(_Part([photo.people[k] for k in members], x0, y0, step, pixels))
    return size_wh, parts


def _shrunk(pixels: np.ndarray, step: int) -> np.ndarray:
    """Means of step x step pixels; the last ones are repeated where a side is no multiple of `step`."""
    if step == 1:
        return np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    filled = cv2.copyMakeBorder(pixels, 0, -height % step, 0, -width % step, cv2.BORDER_REPLICATE)
    return cv2.resize(filled, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
