"""Every metric says its values before it scores, and what it needs."""

import numpy as np
import pytest

from paddle_pose.errors import DataError
from paddle_pose.metrics.pck_metrics import PCK, PCKh
from paddle_pose.metrics.pcp import PCP
from paddle_pose.samples import Predictions, Truth
from paddle_pose.skeletons import LSP_14, MPII_16

CASES = [(PCKh(MPII_16), 16), (PCK(LSP_14), 14), (PCP(LSP_14), 14)]


@pytest.mark.parametrize(("metric", "joints"), CASES, ids=["PCKh", "PCK", "PCP"])
def test_the_names_are_those_of_the_report(metric, joints):
    positions = np.random.default_rng(0).uniform(0, 100, (4, joints, 2))
    truth = Truth(positions, np.ones((4, joints), bool), np.full(4, 10.0))
    metric.check(truth)
    report = metric(Predictions(positions, np.ones((4, joints), np.float32)), truth)
    assert set(metric.value_names()) == set(report.values)


@pytest.mark.parametrize(("metric", "joints"), CASES[1:], ids=["PCK", "PCP"])
def test_boxes_of_a_detector_have_no_joints_to_score(metric, joints):
    truth = Truth(np.zeros((4, joints, 2)), np.zeros((4, joints), bool))
    with pytest.raises(DataError, match="no joint of the ground truth is labelled"):
        metric.check(truth)


def test_pckh_needs_head_sizes():
    with pytest.raises(DataError, match="needs head sizes"):
        PCKh(MPII_16).check(Truth(np.zeros((4, 16, 2)), np.ones((4, 16), bool)))
