"""A small dataset in COCO's files, written by hand: two photos of people, one empty photo."""

import copy
import json
from pathlib import Path

import numpy as np

from paddle_pose.skeletons import Skeleton

# Three joints; groups, limbs and mirror pairs follow from the names.
ARM_3 = Skeleton("arm_3", ("head", "left_hand", "right_hand"), oks_sigmas=(0.05, 0.1, 0.1))


def annotation(number, image_id, box, keypoints, **entries) -> dict:
    """An annotation of 3 joints; `keypoints` is a list of (x, y, v)."""
    return {
        "id": number,
        "image_id": image_id,
        "category_id": 1,
        "bbox": box,
        "area": 0.5 * box[2] * box[3],
        "iscrowd": 0,
        "keypoints": [value for point in keypoints for value in point],
        "num_keypoints": sum(point[2] > 0 for point in keypoints),
        **entries,
    }


NOBODY = [(0, 0, 0)] * 3
FILE = {
    "images": [
        {"id": 7, "file_name": "b.jpg", "width": 200, "height": 100},
        {"id": 3, "file_name": "a.jpg", "width": 300, "height": 200},
        {"id": 5, "file_name": "c.jpg", "width": 300, "height": 200},
    ],
    "annotations": [
        annotation(10, 3, [20, 30, 51, 101], [(40, 35, 2), (25, 60, 1), (0, 0, 0)]),
        annotation(11, 7, [-10, 20, 60, 200], [(10, 25, 2), (20, 30, 2), (30, 90, 2)]),
        annotation(12, 7, [100, 10, 20, 30], NOBODY),
        annotation(13, 3, [100, 50, 150, 100], NOBODY, iscrowd=1, segmentation={"counts": [1, 2], "size": [1, 3]}),
        annotation(14, 7, [100, 10, 41, 81], [(110, 20, 2), (120, 30, 2), (130, 40, 2)]),
        annotation(15, 7, [0, 0, 50, 50], [(1, 1, 2), (2, 2, 2), (3, 3, 2)], category_id=2),
    ],
    "categories": [
        {"id": 1, "name": "person", "keypoints": list(ARM_3.joints)},
        {"id": 2, "name": "dog", "keypoints": list(ARM_3.joints)},
    ],
}


def content(**changes) -> dict:
    """A copy of `FILE`, with other values for the given keys."""
    return {**copy.deepcopy(FILE), **changes}


def write_dataset(root: Path, file) -> Path:
    """The dataset with `file` (a mapping, or text) for both splits; no photos."""
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    text = file if isinstance(file, str) else json.dumps(file)
    for split in ("train", "val"):
        (root / "annotations" / f"person_keypoints_{split}2017.json").write_text(text)
    return root


def write_list(path: Path, entries) -> Path:
    path.write_text(entries if isinstance(entries, str) else json.dumps(entries))
    return path


def box_entry(image_id, box, score=0.5, **entries) -> dict:
    return {"image_id": image_id, "category_id": 1, "bbox": box, "score": score, **entries}


def pose_entry(image_id, joints, score=0.5, **entries) -> dict:
    flat = np.column_stack([np.asarray(joints, float), np.ones(len(joints))]).ravel().tolist()
    return {"image_id": image_id, "category_id": 1, "keypoints": flat, "score": score, **entries}
