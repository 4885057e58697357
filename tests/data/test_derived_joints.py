"""OpenPose's 18 parts from COCO's 17 joints, and back."""

import numpy as np

from paddle_pose.data.derived_joints import from_annotated, to_annotated
from paddle_pose.skeletons import COCO_17, OPENPOSE_18, Skeleton

FROM_COCO = [0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]  # the released code's order, with a neck
TO_COCO = [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10]
NECK = OPENPOSE_18.index("neck")


def people(count=3, seed=0):
    rng = np.random.default_rng(seed)
    labelled = rng.random((count, 17)) < 0.7
    return rng.uniform(0, 300, (count, 17, 2)), labelled, labelled & (rng.random((count, 17)) < 0.7)


def test_joints_of_the_same_name_are_taken_over():
    arrays = people()
    for theirs, ours in zip(arrays, from_annotated(OPENPOSE_18, *arrays)):
        for k, source in enumerate(FROM_COCO):
            if source is not None:
                np.testing.assert_array_equal(ours[:, k], theirs[:, source])


def test_the_neck_is_the_middle_of_the_shoulders():
    joints, labelled, visible = people()
    ours = from_annotated(OPENPOSE_18, joints, labelled, visible)[0]
    np.testing.assert_allclose(ours[:, NECK], (joints[:, 5] + joints[:, 6]) / 2)


def test_the_neck_has_a_label_only_where_both_shoulders_have_one():
    joints = np.zeros((4, 17, 2))
    labelled, visible = np.zeros((4, 17), bool), np.zeros((4, 17), bool)
    labelled[:, 5:7] = [[1, 1], [1, 1], [1, 0], [0, 0]]
    visible[:, 5:7] = [[1, 1], [1, 0], [1, 0], [0, 0]]
    _, ours, seen = from_annotated(OPENPOSE_18, joints, labelled, visible)
    assert ours[:, NECK].tolist() == [True, True, False, False]
    assert seen[:, NECK].tolist() == [True, False, False, False]


def test_nobody_at_all():
    ours = from_annotated(OPENPOSE_18, *people(0))
    assert [array.shape for array in ours] == [(0, 18, 2), (0, 18), (0, 18)]
    assert [array.shape for array in to_annotated(OPENPOSE_18, ours[0], ours[1])] == [(0, 17, 2), (0, 17)]


def test_the_way_back_drops_the_neck():
    joints, labelled, visible = people()
    ours, flags, _ = from_annotated(OPENPOSE_18, joints, labelled, visible)
    back, scores = to_annotated(OPENPOSE_18, ours, flags.astype(float))
    np.testing.assert_array_equal(back, joints)
    np.testing.assert_array_equal(scores, labelled)
    numbers = np.arange(18.0)[None]
    assert to_annotated(OPENPOSE_18, np.zeros((1, 18, 2)), numbers)[1][0].astype(int).tolist() == TO_COCO


def test_annotated_joints_stay_as_they_are():
    arrays = people()
    for theirs, ours in zip(arrays, from_annotated(COCO_17, *arrays)):
        assert ours is theirs
    assert to_annotated(COCO_17, arrays[0], arrays[1])[0] is arrays[0]


def test_other_skeletons_with_a_neck():
    """Any subset in any order, as long as the shoulders are annotated."""
    bust = Skeleton("bust_3", ("neck", "right_shoulder", "left_ear"), mirror_pairs=(), annotated_as=COCO_17)
    joints, labelled, visible = people()
    ours = from_annotated(bust, joints, labelled, visible)[0]
    np.testing.assert_array_equal(ours, np.stack([joints[:, 5:7].mean(axis=1), joints[:, 6], joints[:, 3]], axis=1))
