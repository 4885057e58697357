"""Folding batch normalisation changes no result and leaves none that follows a convolution."""

import numpy as np
import paddle
import pytest
from paddle import nn

from paddle_pose.deployment.folding import fold_batch_norms
from paddle_pose.networks.hourglass import StackedHourglass
from paddle_pose.networks.hrnet import HRNet

NETWORKS = {
    "hrnet": lambda: HRNet(3, width=4, modules=(1, 1, 1), blocks=1, bottlenecks=1, bottleneck_width=4),
    "hourglass": lambda: StackedHourglass(3, stacks=1, width=8, depth=2),  # BN, ReLU, convolution
}


def lively(network):
    """Norms with statistics and gains of their own, as if trained."""
    rng = np.random.default_rng(0)
    for layer in network.sublayers():
        if isinstance(layer, nn.BatchNorm2D):
            for tensor, low, high in (
                (layer.weight, 0.5, 1.5),
                (layer.bias, -1, 1),
                (layer._mean, -0.2, 0.2),
                (layer._variance, 0.2, 2),
            ):
                tensor.set_value(rng.uniform(low, high, tensor.shape).astype(np.float32))
        elif isinstance(layer, nn.Conv2D):
            layer.weight.set_value(rng.normal(0, 0.2, layer.weight.shape).astype(np.float32))
    network.eval()
    return network


@pytest.mark.parametrize("name", list(NETWORKS))
def test_the_same_maps_of_another_picture_and_size(name):
    network = lively(NETWORKS[name]())
    before = {key: value.numpy().copy() for key, value in network.state_dict().items()}
    folded = fold_batch_norms(network, paddle.zeros([1, 3, 64, 64]))
    images = paddle.to_tensor(np.random.default_rng(1).normal(0, 1, (2, 3, 64, 96)).astype(np.float32))
    with paddle.no_grad():
        want, got = network(images)[-1].numpy(), folded(images)[-1].numpy()
    assert np.abs(want).max() > 0.1
    np.testing.assert_allclose(got, want, rtol=0, atol=2e-5 * np.abs(want).max())
    for key, value in network.state_dict().items():  # the network itself stays as it was
        np.testing.assert_array_equal(value.numpy(), before[key])


def test_what_is_folded_no_longer_runs():
    """Of `conv, norm` nothing is left of the norm; of `norm, relu, conv` it stays."""
    follows, leads = nn.BatchNorm2D(4), nn.BatchNorm2D(3)
    network = lively(nn.Sequential(leads, nn.ReLU(), nn.Conv2D(3, 4, 3), follows, nn.ReLU()))
    folded = fold_batch_norms(network, paddle.zeros([1, 3, 8, 8]))
    x = paddle.ones([1, 4, 2, 2])
    assert folded[3](x) is x
    assert float((folded[0](paddle.ones([1, 3, 2, 2])) - 1).abs().max()) > 0.01
    y = paddle.to_tensor(np.random.default_rng(2).normal(0, 1, (1, 3, 8, 8)).astype(np.float32))
    np.testing.assert_allclose(folded(y).numpy(), network(y).numpy(), rtol=0, atol=1e-5)


def test_a_pair_that_runs_twice_is_folded_once():
    class Twice(nn.Layer):
        def __init__(self):
            super().__init__()
            self.conv, self.bn = nn.Conv2D(3, 3, 1), nn.BatchNorm2D(3)

        def forward(self, x):
            return self.bn(self.conv(self.bn(self.conv(x))))

    network, x = lively(Twice()), paddle.ones([1, 3, 4, 4])
    want = network(x).numpy()
    np.testing.assert_allclose(fold_batch_norms(network, x)(x).numpy(), want, rtol=0, atol=1e-6)
