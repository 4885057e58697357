import numpy as np
import paddle
import pytest

from paddle_pose.errors import ConfigError
from paddle_pose.losses.heatmaps import JointsMSE, JointsOHKMMSE
from paddle_pose.skeletons import COCO_17, MPII_16, Skeleton


def full(values):
    """(1, 2, 1, 2) maps: two joints of two cells."""
    return paddle.to_tensor(values, dtype="float32").reshape([1, 2, 1, 2])


# Errors 1, 2 of joint 0 and 3, 1 of joint 1: squares 1 + 4 and 9 + 1, mean over the four cells.
PREDICTION, TARGET = full([1, 2, 3, 4]), full([0, 0, 0, 3])


@pytest.mark.parametrize(
    ("weighting", "factor", "weight", "expected"),
    [
        ("once", 1.0, [1, 1], (5 + 10) / 4),
        ("squared", 1.0, [1, 1], (5 + 10) / 4),
        ("squared", 0.5, [1, 1], 0.5 * (5 + 10) / 4),
        ("once", 1.0, [1, 0], 5 / 4),
        ("squared", 1.0, [1, 0], 5 / 4),
        ("once", 1.0, [1, 1.5], (5 + 1.5 * 10) / 4),
        ("squared", 1.0, [1, 1.5], (5 + 2.25 * 10) / 4),
    ],
)
def test_by_hand(weighting, factor, weight, expected):
    loss = JointsMSE(weighting, factor)([PREDICTION], TARGET, paddle.to_tensor([weight]))
    assert loss.shape == []
    assert float(loss) == pytest.approx(expected)


def test_stages_are_summed():
    loss = JointsMSE()([PREDICTION, TARGET, PREDICTION], TARGET, paddle.ones([1, 2]))
    assert float(loss) == pytest.approx(2 * 15 / 4)


def test_gradient_by_hand_and_none_for_a_joint_of_weight_0():
    """d/dp of w (p - t)^2 / 4 is w (p - t) / 2."""
    prediction = PREDICTION.clone().detach()
    prediction.stop_gradient = False
    JointsMSE()([prediction], TARGET, paddle.to_tensor([[1.0, 0.0]])).backward()
    assert prediction.grad.flatten().tolist() == [0.5, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("weighting", ["once", "squared"])
def test_equals_the_formula_on_random_maps(weighting):
    """The docstring's formula written out over full maps, in float64."""
    paddle.seed(0)
    prediction, target = paddle.rand([3, 5, 8, 6]), paddle.rand([3, 5, 8, 6])
    weight = 2 * paddle.rand([3, 5])
    p, t, w = prediction.numpy().astype("f8"), target.numpy(), weight.numpy()[..., None, None]
    expected = (w * (p - t) ** 2).mean() if weighting == "once" else ((w * p - w * t) ** 2).mean()
    assert float(JointsMSE(weighting)([prediction], target, weight)) == pytest.approx(expected, rel=1e-5)


def test_half_precision_predictions_are_squared_in_float32():
    """300^2 = 90000 exceeds float16's 65504."""
    prediction = paddle.full([1, 1, 2, 2], 300.0).astype("float16")
    loss = JointsMSE()([prediction], paddle.zeros([1, 1, 2, 2]), paddle.ones([1, 1]))
    assert loss.dtype == paddle.float32
    assert float(loss) == pytest.approx(90000.0)


def test_unknown_weighting_is_refused():
    with pytest.raises(ConfigError, match="twice"):
        JointsMSE("twice")


HAND = Skeleton("hand", ("tip", "left_side", "right_side"), (), {})
BLOG = {"elbow": 1.2, "knee": 1.2, "wrist": 1.5, "ankle": 1.5}


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (BLOG, [1, 1, 1, 1, 1, 1, 1, 1.2, 1.2, 1.5, 1.5, 1, 1, 1.2, 1.2, 1.5, 1.5]),
        ({"left_elbow": 3}, [1] * 7 + [3] + [1] * 9),
        ({"elbow": 2, "left_elbow": 3}, [1] * 7 + [3, 2] + [1] * 8),
        ({"nose": 0}, [0] + [1] * 16),
    ],
)
def test_joint_weights_by_name_in_the_datasets_order(weights, expected):
    """The first row is what WZMIAOMIAO's HRNet writes out for COCO's 17 joints."""
    assert JointsMSE(joint_weights=weights, skeleton=COCO_17).joint_weights == pytest.approx(expected)


def test_joint_weights_of_mpii_are_hrnets():
    """HRNet lib/dataset/mpii.py, joints_weight."""
    expected = [1.5, 1.2, 1, 1, 1.2, 1.5, 1, 1, 1, 1, 1.5, 1.2, 1, 1, 1.2, 1.5]
    assert JointsMSE(joint_weights=BLOG, skeleton=MPII_16).joint_weights == pytest.approx(expected)


@pytest.mark.parametrize(("weighting", "factor"), [("once", 1.5), ("squared", 2.25)])
def test_a_joints_own_weight_stands_where_the_labels_weight_does(weighting, factor):
    maps = paddle.ones([1, 3, 2, 2])
    loss = JointsMSE(weighting, joint_weights={"side": 1.5}, skeleton=HAND)
    weight = paddle.to_tensor([[1.0, 1.0, 0.0]])
    assert float(loss([maps], paddle.zeros_like(maps), weight)) == pytest.approx((1 + factor) / 3)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"elbows": 1.2}, "no joint 'elbows' in mpii_16; known: right_ankle,.* elbow,"),
        ({"elbow": -1.0}, "elbow=-1.0: must not be negative"),
    ],
)
def test_wrong_joint_weights_are_refused(weights, message):
    with pytest.raises(ConfigError, match=message):
        JointsMSE(joint_weights=weights, skeleton=MPII_16)
    with pytest.raises(ConfigError, match=message):
        JointsOHKMMSE(joint_weights=weights, skeleton=MPII_16)


def test_joint_weights_need_a_skeleton():
    with pytest.raises(ConfigError, match="skeleton"):
        JointsMSE(joint_weights=BLOG)


# Of HRNet's lib/core/loss.py (6f69e46) in PyTorch, float32: loss and norm of its gradient for the maps below.
HRNETS = [
    (lambda: JointsMSE("squared", 0.5), 0.08407305181026459, 0.018711423501372337),
    (lambda: JointsOHKMMSE(topk=2), 0.14740635454654694, 0.04186033084988594),
    (lambda: JointsOHKMMSE(topk=3), 0.11590319871902466, 0.029333006590604782),
]


@pytest.mark.parametrize(("build", "loss", "norm"), HRNETS)
def test_equals_hrnets_code(build, loss, norm):
    """Unlabelled joints, and one person with fewer labelled joints than `topk`."""
    rng = np.random.RandomState(0)
    prediction, target = (paddle.to_tensor(rng.uniform(size=(3, 5, 8, 6)).astype("f4")) for _ in range(2))
    weight = paddle.to_tensor([[1, 1, 1, 1, 1], [1, 0, 1.5, 0, 0], [1.2, 1.5, 0, 1, 1]])
    prediction.stop_gradient = False
    value = build()([prediction], target, weight)
    value.backward()
    assert float(value) == pytest.approx(loss, rel=1e-6)
    assert float(prediction.grad.norm()) == pytest.approx(norm, rel=1e-6)


def test_hard_joints_by_hand():
    """Mean squares 5 / 2 and 10 / 2 per joint; the worst one of each stage counts."""
    ones = paddle.ones([1, 2])
    assert float(JointsOHKMMSE(topk=1)([PREDICTION], TARGET, ones)) == pytest.approx(0.5 * 10 / 2)
    assert float(JointsOHKMMSE(topk=1)([PREDICTION, PREDICTION], TARGET, ones)) == pytest.approx(10 / 2)
    assert float(JointsOHKMMSE(topk=2)([PREDICTION], TARGET, ones)) == pytest.approx(0.5 * 15 / 4)


@pytest.mark.parametrize("topk", [0, 17])
def test_more_hard_joints_than_joints_are_refused(topk):
    with pytest.raises(ConfigError, match=f"topk={topk}.*16"):
        JointsOHKMMSE(topk=topk, skeleton=MPII_16)
