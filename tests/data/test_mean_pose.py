"""The mean pose, by hand and on the datasets' own files."""

import os

import numpy as np
import pytest

from paddle_pose.data.lsp import LSPET
from paddle_pose.data.mean_pose import mean_pose, place, regions
from paddle_pose.data.mpii import MPII
from paddle_pose.metrics.spread import spread
from paddle_pose.samples import Sample, Truth
from paddle_pose.skeletons import Skeleton


class People:
    """Two people: one region of 100 x 50 around (200, 100), one of 10 x 40 around (0, 20)."""

    skeleton = Skeleton("three", ("a", "b", "c"), mirror_pairs=())

    def __len__(self):
        return 2

    def sample(self, index):
        joints = [[[210.0, 95], [250, 125], [np.nan, -999]], [[3, 28], [-77, 5], [-1e9, 7]]][index]
        labelled = np.array([[True, True, False], [True, False, False]][index])
        center, size = [([200, 100], [100, 50]), ([0, 20], [10, 40])][index]
        return Sample(index, "", np.array(joints), labelled, labelled, np.array(center), np.array(size))


def test_regions():
    center, size = regions(People())
    assert center.tolist() == [[200, 100], [0, 20]]
    assert size.tolist() == [[100, 50], [10, 40]]


def test_each_joint_is_the_mean_of_those_who_have_it():
    # a: (0.1, -0.1) and (0.3, 0.2); b: the first's only; c: nobody's, in the middle
    np.testing.assert_allclose(mean_pose(People()), [[0.2, 0.05], [0.5, 0.5], [0, 0]])


def test_it_is_put_into_each_region():
    placed = place(np.array([[0.2, 0.05], [0.5, 0.5], [0, 0]]), People())
    expected = [[[220, 102.5], [250, 125], [200, 100]], [[2, 22], [5, 40], [0, 20]]]
    np.testing.assert_allclose(placed.joints_image, expected)
    assert placed.scores.dtype == np.float32
    assert (placed.scores == 1).all()


def test_the_mean_has_no_spread_and_the_smallest_squared_error(synthetic_mpii):
    train = MPII(str(synthetic_mpii), "train")
    pose, truth = mean_pose(train), train.truth()

    def squared_error(moved):
        relative = (place(moved, train).joints_image - truth.joints_image) / regions(train)[1][:, None]
        return (relative[truth.labelled] ** 2).sum()

    for step in np.random.default_rng(0).normal(0, 0.01, (5, *pose.shape)):
        assert squared_error(pose) < squared_error(pose + step)
    assert spread(place(pose, train).joints_image, truth, *regions(train)) == pytest.approx(0, abs=1e-12)
    assert spread(truth.joints_image, Truth(truth.joints_image, truth.labelled), *regions(train)) == pytest.approx(1)


def test_lspet_as_it_is_split_in_the_configurations():
    """Upright on average, and mirrored: left joints on the right of the photo, heads above hips above ankles."""
    if "PADDLE_POSE_DATA" not in os.environ:
        pytest.skip("set PADDLE_POSE_DATA to the folder of mpii/annot, lsp, lspet and flic")
    pose = mean_pose(LSPET(f"{os.environ['PADDLE_POSE_DATA']}/lspet", "train", (0, 7000), (7000, 8000)))
    x, y = (dict(zip(LSPET.skeleton.joints, axis)) for axis in pose.T)
    assert y["head_top"] < y["neck"] < y["left_hip"] < y["left_ankle"]
    assert x["left_shoulder"] > x["right_shoulder"]
    assert np.abs(pose).max() < 0.5  # within the regions
