"""OKS with missing joints, and overlaps of boxes."""

import numpy as np
import pytest

from paddle_pose.metrics.oks import similarity
from paddle_pose.skeletons import COCO_17, MPII_16
from paddle_pose.tracking.similarity import (
    UNIFORM_SIGMA,
    area_of,
    joint_box,
    oks,
    overlaps,
    shares_in_common,
    sigmas_of,
)

SIGMAS = sigmas_of(COCO_17)


@pytest.fixture
def poses():
    return np.random.default_rng(0).uniform(0, 100, (4, 17, 2))


def test_of_whole_poses_it_is_the_metrics(poses):
    areas = np.array([3000.0, 4000, 5000, 6000])
    ours = oks(poses[:2], poses[1:], areas[:2], areas[1:], SIGMAS)
    for row in range(2):
        expected = similarity(poses[row], poses[1:], areas[row], areas[1:], SIGMAS)
        np.testing.assert_allclose(ours[row], expected, rtol=1e-12)
    assert ours[1, 0] == 1


def test_only_joints_that_both_show_count(poses):
    areas, other = np.full(1, 5000.0), poses[:1] + 3
    holes, other_holes = poses[:1].copy(), other.copy()
    holes[0, :5], other_holes[0, 12:] = np.nan, np.nan
    shared = slice(5, 12)
    expected = oks(poses[:1, shared], other[:, shared], areas, areas, SIGMAS[shared])
    np.testing.assert_allclose(oks(holes, other_holes, areas, areas, SIGMAS), expected)


def test_too_few_shared_joints_say_nothing(poses):
    few = np.full((1, 17, 2), np.nan)
    few[0, :2] = 5
    assert np.isnan(oks(few, poses, np.ones(1), np.ones(4), SIGMAS)).all()
    assert oks(few[:, :2], few[:, :2], np.ones(1), np.ones(1), SIGMAS[:2]) == 1  # a skeleton of two joints


def test_nobody_gives_empty_tables(poses):
    assert oks(poses[:0], poses, np.ones(0), np.ones(4), SIGMAS).shape == (0, 4)
    assert oks(poses, poses[:0], np.ones(4), np.ones(0), SIGMAS).shape == (4, 0)


def test_sigmas_are_the_skeletons_or_uniform():
    np.testing.assert_array_equal(SIGMAS, COCO_17.oks_sigmas)
    np.testing.assert_array_equal(sigmas_of(MPII_16), [UNIFORM_SIGMA] * 16)


def test_boxes_and_areas():
    joints = np.array([[10.0, 20], [np.nan, 5], [30, 80]])
    np.testing.assert_array_equal(joint_box(joints), [10, 20, 20, 60])
    assert area_of(joint_box(joints)) == 60 * 20
    assert area_of(np.array([0.0, 0, 3, 60])) == 60 * 20  # hanging arms
    assert np.isnan(joint_box(np.full((3, 2), np.nan))).all()
    assert area_of(np.full(4, np.nan)) == 0


def test_overlaps_by_hand():
    boxes = np.array([[0.0, 0, 10, 10], [np.nan] * 4, [0, 0, 0, 0]])
    others = np.array([[0.0, 0, 10, 10], [5, 5, 10, 10], [20, 0, 5, 5]])
    expected = [[1, 25 / 175, 0], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(overlaps(boxes, others), expected)


def test_joints_in_common_are_a_share_of_the_fuller_pose(poses):
    whole, legs, head = poses[0].copy(), poses[0].copy(), poses[0].copy()
    legs[:11], head[5:] = np.nan, np.nan
    shares = shares_in_common(np.stack([whole, legs]), np.stack([whole, legs, head, np.full((17, 2), np.nan)]))
    np.testing.assert_allclose(shares, [[1, 6 / 17, 5 / 17, 0], [6 / 17, 1, 0, 0]])
