"""Spread of predictions: 0 for one pose everywhere, 1 for the truth, in between what a least-squares guess has."""

import numpy as np
import pytest

from paddle_pose.metrics.spread import COLLAPSED_BELOW, spread, spread_line
from paddle_pose.samples import Truth


def people(count=40, joints=3, seed=0):
    """Joints relative to the region, centres, sizes, and the truth in photo pixels; all joints labelled."""
    rng = np.random.default_rng(seed)
    relative = rng.normal(0, [0.1, 0.2], (count, joints, 2))
    center, size = rng.uniform(50, 400, (count, 2)), rng.uniform(20, 300, (count, 2))
    return relative, center, size, Truth(in_photo(relative, center, size), np.ones((count, joints), bool))


def in_photo(relative, center, size):
    return center[:, None] + relative * size[:, None]


def test_the_truth_is_as_varied_as_the_truth():
    _, center, size, truth = people()
    assert spread(truth.joints_image, truth, center, size) == pytest.approx(1)


def test_the_mean_pose_does_not_vary_however_regions_differ():
    relative, center, size, truth = people()
    mean = np.broadcast_to(relative.mean(axis=0), relative.shape)
    assert spread(in_photo(mean, center, size), truth, center, size) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("share", [0.3, 2.0])
def test_poses_drawn_towards_the_mean_vary_by_that_share(share):
    relative, center, size, truth = people()
    found = relative.mean(axis=0) + share * (relative - relative.mean(axis=0))
    assert spread(in_photo(found, center, size), truth, center, size) == pytest.approx(share)


def test_a_constant_error_is_no_spread():
    relative, center, size, truth = people()
    assert spread(in_photo(relative + 0.3, center, size), truth, center, size) == pytest.approx(1)


def test_one_joint_by_hand():
    """Two people, regions of 100 x 50 around (0, 0): true x at -10 and 30, found at 0 and 10."""
    center, size = np.zeros((2, 2)), np.tile([100.0, 50.0], (2, 1))
    truth = Truth(np.array([[[-10.0, 5]], [[30, 5]]]), np.ones((2, 1), bool))
    assert spread(np.array([[[0.0, 7]], [[10, 7]]]), truth, center, size) == pytest.approx(0.25)
    # y counts in heights: 10 pixels of 50 are 20 of 100
    assert spread(np.array([[[0.0, 0]], [[0, 20]]]), truth, center, size) == pytest.approx(1)


def test_only_labelled_joints_count_and_the_median_is_taken():
    relative, center, size, truth = people(joints=4)
    found = relative * np.array([0.1, 0.5, 0.6, 9.0])[:, None]
    labelled = truth.labelled.copy()
    labelled[5:, 1] = labelled[1:, 3] = False  # one person of the last joint: left out
    joints = in_photo(found, center, size)
    joints[~labelled] = np.nan
    truth = Truth(np.where(labelled[..., None], truth.joints_image, np.nan), labelled)
    assert spread(joints, truth, center, size) == pytest.approx(0.5)


def test_nothing_to_compare_with():
    _, center, size, truth = people(count=5)
    nobody = Truth(truth.joints_image, np.zeros((5, 3), bool))
    assert spread(truth.joints_image, nobody, center, size) is None
    alike = Truth(np.tile(truth.joints_image[:1], (5, 1, 1)), truth.labelled)
    assert spread(truth.joints_image, alike, np.zeros((5, 2)), np.ones((5, 2))) is None


def test_a_least_squares_guess_varies_as_the_root_of_what_it_explains():
    """What the limit of the warning rests on: pose = part that a photo shows + part that it does not."""
    rng = np.random.default_rng(1)
    shown, hidden = rng.normal(0, 0.2, (20000, 1, 2)), rng.normal(0, 0.98**0.5, (20000, 1, 2))
    center, size = np.zeros((20000, 2)), np.ones((20000, 2))
    truth = Truth(shown + hidden, np.ones((20000, 1), bool))
    assert spread(shown, truth, center, size) == pytest.approx((0.04 / 1.02) ** 0.5, rel=0.03)


def test_the_line():
    assert spread_line(0.934) == (
        "spread of predictions: 0.93 of the truth's (1 = as varied as real poses, near 0 = collapsed to the mean pose)"
    )
    assert "WARNING" not in spread_line(COLLAPSED_BELOW)
    assert spread_line(0.1).endswith("; WARNING: below 0.2 the network says nearly the same of everybody")
