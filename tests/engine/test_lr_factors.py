"""Rates of single parameters: `optimizer.lr_factors`."""

import numpy as np
import paddle
import pytest
from engine_cases import optimizer_of
from paddle import nn

from paddle_pose.config_sections import Optimizer
from paddle_pose.errors import ConfigError


class Two(nn.Layer):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(1, 1), nn.Linear(1, 1)


def moved(**options):
    """How far a step with a gradient of 1 and no decay moves each parameter."""
    network = Two()
    optimizer = optimizer_of(network, lr=0.01, **options)
    before = {name: p.numpy().item() for name, p in network.named_parameters()}
    sum(p.sum() for p in network.parameters()).backward()
    optimizer.step()
    return {name: before[name] - p.numpy().item() for name, p in network.named_parameters()}


@pytest.mark.parametrize("kind", ["SGD", "Momentum", "Adam", "AdamW", "Adagrad", "RMSProp"])
def test_all_factors_that_fit_are_multiplied(kind):
    plain = moved(type=kind)
    got = moved(type=kind, lr_factors={"first.*": 5.0, "*.bias": 2.0})
    wanted = {"first.weight": 5, "first.bias": 10, "second.weight": 1, "second.bias": 2}
    np.testing.assert_allclose([got[name] / plain[name] for name in wanted], list(wanted.values()), rtol=1e-3)


def test_another_optimizer_of_the_same_network_starts_from_1():
    network = Two()
    optimizer_of(network, lr_factors={"first.*": 5.0})
    optimizer_of(network)
    assert {p.optimize_attr["learning_rate"] for p in network.parameters()} == {1.0}


def test_a_pattern_that_fits_nothing_is_refused():
    with pytest.raises(ConfigError, match="no parameter fits 'third.*'; the network has first, second"):
        optimizer_of(Two(), lr_factors={"third.*": 2.0})


def test_a_factor_must_be_positive():
    with pytest.raises(ValueError, match="greater than 0"):
        Optimizer(lr_factors={"first.*": 0})
    assert Optimizer().lr_factors == {}


def test_weight_decay_is_multiplied_with_the_rate():
    """As Caffe's lr_mult: the decay is a part of the gradient."""
    network = Two()
    network.first.weight.set_value(paddle.full([1, 1], 2.0))
    optimizer = optimizer_of(network, lr=0.1, weight_decay=0.5, lr_factors={"first.*": 3.0})
    (network.first.weight * 0.25).sum().backward()
    optimizer.step()
    assert network.first.weight.numpy().item() == pytest.approx(2 - 0.3 * (0.25 + 0.5 * 2))
