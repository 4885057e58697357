"""Convolutions of a training step: by oneDNN where it is there, with the numbers of Paddle's own."""

from contextlib import nullcontext

import numpy as np
import paddle
import pytest
from paddle import nn

from paddle_pose.networks import convolution
from paddle_pose.networks.convolution import Conv2D, has_onednn, training_by_onednn
from paddle_pose.networks.hourglass52 import Hourglass52
from paddle_pose.networks.hrnet import HRNet

needs_onednn = pytest.mark.skipif(not has_onednn(), reason="this Paddle runs no traced convolution by oneDNN")


@pytest.fixture
def programs(monkeypatch):
    """Counts the runs of traced convolutions."""
    runs, traced = [], convolution._program

    def counted(*key):
        runs.append(key)
        return traced(*key)

    monkeypatch.setattr(convolution, "_program", counted)
    return runs


@pytest.fixture
def of_any_size(monkeypatch):
    """Small ones too."""
    monkeypatch.setattr(convolution, "LEAST_CHANNELS", 1)
    monkeypatch.setattr(convolution, "LEAST_WORK", 1)


def numbers(layer, x, fixed=False):
    """Output and gradients of a sum of squares."""
    x = paddle.to_tensor(x, stop_gradient=fixed)
    y = layer(x)
    (y * y).sum().backward()
    found = [y.numpy()] + ([] if fixed else [x.grad.numpy()])
    found += [p.grad.numpy() for p in layer.parameters() if not p.stop_gradient]
    layer.clear_gradients()
    return found


@needs_onednn
@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3, "padding": 1},
        {"kernel_size": 3, "padding": 1, "stride": 2, "bias_attr": False},
        {"kernel_size": 7, "padding": 3, "stride": 2},
        {"kernel_size": 3, "padding": [1, 2], "dilation": 2},
    ],
)
def test_numbers_and_gradients_are_paddles(options, fixed, programs, of_any_size):
    plain, ours = nn.Conv2D(6, 8, **options), Conv2D(6, 8, **options)
    ours.set_state_dict(plain.state_dict())
    x = np.random.default_rng(0).standard_normal((2, 6, 12, 16)).astype("float32")
    with training_by_onednn():
        got = numbers(ours, x, fixed)
    assert len(programs) == 1
    for a, b in zip(got, numbers(plain, x, fixed)):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * np.abs(b).max())


@pytest.mark.parametrize(
    ("options", "dtype"),
    [({"kernel_size": 1}, "float32"), ({"kernel_size": 3, "groups": 3}, "float32"), ({"kernel_size": 3}, "float64")],
    ids=["1x1", "groups", "float64"],
)
def test_others_are_left_to_paddle(options, dtype, programs, of_any_size):
    layer = Conv2D(6, 9, **options).to(dtype=dtype)
    with training_by_onednn():
        layer(paddle.ones([1, 6, 8, 8], dtype))
    assert not programs


def test_outside_a_step_nothing_is_traced(programs, of_any_size):
    layer = Conv2D(6, 8, 3)
    with training_by_onednn():
        pass
    layer(paddle.ones([1, 6, 8, 8]))
    assert not programs
    assert paddle.get_flags("FLAGS_use_mkldnn")["FLAGS_use_mkldnn"] in (False, 0)


@needs_onednn
@pytest.mark.parametrize(
    ("channels", "side", "batch", "used"),
    [(32, 64, 4, 1), (32, 64, 1, 0), (3, 256, 4, 0), (48, 24, 8, 0)],
    ids=["HRNet's highest maps", "one photo", "a stem", "quick start"],
)
def test_only_large_ones(channels, side, batch, used, programs):
    with training_by_onednn():
        Conv2D(channels, max(channels, 32), 3, padding=1)(paddle.ones([batch, channels, side, side]))
    assert len(programs) == used


@needs_onednn
def test_a_frozen_layer_passes_gradients_on(of_any_size):
    layer = Conv2D(4, 4, 3, padding=1)
    layer.weight.stop_gradient = layer.bias.stop_gradient = True
    x = paddle.ones([1, 4, 8, 8])
    x.stop_gradient = False
    with training_by_onednn():
        layer(x).sum().backward()
    assert layer.weight.grad is None
    np.testing.assert_allclose(x.grad.numpy()[0, :, 3, 3], layer.weight.numpy().sum((0, 2, 3)), rtol=1e-4, atol=1e-5)


def small_hrnet():
    return HRNet(4, width=8, modules=(1, 1, 1), blocks=2, bottlenecks=1, bottleneck_width=16)


@pytest.fixture
def smooth(monkeypatch):
    """ELUs, whose slope has no step: where rounding moves a number over a ReLU's step, a gradient changes by 0.005."""
    monkeypatch.setattr(nn.functional, "relu", nn.functional.elu)


def prepared(network):
    """Weights whose spread hides no error, as their own of 0.001 would, and fixed statistics: those of a batch amplify
    rounding from step to step until nothing is left."""
    paddle.seed(0)
    for parameter in network.parameters():
        if parameter.ndim == 4:
            nn.initializer.KaimingNormal()(parameter)
    network.eval()
    return network


@needs_onednn
@pytest.mark.parametrize("build", [lambda: Hourglass52(4), small_hrnet], ids=["hourglass52", "hrnet"])
def test_gradients_of_whole_networks_are_paddles(build, of_any_size, smooth):
    """Many convolutions of one shape are pending at once, each with its own input and weights."""
    network = prepared(build())
    x = paddle.to_tensor(np.random.default_rng(0).standard_normal((2, 3, 128, 128)).astype("float32"))
    found = []
    for around in (training_by_onednn, nullcontext):
        with around():
            y = network(x)[-1]
            (y * y).mean().backward()
        found.append({name: p.grad.numpy() for name, p in network.named_parameters() if not p.stop_gradient})
        network.clear_gradients()
    for name, wanted in found[1].items():
        error = np.linalg.norm(found[0][name] - wanted) / np.linalg.norm(wanted)
        assert error < 1e-4, name


@needs_onednn
def test_losses_of_50_steps_are_paddles(of_any_size, smooth):
    network = prepared(small_hrnet())
    first = {name: value.numpy().copy() for name, value in network.state_dict().items()}
    rng = np.random.default_rng(0)
    x = paddle.to_tensor(rng.standard_normal((4, 3, 64, 64)).astype("float32"))
    target = paddle.to_tensor(rng.random((4, 4, 16, 16)).astype("float32"))
    found = []
    for around in (training_by_onednn, nullcontext):
        network.set_state_dict(first)
        trained = [parameter for parameter in network.parameters() if not parameter.stop_gradient]
        optimizer = paddle.optimizer.Adam(1e-4, parameters=trained)
        for _ in range(50):
            with around():
                loss = nn.functional.mse_loss(network(x)[-1], target)
                loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            found.append(float(loss))
    ours, wanted = np.split(np.array(found), 2)
    assert wanted[-1] < wanted[0] / 100
    np.testing.assert_allclose(ours, wanted, rtol=1e-4)


class TestAsked:
    """Whether this Paddle has them."""

    @pytest.fixture(autouse=True)
    def anew(self):
        has_onednn.cache_clear()
        yield
        has_onednn.cache_clear()

    def test_the_environment_turns_it_off(self, monkeypatch, programs, of_any_size):
        monkeypatch.setenv("FLAGS_use_mkldnn", "0")
        assert not has_onednn()
        with training_by_onednn():
            Conv2D(6, 8, 3)(paddle.ones([1, 6, 8, 8]))
        assert not programs

    def test_an_old_paddle_is_not_asked(self, monkeypatch):
        monkeypatch.setattr(paddle, "__version__", "2.6.2")
        monkeypatch.setattr(convolution, "_agrees", lambda: pytest.fail("asked"))
        assert not has_onednn()

    @pytest.mark.parametrize("fault", ["raises", "is wrong"])
    def test_one_that_fails_is_not_used(self, fault, monkeypatch):
        def program(*key):
            if fault == "raises":
                raise ValueError("dst_tensor shall be defined")
            return lambda x, weight: (2 * nn.functional.conv2d(x, weight, None, 1, 1)).unsqueeze(0)

        monkeypatch.setattr(paddle, "__version__", "3.2.2")
        monkeypatch.setattr(convolution, "_program", program)
        assert not has_onednn()
        assert paddle.get_flags("FLAGS_use_mkldnn")["FLAGS_use_mkldnn"] in (False, 0)
