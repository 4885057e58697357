import math

import numpy as np
import pytest

from paddle_pose.errors import DataError
from paddle_pose.metrics.pck_metrics import PCKh
from paddle_pose.registry import METRICS
from paddle_pose.samples import Predictions, Truth
from paddle_pose.skeletons import LSP_14, MPII_16

OURS = "Mean, 14 joints by count (ours, HRNet, mmpose)"
BEARPAW = "Mean, 14 joints unweighted (bearpaw)"
PRINCETON = "Mean, 16 joints by count (princeton)"
ANKLES, KNEES = [0, 5], [1, 4]


def people(joints, labelled=None, head_size=10.0):
    joints = np.asarray(joints, np.float64)
    labelled = np.ones(joints.shape[:2], bool) if labelled is None else labelled
    return Truth(joints, labelled, np.broadcast_to(np.float64(head_size), len(joints)))


def score(truth, joints):
    joints = np.asarray(joints, np.float64)
    return PCKh(MPII_16)(Predictions(joints, np.ones(joints.shape[:2], np.float32)), truth)


def random_people(count, seed=0):
    rng = np.random.default_rng(seed)
    joints = rng.uniform(0, 500, (count, 16, 2))
    labelled = rng.random((count, 16)) < 0.8
    truth = Truth(joints, labelled, rng.uniform(20, 100, count))
    return truth, joints + rng.normal(0, 15, joints.shape)


def test_is_found_by_name():
    assert METRICS["PCKh"] is PCKh


def test_perfect_is_100_in_every_column_and_row():
    joints = np.random.default_rng(0).uniform(0, 300, (5, 16, 2))
    report = score(people(joints), joints)
    assert set(report.values.values()) == {100.0}
    assert {value for row in report.rows.values() for value in row.values()} == {100.0}


def test_hopeless_is_0():
    joints = np.zeros((5, 16, 2))
    report = score(people(joints), joints + 1000)
    assert set(report.values.values()) == {0.0}


def test_keys_are_those_of_the_eval_line():
    report = score(people(np.zeros((1, 16, 2))), np.zeros((1, 16, 2)))
    names = ["Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle"]
    assert list(report.values) == [*names, "Mean", "Mean@0.1"]
    assert list(report.rows) == [*names, OURS, BEARPAW, PRINCETON]
    assert all(list(row) == ["@0.5", "@0.1", "@0.11", "AUC"] for row in report.rows.values())


def test_three_joints_by_hand():
    # Head size 10. Right ankle off by (3, 4): 5 / 10 = 0.5, a hit. Left ankle off by (3, 4.1): 0.508, a miss.
    # Head top off by (0, 1): 0.1, a hit at 0.5 and at 0.1. Nothing else is labelled.
    truth_joints, found = np.zeros((1, 16, 2)), np.zeros((1, 16, 2))
    found[0, 0], found[0, 5], found[0, 9] = (3, 4), (3, 4.1), (0, 1)
    labelled = np.zeros((1, 16), bool)
    labelled[0, [0, 5, 9]] = True
    report = score(people(truth_joints, labelled), found)
    assert report.values["Ankle"] == 50.0  # (100 + 0) / 2
    assert report.values["Head"] == 100.0
    assert report.values["Mean"] == 100 * 2 / 3  # 2 of 3 joints
    assert report.values["Mean@0.1"] == 100 * 1 / 3  # the head top alone
    # Right ankle: 0.50 is one of 51 thresholds. Head top: 0.10, 0.11, ... 0.50 are 41 of 51.
    assert report.rows["Ankle"]["AUC"] == pytest.approx((100 / 51 + 0) / 2, abs=1e-12)
    assert report.rows["Head"]["AUC"] == pytest.approx(100 * 41 / 51, abs=1e-12)


@pytest.mark.parametrize("hundredths", range(1, 51))
def test_threshold_that_is_exactly_hit_is_correct(hundredths):
    # hundredths / 100 of a head of 100 px. 0.07, 0.14, 0.28, 0.29 ... would be lost by adding 0.01 up.
    found = np.zeros((1, 16, 2))
    found[..., 0] = hundredths
    report = score(people(np.zeros((1, 16, 2)), head_size=100.0), found)
    assert report.values["Mean"] == 100.0
    assert report.rows[OURS]["AUC"] == pytest.approx(100 * (51 - hundredths) / 51, abs=1e-9)
    found[..., 0] = np.nextafter(50.0, 51.0)
    assert score(people(np.zeros((1, 16, 2)), head_size=100.0), found).values["Mean"] == 0.0


def test_mean_at_0_1_is_not_the_value_at_0_11():
    # 10.5 px of 100: correct at 0.11, wrong at 0.10.
    found = np.zeros((1, 16, 2))
    found[..., 1] = 10.5
    report = score(people(np.zeros((1, 16, 2)), head_size=100.0), found)
    assert report.values["Mean@0.1"] == report.rows[OURS]["@0.1"] == 0.0
    assert report.rows[OURS]["@0.11"] == 100.0


def test_half_a_cell_of_shift_shows_in_mean_at_0_1():
    # Half a cell at stride 4 is 2 px. Heads of 11 ... 60 px: from 20 px on, 2 / 20 = 0.1 still passes.
    joints = np.zeros((50, 16, 2))
    truth = people(joints, head_size=np.arange(11.0, 61.0))
    found = joints + np.array([2.0, 0.0])
    assert score(truth, found).values["Mean@0.1"] == 100 * 41 / 50
    assert score(truth, found).values["Mean"] == 100.0


def test_joint_that_nobody_shows_is_nan_and_left_out_of_means():
    joints = np.zeros((3, 16, 2))
    labelled = np.ones((3, 16), bool)
    labelled[:, ANKLES] = False
    labelled[:, KNEES[0]] = False
    found = joints.copy()
    found[:, KNEES[1]] = 1000
    report = score(people(joints, labelled), found)
    assert math.isnan(report.values["Ankle"])
    assert report.values["Knee"] == 0.0  # the left one alone
    assert report.values["Mean"] == 100 * 30 / 33  # 11 joints of 3 people, of which the left knee is missed
    assert report.rows[BEARPAW]["@0.5"] == pytest.approx(100 * 10 / 11, abs=1e-12)


@pytest.mark.filterwarnings("error")
def test_nobody_labelled_is_nan_without_a_warning():
    report = score(people(np.full((2, 16, 2), np.nan), np.zeros((2, 16), bool)), np.zeros((2, 16, 2)))
    assert all(math.isnan(value) for value in report.values.values())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("head_size", [0.0, -5.0, np.nan])
def test_person_without_a_head_size_is_all_missed_and_reported(head_size):
    joints = np.zeros((2, 16, 2))
    truth = Truth(joints, np.ones((2, 16), bool), np.array([head_size, 10.0]))
    report = score(truth, joints)
    assert report.values["Mean"] == 50.0
    assert "1 without a head size: all missed" in report.rules


@pytest.mark.filterwarnings("error")
def test_prediction_that_is_not_finite_is_a_miss():
    found = np.zeros((4, 16, 2))
    found[0, :, 0], found[1] = np.nan, np.inf
    assert score(people(np.zeros((4, 16, 2))), found).values["Mean"] == 50.0


def test_pelvis_and_thorax_count_only_in_princetons_mean():
    found = np.zeros((2, 16, 2))
    found[:, [6, 7]] = 1000
    report = score(people(np.zeros((2, 16, 2))), found)
    assert report.values["Mean"] == report.rows[BEARPAW]["@0.5"] == 100.0
    assert report.rows[PRINCETON]["@0.5"] == 100 * 28 / 32


def test_upper_neck_counts_in_the_mean():
    found = np.zeros((1, 16, 2))
    found[:, 8] = 1000
    assert score(people(np.zeros((1, 16, 2))), found).values["Mean"] == 100 * 13 / 14


def test_joints_weigh_by_their_counts_in_our_mean_only():
    # Ankles of one person, missed; head tops of three, hit: 3 / 5 by count, (0 + 0 + 100) / 3 unweighted.
    labelled = np.zeros((3, 16), bool)
    labelled[0, ANKLES] = True
    labelled[:, 9] = True
    found = np.zeros((3, 16, 2))
    found[:, ANKLES] = 1000
    report = score(people(np.zeros((3, 16, 2)), labelled), found)
    assert report.values["Mean"] == 60.0
    assert report.rows[BEARPAW]["@0.5"] == pytest.approx(100 / 3, abs=1e-12)


def test_agrees_with_a_loop_over_people_joints_and_thresholds():
    truth, found = random_people(40)
    report = score(truth, found)
    mean_joints = [k for k in range(16) if k not in (6, 7)]
    for column, threshold in (("@0.5", 0.5), ("@0.1", 0.1), ("@0.11", 0.11)):
        hits, counts = [0] * 16, [0] * 16
        for n in range(40):
            for k in range(16):
                if truth.labelled[n, k]:
                    counts[k] += 1
                    away = math.dist(found[n, k], truth.joints_image[n, k])
                    hits[k] += away <= threshold * truth.head_size_image[n]
        expected = 100 * sum(hits[k] for k in mean_joints) / sum(counts[k] for k in mean_joints)
        assert 5 < expected < 95
        assert report.rows[OURS][column] == expected
        elbow = (100 * hits[11] / counts[11] + 100 * hits[14] / counts[14]) / 2
        assert report.rows["Elbow"][column] == pytest.approx(elbow, abs=1e-12)


def test_inputs_are_left_as_they_were():
    truth, found = random_people(5)
    before = truth.joints_image.copy(), found.copy(), truth.head_size_image.copy()
    score(truth, found)
    for now, then in zip((truth.joints_image, found, truth.head_size_image), before):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((7, 16, 2), "7 predictions, but the ground truth has 3 people: wrong split?"),
        ((3, 14, 2), "predictions of 14 joints, but mpii_16 has 16: wrong dataset?"),
    ],
)
def test_wrong_counts_are_one_line(shape, message):
    with pytest.raises(DataError) as caught:
        score(people(np.zeros((3, 16, 2))), np.zeros(shape))
    assert str(caught.value) == message


def test_truth_of_another_skeleton_is_refused():
    with pytest.raises(DataError, match="ground truth has 14 joints, but mpii_16 has 16"):
        score(people(np.zeros((3, 14, 2))), np.zeros((3, 14, 2)))


def test_labelled_joint_without_coordinates_is_refused():
    joints = np.zeros((3, 16, 2))
    joints[1, 9, 0] = np.nan
    with pytest.raises(DataError, match="person 1: head_top is labelled, but has no finite coordinates"):
        score(people(joints), np.zeros((3, 16, 2)))


def test_dataset_without_head_sizes_is_refused():
    truth = Truth(np.zeros((1, 14, 2)), np.ones((1, 14), bool))
    with pytest.raises(DataError, match="needs head sizes"):
        PCKh(LSP_14)(Predictions(np.zeros((1, 14, 2)), np.ones((1, 14))), truth)


# Known answers: predictions of Tompson et al. on MPII val, by the means of HRNet, bearpaw and princeton-vl.


def test_counts_of_mpii_val(mpii):
    truth, _ = mpii
    counts = truth.labelled.sum(axis=0)
    assert len(truth.labelled) == 2958
    assert counts.sum() - counts[6] - counts[7] == 38430


def test_known_answer_of_the_means(mpii):
    report = PCKh(MPII_16)(mpii[1], mpii[0])
    assert report.values["Mean"] == 100 * 31642 / 38430
    assert report.values["Mean"] == pytest.approx(82.3367, abs=5e-5)
    assert report.values["Mean@0.1"] == pytest.approx(28.9748, abs=5e-5)
    assert report.rows[OURS]["@0.11"] == pytest.approx(33.1382, abs=5e-5)
    assert report.rows[BEARPAW]["@0.5"] == pytest.approx(81.4584, abs=5e-5)
    assert report.rows[PRINCETON]["@0.5"] == pytest.approx(71.5235, abs=5e-5)


def test_known_answer_joint_by_joint(mpii):
    values = PCKh(MPII_16)(mpii[1], mpii[0]).values
    expected = {"Head": 95.60, "Shoulder": 92.71, "Elbow": 83.36, "Wrist": 76.74}
    expected |= {"Hip": 81.93, "Knee": 73.36, "Ankle": 65.45}
    assert {name: round(values[name], 2) for name in expected} == expected


@pytest.mark.parametrize(("shift", "mean_at_0_1"), [(1.0, 27.590), (-0.5, 29.126)])
def test_an_index_base_off_by_one_shows_in_mean_at_0_1(mpii, shift, mean_at_0_1):
    report = score(mpii[0], mpii[1].joints_image + shift)
    assert report.values["Mean@0.1"] == pytest.approx(mean_at_0_1, abs=5e-4)
    assert report.values["Mean"] == pytest.approx(82.34, abs=0.1)


@pytest.mark.parametrize(("shift", "mean_at_0_1"), [(1.0, 100.0), (2.0, 94.908)])
def test_moved_truth_as_prediction(mpii, shift, mean_at_0_1):
    report = score(mpii[0], mpii[0].joints_image + shift)
    assert report.values["Mean@0.1"] == pytest.approx(mean_at_0_1, abs=5e-4)
