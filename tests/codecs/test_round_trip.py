"""Joints -> maps -> the same people: articulated people who overlap, with unseen joints."""

import numpy as np
import paddle
import pytest
from crowds import crowd, joints_found, limbs_right

from paddle_pose.codecs.grouping import GroupingRules
from paddle_pose.codecs.part_affinity import PartAffinity
from paddle_pose.skeletons import OPENPOSE_18

STRIDE = 8
PAIRS_TOO = GroupingRules(min_parts=2)  # where the neck is unseen, arms and legs stand alone


def round_trip(truth, size_wh, grouping=PAIRS_TOO):
    """People of joints (P, 18, 2) in cells, NaN where unseen -> maps -> people, in cells."""
    input_wh = (size_wh[0] * STRIDE, size_wh[1] * STRIDE)
    codec = PartAffinity(OPENPOSE_18.mirror, OPENPOSE_18, input_wh, STRIDE, grouping=grouping)
    weight = paddle.to_tensor(np.isfinite(truth).all(axis=-1).astype(np.float32))
    joints = paddle.to_tensor((truth * STRIDE + (STRIDE - 1) / 2).astype(np.float32))
    others = (joints[None, 1:], weight[None, 1:]) if len(truth) > 1 else None
    found = codec.people(codec.encode(joints[:1], weight[:1], others)[0])[0]
    return (found.joints_xy - (STRIDE - 1) / 2) / STRIDE, found


@pytest.mark.parametrize("assignment", ["greedy", "optimal"])
@pytest.mark.parametrize("size_wh", [(46, 46), (62, 46)])
def test_1_to_30_people_come_back(size_wh, assignment):
    limbs, right, furthest = 0, 0, []
    for people in range(1, 31, 2 if assignment == "greedy" else 5):
        truth = crowd(people, people, size_wh)
        joints, _ = round_trip(truth, size_wh, GroupingRules(min_parts=2, assignment=assignment))
        there, back = limbs_right(truth, joints)
        limbs, right = limbs + there, right + back
        furthest.append(joints_in_people(truth, joints))
    assert limbs > 1000
    assert right >= 0.99 * limbs
    share = np.concatenate(furthest)
    assert np.mean(share < 0.5) >= 0.99


def joints_in_people(truth, found):
    """Distances from those joints that have a visible neighbour to the nearest joint of that kind which was found."""
    pairs = np.array(OPENPOSE_18.limb_pairs)
    seen = np.isfinite(truth).all(axis=-1)
    linked = np.zeros_like(seen)
    for a, b in pairs:
        linked[:, a] |= seen[:, a] & seen[:, b]
        linked[:, b] |= seen[:, a] & seen[:, b]
    return joints_found(np.where(linked[..., None], truth, np.nan), found)[2]


def test_whole_people_are_counted_and_complete():
    for people in (1, 4, 10):
        truth = crowd(40 + people, people, hidden=0.0, heights=(0.3, 0.7))
        joints, found = round_trip(truth, (46, 46), GroupingRules())
        assert len(found) == people
        assert np.isfinite(joints).all()
        distance = np.linalg.norm(truth[:, None] - joints[None], axis=-1).max(axis=-1)
        assert sorted(distance.argmin(axis=1)) == list(range(people))
        assert (found.scores > 0.9).all()


def test_100_people_on_a_large_map():
    truth = crowd(7, 100, (150, 150), heights=(0.12, 0.25), hidden=0.1)
    joints, _ = round_trip(truth, (150, 150))
    limbs, right = limbs_right(truth, joints)
    assert right >= 0.99 * limbs


def test_a_half_seen_person_ranks_below_a_whole_one():
    truth = crowd(3, 2, hidden=0.0, heights=(0.4, 0.6))
    truth[0, 8:14] = np.nan  # no legs
    joints, found = round_trip(truth, (46, 46), GroupingRules())
    assert np.isfinite(joints).all(axis=(1, 2)).tolist() == [True, False]
    assert found.scores[0] > found.scores[1] + 0.2
