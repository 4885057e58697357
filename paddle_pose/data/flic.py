"""FLIC, Frames Labeled In Cinema: upper bodies (Sapp & Taskar, CVPR 2013), observer-centric.

Two files are read:

- `examples.mat` of the release (FLIC or FLIC-full) with `images/`: struct array `examples` with `filepath`,
  `coords` (2 x 29, NaN where not annotated), `torsobox` (x1, y1, x2, y2), `istrain`, `istest` and, in
  FLIC-full, `isbad` and `isunchecked`. It was not at hand: the format is the one that chainercv and CPM's
  `training/genJSON.m` read, and the tests make such a file.
- `joints_test_OC.mat` of CPM's evaluation, `joints` 2 x 10 x 1016: the truth of the test people, without
  photos. It serves to score predictions; it has no `sample`. Whether the test people of both files are in one
  order was not checked.

Left and right are the observer's: where a right shoulder lies to the right of the left one, the sides are
swapped, as CPM does. The neck is the middle of the shoulders (in CPM's file: exactly). Coordinates are
1-based in the files.
"""

import os
from typing import Literal

import numpy as np

from paddle_pose.data.annotations import People, PhotoPeople, check_split, load_mat, mat_array
from paddle_pose.errors import DataError
from paddle_pose.registry import DATASETS
from paddle_pose.samples import Sample
from paddle_pose.skeletons import FLIC_10

FIRST_PIXEL = 1.0  # index of the first pixel in the files
# Columns of `coords`, as in the release's lookupPart.m
COORDS_COLUMN = {
    "left_shoulder": 0,
    "left_elbow": 1,
    "left_wrist": 2,
    "right_shoulder": 3,
    "right_elbow": 4,
    "right_wrist": 5,
    "left_hip": 6,
    "right_hip": 9,
    "nose": 16,
}
# genJSON.m: scale (of 200 pixels) = 0.0110 x height of the torso box, centre at 30 % of its height
HEIGHT_PER_TORSO = 200 * 0.0110
CENTER_IN_TORSO = 0.3

_HOW_TO_GET = "unpack FLIC-full.zip so that examples.mat and images/ lie in the root"


@DATASETS.register("FLIC")
class FLIC(PhotoPeople):
    """People of the release's train and test (here: valid) photos; 10 joints.

    Args:
        root: folder with `examples.mat` and `images/`, or with `joints_test_OC.mat`.
        split: 'train' or 'valid'.
        annotations: 'examples.mat', or 'joints_test_OC.mat' to score predictions without photos.
        padding: factor of the region's side.
    """

    skeleton = FLIC_10

    def __init__(
        self,
        root: str,
        split: Literal["train", "valid"] = "train",
        annotations: Literal["examples.mat", "joints_test_OC.mat"] = "examples.mat",
        padding: float = 1.25,
    ) -> None:
        check_split("FLIC", split)
        if annotations not in ("examples.mat", "joints_test_OC.mat"):
            raise DataError(f"FLIC cannot read {annotations!r}; use 'examples.mat' or 'joints_test_OC.mat'")
        path = os.path.join(root, annotations)
        self._has_photos = annotations == "examples.mat"
        people = _read_examples(path, split, padding) if self._has_photos else _read_test_joints(path, split)
        protocol = f"FLIC {split}, observer-centric, {annotations}"
        super().__init__(people.checked(path), os.path.join(root, "images"), FLIC_10, protocol, _HOW_TO_GET)

    def sample(self, index: int) -> Sample:
        """Person `index`, 0 <= index < N; DataError where the annotations name no photos."""
        self._need_photos()
        return super().sample(index)

    def check_photos(self, max_missing: float = 0.0) -> None:
        """DataError unless the annotations name photos and these are there, but for a share of `max_missing`."""
        self._need_photos()
        super().check_photos(max_missing)

    def _need_photos(self) -> None:
        if not self._has_photos:
            raise DataError(f"FLIC's joints_test_OC.mat names no photos, it only scores predictions; {_HOW_TO_GET}")


def _read_test_joints(path: str, split: str) -> People:
    if split != "valid":
        raise DataError(f"{path} holds the test people only; use split 'valid', or annotations 'examples.mat'")
    joints = mat_array(load_mat(path, _HOW_TO_GET), "joints", (2, len(FLIC_10), "N"), path)
    joints_image = joints.transpose(2, 1, 0) - FIRST_PIXEL
    labelled = np.isfinite(joints_image).all(axis=-1)
    low, high = np.nanmin(joints_image, axis=1), np.nanmax(joints_image, axis=1)
    names = np.array([f"test person {row + 1}" for row in range(len(joints_image))])
    return People(names, np.nan_to_num(joints_image), labelled, labelled, (low + high) / 2, high - low)


def _read_examples(path: str, split: str, padding: float) -> People:
    examples = load_mat(path, _HOW_TO_GET).get("examples")
    fields = getattr(getattr(examples, "dtype", None), "names", None) or ()
    lacking = {"filepath", "coords", "torsobox", "istrain", "istest"} - set(fields)
    if lacking:
        raise DataError(f"{path}: examples lacks {', '.join(sorted(lacking))}; {_HOW_TO_GET}")
    examples = examples.ravel()
    chosen = [row for row in examples if _flag(row, "istrain" if split == "train" else "istest")]
    chosen = [row for row in chosen if not (_flag(row, "isbad") or _flag(row, "isunchecked"))]
    if not chosen:
        raise DataError(f"{path} has no {split} people; {_HOW_TO_GET}")
    try:
        coords = np.stack([np.asarray(row["coords"], np.float64) for row in chosen])
        torso = np.stack([np.asarray(row["torsobox"], np.float64).reshape(4) for row in chosen]) - FIRST_PIXEL
        names = np.array([str(row["filepath"].item()) for row in chosen])
    except (ValueError, TypeError) as error:
        raise DataError(f"{path} is not laid out as FLIC's examples.mat ({error}); {_HOW_TO_GET}") from None
    if coords.shape[1:] != (2, 29):
        raise DataError(f"{path}: coords should be 2 x 29 for every person, but is {coords.shape[1:]}; {_HOW_TO_GET}")
    joints_image = _joints(coords.transpose(0, 2, 1) - FIRST_PIXEL)
    labelled = np.isfinite(joints_image).all(axis=-1)
    height = torso[:, 3] - torso[:, 1]
    center = np.stack([(torso[:, 0] + torso[:, 2]) / 2, torso[:, 1] + CENTER_IN_TORSO * height], axis=1)
    side = HEIGHT_PER_TORSO * padding * height
    return People(names, np.nan_to_num(joints_image), labelled, labelled, center, np.stack([side, side], axis=1))


def _joints(coords: np.ndarray) -> np.ndarray:
    """(N, 29, 2) -> (N, 10, 2) in the skeleton's order, sides the observer's, NaN where not annotated."""
    joints = np.full((len(coords), len(FLIC_10), 2), np.nan)
    for joint, column in COORDS_COLUMN.items():
        joints[:, FLIC_10.index(joint)] = coords[:, column]
    left, right = joints[:, FLIC_10.index("left_shoulder")], joints[:, FLIC_10.index("right_shoulder")]
    joints[:, FLIC_10.index("neck")] = (left + right) / 2
    swapped = right[:, 0] > left[:, 0]
    joints[swapped] = joints[swapped][:, list(FLIC_10.mirror)]
    return joints


def _flag(row: np.void, field: str) -> bool:
    """A 0/1 field of one example; False where the release does not have the field."""
    return field in row.dtype.names and bool(np.any(row[field]))
