"""COCO's annotation file -> a few checked arrays: photos, and the annotations of one category.

Format: https://cocodataset.org/#format-data (keypoint detection). What pycocotools would take in silence and score
wrongly is refused here, in one line that names the entry.
"""

import os
from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np

from paddle_pose.coco_samples import CocoAnnotations
from paddle_pose.data.coco_entries import Entries, number_of, numbers_of, read_json, whole, whole_of
from paddle_pose.errors import DataError
from paddle_pose.skeletons import Skeleton

SMALLEST_AREA = 1.0  # a labelled person's: OKS divides by it, and 0 or 1 in its place makes every AP 0
_IDS = {"images": ("id",), "annotations": ("id", "image_id", "category_id"), "categories": ("id",)}


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
    return read_entries(path, category, skeleton, outlines=False)[:2]


def read_entries(
    path: str, category: str, skeleton: Skeleton, outlines: bool = True
) -> tuple[Photos, CocoAnnotations, Entries]:
    """As `read_annotations`, and the file's entry of each annotation, for the outlines, which the arrays do not hold.

    Raises:
        DataError: the file is missing, damaged, of other joints, or holds an entry that cannot be scored.
    """
    file = _load(path, outlines)
    category_id = _category_id(path, file, category, skeleton)
    photos = _photos(path, file.get("images"))
    entries = file.get("annotations", [])
    if not isinstance(entries, list):
        raise DataError(f"{path}: 'annotations' is no list; use a person_keypoints_*.json as COCO's")
    _refuse_twice(path, "annotation", [entry["id"] for entry in entries])
    entries = [entry for entry in entries if entry["category_id"] == category_id]
    columns = _columns(path, entries, len(skeleton))
    rows = _known_rows(path, photos, columns["image_ids"], entries)
    order = np.argsort(rows, kind="stable")
    columns = {name: column[order] for name, column in columns.items()}
    annotations = CocoAnnotations(photo_ids=photos.ids, category_id=category_id, **columns)
    return photos, annotations, [entries[row] for row in order]


def _load(path: str, outlines: bool) -> dict[str, Any]:
    """The file's content, with the ids that every entry needs."""
    if not os.path.isfile(path):
        raise DataError(
            f"annotation file {path} is missing; unpack COCO's annotations_trainval2017.zip into the dataset "
            "root, or name your own file in dataset.train_annotations and dataset.valid_annotations"
        )
    try:
        file = read_json(path, outlines)
        for part, names in _IDS.items():
            for name in names:
                {entry[name] for entry in file.get(part, [])}  # noqa: B018  an id is there, and one that can be looked up
    except KeyError as error:
        raise DataError(f"{path}: an entry has no {error}; use a person_keypoints_*.json as COCO's") from None
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
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
    return whole(path, f"category {category!r}", "id", named[0]["id"])


def _photos(path: str, records: Any) -> Photos:
    if not isinstance(records, list) or not records:
        raise DataError(f"{path} lists no images; use a person_keypoints_*.json as COCO's")
    ids = whole_of(path, "photo", records, "id", [record.get("id") for record in records])
    names = [record.get("file_name") for record in records]
    for record, name in zip(records, names):
        if not isinstance(name, str):
            raise DataError(f"{path}: photo {record['id']!r} has no file_name; add it to its entry in 'images'")
    sizes_wh = np.stack([number_of(path, "photo", records, side) for side in ("width", "height")], axis=1)
    if not (sizes_wh > 0).all():
        row = int(np.argmax((sizes_wh <= 0).any(axis=1)))
        raise DataError(f"{path}: photo {ids[row]} has width and height {sizes_wh[row].tolist()}; give its pixels")
    _refuse_twice(path, "photo", [record["id"] for record in records])
    return Photos(ids=ids, names=np.array(names, dtype=str), sizes_wh=sizes_wh)


def _columns(path: str, entries: Entries, joints: int) -> dict[str, np.ndarray]:
    """Of M annotations the arrays of `CocoAnnotations`, in the order of the entries."""
    crowd = np.array([bool(entry.get("iscrowd", 0)) for entry in entries], bool)
    boxes_image = numbers_of(path, "annotation", entries, "bbox", [entry.get("bbox") for entry in entries], 4)
    keypoints_image = _keypoints(path, entries, crowd, joints)
    labelled = (keypoints_image[..., 2] > 0).sum(axis=1)
    areas_image = number_of(path, "annotation", entries, "area", 0)
    _refuse_areas(path, entries, areas_image, (labelled > 0) & ~crowd)
    image_ids = whole_of(path, "annotation", entries, "image_id", [entry["image_id"] for entry in entries])
    counts = [entry.get("num_keypoints", count) for entry, count in zip(entries, labelled.tolist())]
    num_keypoints = whole_of(path, "annotation", entries, "num_keypoints", counts)
    wrong = ~crowd & ((num_keypoints != 0) != (labelled != 0))  # pycocotools goes by the number
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{path}: annotation {entries[row]['id']!r} has num_keypoints {num_keypoints[row]}, "
            f"but {labelled[row]} keypoints with v > 0; correct it"
        )
    return {
        "image_ids": image_ids,
        "boxes_image": boxes_image,
        "areas_image": areas_image,
        "crowd": crowd,
        "keypoints_image": keypoints_image,
        "num_keypoints": num_keypoints,
    }


def _keypoints(path: str, entries: Entries, crowd: np.ndarray, joints: int) -> np.ndarray:
    """(M, joints, 3) float64; a crowd (M,) needs to have none."""
    nothing = [0.0] * 3 * joints
    lists = [entry.get("keypoints", nothing if group else None) for entry, group in zip(entries, crowd.tolist())]
    for entry, flat in zip(entries, lists):
        if isinstance(flat, (list, array)) and len(flat) != 3 * joints:
            raise DataError(
                f"{path}: annotation {entry['id']!r} has {len(flat)} numbers of keypoints, "
                f"{joints} joints need {3 * joints}"
            )
    return numbers_of(path, "annotation", entries, "keypoints", lists, 3 * joints).reshape(-1, joints, 3)


def _refuse_areas(path: str, entries: Entries, areas_image: np.ndarray, labelled: np.ndarray) -> None:
    """DataError where OKS would divide by the area of a labelled person, and it is not there."""
    bad = labelled & (areas_image <= SMALLEST_AREA)
    if bad.any():
        row = int(np.argmax(bad))
        said = f"area {areas_image[row]:g}" if "area" in entries[row] else "no area"
        raise DataError(
            f"{path}: annotation {entries[row]['id']!r} has {said}; OKS divides by it and every AP would be wrong: set "
            "it to the square pixels of the mask, or to 0.53 x width x height of the box"
        )


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
