"""MPII's official release -> the files that `mpii.py` reads (HRNet's form).

Source: `mpii_human_pose_v1_u12_1.mat`, struct `RELEASE` (annolist, img_train, ...), and for the choice of
people `miscs/gen_mpii.m` of bearpaw/pytorch-pose, a port of CPM's `training/genJSON.m`:

- training photos only, people with `annopoints`;
- the validation people are those of Tompson et al. (CVPR 2015), who are not marked in the release;
- the other people of their photos are in neither split; all other people are train.

Which people are Tompson's is stored as hashes in `mpii_validation.bin`: 2958 rows, in the order of
`valid.json`, of two big-endian uint32: the first four bytes of SHA-1 of the photo's name, and of "name x y",
x y being the person's centre.

Not run on the official file, which was not at hand: tested on files made in its form, with its known quirks,
and on the published JSON turned back into that form. The counts 14679/22246 and 2729/2958 tell
whether it worked.

One known difference: in the published `gt_valid.mat` 13 of the 38430 joints scored have a coordinate 0 where
`valid.json` has a position; here they get the release's position (at most 0.034 points of the mean).
"""

import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

from paddle_pose.atomic_files import replacing
from paddle_pose.data.annotations import load_mat
from paddle_pose.data.mpii import OFFICIAL_COUNTS
from paddle_pose.errors import DataError
from paddle_pose.skeletons import MPII_16

VALIDATION_FILE = os.path.join(os.path.dirname(__file__), "mpii_validation.bin")
# Names of the 16 joints in gt_valid.mat, in the order of their ids
MAT_JOINT_NAMES = (
    *("rank", "rkne", "rhip", "lhip", "lkne", "lank", "pelv", "thor"),
    *("neck", "head", "rwri", "relb", "rsho", "lsho", "lelb", "lwri"),
)

_HOW_TO_GET = "take mpii_human_pose_v1_u12_1.mat from MPII's mpii_human_pose_v1_u12_2.zip"


@dataclass(frozen=True)
class Person:
    """One annotated person of a training photo, as in the release: 1-based coordinates, scale in 200 pixels.

    Args:
        photo_name: file name.
        joints: (16, 2), -1 where not annotated.
        labelled: (16,) bool, True where the release gives a point, occluded or not.
        center_xy: (2,) `objpos`.
        scale: height / 200 pixels.
        head_box: (2, 2) corners (x1, y1), (x2, y2).
    """

    photo_name: str
    joints: np.ndarray
    labelled: np.ndarray
    center_xy: np.ndarray
    scale: float
    head_box: np.ndarray

    def record(self) -> dict:
        """Its entry in `train.json` or `valid.json`, rounded to three decimals as there."""
        return {
            "joints_vis": [int(given) for given in self.labelled],
            "joints": [[_rounded(x), _rounded(y)] for x, y in self.joints],
            "image": self.photo_name,
            "scale": _rounded(self.scale),
            "center": [_rounded(x) for x in self.center_xy],
        }


def read_release(path: str) -> tuple[list[Person], int]:
    """People of the training photos that can be used, and how many have points but no scale or position."""
    release = load_mat(path, _HOW_TO_GET, struct_as_record=False, squeeze_me=True).get("RELEASE")
    if not all(hasattr(release, field) for field in ("annolist", "img_train")):
        raise DataError(f"{path} has no struct RELEASE with annolist and img_train; {_HOW_TO_GET}")
    photos, is_train = _structs(release.annolist), np.atleast_1d(release.img_train)
    if len(photos) != len(is_train):
        raise DataError(f"{path}: annolist has {len(photos)} photos but img_train {len(is_train)}; {_HOW_TO_GET}")
    people, unusable = [], 0
    for photo in (photo for photo, train in zip(photos, is_train) if train):
        name = str(photo.image.name)
        for rect in _structs(getattr(photo, "annorect", None)):
            points = _points(rect)
            if points and not (_given(rect, "scale") and _structs(getattr(rect, "objpos", None))):
                unusable += 1
            elif points:
                people.append(_person(name, rect, points, path))
    return people, unusable


def split(people: list[Person]) -> dict[str, list[Person]]:
    """Train in the release's order, valid in Tompson's; people beside a validation person are in neither."""
    keys = np.fromfile(VALIDATION_FILE, dtype=">u4").reshape(-1, 2).tolist()
    row_of = {tuple(key): row for row, key in enumerate(keys)}
    photos = {photo for photo, _ in keys}
    train, valid = [], []
    for person in people:
        photo, key = validation_key(person.photo_name, person.center_xy)
        if photo not in photos:
            train.append(person)
        elif (photo, key) in row_of:
            valid.append((row_of[photo, key], person))
    return {"train": train, "valid": [person for _, person in sorted(valid, key=lambda pair: pair[0])]}


def validation_key(photo_name: str, center_xy: np.ndarray) -> tuple[int, int]:
    """The row of `mpii_validation.bin` that a validation person has."""
    texts = (photo_name, f"{photo_name} {center_xy[0]:.0f} {center_xy[1]:.0f}")
    photo, person = (int.from_bytes(hashlib.sha1(text.encode()).digest()[:4], "big") for text in texts)
    return photo, person


def counts_of(parts: dict[str, list[Person]]) -> dict[str, tuple[int, int]]:
    """Split -> (photos, people), to be compared with `mpii.OFFICIAL_COUNTS`."""
    return {name: (len({person.photo_name for person in part}), len(part)) for name, part in parts.items()}


def counts_lines(counts: dict[str, tuple[int, int]]) -> list[str]:
    """One line per split: PASS, or FAIL with both numbers."""
    lines = []
    for name, wanted in OFFICIAL_COUNTS.items():
        verdict = "PASS" if counts[name] == wanted else f"FAIL, expected {wanted[0]} photos, {wanted[1]} people"
        lines.append(f"=> {name}: {counts[name][0]} photos, {counts[name][1]} people: {verdict}")
    return lines


def write_annotations(parts: dict[str, list[Person]], folder: str, suffix: str = "") -> list[str]:
    """Writes train.json, valid.json and gt_valid.mat, each whole or not at all; returns their paths.

    Args:
        parts: the people of each split.
        folder: made if it is not there.
        suffix: added to the file names.
    """
    from scipy.io import savemat

    os.makedirs(folder, exist_ok=True)
    paths = []
    for name, part in parts.items():
        text = json.dumps([person.record() for person in part], separators=(",", ":"))
        paths.append(os.path.join(folder, f"{name}.json{suffix}"))
        _write_whole(paths[-1], lambda file, text=text: file.write(text.encode()))
    paths.append(os.path.join(folder, f"gt_valid.mat{suffix}"))
    _write_whole(paths[-1], lambda file: savemat(file, ground_truth(parts["valid"]), do_compression=True))
    return paths


def ground_truth(people: list[Person]) -> dict[str, np.ndarray]:
    """The variables of `gt_valid.mat`, 1-based; a joint that is missing is at 0."""
    count = len(people)
    labelled = np.array([person.labelled for person in people], bool).reshape(count, len(MPII_16))
    joints = np.array([person.joints for person in people]).reshape(count, len(MPII_16), 2)
    names = np.empty((1, len(MPII_16)), object)
    names[0] = MAT_JOINT_NAMES
    return {
        "dataset_joints": names,
        "jnt_missing": (~labelled).T.astype(np.uint8),
        "pos_gt_src": np.where(labelled[..., None], joints, 0.0).transpose(1, 2, 0),
        "headboxes_src": np.array([person.head_box for person in people]).reshape(count, 2, 2).transpose(1, 2, 0),
    }


def _person(name: str, rect: Any, points: list, path: str) -> Person:
    joints, labelled = np.full((len(MPII_16), 2), -1.0), np.zeros(len(MPII_16), bool)
    try:
        for point in points:
            joint = int(point.id)
            if joint not in range(len(MPII_16)):
                raise ValueError(f"joint id {joint}")
            joints[joint], labelled[joint] = (float(point.x), float(point.y)), True
        position = _structs(rect.objpos)[0]
        corners = [float(getattr(rect, side)) for side in ("x1", "y1", "x2", "y2")]
        return Person(
            photo_name=name,
            joints=joints,
            labelled=labelled,
            center_xy=np.array([float(position.x), float(position.y)]),
            scale=float(rect.scale),
            head_box=np.array(corners).reshape(2, 2),
        )
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise DataError(f"{path}: a person of {name} cannot be read ({error}); {_HOW_TO_GET}") from None


def _points(rect: Any) -> list:
    """The annotated points of a person; `annopoints` may be absent, empty, or a struct."""
    annotated = _structs(getattr(rect, "annopoints", None))
    return _structs(getattr(annotated[0], "point", None)) if annotated else []


def _structs(value: Any) -> list:
    """A struct array as a list: scipy gives a bare struct for one element and an empty array for none."""
    return [item for item in np.atleast_1d(value).ravel().tolist() if hasattr(item, "_fieldnames")]


def _given(rect: Any, field: str) -> bool:
    return np.size(getattr(rect, field, ())) == 1


def _rounded(value: float) -> float:
    return float(f"{value:.3f}")


def _write_whole(path: str, write: Callable) -> None:
    """Writes beside the file and renames, so that a reader sees all of it or none."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        write(file)
