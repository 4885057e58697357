import math

import numpy as np
import pytest

from paddle_pose.errors import ConfigError
from paddle_pose.metrics.pcp import PCP, correct
from paddle_pose.registry import METRICS
from paddle_pose.samples import Predictions, Truth
from paddle_pose.skeletons import LSP_14, MPII_16

PARTS = ["Head", "Torso", "UpperArm", "Forearm", "UpperLeg", "LowerLeg"]
TEN, SIX, FOUR = (
    "Mean of 10 sticks (LSP leaderboards, CPM)",
    "Mean of 6 parts (deeppose_tf)",
    "Mean of 4 limb classes (DeepPose paper)",
)


def score(truth_joints, found, labelled=None, strict=True):
    labelled = np.ones(truth_joints.shape[:2], bool) if labelled is None else labelled
    found = Predictions(np.asarray(found), np.ones(labelled.shape, np.float32))
    return PCP(LSP_14, strict)(found, Truth(truth_joints, labelled))


def random_people(count):
    rng = np.random.default_rng(3)
    joints = rng.uniform(0, 200, (count, 14, 2))
    return joints, joints + rng.normal(0, 25, joints.shape)


def test_is_found_by_name():
    assert METRICS["PCP"] is PCP


def test_perfect_is_100_and_hopeless_is_0():
    joints, _ = random_people(4)
    assert set(score(joints, joints).values.values()) == {100.0}
    assert set(score(joints, joints + 1000).values.values()) == {0.0}
    assert list(score(joints, joints).values) == [*PARTS, "Mean", "Mean_6_parts", "Mean_4_limbs"]


def test_strict_and_relaxed_by_hand():
    # In stick lengths: exactly hit; one end too far, but 0.35 on average; 0.505 on average; not predicted.
    errors = np.array([[0.5, 0.5], [0.6, 0.1], [0.6, 0.41], [np.nan, 0.0]])
    assert correct(errors, strict=True).tolist() == [True, False, False, False]
    assert correct(errors, strict=False).tolist() == [True, True, False, False]


def test_a_moved_right_ankle_costs_one_stick_of_ten():
    joints, _ = random_people(1)
    joints[0, 1], joints[0, 0] = (0, 0), (100, 0)  # right knee, right ankle: a stick of 100 px
    found = joints.copy()
    found[0, 0] += (51, 0)
    report = score(joints, found)
    assert report.values["LowerLeg"] == 50.0
    assert report.values["Mean"] == 90.0  # 9 of 10 sticks
    assert report.values["Mean_6_parts"] == pytest.approx(550 / 6, abs=1e-12)
    assert report.values["Mean_4_limbs"] == 350 / 4
    # The relaxed reading: the mean of 0.51 and 0 is within 0.5.
    assert report.rows["LowerLeg"] == {"strict": 50.0, "relaxed": 100.0}
    assert score(joints, found, strict=False).values["LowerLeg"] == 100.0
    assert [name for name in report.rows if name not in PARTS] == [TEN, SIX, FOUR]


def test_torso_is_from_the_middle_of_the_shoulders_to_the_middle_of_the_hips():
    joints, _ = random_people(1)
    joints[0, [8, 9]], joints[0, [2, 3]] = [(-50, 0), (50, 0)], [(-50, 100), (50, 100)]
    found = joints.copy()
    found[0, 8] += (60, 0)  # the middle moves by 30 px of 100
    found[0, 9] += (40, 0)  # and by 20 more: exactly half the stick
    assert score(joints, found).values["Torso"] == 100.0
    found[0, 9] += (0.1, 0)
    assert score(joints, found).values["Torso"] == 0.0


def test_small_integer_coordinates_do_not_wrap():
    joints = random_people(3)[0].round()
    joints[:, [8, 9], 0] = 180  # 180 + 180 > 255
    assert score(joints, joints.astype(np.uint8)).values["Torso"] == 100.0


def test_stick_with_an_unlabelled_end_is_not_counted():
    joints, _ = random_people(2)
    labelled = np.ones((2, 14), bool)
    labelled[0, 6] = False  # right wrist
    found = joints.copy()
    found[0, 6] += 1000
    assert score(joints, found, labelled).values["Forearm"] == 100.0
    labelled[:, [6, 11]] = False
    report = score(joints, found, labelled)
    assert math.isnan(report.values["Forearm"])
    assert report.values["Mean"] == 100.0


@pytest.mark.filterwarnings("error")
def test_stick_without_length_is_counted_and_missed():
    joints, _ = random_people(2)
    joints[0, 0] = joints[0, 1]
    assert score(joints, joints).values["LowerLeg"] == 75.0  # right 1 of 2, left 2 of 2


def test_agrees_with_a_loop():
    joints, found = random_people(60)
    strict = relaxed = 0
    for side in ((8, 7), (9, 10)):
        for n in range(60):
            half = 0.5 * math.dist(joints[n, side[0]], joints[n, side[1]])
            ends = [math.dist(found[n, k], joints[n, k]) for k in side]
            strict += max(ends) <= half
            relaxed += sum(ends) / 2 <= half
    assert 0 < strict < relaxed < 120
    assert score(joints, found).rows["UpperArm"] == pytest.approx(
        {"strict": 100 * strict / 120, "relaxed": 100 * relaxed / 120}, abs=1e-9
    )


def test_skeleton_without_a_neck_is_refused():
    with pytest.raises(ConfigError, match="PCP needs the joints of LSP, and mpii_16 has no neck"):
        PCP(MPII_16)


def test_known_answer_on_lsp(lsp):
    """Strict PCP that Convolutional Pose Machines published: total 88.3, torso 98.0, ..."""
    truth, found = lsp("PC")
    values = PCP(LSP_14)(found, truth).values
    published = {"Head": 95.0, "Torso": 98.0, "UpperArm": 85.8, "Forearm": 77.9}
    published |= {"UpperLeg": 92.2, "LowerLeg": 89.1, "Mean": 88.3}
    assert {name: values[name] for name in published} == pytest.approx(published, abs=0.0501)
    # 8829 of 10,000 sticks
    assert values["Mean"] == pytest.approx(88.29, abs=1e-9)
