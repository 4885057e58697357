"""The hash of a split: the people, their order, and nothing else."""

import hashlib
import shutil

import numpy as np
import pytest

from paddle_pose.data.coco import COCO
from paddle_pose.data.coco_photos import COCOPhotos
from paddle_pose.data.mpii import MPII
from paddle_pose.data.person_centres import PersonCentres
from paddle_pose.data.split_hash import split_hash
from paddle_pose.registry import DATASETS

NAMES = np.array(["a.jpg", "ä.jpg"])
JOINTS = np.array([[[1.004, 2.005], [3.0, 4.0]], [[-1.0, 0.0], [7.0, 8.0]]])
LABELLED = np.array([[True, True], [True, False]])


class Toy:
    def __init__(self, names=NAMES, joints=JOINTS, labelled=LABELLED) -> None:
        self._parts = names, joints, labelled

    def identity(self):
        return self._parts


def test_by_hand():
    hundredths = np.array(
        [100, 201, 300, 400, -100, 0, 0, 0], "<i8"
    )  # 2.005 * 100 + 0.5 = 201.0; the last not labelled
    text = "a.jpg\nä.jpg".encode() + bytes([1, 1, 1, 0]) + hundredths.tobytes()
    assert split_hash(Toy()) == hashlib.sha256(text).hexdigest()


def test_what_changes_it():
    changed = [
        Toy(names=NAMES[::-1]),
        Toy(joints=JOINTS + 0.01),
        Toy(labelled=~LABELLED),
        Toy(NAMES[::-1], JOINTS[::-1], LABELLED[::-1]),
        Toy(NAMES[:1], JOINTS[:1], LABELLED[:1]),
    ]
    assert len({split_hash(toy) for toy in [Toy(), *changed]}) == len(changed) + 1


def test_noise_below_the_hundredth_and_joints_without_label_do_not():
    noisy = np.where(LABELLED[..., None], JOINTS + 1e-4, 99.0)
    assert split_hash(Toy(joints=noisy)) == split_hash(Toy())


@pytest.mark.parametrize("dataset", [COCO, COCOPhotos])
def test_coco_the_same_wherever_it_lies_and_another_for_each_split(dataset, synthetic_coco, tmp_path):
    shutil.copytree(synthetic_coco / "annotations", tmp_path / "annotations")
    (tmp_path / "val2017").mkdir()
    here, there = (split_hash(dataset(str(root), split="valid")) for root in (synthetic_coco, tmp_path))
    assert here == there != split_hash(dataset(str(synthetic_coco), split="train"))


def test_mpii_and_the_centres_of_its_people(synthetic_mpii):
    people = MPII(str(synthetic_mpii), split="valid")
    centres = PersonCentres({"type": "MPII"}, str(synthetic_mpii), "valid")
    assert split_hash(people) == split_hash(centres) != split_hash(MPII(str(synthetic_mpii), split="train"))


def test_every_dataset_can_be_hashed():
    assert not [name for name in DATASETS.names() if not hasattr(DATASETS[name], "identity")]
