"""Synthetic people as MPII in HRNet's layout: `images/`, `annot/{train,valid}.json`, `annot/gt_valid.mat`.

All coordinates in these files are 1-based. A loader moves the centre down by 15 x scale and multiplies the
scale by 1.25; so the centre written here lies 15 x scale above the middle of the labelled joints, and the
crop is centred on the person. Scale is the standing height / 200, whatever the pose.
"""

import json
import os

import numpy as np

from paddle_pose.skeletons import MPII_16
from paddle_pose.synthetic.folder import make_folder
from paddle_pose.synthetic.produce import Job, produce
from paddle_pose.synthetic.recipe import Recipe
from paddle_pose.synthetic.scene import Person

SPLITS = ("train", "valid")
FIRST_PIXEL = 1.0
PIXELS_PER_SCALE = 200.0
CENTER_SHIFT_Y_PER_SCALE = 15.0
MISSING = -1.0
# names in MPII's gt_valid.mat, in the order of its joints
MAT_NAMES = (
    *("rank", "rkne", "rhip", "lhip", "lkne", "lank", "pelv", "thor"),
    *("neck", "head", "rwri", "relb", "rsho", "lsho", "lelb", "lwri"),
)
# who is annotated: enough of the person is in the photo and not hidden, and the head is there (PCKh)
FEWEST_JOINTS = 8
SMALLEST_SHARE = 0.55
SMALLEST_HEIGHT = 0.3  # standing height / longer side of the photo


def write_mpii(root: str, recipe: Recipe, workers: int = 1, progress: bool = False) -> bool:
    """Writes the dataset, up to four annotated people in a photo; returns and raises as `make_folder`."""
    job = Job(recipe, describe)

    def fill(folder: str) -> None:
        os.makedirs(os.path.join(folder, "images"))
        os.makedirs(os.path.join(folder, "annot"))
        for split, indices in zip(SPLITS, recipe.splits):
            names = [f"{index:09d}.jpg" for index in indices]
            paths = [os.path.join(folder, "images", name) for name in names]
            photos = produce(job, paths, indices.start, workers, progress)
            people = [(dict(record, image=name), box) for name, photo in zip(names, photos) for record, box in photo]
            _write_json(os.path.join(folder, "annot", f"{split}.json"), [record for record, _ in people])
        _write_truth(os.path.join(folder, "annot", "gt_valid.mat"), people)

    return make_folder(root, "mpii", recipe, fill)


def describe(people: list[Person], image_hw: tuple[int, int]) -> list[tuple[dict, np.ndarray]]:
    """Of each annotated person: the JSON record without `image`, and the head box (4,), all 1-based."""
    return [(_record(p), p.head_box_xyxy + FIRST_PIXEL) for p in people if _is_annotated(p, image_hw)]


def _is_annotated(person: Person, image_hw: tuple[int, int]) -> bool:
    _, labelled, _ = person.of(MPII_16)
    return bool(
        not person.in_crowd
        and labelled.sum() >= FEWEST_JOINTS
        and labelled[MPII_16.index("head_top")]
        and labelled[MPII_16.index("upper_neck")]
        and person.shown_share >= SMALLEST_SHARE
        and person.height_image >= SMALLEST_HEIGHT * max(image_hw)
    )


def _record(person: Person) -> dict:
    joints_image, labelled, _ = person.of(MPII_16)
    scale = person.height_image / PIXELS_PER_SCALE
    center = (joints_image[labelled].min(axis=0) + joints_image[labelled].max(axis=0)) / 2 + FIRST_PIXEL
    center[1] -= CENTER_SHIFT_Y_PER_SCALE * scale
    joints = np.where(labelled[:, None], joints_image + FIRST_PIXEL, MISSING)
    return {
        "joints_vis": labelled.astype(int).tolist(),
        "joints": joints.round(3).tolist(),
        "image": "",
        "scale": round(scale, 4),
        "center": center.round(3).tolist(),
    }


def _write_json(path: str, records: list[dict]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(records, file)


def _write_truth(path: str, people: list[tuple[dict, np.ndarray]]) -> None:
    """Positions, missing joints and head boxes of the valid people, in the order of valid.json."""
    from scipy.io import savemat

    joints = np.array([record["joints"] for record, _ in people], np.float64).reshape(-1, len(MPII_16), 2)
    missing = np.array([record["joints_vis"] for record, _ in people]).reshape(-1, len(MPII_16)) == 0
    boxes = np.array([box for _, box in people], np.float64).reshape(-1, 2, 2)
    joints[missing] = 0.0  # as in the real file, where the JSON has -1
    arrays = {
        "dataset_joints": np.array(MAT_NAMES, dtype=object)[None],
        "jnt_missing": missing.T.astype(np.uint8),
        "pos_gt_src": joints.transpose(1, 2, 0),
        "headboxes_src": boxes.transpose(1, 2, 0),
    }
    savemat(path, arrays, do_compression=True)
