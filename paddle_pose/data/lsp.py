"""Leeds Sports Pose and its extended training set (Johnson & Everingham, BMVC 2010 and CVPR 2011).

Files: `joints.mat` (LSP also as person-centric `joints_PC.mat` or observer-centric `joints_OC.mat`) and
`images/`. Row i of the file is the photo with number i + 1 in its name, whatever a directory listing says.

| | LSP | LSPET |
|---|---|---|
| shape of `joints` | 3 x 14 x 2000 | 14 x 3 x 10000 (either order is read, told by its shape) |
| third row | 1 = occluded | 1 = visible |
| joints | all labelled | those not visible are not labelled and lie at or below 0, down to -322 |
| split | 1-1000 train, 1001-2000 test | all train |

Coordinates are 1-based in the files and 0-based from here on.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Literal, Optional

import numpy as np

from paddle_pose.data.annotations import People, PhotoPeople, check_split, load_mat
from paddle_pose.data.photos import photo_size_wh
from paddle_pose.errors import DataError
from paddle_pose.registry import DATASETS
from paddle_pose.samples import Sample
from paddle_pose.skeletons import LSP_14

FIRST_PIXEL = 1.0  # index of the first pixel in the files
FEWEST_JOINTS = 2  # people with fewer labelled joints have no size
NARROWEST_IMAGE = 1.0  # sides of a region; joints on one line would leave one side without length
LOWEST_LABEL_IMAGE = -5.0  # a label further left of or above the photo is none; the real ones reach -2.2

_HOW_TO_GET = "unpack the dataset's release so that joints.mat and images/ lie in its root"


class _Leeds(PhotoPeople):
    """Reads either file; the classes below say what its third row means and how photos are named."""

    skeleton = LSP_14
    name: str
    photo_pattern: str
    third_row_is: Literal["occluded", "visible"]

    def __init__(self, root: str, split: str, span: tuple, region: str, padding: float, joints_file: str) -> None:
        if region not in ("joints", "image"):
            raise DataError(f"{self.name} has no region {region!r}; use 'joints' or 'image'")
        if not padding > 0:
            raise DataError(f"{self.name}: padding should be a positive factor, but is {padding}")
        self.region = region
        source = os.path.join(root, joints_file)
        joints = _read_joints(root, joints_file)
        rows = range(span[0], len(joints) if span[1] is None else span[1])
        people = self._people(joints, rows, padding, source)
        people = _drop_unusable(people, f"{self.name} {split}").checked(source)
        area = "whole photo" if region == "image" else f"box of the labelled joints x {padding:g}"
        photos = f"photos {rows.start + 1}-{rows.stop} of {joints_file}"
        protocol = f"{self.name} {split}, {photos}, {area}"
        super().__init__(people, os.path.join(root, "images"), LSP_14, protocol, _HOW_TO_GET)

    def sample(self, index: int) -> Sample:
        """Person `index`, 0 <= index < N; region 'image' reads the size in the photo's header."""
        sample = super().sample(index)
        if self.region == "joints":
            return sample
        size_wh = np.array(photo_size_wh(sample.image_path), np.float64)
        return replace(sample, center_image_xy=(size_wh - 1) / 2, size_image_wh=size_wh)

    def _people(self, joints: np.ndarray, rows: range, padding: float, source: str) -> People:
        if not 0 <= rows.start < rows.stop <= len(joints):
            raise DataError(
                f"{source} has {len(joints)} people, but [{rows.start}, {rows.stop}] are asked for; "
                "correct train_range or valid_range"
            )
        self._check_flags(joints[..., 2], source)
        chosen = joints[rows.start : rows.stop]
        joints_image = chosen[..., :2] - FIRST_PIXEL
        labelled, visible = self._labels(joints_image, chosen[..., 2])
        center, size = _joint_boxes(joints_image, labelled)
        return People(
            photo_names=np.array([self.photo_pattern.format(row + 1) for row in rows]),
            joints_image=np.where(labelled[..., None], joints_image, np.nan_to_num(joints_image)),
            labelled=labelled,
            visible=visible,
            center_image_xy=center,
            size_image_wh=np.maximum(size * padding, NARROWEST_IMAGE),
        )

    def _check_flags(self, third_row: np.ndarray, source: str) -> None:
        mostly_set = third_row.mean() > 0.5
        if not np.isin(third_row, (0, 1)).all() or mostly_set != (self.third_row_is == "visible"):
            raise DataError(
                f"{source}: third row (mean {third_row.mean():.2f}) does not mean 1 = {self.third_row_is}, "
                f"as {self.name}'s does; LSP and LSPET mean opposite things: use the dataset's own file"
            )

    def _labels(self, joints_image: np.ndarray, third_row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, 14) labelled and visible."""
        if self.third_row_is == "occluded":
            return np.ones(third_row.shape, bool), third_row == 0
        labelled = (third_row == 1) & (joints_image > LOWEST_LABEL_IMAGE).all(axis=-1)
        return labelled, labelled


@DATASETS.register("LSP")
class LSP(_Leeds):
    """2000 photos, 14 joints, occluded ones labelled too.

    Args:
        root: folder with the joints file and `images/`.
        split: 'train' or 'valid'.
        train_range: rows [first, stop) of the training people, 0-based.
        valid_range: rows [first, stop) of the people to score; the release's test photos.
        region: 'joints' = box of the labelled joints times `padding`, 'image' = the whole photo.
        padding: factor of the box's sides.
        joints_file: 'joints.mat', 'joints_PC.mat' (person-centric) or 'joints_OC.mat' (observer-centric);
            left and right of a third of the people differ between the last two.
    """

    name = "LSP"
    photo_pattern = "im{:04d}.jpg"
    third_row_is = "occluded"

    def __init__(
        self,
        root: str,
        split: Literal["train", "valid"] = "train",
        train_range: Sequence[int] = (0, 1000),
        valid_range: Sequence[int] = (1000, 2000),
        region: Literal["joints", "image"] = "joints",
        padding: float = 1.25,
        joints_file: str = "joints.mat",
    ) -> None:
        span = _span("LSP", split, train_range, valid_range)
        super().__init__(root, split, span, region, padding, joints_file)


@DATASETS.register("LSPET")
class LSPET(_Leeds):
    """10000 photos, 14 joints of which only the visible ones are labelled.

    The release has no valid split: 'valid' takes the rows that `valid_range` names.

    Args:
        root: folder with the joints file and `images/`.
        split: 'train' or 'valid'.
        train_range: rows [first, stop) of the training people, 0-based; all rows of the file by default.
        valid_range: rows [first, stop) held out for scoring; it must not meet `train_range`.
        region: 'joints' = box of the labelled joints times `padding`, 'image' = the whole photo.
        padding: factor of the box's sides.
        joints_file: file name in `root`.
    """

    name = "LSPET"
    photo_pattern = "im{:05d}.jpg"
    third_row_is = "visible"

    def __init__(
        self,
        root: str,
        split: Literal["train", "valid"] = "train",
        train_range: Optional[Sequence[int]] = None,
        valid_range: Optional[Sequence[int]] = None,
        region: Literal["joints", "image"] = "joints",
        padding: float = 1.25,
        joints_file: str = "joints.mat",
    ) -> None:
        span = _span("LSPET", split, train_range, valid_range)
        super().__init__(root, split, span, region, padding, joints_file)


def _span(name: str, split: str, train_range: Optional[Sequence[int]], valid_range: Optional[Sequence[int]]) -> tuple:
    """(first row, row after the last or None) of a split; DataError if ranges are none, or share a row."""
    check_split(name, split)
    if split == "valid" and valid_range is None:
        raise DataError(f"{name} has no valid split; hold people out with train_range and valid_range")
    for key, bounds in (("train_range", train_range), ("valid_range", valid_range)):
        if bounds is not None and (len(bounds) != 2 or any(int(bound) != bound for bound in bounds)):
            raise DataError(f"{name}: {key} should be [first row, row after the last], but is {bounds}")
    if valid_range is not None:
        first, stop = train_range or (0, math.inf)
        if max(first, valid_range[0]) < min(stop, valid_range[1]):
            raise DataError(
                f"{name}: train_range {train_range or '(all)'} and valid_range {valid_range} share people; "
                "make them disjoint"
            )
    chosen = train_range if split == "train" else valid_range
    return (0, None) if chosen is None else (int(chosen[0]), int(chosen[1]))


def _read_joints(root: str, joints_file: str) -> np.ndarray:
    """(N, 14, 3) as in the file, from either axis order."""
    if not os.path.isdir(root):
        raise DataError(f"dataset root {root} is not a folder; give the folder that holds {joints_file} and images/")
    path = os.path.join(root, joints_file)
    others = sorted(name for name in os.listdir(root) if name.endswith(".mat") and name != joints_file)
    hint = f"the root has {', '.join(others)}: choose one with joints_file" if others else _HOW_TO_GET
    joints = load_mat(path, hint).get("joints")
    shape = getattr(joints, "shape", None)
    if shape is None or len(shape) != 3 or {shape[0], shape[1]} != {3, len(LSP_14)}:
        raise DataError(f"{path}: joints should have shape 3 x 14 x N or 14 x 3 x N, but has {shape}; {_HOW_TO_GET}")
    return joints.astype(np.float64).transpose((2, 1, 0) if shape[0] == 3 else (2, 0, 1))


def _joint_boxes(joints_image: np.ndarray, labelled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and (w, h), each (N, 2), of the tight box of the labelled joints; 0 where there are none."""
    some = labelled.any(axis=1, keepdims=True)
    low = np.where(some, np.where(labelled[..., None], joints_image, np.inf).min(axis=1), 0.0)
    high = np.where(some, np.where(labelled[..., None], joints_image, -np.inf).max(axis=1), 0.0)
    return (low + high) / 2, high - low


def _drop_unusable(people: People, what: str) -> People:
    """Without people that have no extent; prints which, as predictions are in the order of the rest."""
    extent = people.size_image_wh.max(axis=1)
    keep = (people.labelled.sum(axis=1) >= FEWEST_JOINTS) & ~(extent <= NARROWEST_IMAGE)
    if keep.all():
        return people
    names = people.photo_names[~keep]
    print(
        f"=> {what}: left out {len(names)} people with fewer than {FEWEST_JOINTS} labelled joints or no "
        f"extent: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}"
    )
    return People(*(getattr(people, field.name)[keep] for field in fields(People)))
