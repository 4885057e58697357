import json

import cv2
import numpy as np
import pytest
from scipy.io import loadmat
from synthetic_cases import IMAGE_SIZE, SEED, TRAIN, VALID

from paddle_pose.data.mpii import MPII
from paddle_pose.skeletons import MPII_16
from paddle_pose.synthetic.scene import photo_rng, render_photo
from paddle_pose.synthetic.write_mpii import MAT_NAMES, describe


@pytest.fixture(scope="module")
def root(datasets):
    return datasets("mpii")


def records(root, split):
    return json.loads((root / "annot" / f"{split}.json").read_text())


def test_records_have_the_real_files_keys_and_types(root):
    record = records(root, "train")[0]
    assert set(record) == {"joints_vis", "joints", "image", "scale", "center"}
    assert np.shape(record["joints"]) == (16, 2)
    assert set(record["joints_vis"]) <= {0, 1}
    assert isinstance(record["scale"], float)


def test_no_photo_and_so_nobody_is_in_both_splits(root):
    train, valid = ({r["image"] for r in records(root, split)} for split in ("train", "valid"))
    assert train
    assert valid
    assert not train & valid
    assert len(list((root / "images").iterdir())) == TRAIN + VALID


def test_files_are_one_based_and_show_what_was_rendered(root):
    people = 0
    for record in records(root, "valid"):
        index = int(record["image"][:-4])
        assert TRAIN <= index < TRAIN + VALID
        image, rendered = render_photo(photo_rng(SEED, index), IMAGE_SIZE)
        stored = cv2.cvtColor(cv2.imread(str(root / "images" / record["image"])), cv2.COLOR_BGR2RGB)
        assert np.corrcoef(stored.ravel(), image.ravel())[0, 1] > 0.95  # JPEG loses some of the grain
        labelled = np.array(record["joints_vis"]) == 1
        joints = np.array(record["joints"])
        assert (joints[~labelled] == -1).all()
        gaps = [np.abs(p.of(MPII_16)[0] + 1 - joints)[labelled].max() for p in rendered]
        assert min(gaps) < 1e-3
        people += 1
    assert people >= VALID // 2


def test_truth_file_matches_the_json_in_the_real_files_form(root):
    valid, mat = records(root, "valid"), loadmat(root / "annot" / "gt_valid.mat")
    count = len(valid)
    assert mat["jnt_missing"].shape == (16, count)
    assert mat["jnt_missing"].dtype == np.uint8
    assert mat["pos_gt_src"].shape == (16, 2, count)
    assert mat["headboxes_src"].shape == (2, 2, count)
    assert [str(name[0]) for name in mat["dataset_joints"][0]] == list(MAT_NAMES)
    joints = np.array([record["joints"] for record in valid])
    labelled = np.array([record["joints_vis"] for record in valid]) == 1
    np.testing.assert_array_equal(mat["jnt_missing"].T == 0, labelled)
    positions = mat["pos_gt_src"].transpose(2, 0, 1)
    np.testing.assert_allclose(positions[labelled], joints[labelled])
    assert (positions[~labelled] == 0).all()


def test_head_boxes_hold_crown_and_neck_and_have_mpiis_size(root):
    mat = loadmat(root / "annot" / "gt_valid.mat")
    low, high = mat["headboxes_src"].transpose(0, 2, 1)
    crown, neck = mat["pos_gt_src"][9].T, mat["pos_gt_src"][8].T
    for point in (crown, neck):
        assert (point >= low - 1e-6).all()
        assert (point <= high + 1e-6).all()
    # MPII's median of diagonal / standing height (from scale) is about 0.2 of the 200-pixel unit
    scale = np.array([record["scale"] for record in records(root, "valid")])
    ratio = np.linalg.norm(high - low, axis=1) / (200 * scale)
    assert (ratio > 0.12).all()
    assert (ratio < 0.24).all()


def test_mpiis_loader_reads_them_and_crops_around_the_person(root):
    for split in ("train", "valid"):
        dataset = MPII(str(root), split)
        assert len(dataset) == len(records(root, split))
        for index in range(len(dataset)):
            sample = dataset.sample(index)
            joints = sample.joints_image[sample.labelled]
            middle = (joints.min(0) + joints.max(0)) / 2
            np.testing.assert_allclose(sample.center_image_xy, middle, atol=0.01)
            # nearly everything is inside the square crop
            inside = (np.abs(joints - middle) <= sample.size_image_wh / 2 + 1e-6).all(1)
            assert inside.mean() > 0.8


def test_hidden_people_tiny_people_and_cut_off_heads_are_not_annotated():
    for index in range(40):
        image, people = render_photo(photo_rng(2, index), IMAGE_SIZE)
        annotated = describe(people, image.shape[:2])
        kept = {round(record["scale"], 3) for record, _ in annotated}
        dropped = [p for p in people if p.in_crowd or p.shown_share < 0.5]
        assert not kept & {round(p.height_image / 200, 3) for p in dropped}
        for record, box in annotated:
            assert record["joints_vis"][8] == record["joints_vis"][9] == 1
            assert (box[2:] > box[:2]).all()
