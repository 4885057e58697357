"""MPII Human Pose, single person, ground-truth centre and scale (Andriluka et al., CVPR 2014).

Files, either as HRNet lays them out (`annot/{train,valid}.json`, `annot/gt_valid.mat`, `images/`) or as
mmpose does (`annotations/mpii_{train,val}.json`, `annotations/mpii_gt_val.mat`, `images/`). The split is
that of Tompson et al., CVPR 2015: a part of MPII's training photos.

Units and bases are converted here and nowhere else, in the order of HRNet's `lib/dataset/mpii.py`:
centre y += 15 x scale, scale x 1.25, then all coordinates 1-based -> 0-based; a scale is 200 pixels of photo.

`joints_vis` of the JSON is 1 where a joint is annotated, occluded or not (it is not MPII's `is_visible`), so
`visible` equals `labelled` here.
"""

import json
import os
from typing import Literal

import numpy as np

from paddle_pose.data.annotations import People, PhotoPeople, check_split, load_mat, mat_array
from paddle_pose.errors import DataError
from paddle_pose.registry import DATASETS
from paddle_pose.samples import Truth
from paddle_pose.skeletons import MPII_16

OFFICIAL_COUNTS = {"train": (14679, 22246), "valid": (2729, 2958)}  # photos, people
PIXELS_PER_SCALE = 200.0
CENTER_SHIFT_Y_PER_SCALE = 15.0
PADDING = 1.25
HEAD_SIZE_PER_DIAGONAL = 0.6  # SC_BIAS of the official evaluation
FIRST_PIXEL = 1.0  # index of the first pixel in MPII's files

_HOW_TO_PREPARE = "make it with scripts/prepare_mpii.py from MPII's mpii_human_pose_v1_u12_1.mat"
_HOW_TO_GET_PHOTOS = "unpack MPII's mpii_human_pose_v1.tar.gz so that its images/ lies there"
_LAYOUTS = (
    {"train": "annot/train.json", "valid": "annot/valid.json", "truth": "annot/gt_valid.mat"},
    {
        "train": "annotations/mpii_train.json",
        "valid": "annotations/mpii_val.json",
        "truth": "annotations/mpii_gt_val.mat",
    },
)


@DATASETS.register("MPII")
class MPII(PhotoPeople):
    """22246 people of 14679 photos (train) or 2958 of 2729 (valid); 16 joints.

    Args:
        root: folder with annotations and `images/`.
        split: 'train' or 'valid'.
    """

    skeleton = MPII_16

    def __init__(self, root: str, split: Literal["train", "valid"] = "train") -> None:
        check_split("MPII", split)
        layout = _find_layout(root)
        source = os.path.join(root, layout[split])
        people = _people(_read_json(source), source)
        self._truth = Truth(people.joints_image, people.labelled)
        if split == "valid":
            self._truth = read_truth(os.path.join(root, layout["truth"]), len(people))
        protocol = f"MPII {split}, ground-truth centre and scale"
        super().__init__(people, os.path.join(root, "images"), MPII_16, protocol, _HOW_TO_GET_PHOTOS)

    def truth(self) -> Truth:
        """Valid: positions, labels, head sizes of the `.mat` file. Train: the JSON's, no head sizes."""
        return self._truth


def read_truth(path: str, num_people: int) -> Truth:
    """Reads `gt_valid.mat`: what PCKh is scored against.

    Args:
        path: the file; its positions are 1-based.
        num_people: N of the JSON file that it belongs to; order is the same.

    Returns:
        (N, 16, 2) 0-based positions, labels = not `jnt_missing`, head size = 0.6 x diagonal of the head box.
    """
    mat = load_mat(path, _HOW_TO_PREPARE)
    missing = mat_array(mat, "jnt_missing", (len(MPII_16), "N"), path)
    positions = mat_array(mat, "pos_gt_src", (len(MPII_16), 2, "N"), path)
    boxes = mat_array(mat, "headboxes_src", (2, 2, "N"), path)
    found = {missing.shape[-1], positions.shape[-1], boxes.shape[-1]}
    if found != {num_people}:
        counts = "/".join(str(count) for count in sorted(found))
        raise DataError(f"{path} holds {counts} people, but the JSON beside it {num_people}; {_HOW_TO_PREPARE}")
    labelled = missing.T == 0
    head_size = HEAD_SIZE_PER_DIAGONAL * np.linalg.norm(boxes[1] - boxes[0], axis=0)
    joints = positions.transpose(2, 0, 1) - FIRST_PIXEL
    if not (head_size > 0).all() or not np.isfinite(joints[labelled]).all():
        row = int(np.argmax(~((head_size > 0) & (np.isfinite(joints).all((1, 2)) | ~labelled.any(1)))))
        raise DataError(f"{path}: person {row} has no head box or a position that is no number; {_HOW_TO_PREPARE}")
    return Truth(joints, labelled, head_size)


def _find_layout(root: str) -> dict[str, str]:
    if not os.path.isdir(root):
        raise DataError(f"dataset root {root} is not a folder; give the folder that holds annot/ and images/")
    for layout in _LAYOUTS:
        if os.path.isdir(os.path.join(root, os.path.dirname(layout["train"]))):
            return layout
    raise DataError(f"{root} has neither annot/ (HRNet) nor annotations/ (mmpose); {_HOW_TO_PREPARE}")


def _read_json(path: str) -> list[dict]:
    if not os.path.isfile(path):
        raise DataError(f"annotation file {path} is missing; {_HOW_TO_PREPARE}")
    try:
        with open(path, encoding="utf-8") as file:
            records = json.load(file)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not readable JSON ({error}); {_HOW_TO_PREPARE}") from None
    if not isinstance(records, list):
        raise DataError(f"{path} should be a list of people, as HRNet's; {_HOW_TO_PREPARE}")
    return records


def _people(records: list[dict], source: str) -> People:
    for row, record in enumerate(records):
        _check_record(row, record, source)
    count = len(records)
    joints = np.array([record["joints"] for record in records], np.float64).reshape(count, len(MPII_16), 2)
    labelled = np.array([record["joints_vis"] for record in records]).reshape(count, len(MPII_16)) > 0
    center = np.array([record["center"] for record in records], np.float64).reshape(count, 2)
    scale = np.array([record["scale"] for record in records], np.float64).reshape(count)
    given = center[:, 0] != -1
    center[given, 1] += CENTER_SHIFT_Y_PER_SCALE * scale[given]
    scale = np.where(given, scale * PADDING, scale)
    side = scale * PIXELS_PER_SCALE
    names = np.array([record["image"] for record in records], dtype=str)
    people = People(
        photo_names=names,
        joints_image=joints - FIRST_PIXEL,
        labelled=labelled,
        visible=labelled,
        center_image_xy=center - FIRST_PIXEL,
        size_image_wh=np.stack([side, side], axis=1),
    )
    return people.checked(source)


def _check_record(row: int, record: dict, source: str) -> None:
    try:
        counts = (len(record["joints"]), len(record["joints_vis"]))
        pairs = {len(point) for point in record["joints"]} | {len(record["center"])}
        scale, name = float(record["scale"]), record["image"]
        whole = pairs == {2} and isinstance(name, str)
    except (TypeError, KeyError, ValueError):
        whole = False
    if not whole:
        raise DataError(
            f"{source}: person {row} should have image, center (x, y), scale, joints (x, y) and joints_vis; "
            f"{_HOW_TO_PREPARE}"
        )
    if counts != (len(MPII_16), len(MPII_16)):
        raise DataError(f"{source}: person {row} ({name}) has {counts[0]} joints, MPII has {len(MPII_16)}")
    if not scale > 0:
        raise DataError(f"{source}: person {row} ({name}) has scale {scale}; it must be positive")
