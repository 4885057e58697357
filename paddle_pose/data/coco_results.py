"""COCO's results files: a detector's boxes, and poses, one entry for each.

Format: https://cocodataset.org/#format-results. Boxes: image_id, category_id, bbox (left, top, width, height),
score. Poses: image_id, category_id, keypoints (x, y, joint's score; K times), score. Other keys are ignored.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Union

import numpy as np

from paddle_pose.coco_samples import DETECTOR_56, CocoPoses
from paddle_pose.data.prediction_files import write_whole
from paddle_pose.errors import DataError


@dataclass(frozen=True)
class Boxes:
    """A detector's boxes of one category: image_ids (N,), boxes_image (N, 4) left top width height, scores (N,)."""

    image_ids: np.ndarray
    boxes_image: np.ndarray
    scores: np.ndarray


def read_boxes(path: str, category_id: int, threshold: float) -> Boxes:
    """The boxes of a category with score >= threshold, in the file's order; DataError in one line.

    Boxes are taken as they are, beyond the edges of the photo too, as in HRNet's lib/dataset/coco.py.
    """
    if not os.path.isfile(path):
        raise DataError(
            f"{path}: no such file of boxes; the published one for val2017 is called {DETECTOR_56}; without "
            "--boxes (dataset.boxes) the boxes of the ground truth are used"
        )
    image_ids, boxes, scores = _read(path, category_id, "bbox", 4, "a detector's boxes")
    kept = scores >= threshold
    if not kept.any():
        raise DataError(
            f"{path}: none of its {len(scores)} boxes has score >= {threshold:g}; lower box_score_threshold"
        )
    bad = kept & ~((boxes[:, 2:] >= 0).all(axis=1) & (boxes[:, 2:] > 0).any(axis=1))
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"{path}: a box of photo {image_ids[row]} is {boxes[row].tolist()}; it must be left, top, width, height"
        )
    return Boxes(image_ids[kept], boxes[kept], scores[kept])


def read_poses(path: Union[str, Path], category_id: int, joints: int) -> CocoPoses:
    """The poses of a results file, in the file's order, also none at all; DataError in one line."""
    image_ids, keypoints, scores = _read(str(path), category_id, "keypoints", 3 * joints, "COCO results")
    return CocoPoses(image_ids, keypoints.reshape(-1, joints, 3), scores)


def write_poses(path: Union[str, Path], poses: CocoPoses, category_id: int) -> None:
    """Writes a file that the COCO server takes: `[{image_id, category_id, keypoints, score}, ...]`."""
    entries = [
        {"image_id": int(image_id), "category_id": category_id, "keypoints": keypoints.ravel().tolist(), "score": score}
        for image_id, keypoints, score in zip(poses.image_ids, poses.keypoints_image, poses.scores.tolist())
    ]

    def write(file: IO[bytes]) -> None:
        file.write(json.dumps(entries, allow_nan=False).encode())

    write_whole(Path(path), write)


def _read(path: str, category_id: int, key: str, length: int, what: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(image ids, (N, length) numbers under `key`, scores) of the entries of a category."""
    entries = _load(path, what)
    needed = {"image_id", "category_id", key, "score"}
    for row, entry in enumerate(entries):
        if not isinstance(entry, dict) or not needed <= set(entry):
            lacking = ", ".join(sorted(needed - set(entry))) if isinstance(entry, dict) else "keys"
            raise DataError(f"{path}: entry {row} has no {lacking}; {what} need {', '.join(sorted(needed))}")
    chosen = [entry for entry in entries if entry["category_id"] == category_id]
    if not chosen and (entries or key == "bbox"):  # a system that found nobody writes no poses
        found = ", ".join(str(found) for found in sorted({str(entry["category_id"]) for entry in entries})[:5])
        raise DataError(f"{path}: no entry has category_id {category_id}, it has {found or 'no entries'}")
    rows = [_entry(path, row, entry, key, length) for row, entry in enumerate(chosen)]
    image_ids, numbers, scores = zip(*rows) if rows else ([], [], [])
    return np.array(image_ids, np.int64), np.array(numbers, np.float64), np.array(scores, np.float64)


def _load(path: str, what: str) -> list:
    try:
        with open(path, encoding="utf-8") as file:
            entries = json.load(file)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a readable .json file ({error}); get it again") from None
    if not isinstance(entries, list):
        raise DataError(f"{path}: {what} are a list of entries, this is a {type(entries).__name__}")
    return entries


def _entry(path: str, row: int, entry: dict[str, Any], key: str, length: int) -> tuple:
    values, score, image_id = entry[key], entry["score"], entry["image_id"]
    try:
        numbers = np.array([*values, score], np.float64)
    except (TypeError, ValueError):
        numbers = np.full(len(values) + 1 if isinstance(values, list) else 0, np.nan)
    if len(numbers) != length + 1:
        count = len(values) if isinstance(values, list) else "no list of"
        raise DataError(f"{path}: entry {row} (photo {image_id!r}): {key} has {count} numbers, {length} are needed")
    if not np.isfinite(numbers).all():
        raise DataError(f"{path}: entry {row} (photo {image_id!r}): {key} or score is not a finite number")
    if isinstance(image_id, bool) or not isinstance(image_id, int):
        raise DataError(f"{path}: entry {row}: image_id {image_id!r} must be a whole number")
    return image_id, numbers[:-1], numbers[-1]
