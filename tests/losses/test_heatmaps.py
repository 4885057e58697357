import paddle
import pytest

from paddle_pose.errors import ConfigError
from paddle_pose.losses.heatmaps import JointsMSE


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
