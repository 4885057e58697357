"""OKS and its suppression against HRNet's own code (recorded), and by hand."""

from pathlib import Path

import numpy as np
import pytest

from paddle_pose.metrics import oks
from paddle_pose.skeletons import COCO_17

GOLDEN = Path(__file__).parents[1] / "data" / "golden_coco" / "oks_hrnet.npz"
SIGMAS = COCO_17.oks_sigmas


@pytest.fixture(scope="module")
def golden():
    """Twelve poses with areas and scores; what HRNet's lib/nms/nms.py makes of them."""
    return np.load(GOLDEN)


def test_similarity_equals_hrnets(golden):
    joints, areas = golden["keypoints"][..., :2], golden["area"]
    found = oks.similarity(joints[0], joints, areas[0], areas, SIGMAS)
    np.testing.assert_allclose(found, golden["oks_first_vs_all"], rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(("threshold", "name"), [(0.9, "keep_0_9"), (0.5, "keep_0_5")])
def test_suppression_keeps_what_hrnet_keeps_in_its_order(golden, threshold, name):
    joints = golden["keypoints"][..., :2]
    kept = oks.suppress(joints, golden["area"], golden["score"], SIGMAS, threshold)
    np.testing.assert_array_equal(kept[: len(golden[name])], golden[name][: len(kept)])
    assert len(kept) == len(golden[name])


def test_similarity_by_hand():
    """One joint of sigma 0.1 moved by 2 pixels, areas 100 and 300: exp(-4 / (2 x 0.04 x 200)) = exp(-0.25)."""
    found = oks.similarity(np.zeros((1, 2)), np.array([[[2.0, 0.0]]]), 100.0, np.array([300.0]), [0.1])
    assert found[0] == pytest.approx(np.exp(-0.25), rel=1e-12)


def test_every_joint_counts_whatever_its_score():
    """HRNet's evaluation never uses the score filter of its oks_iou; one joint of two that is far away halves OKS."""
    others = np.array([[[0.0, 0.0], [1e6, 0.0]]])
    assert oks.similarity(np.zeros((2, 2)), others, 1.0, np.ones(1), [0.1, 0.1])[0] == pytest.approx(0.5)


def poses_on_a_line(*distances):
    """(D, 1, 2) poses of one joint; OKS of two is exp(-distance^2) with sigma 0.5 and areas 1/2."""
    return np.array([[[distance, 0.0]] for distance in distances]), np.full(len(distances), 0.5), [0.5]


def test_at_the_threshold_both_stay():
    joints, areas, sigmas = poses_on_a_line(0.0, 1.0)
    overlap = oks.similarity(joints[0], joints[1:], areas[0], areas[1:], sigmas)[0]
    assert overlap == pytest.approx(np.exp(-1), abs=1e-12)
    scores = np.array([0.5, 0.9])
    assert oks.suppress(joints, areas, scores, sigmas, overlap).tolist() == [1, 0]
    assert oks.suppress(joints, areas, scores, sigmas, overlap * 0.999).tolist() == [1]


def test_what_is_suppressed_suppresses_nothing():
    joints, areas, sigmas = poses_on_a_line(0.0, 1.0, 2.0)
    assert oks.suppress(joints, areas, np.array([0.9, 0.8, 0.7]), sigmas, 0.3).tolist() == [0, 2]


def test_soft_suppression_reorders_and_keeps_twenty():
    """By hand: the double find at 0 sinks to 0.8 exp(-1 / 0.9) = 0.26 and comes after the lone pose of 0.5."""
    joints, areas, sigmas = poses_on_a_line(0.0, 0.0, 100.0)
    assert oks.suppress_softly(joints, areas, np.array([0.9, 0.8, 0.5]), sigmas, 0.9).tolist() == [0, 2, 1]
    assert oks.suppress_softly(joints, areas, np.array([0.9, 0.8, 0.2]), sigmas, 0.9).tolist() == [0, 1, 2]
    joints, areas, sigmas = poses_on_a_line(*(100.0 * i for i in range(25)))
    kept = oks.suppress_softly(joints, areas, np.arange(25.0), sigmas, 0.9)
    assert kept.tolist() == list(range(24, 4, -1))


def test_soft_suppression_leaves_the_scores_alone():
    scores = np.array([0.9, 0.8])
    joints, areas, sigmas = poses_on_a_line(0.0, 0.0)
    oks.suppress_softly(joints, areas, scores, sigmas, 0.9)
    assert scores.tolist() == [0.9, 0.8]


def test_rescoring_by_hand():
    """Joints at exactly 0.2 do not count; nobody above it: 0."""
    joints = np.array([[0.2, 0.4, 0.8], [0.1, 0.2, 0.0], [0.1, 0.1, 0.9]])
    found = oks.rescored(np.array([0.5, 1.0, 1.0]), joints, 0.2)
    np.testing.assert_allclose(found, [0.5 * 0.6, 0.0, 0.9], rtol=1e-15)
