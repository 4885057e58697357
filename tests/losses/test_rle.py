"""Residual log-likelihood: mmpose's own loss and gradients in float64, masking, and where the flow lives."""

import json
import pathlib

import numpy as np
import paddle
import pytest
from networks import golden
from paddle import nn

from paddle_pose.errors import ConfigError
from paddle_pose.losses.rle import RLE
from paddle_pose.networks.realnvp import RealNVP
from paddle_pose.networks.resnet_regression import ResNetRegression
from paddle_pose.registry import LOSSES

DOUBLE = 1e-7  # Paddle 2.6 keeps scalars in float32


@pytest.fixture(scope="module")
def stored():
    return golden.read("mmpose_rle")


@pytest.fixture(scope="module")
def network(stored):
    """A network of nothing but the reference's flow, in float64."""
    network = nn.Layer()
    network.flow = RealNVP()
    weights = golden.weights(json.loads(str(stored["shapes"])), seed=0)
    state = {our_name(key): v.T for key, v in weights.items()}
    assert network.flow.set_state_dict(state) == ([], [])
    network.to(dtype="float64")
    return network


def our_name(key):
    return RealNVP.reference_name(key.split(".", 1)[1])


def outputs(stored):
    raw = paddle.to_tensor(stored["output"], stop_gradient=False)
    return raw, paddle.concat([raw[..., :2], nn.functional.sigmoid(raw[..., 2:])], axis=-1)


def test_flow_gives_the_references_density(stored, network):
    got = network.flow(paddle.to_tensor(stored["points"])).numpy()
    np.testing.assert_allclose(got, stored["log_prob"], rtol=DOUBLE)


def test_loss_and_gradients_are_the_references(stored, network):
    raw, output = outputs(stored)
    loss = RLE(network)([output], paddle.to_tensor(stored["target"]), paddle.to_tensor(stored["weight"]))
    np.testing.assert_allclose(float(loss), stored["loss"], rtol=DOUBLE)
    loss.backward()
    np.testing.assert_allclose(raw.grad.numpy(), stored["output_grad"], rtol=1e-7, atol=1e-10)
    ours = {name: p.grad for name, p in network.flow.named_parameters()}
    assert sorted(our_name(key) for key in stored["flow_names"].tolist()) == sorted(ours)
    for key, norm in zip(stored["flow_names"].tolist(), stored["flow_grad_norms"]):
        got = np.linalg.norm(ours[our_name(key)].numpy())
        np.testing.assert_allclose(got, norm, rtol=1e-7, atol=1e-12, err_msg=key)
    network.clear_gradients()


def test_stages_are_summed_and_joints_without_weight_do_not_matter(stored, network):
    _, output = outputs(stored)
    target, weight = paddle.to_tensor(stored["target"]), paddle.to_tensor(stored["weight"])
    loss = RLE(network)
    once = float(loss([output], target, weight))
    np.testing.assert_allclose(float(loss([output, output], target, weight)), 2 * once, rtol=DOUBLE)
    moved = target + (1 - weight.unsqueeze(-1)) * 5
    assert float(loss([output], moved, weight)) == pytest.approx(once, rel=DOUBLE)
    assert float(loss([output], moved, paddle.ones_like(weight))) != pytest.approx(once, rel=0.1)


def test_half_precision_outputs_are_taken_in_float32():
    network = nn.Layer()
    network.flow = RealNVP()
    output = paddle.to_tensor(np.full((2, 3, 4), 0.25, np.float16))
    loss = RLE(network)([output], paddle.zeros([2, 3, 2]), paddle.ones([2, 3], dtype="int64"))
    assert loss.dtype == paddle.float32
    assert np.isfinite(float(loss))


def test_a_network_without_sigma_is_refused_in_one_line():
    with pytest.raises(ConfigError, match="ResNetRegression predicts no sigma; set network.sigma to true"):
        RLE(ResNetRegression(3))
    assert LOSSES["RLE"] is RLE


def test_the_flow_is_a_part_of_the_network():
    network = ResNetRegression(3, sigma=True)
    assert sum(name.startswith("flow.") for name, _ in network.named_parameters()) == 6 * 2 * 6
    assert pathlib.Path(golden.FOLDER / "mmpose_rle.npz").stat().st_size < 10_000
