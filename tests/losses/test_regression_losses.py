"""Losses on coordinates: values worked out by hand, denominators, masking."""

import numpy as np
import paddle
import pytest

from paddle_pose.errors import ConfigError
from paddle_pose.losses.regression import MSEJoints, SmoothL1Joints
from paddle_pose.registry import LOSSES

TARGET = np.array([[[0.0, 0.0], [1.0, -1.0]], [[0.5, 0.5], [0.0, 0.0]]], np.float32)
ERROR = np.array([[[0.5, -2.0], [0.1, 0.0]], [[0.0, 3.0], [7.0, 7.0]]], np.float32)  # the last joint has no label
WEIGHT = np.array([[1, 1], [1, 0]])


def value(loss, error=ERROR, weight=WEIGHT, stages=1):
    output = paddle.to_tensor(TARGET + error)
    return float(loss([output] * stages, paddle.to_tensor(TARGET), paddle.to_tensor(weight)))


def test_smooth_l1_by_hand():
    """0.5^2 / 2, 2 - 1/2, 0.1^2 / 2, 3 - 1/2 over all 8 numbers, the unlabelled joint's two included."""
    assert value(SmoothL1Joints()) == pytest.approx((0.125 + 1.5 + 0.005 + 2.5) / 8, rel=1e-6)


def test_smooth_l1_with_an_early_end_of_the_parabola():
    """0.5 - 0.1, 2 - 0.1, 0.1^2 / 0.4, 3 - 0.1."""
    assert value(SmoothL1Joints(beta=0.2)) == pytest.approx((0.4 + 1.9 + 0.025 + 2.9) / 8, rel=1e-6)


def test_mse_by_hand():
    assert value(MSEJoints()) == pytest.approx((0.25 + 4 + 0.01 + 9) / 8, rel=1e-6)


def test_mse_is_plain_where_all_joints_are_labelled():
    assert value(MSEJoints(), weight=np.ones((2, 2))) == pytest.approx(float((ERROR**2).mean()), rel=1e-6)


@pytest.mark.parametrize(("loss", "share"), [(SmoothL1Joints(), 0.5**2), (MSEJoints(), 0.5)])
def test_smooth_l1_has_the_weight_inside(loss, share):
    """As mmpose: with d inside the parabola half a weight counts a quarter; the squared error counts half."""
    error = np.full_like(ERROR, 0.3)
    half, whole = (value(loss, error, np.full((2, 2), weight)) for weight in (0.5, 1.0))
    assert half == pytest.approx(share * whole, rel=1e-5)


@pytest.mark.parametrize("loss", [SmoothL1Joints(), SmoothL1Joints(0.1), MSEJoints()])
def test_stages_are_summed_and_unlabelled_joints_have_no_gradient(loss):
    assert value(loss, stages=3) == pytest.approx(3 * value(loss), rel=1e-6)
    output = paddle.to_tensor((TARGET + ERROR).astype(np.float16), stop_gradient=False)
    total = loss([output], paddle.to_tensor(TARGET), paddle.to_tensor(WEIGHT.astype(bool)))
    assert total.dtype == paddle.float32
    total.backward()
    gradient = output.grad.numpy()
    assert not gradient[1, 1].any()
    assert gradient[0, 0].all()


def test_what_is_refused():
    with pytest.raises(ConfigError, match="beta must be positive"):
        SmoothL1Joints(beta=0)
    for shape in ([2, 2, 4], [1, 2, 2]):
        with pytest.raises(ConfigError, match="use loss RLE for a network with sigma"):
            MSEJoints()([paddle.zeros(shape)], paddle.to_tensor(TARGET), paddle.to_tensor(WEIGHT))
    assert LOSSES["SmoothL1Joints"] is SmoothL1Joints
    assert LOSSES["MSEJoints"] is MSEJoints
