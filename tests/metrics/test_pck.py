import math

import numpy as np
import pytest

from paddle_pose.errors import ConfigError, DataError
from paddle_pose.metrics.pck import group_percents, percent, pooled_percent
from paddle_pose.metrics.pck_metrics import PCK
from paddle_pose.registry import METRICS
from paddle_pose.samples import Predictions, Truth
from paddle_pose.skeletons import FLIC_10, LSP_14, MPII_16

RIGHT_HIP, LEFT_HIP, RIGHT_SHOULDER, LEFT_SHOULDER, NECK, HEAD_TOP = 2, 3, 8, 9, 12, 13
MEAN = "Mean, 14 joints by count (ours)"


def as_predictions(joints):
    joints = np.asarray(joints, np.float64)
    return Predictions(joints, np.ones(joints.shape[:2], np.float32))


def standing(people=1):
    """Left shoulder (0, 0) to right hip (60, 80): 100 px; the other diagonal: 50 px; head stick: 20 px."""
    joints = np.full((people, 14, 2), 500.0)
    joints[:, LEFT_SHOULDER], joints[:, RIGHT_HIP] = (0, 0), (60, 80)
    joints[:, RIGHT_SHOULDER], joints[:, LEFT_HIP] = (100, 0), (100, 50)
    joints[:, NECK], joints[:, HEAD_TOP] = (50, -10), (50, -30)
    return joints


def truth_of(joints, labelled=None):
    return Truth(joints, np.ones(joints.shape[:2], bool) if labelled is None else labelled)


def shifted(joints, pixels):
    return as_predictions(joints + np.array([pixels, 0.0]))


def test_is_found_by_name():
    assert METRICS["PCK"] is PCK


def test_perfect_is_100_and_hopeless_is_0():
    joints = standing(3)
    assert set(PCK(LSP_14)(as_predictions(joints), truth_of(joints)).values.values()) == {100.0}
    assert set(PCK(LSP_14)(shifted(joints, 1000), truth_of(joints)).values.values()) == {0.0}


def test_keys_and_columns():
    joints = standing()
    report = PCK(LSP_14)(as_predictions(joints), truth_of(joints))
    names = ["Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle"]
    assert list(report.values) == [*names, "Mean", "Mean@0.1"]
    assert list(report.rows) == [*names, MEAN, "Mean, 14 joints unweighted"]
    assert all(list(row) == ["@0.2", "@0.1", "AUC"] for row in report.rows.values())


# 0.2 of the torso of 100 px, of the other diagonal of 50 px; 0.5 of the head stick of 20 px; all inclusive.
@pytest.mark.parametrize(
    ("ends", "threshold", "pixels"),
    [
        (("left_shoulder", "right_hip"), 0.2, 20.0),
        (("right_shoulder", "left_hip"), 0.2, 10.0),
        (("neck", "head_top"), 0.5, 10.0),
        (("left_shoulder", "right_hip"), 0.05, 5.0),
    ],
)
def test_length_and_threshold_exactly_hit(ends, threshold, pixels):
    joints = standing()
    metric = PCK(LSP_14, ends, threshold)
    assert metric(shifted(joints, pixels), truth_of(joints)).values["Mean"] == 100.0
    assert metric(shifted(joints, pixels + 0.001), truth_of(joints)).values["Mean"] == 0.0
    assert (
        f"<= {threshold:g} (inclusive), length = true {ends[0]} to {ends[1]}"
        in metric(shifted(joints, 0), truth_of(joints)).rules
    )


def test_mean_at_0_1_is_at_0_10_whatever_the_threshold():
    joints = standing()
    for threshold in (0.05, 0.2):
        metric = PCK(LSP_14, threshold=threshold)
        assert metric(shifted(joints, 10.0), truth_of(joints)).values["Mean@0.1"] == 100.0
        assert metric(shifted(joints, 10.5), truth_of(joints)).values["Mean@0.1"] == 0.0


def test_area_runs_to_the_threshold():
    # 15 px of 100 is correct at 0.15 ... 0.20: 6 of the 21 thresholds 0.00 ... 0.20.
    joints = standing()
    report = PCK(LSP_14)(shifted(joints, 15.0), truth_of(joints))
    assert report.rows[MEAN]["AUC"] == pytest.approx(100 * 6 / 21, abs=1e-12)
    # 3 px at a threshold below 0.1: 0.03, 0.04, 0.05 of the 6 thresholds 0.00 ... 0.05.
    report = PCK(LSP_14, threshold=0.05)(shifted(joints, 3.0), truth_of(joints))
    assert report.rows[MEAN]["AUC"] == pytest.approx(100 * 3 / 6, abs=1e-12)


def test_unlabelled_joints_are_not_counted():
    joints = standing(2)
    labelled = np.ones((2, 14), bool)
    labelled[0, :2] = False
    found = joints.copy()
    found[:, :2] = 9999.0
    # 28 joints less 2 unlabelled; the two of the second person are missed.
    assert PCK(LSP_14)(as_predictions(found), truth_of(joints, labelled)).values["Mean"] == 100 * 24 / 26


@pytest.mark.filterwarnings("error")
def test_person_without_a_torso_is_not_counted_and_reported():
    joints = standing(4)
    labelled = np.ones((4, 14), bool)
    labelled[0, LEFT_SHOULDER] = False
    joints[0, LEFT_SHOULDER] = np.nan
    joints[1, RIGHT_HIP] = joints[1, LEFT_SHOULDER]
    found = np.nan_to_num(joints)
    found[:2] += 9999.0
    found[3, :7] += 9999.0
    report = PCK(LSP_14)(as_predictions(found), truth_of(joints, labelled))
    assert report.values["Mean"] == 75.0  # of two people with 14 joints, 21 of 28
    assert "2 people, 2 not counted: no such length" in report.rules
    whole = PCK(LSP_14)(as_predictions(standing()), truth_of(standing()))
    assert "not counted" not in whole.rules


def test_agrees_with_a_loop():
    rng = np.random.default_rng(1)
    joints = rng.uniform(0, 200, (50, 14, 2))
    labelled = rng.random((50, 14)) < 0.9
    found = joints + rng.normal(0, 12, joints.shape)
    hits = counts = 0
    for n in range(50):
        if not (labelled[n, LEFT_SHOULDER] and labelled[n, RIGHT_HIP]):
            continue
        torso = math.dist(joints[n, LEFT_SHOULDER], joints[n, RIGHT_HIP])
        for k in range(14):
            counts += labelled[n, k]
            hits += labelled[n, k] and math.dist(found[n, k], joints[n, k]) <= 0.2 * torso
    assert 0.3 < hits / counts < 0.95
    report = PCK(LSP_14)(as_predictions(found), truth_of(joints, labelled))
    assert report.values["Mean"] == 100 * int(hits) / int(counts)


@pytest.mark.parametrize("threshold", [0.0, 0.125, -0.2])
def test_threshold_that_is_not_in_hundredths_is_refused(threshold):
    with pytest.raises(ConfigError, match="threshold must be a whole number of hundredths"):
        PCK(LSP_14, threshold=threshold)


@pytest.mark.parametrize("ends", [("neck", "head_top"), ("left_hip", "left_hip"), ("left_hip",)])
def test_length_between_joints_that_are_not_two_of_the_skeleton_is_refused(ends):
    with pytest.raises(ConfigError, match="length_between must name two joints of mpii_16"):
        PCK(MPII_16, ends)


def test_wrong_number_of_people_is_one_line():
    with pytest.raises(DataError, match="1 predictions, but the ground truth has 2 people: wrong split"):
        PCK(LSP_14)(as_predictions(standing(1)), truth_of(standing(2)))


def test_percentages_are_ratios_of_whole_numbers():
    # Counts of MPII val: the first port of Hourglass-52 to Paddle printed these digits.
    assert float(percent(34094, 38430)) == 88.71714806141036
    assert float(percent(2834, 2932)) == 96.65757162346522
    joints = percent(np.array([1699] + [0] * 4 + [1683] + [0] * 10), np.array([2115] + [9] * 4 + [2119] + [9] * 10))
    assert float(group_percents(MPII_16, joints)["Ankle"]) == 79.87761299600484
    assert float(pooled_percent(np.array([1, 0, 3]), np.array([1, 1, 4]))) == 100 * 4 / 6
    assert math.isnan(percent(0, 0))


# Known answers: the predictions that Convolutional Pose Machines published for the 1000 test photos of LSP.


@pytest.mark.parametrize(
    ("centric", "options", "hits"),
    [
        ("PC", {}, 12670),  # 90.500, the published figure
        ("OC", {}, 10170),  # 72.64
        ("PC", {"length_between": ("right_shoulder", "left_hip")}, 12684),  # 90.60
        ("PC", {"threshold": 0.1}, 11025),  # 78.75
        ("PC", {"length_between": ("neck", "head_top"), "threshold": 0.5}, 12640),  # 90.29
    ],
)
def test_known_answer_on_lsp(lsp, centric, options, hits):
    truth, found = lsp(centric)
    assert PCK(LSP_14, **options)(found, truth).values["Mean"] == 100 * hits / 14000


def test_known_answer_on_lsp_joint_by_joint(lsp):
    truth, found = lsp("PC")
    values = PCK(LSP_14)(found, truth).values
    expected = {"Head": 97.8, "Shoulder": 92.5, "Elbow": 87.0, "Wrist": 83.9}
    expected |= {"Hip": 91.5, "Knee": 90.8, "Ankle": 89.9}
    assert {name: values[name] for name in expected} == pytest.approx(expected, abs=0.0501)
    assert values["Mean@0.1"] == 78.75


def test_lspet_people_without_a_labelled_torso_are_left_out(load_mat):
    joints = load_mat("lspet/joints.mat")["joints"].transpose(2, 0, 1)
    labelled = joints[..., 2] > 0
    truth = Truth(joints[..., :2] - 1, labelled)
    report = PCK(LSP_14)(as_predictions(truth.joints_image), truth)
    usable = int(labelled[:, [LEFT_SHOULDER, RIGHT_HIP]].all(axis=1).sum())
    assert 0 < usable < len(labelled)
    assert f"; {usable} people, {len(labelled) - usable} not counted" in report.rules
    assert report.values["Mean"] == 100.0


def test_known_answer_on_flic(load_mat):
    joints = load_mat("flic/joints_test_OC.mat")["joints"].transpose(2, 1, 0) - 1
    found = load_mat("flic/cpm_predictions_flic.mat")["prediction_all"].transpose(2, 0, 1).astype(np.float64) - 1
    order = ("left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist")
    order += ("left_hip", "right_hip", "nose")
    ours = np.full(joints.shape, np.nan)  # the neck is not predicted
    ours[:, [FLIC_10.index(joint) for joint in order]] = found
    labelled = np.ones(joints.shape[:2], bool)
    labelled[:, FLIC_10.index("neck")] = False
    values = PCK(FLIC_10)(as_predictions(ours), Truth(joints, labelled)).values
    assert values["Elbow"] == pytest.approx(97.589, abs=5e-4)
    assert values["Wrist"] == pytest.approx(95.030, abs=6e-4)
