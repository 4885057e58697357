import json
import os
import pickle

import numpy as np
import pytest
from scipy.io import savemat

from paddle_pose.data.mpii import MPII, OFFICIAL_COUNTS
from paddle_pose.errors import DataError
from paddle_pose.registry import DATASETS

DATA = os.environ.get("PADDLE_POSE_DATA", "")
ROOT = os.path.join(DATA, "mpii")
real_data = pytest.mark.skipif(
    not (DATA and os.path.isdir(os.path.join(ROOT, "annot"))),
    reason="needs MPII annotations: set PADDLE_POSE_DATA to the folder that holds mpii/annot",
)


def person(name="a.jpg", **changes):
    joints = [[10.0 * k + 1, 5.0 * k + 2] for k in range(16)]
    joints[6] = [-1.0, -1.0]
    visible = [0 if k == 6 else 1 for k in range(16)]
    base = {"joints_vis": visible, "joints": joints, "image": name, "scale": 2.0, "center": [101.0, 51.0]}
    return {**base, **changes}


def truth_mat(records, **changes):
    missing = 1 - np.array([record["joints_vis"] for record in records]).T
    positions = np.array([record["joints"] for record in records]).transpose(1, 2, 0) * (1 - missing[:, None])
    boxes = np.zeros((2, 2, len(records)))
    boxes[0], boxes[1] = [[11.0], [21.0]], [[41.0], [61.0]]
    mat = {"jnt_missing": missing.astype(np.uint8), "pos_gt_src": positions, "headboxes_src": boxes}
    return {**mat, **changes}


@pytest.fixture
def root(tmp_path):
    def write(train=None, valid=None, mat=None, mmpose=False):
        folder = tmp_path / ("annotations" if mmpose else "annot")
        folder.mkdir(exist_ok=True)
        names = ("mpii_train.json", "mpii_val.json", "mpii_gt_val.mat") if mmpose else ()
        names = names or ("train.json", "valid.json", "gt_valid.mat")
        valid = [person()] if valid is None else valid
        (folder / names[0]).write_text(json.dumps([person()] if train is None else train))
        (folder / names[1]).write_text(json.dumps(valid))
        savemat(folder / names[2], truth_mat([person()]) if mat is None else mat)
        return str(tmp_path)

    return write


def test_units_and_bases_are_converted_once(root):
    sample = MPII(root(), "train").sample(0)
    # centre (101, 51): y + 15 x 2 = 81, then - 1; side 200 x 2 x 1.25 = 500
    np.testing.assert_array_equal(sample.center_image_xy, [100.0, 80.0])
    np.testing.assert_array_equal(sample.size_image_wh, [500.0, 500.0])
    np.testing.assert_array_equal(sample.joints_image[3], [30.0, 16.0])
    np.testing.assert_array_equal(sample.joints_image[6], [-2.0, -2.0])
    assert not sample.labelled[6]
    assert sample.labelled.sum() == 15
    np.testing.assert_array_equal(sample.visible, sample.labelled)
    assert sample.image_path.endswith(os.path.join("images", "a.jpg"))


def test_an_unknown_centre_is_not_shifted_or_padded(root):
    sample = MPII(root(train=[person(center=[-1.0, -1.0])]), "train").sample(0)
    np.testing.assert_array_equal(sample.center_image_xy, [-2.0, -2.0])
    np.testing.assert_array_equal(sample.size_image_wh, [400.0, 400.0])


@pytest.mark.parametrize("mmpose", [False, True])
def test_valid_truth_comes_from_the_mat_file_in_both_layouts(root, mmpose):
    dataset = MPII(root(mmpose=mmpose), "valid")
    truth = dataset.truth()
    np.testing.assert_array_equal(truth.joints_image[0, 3], [30.0, 16.0])
    np.testing.assert_array_equal(truth.labelled[0], dataset.sample(0).labelled)
    np.testing.assert_allclose(truth.head_size_image, [0.6 * np.hypot(30, 40)])  # 30


def test_train_truth_has_no_head_sizes(root):
    truth = MPII(root(), "train").truth()
    assert truth.head_size_image is None
    np.testing.assert_array_equal(truth.joints_image[0, 3], [30.0, 16.0])


def test_photos_and_people_are_counted_apart(root, tmp_path):
    dataset = MPII(root(train=[person("a.jpg"), person("b.jpg"), person("b.jpg")]), "train")
    assert (dataset.num_images, len(dataset)) == (2, 3)
    assert [dataset.sample(i).index for i in range(3)] == [0, 1, 2]
    with pytest.raises(IndexError):
        dataset.sample(3)
    with pytest.raises(DataError, match=r"holds 0 of 2 \(not there: a\.jpg, b\.jpg\)"):
        dataset.check_photos()
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "b.jpg").touch()
    with pytest.raises(DataError, match=r"holds 1 of 2 \(not there: a\.jpg\)"):
        dataset.check_photos()
    (tmp_path / "images" / "a.jpg").touch()
    dataset.check_photos()


def test_it_is_registered_travels_to_workers_and_says_what_it_is(root):
    dataset = DATASETS["MPII"](root(), "valid")
    again = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(again.sample(0).joints_image, dataset.sample(0).joints_image)
    assert dataset.protocol == "MPII valid, ground-truth centre and scale"


def test_changing_a_sample_does_not_change_the_dataset(root):
    dataset = MPII(root(), "train")
    dataset.sample(0).joints_image[:] = 0
    assert dataset.sample(0).joints_image[3, 0] == 30.0


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (person(joints=[[1.0, 1.0]] * 15), "has 15 joints, MPII has 16"),
        (person(joints_vis=[1] * 15), "joints"),
        (person(scale=0.0), "scale 0.0; it must be positive"),
        (person(scale=float("nan")), "scale nan"),
        (person(joints=[[float("nan"), 1.0]] * 16), "joints_image that is not a finite number"),
        (person(center=[float("inf"), 1.0]), "center_image_xy that is not a finite number"),
        (person(image="../secret.jpg"), "outside"),
        (person(center=[1.0]), "should have image, center"),
        ({"image": "a.jpg"}, "should have image, center"),
        (3, "should have image, center"),
    ],
)
def test_a_bad_person_is_named(root, record, message):
    with pytest.raises(DataError, match=message) as error:
        MPII(root(train=[person(), record]), "train")
    assert "train.json" in str(error.value)
    assert "\n" not in str(error.value)


def test_empty_and_unreadable_files_are_named(root, tmp_path):
    with pytest.raises(DataError, match="holds no people"):
        MPII(root(train=[]), "train")
    (tmp_path / "annot" / "train.json").write_text("[{")
    with pytest.raises(DataError, match="not readable JSON"):
        MPII(str(tmp_path), "train")
    (tmp_path / "annot" / "train.json").write_text("{}")
    with pytest.raises(DataError, match="should be a list"):
        MPII(str(tmp_path), "train")


def test_what_is_missing_is_named(root, tmp_path):
    with pytest.raises(DataError, match="is not a folder"):
        MPII(str(tmp_path / "nowhere"), "train")
    with pytest.raises(DataError, match="neither annot/"):
        MPII(str(tmp_path), "train")
    path = root()
    with pytest.raises(DataError, match="no split 'test'"):
        MPII(path, "test")
    for split, name in (("train", "train.json"), ("valid", "gt_valid.mat")):
        os.remove(os.path.join(path, "annot", name))
        with pytest.raises(DataError, match=rf"{name} is missing; make it with scripts/prepare_mpii\.py"):
            MPII(path, split)


@pytest.mark.parametrize(
    ("mat", "message"),
    [
        (truth_mat([person(), person()]), "holds 2 people, but the JSON beside it 1"),
        (truth_mat([person()], headboxes_src=np.zeros((2, 2, 1))), "no head box"),
        (truth_mat([person()], pos_gt_src=np.full((16, 2, 1), np.nan)), "no number"),
        (
            truth_mat([person()], jnt_missing=np.zeros((14, 1))),
            "jnt_missing should be numbers of shape 16 x N",
        ),
        ({"other": 1}, "no variable 'jnt_missing', it has other"),
    ],
)
def test_a_truth_file_of_other_people_is_refused(root, mat, message):
    with pytest.raises(DataError, match=message):
        MPII(root(mat=mat), "valid")


def test_a_damaged_truth_file_is_named(root, tmp_path):
    path = root()
    (tmp_path / "annot" / "gt_valid.mat").write_bytes(b"no mat file at all")
    with pytest.raises(DataError, match="not a readable MATLAB file"):
        MPII(path, "valid")


@real_data
@pytest.mark.parametrize("split", ["train", "valid"])
def test_official_counts(split):
    dataset = MPII(ROOT, split)
    assert (dataset.num_images, len(dataset)) == OFFICIAL_COUNTS[split]


@real_data
def test_valid_truth_agrees_with_the_json_and_the_published_count():
    dataset = MPII(ROOT, "valid")
    truth = dataset.truth()
    np.testing.assert_array_equal(truth.labelled, dataset.people.labelled)
    scored = np.delete(truth.labelled, [dataset.skeleton.index("pelvis"), dataset.skeleton.index("thorax")], 1)
    assert scored.sum() == 38430
    # In the published file 13 labelled joints have a coordinate 0 that the JSON does not have.
    off = np.abs(truth.joints_image - dataset.people.joints_image).max(axis=-1) > 0.001
    assert (off & truth.labelled).sum() == 13
    low, middle, high = np.percentile(truth.head_size_image, [0, 50, 100])
    assert (round(low, 1), round(middle, 1), round(high)) == (14.5, 68.9, 311)


@real_data
def test_regions_are_those_of_hrnet():
    """Centre and scale that HRNet prepares for the first five people (padded scale, 200 pixels each)."""
    expected = {
        "005808361.jpg": (965.0, 409.77, 5.8975),
        "052475643.jpg": (315.0, 245.43, 2.2025),
        "051423444.jpg": (1029.0, 442.085, 3.92375),
        "004645041.jpg": (808.0, 450.735, 4.06125),
        "060754485.jpg": (697.0, 453.625, 4.21875),
    }
    dataset = MPII(ROOT, "valid")
    for index, (name, (x, y, scale)) in enumerate(expected.items()):
        sample = dataset.sample(index)
        assert os.path.basename(sample.image_path) == name
        np.testing.assert_allclose(sample.center_image_xy, [x, y], atol=1e-9)
        np.testing.assert_allclose(sample.size_image_wh, [200 * scale] * 2, atol=1e-9)
