"""A packed cache: the parts of a split's photos that crops can touch, as pixels in one memory-mapped file.

It holds pixels and nothing else. People, joints and views still come from the dataset, so that a crop from the
cache is the crop from the photo, without the time that decoding a JPEG takes. data/packing.py writes it.

    bytes      contents (numbers little-endian)
    0-35       magic and version, place of the index, lengths of index and description, CRC-32 of both
    36-        parts of photos, one after the other: (height, width, 3) uint8 RGB, row by row
    then       index: a part number for each person, the parts (`PART`), the photos (`PHOTO`)
    to the end description: JSON

The idea (all photos in one array file) is that of many DeepPose reimplementations, which pack resized photos;
here nothing is resized unless asked for, so that random views lose nothing.
"""

import hashlib
import json
import os
import struct
import zlib
from typing import Any

import numpy as np

from paddle_pose import geometry
from paddle_pose.data.augment import Reach
from paddle_pose.data.crops import whole_photo
from paddle_pose.errors import DataError
from paddle_pose.interfaces import Dataset
from paddle_pose.samples import Sample

MAGIC = b"posepk\x00\x01"
PREAMBLE = struct.Struct("<8sQQQI")
PERSON = np.dtype("<i4")  # number of the person's part; -1: the photo could not be read
PART = np.dtype(
    [("at", "<i8"), ("crc", "<u4")] + [(name, "<i4") for name in ("photo", "x", "y", "width", "height", "reduction")]
)
PHOTO = np.dtype([("bytes", "<i8"), ("width", "<i4"), ("height", "<i4")])
_AGAIN = "make it again with scripts/pack_dataset.py"


class PackedPhotos:
    """Reads pixels for `crops.CropMaker`; any number of threads and processes may share a file.

    Args:
        path: the file.
        dataset: the people that it was made for.
        kind: name of the dataset's class.
        split: 'train' or 'valid'.

    Raises:
        DataError: the file is missing, cut off, damaged or of another format; it was made for another dataset,
            split, or other annotations; or a photo has changed since.
    """

    def __init__(self, path: str, dataset: Dataset, kind: str, split: str) -> None:
        self.path = path
        index, self._description = _read_tail(path)
        self._part_of_person, self._parts, self._photos = _index_arrays(path, index, self._description)
        self._bytes = np.asarray(np.memmap(path, np.uint8, mode="r"))
        self._is_checked = np.zeros(len(self._parts), bool)
        self._check_made_for(dataset, kind, split)

    def covers(self, reach: Reach, input_wh: tuple[int, int]) -> bool:
        """True if every view within `reach` finds its pixels here, so that no photo file is needed."""
        made_for_wh = self._description["input_wh"]
        same_aspect = made_for_wh[0] * input_wh[1] == made_for_wh[1] * input_wh[0]
        return same_aspect and Reach(**self._description["reach"]).covers(reach)

    def __call__(
        self, sample: Sample, crop_from_image: np.ndarray, input_wh: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (h, w, 3) that hold what the crop shows, and crop_from_pixels.

        What the cache lacks comes from the photo file: a view beyond its reach, a photo that could not be read.

        Raises:
            DataError: the part is damaged, or the photo file is needed and cannot be read.
        """
        number = int(self._part_of_person[sample.index])
        if number < 0:
            return whole_photo(sample, crop_from_image, input_wh)
        part = self._parts[number]
        if not _holds(part, self._photos[part["photo"]], crop_from_image, input_wh):
            try:
                return whole_photo(sample, crop_from_image, input_wh)
            except DataError as error:
                raise DataError(f"{self.path} holds too little of the photo for a view, and {error}") from None
        return self._pixels(number), _crop_from_part(part, crop_from_image)

    def _pixels(self, number: int) -> np.ndarray:
        """A part, straight from the file; its checksum is compared when it is read for the first time."""
        part = self._parts[number]
        at, shape = int(part["at"]), (int(part["height"]), int(part["width"]), 3)
        pixels = self._bytes[at : at + shape[0] * shape[1] * 3].reshape(shape)
        if not self._is_checked[number]:
            if zlib.crc32(pixels) != part["crc"]:
                photo = self._description["photos"][part["photo"]]
                raise DataError(f"{self.path} is damaged at the pixels of {photo}; {_AGAIN}")
            self._is_checked[number] = True
        return pixels

    def _check_made_for(self, dataset: Dataset, kind: str, split: str) -> None:
        described = self._description
        if (described["dataset"], described["split"]) != (kind, split):
            raise DataError(
                f"{self.path} holds {described['dataset']} {described['split']}, but {kind} {split} is asked for; "
                f"correct packed.{split}"
            )
        paths, digest = identify(dataset)
        if digest != described["fingerprint"]:
            raise DataError(
                f"{self.path} was made for other people or regions ({described['protocol']}: "
                f"{described['people']}; now {len(dataset)}); {_AGAIN}, or correct the dataset's settings"
            )
        for path, photo in zip(paths, self._photos):
            if os.path.isfile(path) and photo["width"] and os.path.getsize(path) != photo["bytes"]:
                raise DataError(f"photo {path} has changed since {self.path} was made; {_AGAIN}")


def identify(dataset: Dataset) -> tuple[list[str], str]:
    """Paths of the photos in the order in which people name them first, and a SHA-256 of people and regions.

    The folder of the photos is no part of it: a dataset may move.
    """
    paths: dict[str, int] = {}
    digest = hashlib.sha256()
    for person in range(len(dataset)):
        sample = dataset.sample(person)
        photo = paths.setdefault(sample.image_path, len(paths))
        joints_image = np.where(sample.labelled[:, None], sample.joints_image, 0.0)
        numbers = np.concatenate([sample.center_image_xy, sample.size_image_wh, joints_image.ravel()])
        digest.update(f"{photo} {len(numbers)} ".encode())
        digest.update((np.round(numbers, 3) + 0.0).tobytes())  # + 0.0: there is a -0.0
    digest.update("\n".join(photo_names(list(paths))).encode("utf-8", "surrogateescape"))
    return list(paths), digest.hexdigest()


def photo_names(paths: list[str]) -> list[str]:
    """Paths below the folder that they share, with `/`."""
    folder = os.path.commonpath([os.path.dirname(path) for path in paths])
    return [os.path.relpath(path, folder).replace(os.sep, "/") for path in paths]


def _read_tail(path: str) -> tuple[bytes, dict[str, Any]]:
    """Index and description; DataError unless the file is whole."""
    try:
        with open(path, "rb") as file:
            head = file.read(PREAMBLE.size)
            if len(head) < PREAMBLE.size or not head.startswith(MAGIC):
                raise DataError(f"{path} is not a packed cache of this version; {_AGAIN}")
            _, at, index_length, text_length, crc = PREAMBLE.unpack(head)
            length, wanted = os.fstat(file.fileno()).st_size, at + index_length + text_length
            if length != wanted or at < PREAMBLE.size:
                raise DataError(f"{path} is cut off or damaged: {length} bytes instead of {wanted}; {_AGAIN}")
            file.seek(at)
            tail = file.read()
    except OSError as error:
        raise DataError(
            f"packed cache {path} cannot be read ({error.strerror}); make it with scripts/pack_dataset.py, or do "
            "without: --opts packed=null"
        ) from None
    if zlib.crc32(tail) != crc:
        raise DataError(f"{path} is damaged in its index; {_AGAIN}")
    try:
        return tail[:index_length], json.loads(tail[index_length:])
    except ValueError:
        raise DataError(f"{path} is damaged in its description; {_AGAIN}") from None


def _index_arrays(path: str, index: bytes, described: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Part of each person (N,), parts (E,), photos (P,); DataError if they point out of the file."""
    try:
        counts = described["people"], described["parts"], len(described["photos"])
        starts = np.cumsum([0, counts[0] * PERSON.itemsize, counts[1] * PART.itemsize])
        types = zip((PERSON, PART, PHOTO), counts, starts)
        people, parts, photos = (np.frombuffer(index, kind, count, start) for kind, count, start in types)
        ends = parts["at"] + 3 * parts["width"].astype(np.int64) * parts["height"]
        within = (parts["at"] >= PREAMBLE.size).all() and (ends <= os.path.getsize(path) - len(index)).all()
        sizes = (parts["width"] > 0).all() and (parts["height"] > 0).all() and (parts["reduction"] > 0).all()
        photo_numbers = ((parts["photo"] >= 0) & (parts["photo"] < len(photos))).all()
        if not (within and sizes and photo_numbers and (people < len(parts)).all()):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{path} is damaged in its index; {_AGAIN}") from None
    return people, parts, photos


def _holds(part: np.void, photo: np.void, crop_from_image: np.ndarray, input_wh: tuple[int, int]) -> bool:
    """True if the part has all of the photo that the crop interpolates between; outside of the photo is black.

    In plain numbers: for four corners they are ten times faster than arrays.
    """
    _, _, _, x, y, width, height, step = part.item()
    (a, b, shift_x), (c, d, shift_y) = crop_from_image.tolist()
    size, right, bottom = a * d - b * c, input_wh[0] - 1, input_wh[1] - 1
    corners_crop = [(u - shift_x, v - shift_y) for u in (0, right) for v in (0, bottom)]
    xs_image = [(d * u - b * v) / size for u, v in corners_crop]
    ys_image = [(a * v - c * u) / size for u, v in corners_crop]
    _, photo_width, photo_height = photo.item()
    for places, first, length, end in ((xs_image, x, width, photo_width), (ys_image, y, height, photo_height)):
        low, high = max(min(places) - step, 0), min(max(places) + step, end - 1)
        if low <= high and not (first <= low and high <= first + step * length - 1):
            return False
    return True


def _crop_from_part(part: np.void, crop_from_image: np.ndarray) -> np.ndarray:
    """crop_from_image after image_from_part, in which a pixel lies in the middle of those that it stands for."""
    _, _, _, x, y, _, _, step = part.item()
    return geometry.chain(crop_from_image, geometry.image_from_reduced(step, (x, y)))
