"""Shares, quantiles, bins and what scores are worth, against numbers computed by hand."""

import numpy as np
import pytest
from report_cases import FOOT, HEAD, LEFT, TRUE, moved, pairs_of

from paddle_pose.metrics.pck_metrics import PCK, PCKh
from paddle_pose.reports import worst
from paddle_pose.reports.breakdown import by_joint, by_size, by_visibility, calibration, quantile_bins
from paddle_pose.reports.pairs import by_row, longer_side
from paddle_pose.samples import Predictions, Truth
from paddle_pose.skeletons import LSP_14, MPII_16


def test_errors_are_in_units_and_a_joint_on_the_threshold_is_correct():
    pairs = pairs_of(moved((HEAD, 3), (LEFT, 5), (FOOT, 5.001)))
    np.testing.assert_allclose(pairs.errors, [[0.3, 0.5, 0.0, 0.5001]])
    assert pairs.correct.tolist() == [[True, True, True, False]]


def test_by_joint_counts_what_is_labelled_and_what_is_not_found():
    found = np.concatenate([moved((HEAD, 2)), moved((HEAD, 8)), moved((HEAD, 4)), moved()])
    found[3, HEAD] = np.nan
    counted = np.ones((4, 4), bool)
    counted[0, FOOT] = False
    head, *_, foot = by_joint(pairs_of(found, counted))
    assert (head.name, head.joints, head.not_found, head.correct) == ("head", 4, 1, 50.0)
    assert head.median == pytest.approx(0.4)
    assert head.quantiles[1] == pytest.approx(0.3)  # half way from 0.2 to 0.4
    assert (foot.joints, foot.correct) == (3, 100.0)


def test_a_joint_that_nobody_has_is_nan():
    counted = np.ones((1, 4), bool)
    counted[0, FOOT] = False
    foot = by_joint(pairs_of(moved(), counted))[FOOT]
    assert foot.joints == 0
    assert np.isnan(foot.correct)
    assert np.isnan(foot.median)


def test_an_infinite_error_is_a_miss_and_no_nan():
    found = moved()
    found[0, HEAD] = 1e308
    with np.errstate(over="ignore"):
        head = by_joint(pairs_of(found))[HEAD]
    assert head.correct == 0
    assert np.isfinite(head.quantiles).all()


def test_bins_of_equal_number():
    number, edges = quantile_bins(np.array([5.0, 1, 2, 3, 4, np.nan]), 2)
    assert edges.tolist() == [1, 3, 5]
    assert number.tolist() == [1, 0, 0, 0, 1, -1]  # 3 lies on the edge: in the lower bin
    number, edges = quantile_bins(np.full(4, 7.0), 3)
    assert number.tolist() == [0] * 4
    number, edges = quantile_bins(np.full(2, np.nan), 3)
    assert number.tolist() == [-1, -1]
    assert len(edges) == 1


def test_by_size():
    found = np.concatenate([moved((HEAD, 9)), moved(), moved(), moved((HEAD, 9), (LEFT, 9))])
    small, large = by_size(pairs_of(found), bins=2)
    assert (small.people, small.joints, small.correct) == (2, 8, 87.5)
    assert (large.people, large.joints, large.correct) == (2, 8, 75.0)
    assert small.name == "1 to 2 px"


def test_people_without_a_counted_joint_are_in_no_bin():
    counted = np.ones((3, 4), bool)
    counted[2] = False
    bins = by_size(pairs_of(np.concatenate([moved()] * 3), counted), bins=2)
    assert sum(share.people for share in bins) == 2


def test_by_visibility():
    visible = np.array([[True, False, True, False]])
    found = by_visibility(pairs_of(moved((LEFT, 9)), visible=visible))
    assert {name: (shares[0].joints, shares[0].correct) for name, shares in found.items()} == {
        "visible": (2, 100.0),
        "hidden": (2, 50.0),
    }
    assert [share.name for share in found["hidden"]] == ["All", "head", "hand", "foot"]
    assert by_visibility(pairs_of(moved())) == {}


def test_calibration_in_order_and_out_of_order():
    found = np.concatenate([moved((HEAD, 9), (LEFT, 9)), moved()])
    rising = np.array([[0.1, 0.2, 0.8, 0.9], [0.5, 0.6, 0.7, 1.0]])
    right = calibration(pairs_of(found, scores=rising), bins=2)
    assert right.order == 100.0
    assert right.correct.tolist() == [50.0, 100.0]
    np.testing.assert_allclose(right.scores, [0.35, 0.85])
    assert right.joints.tolist() == [4, 4]
    assert calibration(pairs_of(found, scores=1 - rising), bins=2).order == 0.0
    assert calibration(pairs_of(found, scores=np.ones((2, 4)))).order == 50.0
    assert np.isnan(calibration(pairs_of(moved(), scores=np.ones((1, 4)))).order)
    assert calibration(pairs_of(moved())) is None


def test_order_is_the_share_of_pairs():
    rng = np.random.default_rng(0)
    found = np.concatenate([moved((HEAD, 9)), moved((LEFT, 9)), moved(), moved((FOOT, 9))])
    scores = rng.integers(0, 4, (4, 4)) / 4  # with ties
    pairs = pairs_of(found, scores=scores)
    right, wrong = scores[pairs.correct], scores[~pairs.correct]
    higher = (right[:, None] > wrong).sum() + 0.5 * (right[:, None] == wrong).sum()
    assert calibration(pairs).order == pytest.approx(100 * higher / (len(right) * len(wrong)))


def test_worst_first():
    found = np.concatenate([moved(), moved((HEAD, 40)), moved((HEAD, 6), (LEFT, 6)), moved((HEAD, 100))])
    found[3, HEAD] = np.nan
    pairs = pairs_of(found)
    np.testing.assert_allclose(worst.mean_errors(pairs), [0, 1, 0.3, 0])
    assert worst.missed_joints(pairs).tolist() == [0, 1, 2, 1]
    assert worst.worst_by_error(pairs, 2).tolist() == [1, 2]
    assert worst.worst_by_misses(pairs, 9, but=np.array([2])).tolist() == [1, 3]  # nobody without a miss
    assert worst.worst_by_misses(pairs, 9, but=np.array([], int)).tolist() == [2, 1, 3]


def test_those_without_any_found_joint_are_not_shown():
    pairs = pairs_of(np.concatenate([moved() * np.nan, moved((HEAD, 9))]))
    assert worst.worst_by_error(pairs, 5).tolist() == [1]
    assert worst.worst_by_misses(pairs, 5, but=np.array([], int)).tolist() == [1]


def test_longer_side():
    joints = np.array([TRUE, TRUE])
    labelled = np.array([[True, True, False, False], [False] * 4])
    sides = longer_side(joints, labelled)
    assert sides[0] == 40.0
    assert np.isnan(sides[1])


@pytest.mark.parametrize(("metric", "skeleton"), [(PCKh, MPII_16), (PCK, LSP_14)])
def test_pairs_and_curves_say_what_the_metric_says(metric, skeleton):
    rng = np.random.default_rng(3)
    true = rng.uniform(0, 100, (20, len(skeleton), 2))
    truth = Truth(true, rng.random((20, len(skeleton))) < 0.8, head_size_image=rng.uniform(10, 30, 20))
    predictions = Predictions(true + rng.normal(0, 12, true.shape), np.ones(true.shape[:2], np.float32))
    metric = metric(skeleton)
    report = metric(predictions, truth)
    pairs = by_row(predictions, truth, skeleton, metric.yardstick(truth))
    assert pairs.scores is None  # the same everywhere
    percent = round(pairs.threshold * 100)
    groups, means = metric.curves(predictions, truth, 50)
    assert {name: curve[percent] for name, curve in groups.items()} == {name: report.values[name] for name in groups}
    assert next(iter(means.values()))[percent] == report.values["Mean"]
    joints = {share.name: share.correct for share in by_joint(pairs)}
    for group, members in skeleton.groups.items():
        assert np.mean([joints[joint] for joint in members]) == pytest.approx(report.values[group])
