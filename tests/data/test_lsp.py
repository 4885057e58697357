import os
import pickle

import cv2
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from paddle_pose.data.lsp import LSP, LSPET
from paddle_pose.errors import DataError
from paddle_pose.registry import DATASETS

DATA = os.environ.get("PADDLE_POSE_DATA", "")


def needs(folder):
    return pytest.mark.skipif(
        not (DATA and os.path.isdir(os.path.join(DATA, folder))),
        reason=f"needs {folder}: set PADDLE_POSE_DATA to the folder that holds {folder}/",
    )


def people(count, flag):
    """(N, 14, 3): person i has joint k at 1-based (10 i + k + 1, 2 k + 1), third row = flag."""
    joints = np.zeros((count, 14, 3))
    joints[..., 0] = 10 * np.arange(count)[:, None] + np.arange(14) + 1
    joints[..., 1] = 2 * np.arange(14) + 1
    joints[..., 2] = flag
    return joints


def save(root, joints, coordinates_first=True, name="joints.mat"):
    savemat(root / name, {"joints": joints.transpose((2, 1, 0) if coordinates_first else (1, 2, 0))})
    return str(root)


def lsp(root, joints=None, split="train", **options):
    root = save(root, people(4, 0) if joints is None else joints, options.pop("coordinates_first", True))
    return LSP(root, split, **{"train_range": [0, 3], "valid_range": [3, 4], **options})


def lspet(root, joints=None, split="train", **options):
    return LSPET(save(root, people(4, 1) if joints is None else joints, False), split, **options)


@pytest.mark.parametrize("coordinates_first", [True, False])
def test_either_axis_order_is_read_and_made_0_based(tmp_path, coordinates_first):
    sample = lsp(tmp_path, coordinates_first=coordinates_first).sample(1)
    np.testing.assert_array_equal(sample.joints_image[5], [15.0, 10.0])
    np.testing.assert_array_equal(sample.joints_image[0], [10.0, 0.0])


def test_the_axes_of_three_or_fourteen_people_are_not_mixed_up(tmp_path):
    for count in (3, 14):
        for coordinates_first in (True, False):
            dataset = lsp(tmp_path, people(count, 0), coordinates_first=coordinates_first, valid_range=[20, 21])
            np.testing.assert_array_equal(dataset.sample(2).joints_image[13], [33.0, 26.0])


def test_one_means_occluded_in_lsp_where_every_joint_is_labelled(tmp_path):
    joints = people(4, 0)
    joints[1, 6, 2] = 1
    sample = lsp(tmp_path, joints).sample(1)
    assert sample.labelled.all()
    assert np.flatnonzero(~sample.visible).tolist() == [6]


def test_one_means_visible_in_lspet_and_the_others_are_not_labelled(tmp_path):
    joints = people(4, 1)
    joints[1, 6] = [-250.0, -100.0, 0]
    joints[1, 7] = [0.0, 0.0, 0]
    joints[1, 8] = [-250.0, 20.0, 1]  # such a label cannot be
    sample = lspet(tmp_path, joints).sample(1)
    assert np.flatnonzero(~sample.labelled).tolist() == [6, 7, 8]
    np.testing.assert_array_equal(sample.visible, sample.labelled)


def test_a_label_a_little_outside_the_photo_counts(tmp_path):
    joints = people(4, 1)
    joints[1, 6] = [-1.2, 5.0, 1]  # the real file has such
    assert lspet(tmp_path, joints).sample(1).labelled[6]


def test_nan_is_harmless_where_not_labelled_and_refused_where_labelled(tmp_path):
    joints = people(4, 1)
    joints[1, 6] = [np.nan, np.nan, 0]
    assert np.isfinite(lspet(tmp_path, joints).sample(1).joints_image).all()
    joints = people(4, 0)
    joints[1, 6, 0] = np.nan
    with pytest.raises(DataError, match=r"person 1 \(im0002\.jpg\) has joints_image that is not a finite"):
        lsp(tmp_path, joints)


def test_the_row_names_the_photo_whatever_the_folder_holds(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "im0003.jpg").touch()
    train, valid = lsp(tmp_path), lsp(tmp_path, split="valid")
    names = [os.path.basename(train.sample(i).image_path) for i in range(3)]
    assert names == ["im0001.jpg", "im0002.jpg", "im0003.jpg"]
    assert os.path.basename(valid.sample(0).image_path) == "im0004.jpg"
    np.testing.assert_array_equal(valid.sample(0).joints_image[0], [30.0, 0.0])
    with pytest.raises(DataError, match=r"holds 1 of 3 \(not there: im0001\.jpg, im0002\.jpg\)"):
        train.check_photos()
    assert os.path.basename(lspet(tmp_path).sample(2).image_path) == "im00003.jpg"


def test_the_region_is_the_box_of_the_labelled_joints_padded(tmp_path):
    joints = people(4, 1)
    joints[0, 13] = [-200.0, -200.0, 0]
    sample = lspet(tmp_path, joints, padding=1.5).sample(0)
    # 0-based x 0..12, y 0..24
    np.testing.assert_array_equal(sample.center_image_xy, [6.0, 12.0])
    np.testing.assert_array_equal(sample.size_image_wh, [18.0, 36.0])


def test_the_region_can_be_the_whole_photo(tmp_path):
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "im0002.jpg"), np.zeros((40, 61, 3), np.uint8))
    dataset = lsp(tmp_path, region="image")
    sample = dataset.sample(1)
    np.testing.assert_array_equal(sample.center_image_xy, [30.0, 19.5])
    np.testing.assert_array_equal(sample.size_image_wh, [61.0, 40.0])
    with pytest.raises(DataError, match=r"im0001\.jpg is missing"):
        dataset.sample(0)


def test_people_without_extent_are_left_out_and_named(tmp_path, capsys):
    joints = people(4, 1)
    joints[1, 1:, 2] = 0
    joints[2, :, 2] = 0
    dataset = lspet(tmp_path, joints)
    assert [os.path.basename(dataset.sample(i).image_path) for i in range(2)] == [
        "im00001.jpg",
        "im00004.jpg",
    ]
    assert (len(dataset), dataset.num_images) == (2, 2)
    assert "LSPET train: left out 2 people" in capsys.readouterr().out
    with pytest.raises(DataError, match="holds no people"):
        lspet(tmp_path, joints, train_range=[1, 3])


def test_a_horizontal_line_of_joints_still_has_a_region(tmp_path):
    joints = people(4, 0)
    joints[0, :, 1] = 7
    sample = lsp(tmp_path, joints).sample(0)
    np.testing.assert_array_equal(sample.size_image_wh, [13 * 1.25, 1.0])


def test_truth_and_protocol(tmp_path):
    dataset = lsp(tmp_path, split="valid")
    truth = dataset.truth()
    np.testing.assert_array_equal(truth.joints_image[0], dataset.sample(0).joints_image)
    assert truth.labelled.all()
    assert truth.head_size_image is None
    assert dataset.protocol == "LSP valid, photos 4-4 of joints.mat, box of the labelled joints x 1.25"


def test_registered_names_and_workers(tmp_path):
    assert (DATASETS["LSP"], DATASETS["LSPET"]) == (LSP, LSPET)
    again = pickle.loads(pickle.dumps(lsp(tmp_path)))
    assert len(again) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "test"}, "no split 'test'"),
        ({"region": "face"}, "no region 'face'"),
        ({"padding": 0}, "padding should be a positive factor"),
        ({"train_range": [0, 5], "valid_range": [5, 6]}, r"has 4 people, but \[0, 5\] are asked for"),
        ({"train_range": [2, 2]}, r"\[2, 2\] are asked for"),
        ({"train_range": [-1, 2]}, r"\[-1, 2\] are asked for"),
        ({"train_range": [0, 1, 2]}, "train_range should be"),
        ({"train_range": [0, 1.5]}, "train_range should be"),
        ({"valid_range": [2, 4]}, "share people"),
        ({"joints_file": "joints_PC.mat"}, r"joints_PC\.mat is missing; the root has joints\.mat"),
    ],
)
def test_bad_options_are_named(tmp_path, options, message):
    with pytest.raises(DataError, match=message) as error:
        lsp(tmp_path, **options)
    assert "\n" not in str(error.value)


def test_lspet_has_no_valid_split_of_its_own(tmp_path):
    with pytest.raises(DataError, match="no valid split"):
        lspet(tmp_path, split="valid")
    with pytest.raises(DataError, match=r"train_range \(all\) and valid_range \[3, 4\] share people"):
        lspet(tmp_path, valid_range=[3, 4])
    assert len(lspet(tmp_path)) == 4
    assert len(lspet(tmp_path, split="valid", train_range=[0, 3], valid_range=[3, 4])) == 1


def test_files_of_the_other_dataset_or_shape_are_refused(tmp_path):
    with pytest.raises(DataError, match="does not mean 1 = occluded"):
        lsp(tmp_path, people(4, 1))
    with pytest.raises(DataError, match="does not mean 1 = visible"):
        lspet(tmp_path, people(4, 0))
    with pytest.raises(DataError, match="does not mean"):
        lsp(tmp_path, people(4, 0.25))
    for variables in ({"joints": np.zeros((14, 2, 4))}, {"joints": np.zeros((3, 16, 4))}, {"other": 1}):
        savemat(tmp_path / "joints.mat", variables)
        with pytest.raises(DataError, match="3 x 14 x N or 14 x 3 x N"):
            LSP(str(tmp_path))
    with pytest.raises(DataError, match="is not a folder"):
        LSP(str(tmp_path / "nowhere"))


@needs("lspet")
def test_lspet_as_released():
    root = os.path.join(DATA, "lspet")
    rows = loadmat(os.path.join(root, "joints.mat"))["joints"].shape[2]
    dataset = LSPET(root, "train", train_range=[0, 7000], valid_range=[7000, 8000])
    assert rows >= 8000
    assert len(dataset) == 7000
    assert round(dataset.people.labelled.mean(), 2) == 0.88
    assert dataset.people.joints_image[~dataset.people.labelled].min() < -250
    assert dataset.people.joints_image[dataset.people.labelled].min() > -3
    dataset.check_photos()


@needs("lsp")
def test_lsp_as_released():
    root = os.path.join(DATA, "lsp")
    by_file = {}
    for name in ("joints_PC.mat", "joints_OC.mat"):
        parts = [LSP(root, split, joints_file=name).people for split in ("train", "valid")]
        by_file[name] = np.concatenate([part.joints_image for part in parts])
        assert [len(part) for part in parts] == [1000, 1000]
        occluded = 1 - np.concatenate([part.visible for part in parts]).mean()
        assert round(occluded, 3) == 0.073
    swapped = (np.abs(by_file["joints_PC.mat"] - by_file["joints_OC.mat"]) > 1e-6).any(axis=-1).mean(axis=0)
    np.testing.assert_allclose(swapped[:12], 0.333, atol=0.001)
    np.testing.assert_array_equal(swapped[12:], [0, 0])
