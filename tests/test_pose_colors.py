"""Colours that tell right from left and a limb from the next one, also for the colour-blind."""

import itertools

import cv2
import numpy as np
import pytest

from paddle_pose.pose_colors import by_limb, by_person, by_side
from paddle_pose.skeletons import COCO_17, FLIC_10, LSP_14, MPII_16, OPENPOSE_18, Skeleton

SKELETONS = [COCO_17, FLIC_10, LSP_14, MPII_16, OPENPOSE_18]
SEEN = {  # linear RGB as seen without one kind of cones: Machado et al. 2009, table 1, severity 1
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def lab(color, seen):
    """CIE L*a*b* of a colour as it is seen; 2.3 is a just noticeable difference."""
    values = np.array(color) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.asarray(SEEN[seen]) @ linear, 0, 1)
    values = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return cv2.cvtColor(values.astype(np.float32).reshape(1, 1, 3), cv2.COLOR_RGB2LAB)[0, 0]


def difference(a, b, seen):
    return float(np.linalg.norm(lab(a, seen) - lab(b, seen)))


def side(limb):
    return {name.split("_")[0] for name in limb} & {"left", "right"}


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda skeleton: skeleton.name)
def test_limbs_that_meet_and_the_two_sides_differ(skeleton, seen):
    limbs = list(zip(skeleton.limbs, by_limb(skeleton).limbs))
    for (limb, color), (other, other_color) in itertools.combinations(limbs, 2):
        if side(limb) | side(other) == {"left", "right"} and len(side(limb)) == len(side(other)) == 1:
            assert difference(color, other_color, seen) > 50, (limb, other)
        elif set(limb) & set(other):
            assert difference(color, other_color, seen) > 10, (limb, other)


@pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda skeleton: skeleton.name)
def test_a_joint_has_the_colour_of_the_limb_that_leads_to_it(skeleton):
    colors = by_limb(skeleton)
    wrist = skeleton.index("left_wrist")
    assert colors.joints[wrist] == colors.limbs[skeleton.limbs.index(("left_elbow", "left_wrist"))]
    assert len(colors.limbs) == len(skeleton.limbs)
    assert len(colors.joints) == len(skeleton)


def test_skeletons_without_sides_or_limbs():
    assert len(by_limb(Skeleton("dots", ("a", "b"))).joints) == 2
    star = Skeleton("star", tuple("abcdef"), limbs=tuple(("a", other) for other in "bcdef"))
    assert len(set(by_limb(star).limbs)) == 3  # more limbs than colours


def test_sides_and_people():
    colors = by_side(MPII_16)
    assert colors.limbs[MPII_16.limbs.index(("right_hip", "right_knee"))] == (255, 140, 0)
    assert colors.joints[MPII_16.index("left_wrist")] == (30, 144, 255)
    people = [by_person(MPII_16, number) for number in range(5)]
    assert all(len(set(person.limbs)) == 1 for person in people)
    assert len({person.limbs[0] for person in people}) == 5
    assert people[3] == by_person(MPII_16, 3)
    assert people[0].joints == colors.joints
