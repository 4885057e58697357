import copy

import numpy as np
import paddle
import pytest
from paddle import nn

from paddle_pose.errors import ConfigError
from paddle_pose.networks import blocks


def loss_and_gradients(layer, x):
    x = paddle.to_tensor(x, stop_gradient=False)
    y = layer(x)
    (y * y).sum().backward()
    return [y.numpy(), x.grad.numpy()] + [p.grad.numpy() for p in layer.parameters() if not p.stop_gradient]


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 1},
        {"kernel_size": 3, "padding": 1, "stride": 2},
        {"kernel_size": 3, "groups": 3, "dilation": 2},
        {"kernel_size": 3, "padding": [1, 2], "bias_attr": False},
    ],
)
def test_conv2d_is_paddles(options):
    plain, ours = nn.Conv2D(6, 9, **options), blocks.Conv2D(6, 9, **options)
    ours.set_state_dict(plain.state_dict())
    if plain.bias is not None:
        for layer in (plain, ours):
            layer.bias.set_value(np.linspace(-1, 1, 9).astype("float32"))
    x = np.random.RandomState(0).standard_normal((2, 6, 11, 8)).astype("float32")
    for got, wanted in zip(loss_and_gradients(ours, x), loss_and_gradients(plain, x)):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_upsampling_repeats_every_cell(dtype):
    x = np.random.RandomState(0).standard_normal((2, 3, 4, 5)).astype(dtype)
    repeated = x.repeat(2, axis=2).repeat(2, axis=3)
    tensor = paddle.to_tensor(x, stop_gradient=False)
    y = blocks.upsample_nearest_2x(tensor)
    np.testing.assert_array_equal(y.numpy(), repeated)
    weight = np.arange(repeated.size, dtype=dtype).reshape(repeated.shape) % 7
    (y * paddle.to_tensor(weight)).sum().backward()
    block_sums = weight.reshape(2, 3, 4, 2, 5, 2).sum(axis=(3, 5))
    np.testing.assert_allclose(tensor.grad.numpy(), block_sums, rtol=1e-6)


class Block(nn.Layer):
    """Upsampling and a biased convolution, to be traced."""

    def __init__(self):
        super().__init__()
        self.conv = blocks.Conv2D(3, 4, 3, padding=1)

    def forward(self, x):
        return self.conv(blocks.upsample_nearest_2x(x))


def test_traced_equals_eager_for_any_size(tmp_path):
    layer = Block()
    layer.eval()
    layer(paddle.zeros([1, 3, 2, 2]))  # fills the cache first: no cached tensor may enter the program
    layer = copy.deepcopy(layer)
    spec = [paddle.static.InputSpec([None, 3, None, None], "float32")]
    paddle.jit.save(layer, str(tmp_path / "block"), input_spec=spec)
    traced = paddle.jit.load(str(tmp_path / "block"))
    for h, w in ((2, 2), (3, 5)):
        x = paddle.to_tensor(np.random.RandomState(h).standard_normal((2, 3, h, w)).astype("float32"))
        np.testing.assert_allclose(traced(x).numpy(), layer(x).numpy(), atol=1e-6)


def test_pre_activated_bottleneck_by_hand():
    """All weights 0 leaves the biases: 0.25 everywhere, plus the input."""
    block = blocks.PreActBottleneck(4, 4)
    for conv in (block.conv1, block.conv2, block.conv3):
        conv.weight.set_value(paddle.zeros_like(conv.weight))
    block.conv3.bias.set_value(np.full(4, 0.25, "float32"))
    x = paddle.to_tensor(np.random.RandomState(0).standard_normal((1, 4, 3, 3)).astype("float32"))
    np.testing.assert_allclose(block(x).numpy(), x.numpy() + 0.25, rtol=1e-6)
    assert block.shortcut is None
    assert blocks.PreActBottleneck(4, 8).shortcut is not None


def test_basic_block_is_rectified_after_the_sum():
    block = blocks.BasicBlock(4, 4)
    block.eval()
    for conv in (block.conv1, block.conv2):
        conv.weight.set_value(paddle.zeros_like(conv.weight))
    x = np.random.RandomState(0).standard_normal((1, 4, 3, 3)).astype("float32")
    np.testing.assert_allclose(block(paddle.to_tensor(x)).numpy(), np.maximum(x, 0), atol=1e-6)
    assert blocks.BasicBlock(4, 4, stride=2)(paddle.to_tensor(x)).shape == [1, 4, 2, 2]


def test_bottleneck_strides_in_the_3x3_and_is_rectified_after_the_sum():
    block = blocks.Bottleneck(8, 2, 8)
    block.eval()
    block.conv3.weight.set_value(paddle.zeros_like(block.conv3.weight))
    x = np.random.RandomState(0).standard_normal((1, 8, 4, 6)).astype("float32")
    np.testing.assert_allclose(block(paddle.to_tensor(x)).numpy(), np.maximum(x, 0), atol=1e-6)
    strided = blocks.Bottleneck(8, 2, 8, stride=2)
    assert strided(paddle.to_tensor(x)).shape == [1, 8, 2, 3]
    assert strided.conv1(paddle.to_tensor(x)).shape == [1, 2, 4, 6]
    assert strided.shortcut is not None


def test_running_variance_is_the_biased_one():
    """PyTorch divides by n - 1 here, Paddle by n; docs/methods/hourglass.md says where that matters."""
    layer = nn.BatchNorm2D(1, momentum=0.0)
    values = np.arange(12, dtype="float32")  # n = B*h*w = 12, variance 143/12 biased, 13 unbiased
    layer(paddle.to_tensor(values.reshape(3, 1, 2, 2)))
    np.testing.assert_allclose(layer._variance.numpy(), [143 / 12], rtol=1e-5)


def test_running_statistics_move_by_a_tenth():
    layer = blocks.ConvBN(1, 1, 1).bn
    layer(paddle.to_tensor(np.full((2, 1, 2, 2), 5.0, "float32")))
    np.testing.assert_allclose(layer._mean.numpy(), [0.5], rtol=1e-6)
    np.testing.assert_allclose(layer._variance.numpy(), [0.9], rtol=1e-6)


def test_size_that_cannot_be_halved_is_the_users_error():
    with pytest.raises(ConfigError, match="250x256.*multiples of 64"):
        blocks.check_multiple(paddle.zeros([1, 3, 256, 250]), 64)
