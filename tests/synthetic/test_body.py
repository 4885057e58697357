import numpy as np
import pytest
from synthetic_cases import upright

from paddle_pose.skeletons import COCO_17, LSP_14, MPII_16
from paddle_pose.synthetic.body import JOINTS, LENGTHS, draw_body


def test_all_skeletons_are_covered():
    assert set(JOINTS) == {*MPII_16.joints, *LSP_14.joints, *COCO_17.joints}
    assert set(JOINTS) <= set(upright().points)


@pytest.mark.parametrize("part", ["shoulder", "elbow", "wrist", "hip", "knee", "ankle", "eye", "ear"])
def test_left_is_on_the_photos_right_of_who_faces_us_and_on_its_left_from_behind(part):
    front, back = upright(yaw=0.0), upright(yaw=np.pi)
    assert front.points[f"left_{part}"][0] > front.points[f"right_{part}"][0] + 1
    assert back.points[f"left_{part}"][0] < back.points[f"right_{part}"][0] - 1


def test_heights_in_the_photo_grow_downwards():
    points = upright().points
    order = ["head_top", "nose", "upper_neck", "neck", "thorax", "pelvis", "left_knee", "left_ankle"]
    assert np.all(np.diff([points[name][1] for name in order]) > 0)
    # crown to ankle of a standing person, standing height 100: the foot is the rest
    assert 93 < points["left_ankle"][1] - points["head_top"][1] < 100


def test_angles_bend_the_way_their_names_say():
    assert upright(left_arm_out=90).points["left_wrist"][0] > 70
    assert upright(right_arm_out=90).points["right_wrist"][0] < 30
    raised = upright(left_arm_forward=90).points
    assert raised["left_wrist"][2] > raised["left_shoulder"][2] + 25  # towards us
    curled = upright(left_elbow=90).points
    assert curled["left_wrist"][2] > curled["left_elbow"][2] + 10
    kneeling = upright(left_knee=90).points
    assert kneeling["left_ankle"][2] < kneeling["left_knee"][2] - 20  # away from us
    bowed = upright(bend=60).points
    assert bowed["head_top"][2] > 20


def test_positive_yaw_turns_the_face_to_the_photos_right():
    points = upright(yaw=np.pi / 2).points
    assert points["nose"][0] > points["head_center"][0] + 4
    assert points["right_shoulder"][2] > points["left_shoulder"][2]  # the right shoulder is the near one


def test_bones_keep_their_lengths_in_every_pose():
    rng = np.random.default_rng(0)
    for _ in range(50):
        body = draw_body(rng).placed(200.0, np.zeros(2))
        for (a, b), name in ((("hip", "knee"), "thigh"), (("shoulder", "elbow"), "upper_arm")):
            left, right = (np.linalg.norm(body.points[f"{s}_{a}"] - body.points[f"{s}_{b}"]) for s in ("left", "right"))
            assert left == pytest.approx(right)
            assert left == pytest.approx(200 * LENGTHS[name], rel=0.081)
