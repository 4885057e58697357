import os

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from paddle_pose.data.flic import FLIC
from paddle_pose.errors import DataError
from paddle_pose.skeletons import FLIC_10

DATA = os.environ.get("PADDLE_POSE_DATA", "")
FIELDS = ("poselet_hit_idx", "moviename", "coords", "filepath", "imgdims", "currframe", "torsobox")


def example(name, backwards=False, **flags):
    """Left shoulder at 1-based (60, 40), right shoulder at (20, 44), nose at (41, 11)."""
    coords = np.full((2, 29), np.nan)
    coords[:, :7] = [[60, 70, 80, 20, 10, 5, 55], [40, 60, 80, 44, 60, 80, 100]]
    coords[:, 9] = [25, 100]
    coords[:, 12], coords[:, 13], coords[:, 16] = [45, 9], [37, 9], [41, 11]
    if backwards:
        coords[:, [0, 1, 2, 6, 3, 4, 5, 9]] = coords[:, [3, 4, 5, 9, 0, 1, 2, 6]]
    values = (1, "film", coords, name, [480, 720, 3], 7.0, [11.0, 31.0, 71.0, 131.0])
    return {**dict(zip(FIELDS, values)), "istrain": 0, "istest": 0, "isbad": 0, "isunchecked": 0, **flags}


def save(root, examples, drop=()):
    names = [name for name in examples[0] if name not in drop]
    array = np.empty((1, len(examples)), [(name, object) for name in names])
    for row, values in enumerate(examples):
        array[0, row] = tuple(values[name] for name in names)
    savemat(root / "examples.mat", {"examples": array})
    return str(root)


def at(sample, joint):
    return sample.joints_image[FLIC_10.index(joint)].tolist()


def test_splits_and_bad_examples(tmp_path):
    names = {"a.jpg": {"istrain": 1}, "b.jpg": {"istest": 1}, "c.jpg": {"istrain": 1, "isbad": 1}}
    names.update({"d.jpg": {"istest": 1, "isunchecked": 1}, "e.jpg": {"istrain": 1}, "f.jpg": {}})
    root = save(tmp_path, [example(name, **flags) for name, flags in names.items()])
    assert FLIC(root, "train").people.photo_names.tolist() == ["a.jpg", "e.jpg"]
    assert FLIC(root, "valid").people.photo_names.tolist() == ["b.jpg"]


def test_the_small_release_has_no_bad_flags(tmp_path):
    root = save(tmp_path, [example("a.jpg", istrain=1), example("b.jpg", istrain=1)], ("isbad", "isunchecked"))
    assert len(FLIC(root, "train")) == 2


def test_joints_are_0_based_and_the_neck_is_between_the_shoulders(tmp_path):
    sample = FLIC(save(tmp_path, [example("a.jpg", istrain=1)]), "train").sample(0)
    assert at(sample, "left_shoulder") == [59.0, 39.0]
    assert at(sample, "right_hip") == [24.0, 99.0]
    assert at(sample, "nose") == [40.0, 10.0]
    assert at(sample, "neck") == [39.0, 41.0]
    assert sample.labelled.all()


def test_sides_are_the_observers(tmp_path):
    examples = [example("a.jpg", istrain=1), example("b.jpg", backwards=True, istrain=1)]
    dataset = FLIC(save(tmp_path, examples), "train")
    np.testing.assert_array_equal(dataset.sample(0).joints_image, dataset.sample(1).joints_image)


def test_the_region_hangs_on_the_torso_box(tmp_path):
    sample = FLIC(save(tmp_path, [example("a.jpg", istrain=1)]), "train", padding=1.25).sample(0)
    # torso box x 10..70, y 30..130 (0-based): centre at 30 % of its height, side 200 x 0.011 x 100 x 1.25
    np.testing.assert_allclose(sample.center_image_xy, [40.0, 60.0])
    np.testing.assert_allclose(sample.size_image_wh, [275.0, 275.0])


def test_a_joint_that_is_not_annotated_is_not_labelled(tmp_path):
    one = example("a.jpg", istrain=1)
    one["coords"][:, 2] = np.nan
    sample = FLIC(save(tmp_path, [one]), "train").sample(0)
    assert np.flatnonzero(~sample.labelled).tolist() == [FLIC_10.index("left_wrist")]
    assert np.isfinite(sample.joints_image).all()


def test_bad_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"examples\.mat is missing; unpack FLIC-full\.zip"):
        FLIC(str(tmp_path))
    root = save(tmp_path, [example("a.jpg", istrain=1)], drop=("torsobox",))
    with pytest.raises(DataError, match="examples lacks torsobox"):
        FLIC(root)
    root = save(tmp_path, [example("a.jpg", istrain=1)])
    with pytest.raises(DataError, match="has no valid people"):
        FLIC(root, "valid")
    with pytest.raises(DataError, match="no split 'test'"):
        FLIC(root, "test")
    with pytest.raises(DataError, match=r"cannot read 'x\.mat'"):
        FLIC(root, annotations="x.mat")
    save(tmp_path, [{**example("a.jpg", istrain=1), "coords": np.zeros((2, 11))}])
    with pytest.raises(DataError, match="coords should be 2 x 29"):
        FLIC(root)
    save(tmp_path, [example("../a.jpg", istrain=1)])
    with pytest.raises(DataError, match="outside"):
        FLIC(root)


def test_the_evaluation_file_gives_truth_but_no_samples(tmp_path):
    joints = np.arange(2 * 10 * 3, dtype=float).reshape(2, 10, 3)
    savemat(tmp_path / "joints_test_OC.mat", {"joints": joints})
    dataset = FLIC(str(tmp_path), "valid", annotations="joints_test_OC.mat")
    assert len(dataset) == 3
    assert dataset.truth().joints_image[1, 2].tolist() == [6.0, 36.0]  # 1-based 7, 37
    for call in (lambda: dataset.sample(0), dataset.check_photos):
        with pytest.raises(DataError, match="names no photos"):
            call()
    with pytest.raises(DataError, match="holds the test people only"):
        FLIC(str(tmp_path), "train", annotations="joints_test_OC.mat")
    savemat(tmp_path / "joints_test_OC.mat", {"joints": joints[:, :9]})
    with pytest.raises(DataError, match="should be numbers of shape 2 x 10 x N"):
        FLIC(str(tmp_path), "valid", annotations="joints_test_OC.mat")


@pytest.mark.skipif(
    not (DATA and os.path.isdir(os.path.join(DATA, "flic"))),
    reason="needs CPM's FLIC files: set PADDLE_POSE_DATA to the folder that holds flic/",
)
def test_published_cpm_predictions_score_as_published():
    """PCK@0.2, torso = right hip to left shoulder: elbow 97.589, wrist 95.030."""
    root = os.path.join(DATA, "flic")
    truth = FLIC(root, "valid", annotations="joints_test_OC.mat").truth()
    predicted = loadmat(os.path.join(root, "cpm_predictions_flic.mat"))["prediction_all"].astype(float) - 1
    torso = truth.joints_image[:, FLIC_10.index("right_hip")] - truth.joints_image[:, FLIC_10.index("left_shoulder")]
    order = ("left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist")
    pck = {}
    for place, joint in enumerate(order):
        error = predicted[place].T - truth.joints_image[:, FLIC_10.index(joint)]
        pck[joint] = 100 * (np.linalg.norm(error, axis=1) <= 0.2 * np.linalg.norm(torso, axis=1)).mean()
    assert round((pck["left_elbow"] + pck["right_elbow"]) / 2, 3) == 97.589
    assert round((pck["left_wrist"] + pck["right_wrist"]) / 2, 3) == 95.03
