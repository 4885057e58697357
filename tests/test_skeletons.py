import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from paddle_pose import skeletons
from paddle_pose.skeletons import COCO_17, FLIC_10, LSP_14, MPII_16, OPENPOSE_18, Skeleton

ALL = [value for value in vars(skeletons).values() if isinstance(value, Skeleton)]
MEETS = pytest.mark.parametrize("skeleton", ALL, ids=lambda skeleton: skeleton.name)


def test_all_are_tested():
    assert {skeleton.name: len(skeleton) for skeleton in ALL} == {
        "mpii_16": 16,
        "lsp_14": 14,
        "coco_17": 17,
        "openpose_18": 18,
        "flic_10": 10,
    }


@MEETS
def test_joints_are_named_once(skeleton):
    assert len(set(skeleton.joints)) == len(skeleton)
    assert [skeleton.index(joint) for joint in skeleton.joints] == list(range(len(skeleton)))


@MEETS
def test_mirror_swaps_left_and_right_and_nothing_else(skeleton):
    for joint, other in zip(skeleton.joints, skeleton.mirror):
        swapped = {"left": "right", "right": "left"}
        side, _, part = joint.partition("_")
        assert skeleton.joints[other] == (f"{swapped[side]}_{part}" if side in swapped else joint)
    assert [skeleton.mirror[other] for other in skeleton.mirror] == list(range(len(skeleton)))


@MEETS
def test_limbs_are_symmetric_and_connect_all_joints(skeleton):
    pairs = {frozenset(pair) for pair in skeleton.limb_pairs}
    assert len(pairs) == len(skeleton.limbs)
    assert {frozenset(skeleton.mirror[k] for k in pair) for pair in pairs} == pairs
    reached = {0}
    for _ in range(len(skeleton)):
        reached |= {k for pair in pairs if pair & reached for k in pair}
    assert reached == set(range(len(skeleton)))


@MEETS
def test_groups_are_symmetric_and_name_joints(skeleton):
    for joints in skeleton.groups.values():
        ids = {skeleton.index(joint) for joint in joints}
        assert {skeleton.mirror[k] for k in ids} == ids


@MEETS
def test_upper_body_is_symmetric_and_has_no_legs(skeleton):
    ids = set(skeleton.upper_body_ids)
    assert {skeleton.mirror[k] for k in ids} == ids
    assert {skeleton.index("left_wrist"), skeleton.index("right_shoulder")} <= ids
    assert not [joint for joint in skeleton.upper_body if joint.endswith(("hip", "knee", "ankle", "pelvis"))]


def test_unknown_joint_is_named():
    with pytest.raises(ValueError, match="skeleton lsp_14 has no joint 'nose'; it has right_ankle, "):
        LSP_14.index("nose")


def test_groups_of_the_eval_line():
    names = ["Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle"]
    assert list(MPII_16.groups) == list(LSP_14.groups) == names
    assert MPII_16.groups["Head"] == ("head_top",)
    assert LSP_14.groups["Head"] == ("neck", "head_top")


# The orders below are those of the annotation files, as other implementations write them in numbers.


def mirror_pairs(skeleton):
    return {(k, other) for k, other in enumerate(skeleton.mirror) if k < other}


def test_mpii_order():
    assert mirror_pairs(MPII_16) == {(0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13)}
    assert [MPII_16.index(joint) for joint in ("pelvis", "thorax", "upper_neck", "head_top")] == [6, 7, 8, 9]
    assert [MPII_16.index(f"right_{part}") for part in ("ankle", "knee", "hip")] == [0, 1, 2]
    assert [MPII_16.index(f"right_{part}") for part in ("wrist", "elbow", "shoulder")] == [10, 11, 12]
    assert sorted(MPII_16.upper_body_ids) == [7, 8, 9, 10, 11, 12, 13, 14, 15]  # HRNet lib/dataset/mpii.py


def test_lsp_order():
    assert mirror_pairs(LSP_14) == {(0, 5), (1, 4), (2, 3), (6, 11), (7, 10), (8, 9)}
    assert [LSP_14.index(joint) for joint in ("right_ankle", "right_wrist", "neck", "head_top")] == [
        0,
        6,
        12,
        13,
    ]


def test_coco_order():
    assert mirror_pairs(COCO_17) == {(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)}
    assert [COCO_17.index(joint) for joint in ("nose", "left_eye", "left_wrist", "left_ankle")] == [
        0,
        1,
        9,
        15,
    ]
    assert sorted(COCO_17.upper_body_ids) == list(range(11))  # HRNet lib/dataset/coco.py
    assert len(COCO_17.oks_sigmas) == 17
    assert (COCO_17.oks_sigmas[0], COCO_17.oks_sigmas[11]) == (0.026, 0.107)
    assert [COCO_17.oks_sigmas[k] for k in COCO_17.mirror] == list(COCO_17.oks_sigmas)


def test_openpose_order_from_coco():
    order = [0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
    assert list(OPENPOSE_18.joints) == ["neck" if k is None else COCO_17.joints[k] for k in order]


def test_openpose_limbs_are_in_channel_order():
    assert OPENPOSE_18.limb_pairs == (
        *((1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13)),
        *((1, 2), (2, 3), (3, 4), (2, 16), (1, 5), (5, 6), (6, 7), (5, 17)),
        *((1, 0), (0, 14), (0, 15), (14, 16), (15, 17)),
    )


def test_flic_order():
    assert mirror_pairs(FLIC_10) == {(2, 6), (3, 7), (4, 8), (5, 9)}
    assert (FLIC_10.joints[5], FLIC_10.joints[6]) == ("right_hip", "left_shoulder")  # PCK's torso


def custom(*joints, **more):
    return Skeleton("custom", joints, **more)


class TestCustom:
    """Skeletons of users: what follows from the names, and what explicit pairs change."""

    def test_only_joints_are_needed(self):
        skeleton = custom("tip", "base")
        assert skeleton.limb_pairs == skeleton.upper_body_ids == ()
        assert skeleton.oks_sigmas is None

    def test_pairs_follow_from_the_names(self):
        skeleton = custom("right_ear", "tail", "left_ear")
        assert skeleton.mirror_pairs == (("left_ear", "right_ear"),)
        assert skeleton.mirror == (2, 1, 0)
        assert COCO_17.mirror_pairs[0] == ("left_eye", "right_eye")

    def test_no_pairs_and_unknown_pairs_differ(self):
        assert custom("a", "b").mirror_pairs is None
        assert custom("a", "b", mirror_pairs=()).mirror_pairs == ()
        assert custom("left_a", "right_a", mirror_pairs=()).mirror == (0, 1)

    def test_explicit_pairs(self):
        skeleton = custom("nw", "ne", "se", "sw", mirror_pairs=(("nw", "ne"), ("sw", "se")))
        assert skeleton.mirror == (1, 0, 3, 2)

    @pytest.mark.parametrize(
        ("joints", "pairs", "groups"),
        [
            (("left_ear", "tail", "right_ear"), None, {"ear": ("left_ear", "right_ear"), "tail": ("tail",)}),
            (("thumb tip",), None, {"thumb_tip": ("thumb tip",)}),
            (("top_l", "top_r"), (("top_l", "top_r"),), {"top": ("top_l", "top_r")}),
            (("nw", "ne"), (("nw", "ne"),), {"nw/ne": ("nw", "ne")}),  # nothing shared
            (
                ("left_ear", "right_ear", "ear"),
                None,
                {"left_ear/right_ear": ("left_ear", "right_ear"), "ear": ("ear",)},
            ),
            (
                ("a_l", "a_r", "a_x", "a_y"),
                (("a_l", "a_r"), ("a_x", "a_y")),
                {"a_l/a_r": ("a_l", "a_r"), "a_x/a_y": ("a_x", "a_y")},
            ),
        ],
    )
    def test_groups(self, joints, pairs, groups):
        """One for each pair and each other joint; none hides another."""
        assert custom(*joints, mirror_pairs=pairs).groups == groups


def test_flic_joints_are_where_their_names_say():
    """On the real labels: sides are the observer's, so `right_` is on the left of the image, always."""
    if "PADDLE_POSE_DATA" not in os.environ:
        pytest.skip("set PADDLE_POSE_DATA to the folder with flic/joints_test_OC.mat")
    path = Path(os.environ["PADDLE_POSE_DATA"]) / "flic" / "joints_test_OC.mat"
    if not path.is_file():
        pytest.skip("PADDLE_POSE_DATA has no flic/joints_test_OC.mat")
    labels = loadmat(path)["joints"].transpose(2, 1, 0)
    joint = {name: labels[:, FLIC_10.index(name)] for name in FLIC_10.joints}
    height = {name: points[:, 1].mean() for name, points in joint.items()}
    assert (joint["right_shoulder"][:, 0] < joint["left_shoulder"][:, 0]).all()
    assert (joint["right_hip"][:, 0] < joint["left_hip"][:, 0]).all()
    np.testing.assert_allclose(joint["neck"], (joint["right_shoulder"] + joint["left_shoulder"]) / 2, atol=1e-9)
    for side in ("right", "left"):
        down = ["nose", *(f"{side}_{part}" for part in ("shoulder", "elbow", "wrist", "hip"))]
        assert [height[name] for name in down] == sorted(height[name] for name in down)
