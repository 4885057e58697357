"""Synthetic people as COCO: `train2017/`, `val2017/`, `annotations/person_keypoints_{train,val}2017.json`.

As in COCO: keypoints are 0-based x, y, v with v = 0 not labelled (0, 0), 1 labelled but hidden, 2 visible; a
face turned away has no eyes and nose; small people have boxes and outlines but no keypoints; a group of tiny
people is one region with `iscrowd` 1 and a run-length mask. Boxes, areas and outlines are those of the pixels
that can be seen. Every photo has an image record, every person with enough pixels an annotation.
"""

import json
import os

import cv2
import numpy as np

from paddle_pose.skeletons import COCO_17
from paddle_pose.synthetic.folder import make_folder
from paddle_pose.synthetic.produce import Job, produce
from paddle_pose.synthetic.recipe import Recipe
from paddle_pose.synthetic.scene import Person

PERSON_ID = 1
FEWEST_PIXELS = 24
SMALLEST_HEIGHT = 0.33  # standing height / longer side of the photo, below which keypoints are not labelled
SPLITS = ("train", "val")
CATEGORY = {
    "id": PERSON_ID,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(COCO_17.joints),
    "skeleton": [[a + 1, b + 1] for a, b in COCO_17.limb_pairs],
}


def write_coco(root: str, recipe: Recipe, workers: int = 1, progress: bool = False) -> bool:
    """Writes the dataset; returns and raises as `make_folder`."""
    job = Job(recipe, describe)

    def fill(folder: str) -> None:
        os.makedirs(os.path.join(folder, "annotations"))
        for split, indices in zip(SPLITS, recipe.splits):
            os.makedirs(os.path.join(folder, f"{split}2017"))
            names = [f"{index + 1:012d}.jpg" for index in indices]
            paths = [os.path.join(folder, f"{split}2017", name) for name in names]
            photos = produce(job, paths, indices.start, workers, progress)
            path = os.path.join(folder, "annotations", f"person_keypoints_{split}2017.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(_dataset(names, photos), file)

    return make_folder(root, "coco", recipe, fill)


def describe(people: list[Person], image_hw: tuple[int, int]) -> tuple[tuple[int, int], list[dict]]:
    """A photo's size (height, width) and its annotations, ids not yet given."""
    annotations = [describe_person(p, image_hw) for p in people if not p.in_crowd and p.mask.sum() >= FEWEST_PIXELS]
    crowd = [p.mask for p in people if p.in_crowd and p.mask.any()]
    if crowd:
        annotations.append(_crowd(np.any(crowd, axis=0)))
    return image_hw, [annotation for annotation in annotations if annotation["segmentation"]]


def _dataset(names: list[str], photos: list[tuple]) -> dict:
    images, annotations = [], []
    for name, ((height, width), found) in zip(names, photos):
        image_id = int(name.split(".")[0])
        images.append({"id": image_id, "file_name": name, "height": height, "width": width})
        for number, annotation in enumerate(found):
            annotations.append({"id": image_id * 100 + number, "image_id": image_id, **annotation})
    info = {"description": "synthetic people in COCO's format", "version": "1.0"}
    return {"info": info, "images": images, "annotations": annotations, "categories": [CATEGORY]}


def describe_person(person: Person, image_hw: tuple[int, int]) -> dict:
    """A person's annotation, ids not yet given."""
    joints_image, labelled, visible = person.of(COCO_17)
    if person.height_image < SMALLEST_HEIGHT * max(image_hw):
        labelled = visible = np.zeros(len(COCO_17), bool)
    keypoints = np.column_stack([joints_image.round(2), 1 + visible]) * labelled[:, None]
    keypoints = [int(value) if value.is_integer() else value for value in keypoints.ravel().tolist()]
    return _region(person.mask, keypoints, int(labelled.sum()), _outlines(person.mask), iscrowd=0)


def _crowd(mask: np.ndarray) -> dict:
    return _region(mask, [0] * 3 * len(COCO_17), 0, run_lengths(mask), iscrowd=1)


def _region(mask: np.ndarray, keypoints: list, num_keypoints: int, segmentation, iscrowd: int) -> dict:
    ys, xs = np.nonzero(mask)
    return {
        "category_id": PERSON_ID,
        "keypoints": keypoints,
        "num_keypoints": num_keypoints,
        "bbox": [float(xs.min()), float(ys.min()), float(np.ptp(xs)) + 1, float(np.ptp(ys)) + 1],
        "area": float(len(xs)),
        "segmentation": segmentation,
        "iscrowd": iscrowd,
    }


def _outlines(mask: np.ndarray) -> list[list[float]]:
    """Polygons x0, y0, x1, y1, ... around the mask's pieces, in COCO's pixel-corner coordinates.

    Traced at twice the size, so that an outline does not run through the centres of the outermost pixels.
    """
    doubled = np.repeat(np.repeat(mask.astype(np.uint8), 2, axis=0), 2, axis=1)
    contours, _ = cv2.findContours(doubled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [((c[:, 0] + 0.5) / 2).ravel().tolist() for c in contours if len(c) >= 3]


def run_lengths(mask: np.ndarray) -> dict:
    """COCO's uncompressed mask: lengths of runs down the columns, the first one of zeros."""
    flat = mask.ravel(order="F")
    ends = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if flat[0] else counts}
