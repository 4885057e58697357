"""Who is looked for where: the whole picture, or the boxes of a file, of a detector, of a network of person centres."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Protocol, Union

import numpy as np

from paddle_pose.data.coco_names import coco_number
from paddle_pose.errors import DataError
from paddle_pose.frames import Frame
from paddle_pose.prediction import cropping
from paddle_pose.prediction.cropping import Regions

PERSON_CATEGORY = 1  # of COCO's results files
_LARGEST = 1e300  # of a score; JSON has whole numbers of any length


class Finder(Protocol):
    """Finds the regions of pictures in which a model then looks for one person each."""

    def __call__(self, frames: Sequence[Frame]) -> list[Regions]:
        """The regions of each frame; none where nobody is."""


class WholePhoto:
    """One person, who may be anywhere in the picture."""

    def __call__(self, frames: Sequence[Frame]) -> list[Regions]:
        """Each picture from edge to edge."""
        return [cropping.whole_photo(frame.image) for frame in frames]


class BoxFile:
    """The boxes of a COCO results file.

    An entry is of the photo whose file name, without folder and suffix, is its image_id (as a whole number, also in
    COCO's longer form: image_id 139 is of 000000000139.jpg and of COCO_val2014_000000000139.jpg), or whose file name is
    its image_id, or that an annotation file lists under it.

    Args:
        path: list of `{"image_id", "category_id", "bbox": [left, top, width, height], "score"}`; of other categories
            than COCO's person nothing is taken; without category_id and score every entry is a person, of score 1.
        threshold: lowest score of a box.
        annotations: a file with a list `images` of `{"id", "file_name"}`; None: names of photos are their ids.

    Raises:
        DataError: a file is missing or damaged, or has no box that is sure enough.
    """

    def __init__(
        self, path: Union[str, Path], threshold: float = 0.0, annotations: Optional[Union[str, Path]] = None
    ) -> None:
        self.path, entries = str(path), _load(path, list, "a list of boxes, as a COCO results file has it")
        self._id_of_name = {} if annotations is None else _ids(annotations)
        self._rows: dict[Union[int, str], list[tuple]] = {}
        taken = [_entry(self.path, row, entry) for row, entry in enumerate(entries)]
        people = [entry for entry in taken if entry is not None and entry[2] >= threshold]
        if not people:
            raise DataError(
                f"{path}: none of its {len(taken)} entries is a person (category_id {PERSON_CATEGORY}) with score >= "
                f"{threshold:g}; lower --box_threshold, or choose another file"
            )
        for image_id, box, score in people:
            self._rows.setdefault(image_id, []).append((box, score))

    def check(self, sources: Sequence[str]) -> None:
        """DataError if the file has no box of any of these photos, by their names."""
        if not any(self._of(source) for source in sources):
            first = ", ".join(str(image_id) for image_id in list(self._rows)[:3])
            raise DataError(
                f"{self.path}: none of its boxes is of a photo in --input (its image_ids: {first}, ...; the photos: "
                f"{', '.join(os.path.basename(source) for source in sources[:3])}, ...); name the photos by their ids, "
                "or give the annotation file that lists them with --annotations"
            )

    def __call__(self, frames: Sequence[Frame]) -> list[Regions]:
        """Boxes as they are in the file, in its order; DataError for a frame of a video, which the file cannot name."""
        return [self._regions(frame) for frame in frames]

    def _regions(self, frame: Frame) -> Regions:
        if frame.time_s is not None:
            raise DataError(f"{frame.source}: a file of boxes is of photos, not of a video; use a detector")
        rows = self._of(frame.source)
        boxes = np.array([box for box, _ in rows], np.float64).reshape(-1, 4)
        return Regions(boxes, np.array([score for _, score in rows], np.float64))

    def _of(self, source: str) -> list[tuple]:
        name = os.path.basename(source)
        stem = os.path.splitext(name)[0]
        keys = [source, name, stem, int(stem) if stem.isdecimal() else coco_number(name)]
        if name in self._id_of_name:
            keys = [self._id_of_name[name]]
        return next((self._rows[key] for key in keys if key in self._rows), [])


def _load(path: Union[str, Path], kind: type, what: str) -> Any:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file of boxes; check the path") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a readable .json file ({error}); get it again") from None
    if not isinstance(content, kind):
        raise DataError(f"{path}: should be {what}, but is a {type(content).__name__}")
    return content


def _entry(path: str, row: int, entry: Any) -> Optional[tuple]:
    """(image_id, box, score) of an entry, None if it is of another category."""
    if not isinstance(entry, dict) or "image_id" not in entry or "bbox" not in entry:
        raise DataError(f"{path}: entry {row} has no image_id and bbox; a COCO results file of boxes is needed")
    if entry.get("category_id", PERSON_CATEGORY) != PERSON_CATEGORY:
        return None
    image_id, score = entry["image_id"], entry.get("score", 1.0)
    if isinstance(image_id, bool) or not isinstance(image_id, (int, str)):
        raise DataError(f"{path}: entry {row}: image_id {image_id!r} must be a whole number or a file's name")
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not abs(score) < _LARGEST:  # nan is not
        raise DataError(f"{path}: entry {row}: score {score!r:.40} is not a number that can be used")
    return image_id, cropping.checked_boxes([entry["bbox"]], f"{path}: entry {row}")[0], float(score)


def _ids(path: Union[str, Path]) -> dict[str, int]:
    """File name -> id of the photos that an annotation file lists."""
    images = _load(path, dict, "an annotation file of COCO's format").get("images")
    try:
        ids = {os.path.basename(image["file_name"]): image["id"] for image in images}
        set(ids.values())
    except (TypeError, KeyError):  # TypeError: an id that is a list, too
        raise DataError(f"{path}: has no list `images` of id and file_name; give an annotation file") from None
    return ids
