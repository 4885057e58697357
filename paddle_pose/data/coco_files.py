"""COCO's annotation file -> a few checked arrays: photos, and the annotations of one category.

Format: https://cocodataset.org/#format-data (keypoint detection). Read with pycocotools' own class; what
pycocotools would take in silence and score wrongly is refused here, in one line that names the entry.
"""

import contextlib
import io
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from paddle_pose.coco_samples import CocoAnnotations
from paddle_pose.errors import DataError
from paddle_pose.skeletons import Skeleton

SMALLEST_AREA = 1.0  # a labelled person's: OKS divides by it, and 0 or 1 in its place makes every AP 0


@dataclass(frozen=True)
class Photos:
    """The photos of a split in the file's order: ids (P,) int64, names (P,) str, sizes_wh (P, 2) float64."""

    ids: np.ndarray
    names: np.ndarray
    sizes_wh: np.ndarray

    def rows(self, image_ids: np.ndarray) -> np.ndarray:
        """Row of each id in these arrays; -1 for an id that is not there."""
        order = np.argsort(self.ids)
        rows = order[np.minimum(np.searchsorted(self.ids, image_ids, sorter=order), len(order) - 1)]
        return np.where(self.ids[rows] == image_ids, rows, -1)


def read_annotations(path: str, category: str, skeleton: Skeleton) -> tuple[Photos, CocoAnnotations]:
    """Photos and all annotations of a category, photo by photo; a file without annotations (test-dev) has none.

    Raises:
        DataError: the file is missing, damaged, of other joints, or holds an entry that cannot be scored.
    """
    return read_entries(path, category, skeleton)[:2]


def read_entries(path: str, category: str, skeleton: Skeleton) -> tuple[Photos, CocoAnnotations, list[dict[str, Any]]]:
    """As `read_annotations`, and the file's entry of each annotation, for what the arrays do not hold.

    Raises:
        DataError: the file is missing, damaged, of other joints, or holds an entry that cannot be scored.
    """
    file = _load(path)
    category_id = _category_id(path, file, category, skeleton)
    photos = _photos(path, file.get("images"))
    entries = file.get("annotations", [])
    if not isinstance(entries, list):
        raise DataError(f"{path}: 'annotations' is no list; use a person_keypoints_*.json as COCO's")
    _refuse_twice(path, "annotation", [entry["id"] for entry in entries])
    entries = [entry for entry in entries if entry["category_id"] == category_id]
    read = [_annotation(path, entry, len(skeleton)) for entry in entries]
    columns = list(zip(*read)) or [[]] * 6
    image_ids = np.array(columns[0], np.int64)
    rows = _known_rows(path, photos, image_ids, entries)
    order = np.argsort(rows, kind="stable")
    annotations = CocoAnnotations(
        photo_ids=photos.ids,
        image_ids=image_ids[order],
        boxes_image=np.array(columns[1], np.float64).reshape(-1, 4)[order],
        areas_image=np.array(columns[2], np.float64)[order],
        crowd=np.array(columns[3], bool)[order],
        keypoints_image=np.array(columns[4], np.float64).reshape(-1, len(skeleton), 3)[order],
        num_keypoints=np.array(columns[5], np.int64)[order],
        category_id=category_id,
    )
    return photos, annotations, [entries[row] for row in order]


def _load(path: str) -> dict[str, Any]:
    """The file's content; pycocotools builds its index on the way, which fails where an id is missing."""
    from pycocotools.coco import COCO

    if not os.path.isfile(path):
        raise DataError(
            f"annotation file {path} is missing; unpack COCO's annotations_trainval2017.zip into the dataset "
            "root, or name your own file in dataset.train_annotations and dataset.valid_annotations"
        )
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            file = COCO(path).dataset
    except KeyError as error:
        raise DataError(f"{path}: an entry has no {error}; use a person_keypoints_*.json as COCO's") from None
    except (OSError, ValueError, AssertionError, AttributeError, TypeError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} is not a readable COCO annotation file ({reason}); get it again") from None
    return file


def _category_id(path: str, file: dict, category: str, skeleton: Skeleton) -> int:
    """Id of a category by name, after a look at its list of joints (if it has one)."""
    named = [entry for entry in file.get("categories", []) if entry.get("name") == category]
    if len(named) != 1:
        known = ", ".join(str(entry.get("name")) for entry in file.get("categories", [])) or "none"
        how_many = f"{len(named)} categories" if named else "no category"
        raise DataError(f"{path} has {how_many} named {category!r}, it has {known}; set dataset.category")
    joints = named[0].get("keypoints", list(skeleton.joints))
    if not isinstance(joints, list) or len(joints) != len(skeleton):
        count = len(joints) if isinstance(joints, list) else "no list of"
        raise DataError(
            f"{path}: category {category!r} has {count} keypoints, the skeleton {skeleton.name} has "
            f"{len(skeleton)}; set dataset.skeleton to the joints of this file"
        )
    for k, (theirs, ours) in enumerate(zip(joints, skeleton.joints)):
        if theirs != ours:
            raise DataError(
                f"{path}: keypoint {k} of category {category!r} is {theirs!r}, but {ours!r} in the skeleton "
                f"{skeleton.name}; set dataset.skeleton to the joints of this file"
            )
    return _whole(path, f"category {category!r}", "id", named[0]["id"])


def _photos(path: str, records: Any) -> Photos:
    if not isinstance(records, list) or not records:
        raise DataError(f"{path} lists no images; use a person_keypoints_*.json as COCO's")
    for record in records:
        where = f"photo {record.get('id')!r}"
        _whole(path, where, "id", record.get("id"))
        if not isinstance(record.get("file_name"), str):
            raise DataError(f"{path}: {where} has no file_name; add it to its entry in 'images'")
        size = _numbers(path, where, "width and height", [record.get("width"), record.get("height")])
        if not (size > 0).all():
            raise DataError(f"{path}: {where} has width and height {size.tolist()}; give its pixels")
    _refuse_twice(path, "photo", [record["id"] for record in records])
    return Photos(
        ids=np.array([record["id"] for record in records], np.int64),
        names=np.array([record["file_name"] for record in records], dtype=str),
        sizes_wh=np.array([[record["width"], record["height"]] for record in records], np.float64),
    )


def _annotation(path: str, entry: dict, joints: int) -> tuple:
    """(image id, box, area, crowd, keypoints, number of them) of an annotation."""
    where = f"annotation {entry['id']!r}"
    crowd = bool(entry.get("iscrowd", 0))
    box = _numbers(path, where, "bbox", entry.get("bbox"), 4)
    flat = entry.get("keypoints", [0] * 3 * joints if crowd else None)
    if isinstance(flat, list) and len(flat) != 3 * joints:
        raise DataError(f"{path}: {where} has {len(flat)} numbers of keypoints, {joints} joints need {3 * joints}")
    keypoints = _numbers(path, where, "keypoints", flat, 3 * joints).reshape(joints, 3)
    labelled = int((keypoints[:, 2] > 0).sum())
    area = _numbers(path, where, "area", [entry.get("area", 0)])[0]
    if labelled and not crowd and area <= SMALLEST_AREA:
        said = f"area {area:g}" if "area" in entry else "no area"
        raise DataError(
            f"{path}: {where} has {said}; OKS divides by it and every AP would be wrong: set it to the square "
            "pixels of the mask, or to 0.53 x width x height of the box"
        )
    image_id = _whole(path, where, "image_id", entry["image_id"])
    number = _whole(path, where, "num_keypoints", entry.get("num_keypoints", labelled))
    if not crowd and bool(number) != bool(labelled):  # pycocotools goes by the number
        raise DataError(f"{path}: {where} has num_keypoints {number}, but {labelled} keypoints with v > 0; correct it")
    return image_id, box, area, crowd, keypoints, number


def _known_rows(path: str, photos: Photos, image_ids: np.ndarray, entries: list[dict]) -> np.ndarray:
    rows = photos.rows(image_ids)
    if (rows < 0).any():
        entry = entries[int(np.argmax(rows < 0))]
        raise DataError(
            f"{path}: annotation {entry['id']!r} is of photo {entry['image_id']!r}, which 'images' does not list; "
            "add the photo or remove the annotation"
        )
    return rows


def _refuse_twice(path: str, what: str, ids: list) -> None:
    """Ids must differ: pycocotools would keep the last entry of an id in one table and all of them in another."""
    seen = set()
    for given in ids:
        if given in seen:
            raise DataError(f"{path}: {what} id {given!r} is given twice; ids must differ")
        seen.add(given)


def _whole(path: str, where: str, name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not float(value).is_integer():
        raise DataError(f"{path}: {where} has {name} {value!r}; it must be a whole number")
    return int(value)


def _numbers(path: str, where: str, name: str, values: Any, count: int = 0) -> np.ndarray:
    """(count,) float64; DataError unless `values` is a list of as many finite numbers (0: as it is)."""
    try:
        array = np.array(values, np.float64)
        whole = isinstance(values, list) and array.ndim == 1 and len(array) == (count or len(values))
    except (TypeError, ValueError):
        whole = False
    if not whole or not np.isfinite(array).all():
        wanted = f"a list of {count} finite numbers" if count else "finite numbers"
        raise DataError(f"{path}: {where}: {name} should be {wanted}, not {str(values)[:60]}")
    return array
