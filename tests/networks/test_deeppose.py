"""DeepPose: shapes and numbers of both published forms, Keras's padding, LRN, sizes that cannot be built."""

import numpy as np
import paddle
import pytest
from networks.ladder import count
from paddle import nn

from paddle_pose.errors import ConfigError
from paddle_pose.networks.deeppose import DeepPose
from paddle_pose.networks.deeppose_features import (
    LocalResponseNorm,
    PaperFeatures,
    StridedFeatures,
    TorchvisionFeatures,
)
from paddle_pose.registry import NETWORKS

PAPER_CONVOLUTIONS = 34_944 + 614_656 + 885_120 + 1_327_488 + 884_992


def shapes_inside(features, side):
    """Maps behind each convolution and pooling, channels first, for a square input."""
    seen = []
    for layer in features.sublayers():
        if isinstance(layer, (nn.Conv2D, nn.MaxPool2D)):
            layer.register_forward_post_hook(lambda layer, inputs, output: seen.append(tuple(output.shape[1:])))
    with paddle.no_grad():
        features(paddle.zeros([1, 3, side, side]))
    return seen


def test_maps_of_the_paper():
    """Fig. 2: 55x55x96, 27x27x256, 13x13x384, 13x13x384, 13x13x256."""
    features = PaperFeatures((220, 220), 1.0)
    maps = [(96, 55), (96, 27), (256, 27), (256, 13), (384, 13), (384, 13), (256, 13), (256, 6)]
    assert shapes_inside(features, 220) == [(c, side, side) for c, side in maps]
    assert features.output_shape == (256, 6, 6)


def test_maps_of_the_keras_model():
    features = StridedFeatures((220, 220), 1.0, normalised=2)
    maps = [(48, 55), (128, 28), (192, 14), (192, 14), (192, 14), (192, 7)]
    assert shapes_inside(features, 220) == [(c, side, side) for c, side in maps]
    assert features.output_shape == (192, 7, 7)


def test_maps_of_torchvision():
    features = TorchvisionFeatures((224, 224), 1.0)
    maps = [(64, 55), (64, 27), (192, 27), (192, 13), (384, 13), (256, 13), (256, 13), (256, 6)]
    assert shapes_inside(features, 224) == [(c, side, side) for c, side in maps]
    assert features.output_shape == (256, 6, 6)


def test_parameters():
    """Of 14 joints at 220x220; the Keras model's own summary counts 352 batch statistics more."""
    assert count(DeepPose(14, (220, 220), "strided")) == 56_492_156
    dense = (256 * 36 + 1) * 4096 + 4097 * 4096 + 4097 * 28
    torchvision = 61_100_840 - 4097 * 1000 + 4097 * 28  # torchvision documents 61,100,840 for 1000 classes
    assert count(DeepPose(14, (224, 224), "torchvision")) == torchvision
    assert count(DeepPose(14, (220, 220))) == PAPER_CONVOLUTIONS + dense == 58_396_060


def test_multiply_adds_of_the_keras_model():
    """0.402 G at 220x220."""
    cells = [55**2 * 48 * 3 * 121, 28**2 * 128 * 48 * 25, 14**2 * 192 * 128 * 9, 2 * 14**2 * 192 * 192 * 9]
    network = DeepPose(14, (220, 220), "strided", hidden=8)
    shapes = [tuple(conv.weight.shape) for conv in network.features.convs]
    assert shapes == [(48, 3, 11, 11), (128, 48, 5, 5), (192, 128, 3, 3), (192, 192, 3, 3), (192, 192, 3, 3)]
    assert sum(cells) + 192 * 49 * 4096 + 4096 * 4096 + 4096 * 28 == pytest.approx(0.402e9, rel=2e-3)


@pytest.mark.parametrize(
    ("side", "layer", "padding"), [(220, 0, [3, 4]), (55, 1, [2, 2]), (28, 2, [0, 1]), (14, 3, [1, 1])]
)
def test_padding_is_keras_same(side, layer, padding):
    """What is left over goes behind: Keras's rule, which Paddle calls SAME."""
    conv = StridedFeatures((220, 220), 0.1, normalised=2).convs[layer]
    assert list(conv._padding) == padding * 2
    x = paddle.to_tensor(np.random.RandomState(0).standard_normal((1, conv.weight.shape[1], side, side)), "float32")
    wanted = nn.functional.conv2d(x, conv.weight, conv.bias, conv._stride, "SAME")
    np.testing.assert_allclose(conv(x).numpy(), wanted.numpy(), atol=1e-4)


def test_local_response_normalisation():
    """Against Paddle's own layer, whose alpha is per channel, and for one cell by hand."""
    x = np.random.RandomState(0).standard_normal((2, 7, 3, 4)).astype("float32") * 50
    wanted = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)(paddle.to_tensor(x)).numpy()
    got = LocalResponseNorm(7)(paddle.to_tensor(x)).numpy()
    np.testing.assert_allclose(got, wanted, rtol=1e-5)
    by_hand = x[0, 1, 2, 3] / (2 + 1e-4 * (x[0, :4, 2, 3] ** 2).sum()) ** 0.75
    assert got[0, 1, 2, 3] == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("variant", ["paper", "strided", "torchvision", "normalised"])
def test_small_network_learns_everywhere_and_exports(variant, tmp_path):
    network = DeepPose(5, (96, 80), variant, width=0.1, hidden=16)
    x = paddle.to_tensor(np.random.RandomState(0).standard_normal((2, 3, 80, 96)).astype("float32"))
    (output,) = network(x)
    assert output.shape == [2, 5, 2]
    output.square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.stop_gradient or parameter.grad is not None, name

    network.eval()
    wanted = network(x)[0].numpy()
    paddle.jit.save(network, str(tmp_path / "net"), [paddle.static.InputSpec([None, 3, 80, 96], "float32")])
    traced = paddle.jit.load(str(tmp_path / "net"))
    traced.eval()
    got = traced(x)
    np.testing.assert_allclose((got[0] if isinstance(got, list) else got).numpy(), wanted, rtol=1e-4, atol=1e-5)


def test_layers_that_tell_the_variants_apart():
    def kinds(variant):
        return [type(layer).__name__ for layer in DeepPose(5, (96, 96), variant, width=0.1, hidden=8).sublayers()]

    assert kinds("paper").count("LocalResponseNorm") == 2
    assert kinds("paper").count("MaxPool2D") == 1  # used three times
    assert [kinds(variant).count("BatchNorm2D") for variant in ("paper", "strided", "normalised")] == [0, 2, 5]
    assert [kinds(variant).count("BatchNorm1D") for variant in ("paper", "strided", "normalised")] == [0, 0, 2]
    rates = [DeepPose(5, (96, 96), v, width=0.1, hidden=8).dropout.p for v in ("paper", "strided", "normalised")]
    assert rates == [0.6, 0.4, 0.0]


def test_initial_weights_are_glorots():
    network = DeepPose(5, (96, 96), "strided", width=0.5, hidden=64)
    for layer in (network.fc1, network.features.convs[1]):
        shape = layer.weight.shape
        fans = sum(shape) if len(shape) == 2 else (shape[0] + shape[1]) * shape[2] * shape[3]
        largest = np.abs(layer.weight.numpy()).max()
        assert 0.95 < largest / np.sqrt(6 / fans) <= 1 + 1e-6
        assert not layer.bias.numpy().any()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"variant": "deep"}, "unknown network variant 'deep'; known: paper, strided, torchvision, normalised"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"width": 0.001}, "no features are left"),
        ({"hidden": 0}, "no features are left"),
        ({"input_wh": (40, 200)}, "too small"),
    ],
)
def test_sizes_that_cannot_be_built(arguments, said):
    with pytest.raises(ConfigError, match=said):
        DeepPose(**{"num_joints": 5, "input_wh": (96, 96), **arguments})


def test_another_input_size_is_refused():
    network = DeepPose(5, (96, 80), "strided", width=0.1, hidden=8)
    with pytest.raises(ConfigError, match=r"input of 80x96: the network was built for 96x80"):
        network(paddle.zeros([1, 3, 96, 80]))
    assert NETWORKS["DeepPose"] is DeepPose
