"""Each optimiser against the update rule of PyTorch's documentation, written out in numpy."""

import numpy as np
import paddle
import pytest
from engine_cases import (
    TinyNet,
    arrays,
    assert_close_arrays,
    assert_same_arrays,
    filled,
    make_batch,
    make_trainer,
    optimizer_of,
)
from paddle import nn

from paddle_pose.engine import optimizers
from paddle_pose.engine.optimizers import load_optimizer_state, optimizer_state
from paddle_pose.errors import CheckpointError

LR, DECAY = 0.05, 0.1
START = np.array([1.0, -2.0, 0.5, 3.0], "float64")
GRADIENTS = np.array([[0.5, -0.25, 2.0, 1e-4], [-1.0, 0.75, 0.1, -3e-4], [0.3, 0.3, -0.3, 2e-4]])


class Weight(nn.Layer):
    def __init__(self):
        super().__init__()
        self.weight = self.create_parameter([4], default_initializer=nn.initializer.Assign(START.astype("float32")))


def paddle_steps(gradients=GRADIENTS, **options):
    network = Weight()
    optimizer = optimizer_of(network, lr=LR, **options)
    for gradient in gradients:
        (network.weight * paddle.to_tensor(gradient.astype("float32"))).sum().backward()
        optimizer.step()
        optimizer.clear_grad()
    return network.weight.numpy()


def adam(w, gradients, beta1, beta2, epsilon, decay, decoupled):
    m = v = np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        if decoupled:
            w = w - LR * decay * w
        else:
            g = g + decay * w
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        w = w - LR * m_hat / (np.sqrt(v_hat) + epsilon)
    return w


def sgd(w, gradients, decay, momentum=0.0, nesterov=False):
    buffer = np.zeros_like(w)
    for g in gradients:
        g = g + decay * w
        buffer = momentum * buffer + g
        w = w - LR * (g + momentum * buffer if nesterov else buffer)
    return w


def rmsprop(w, gradients, alpha, epsilon, decay, inside=False):
    average = np.zeros_like(w)
    for g in gradients:
        g = g + decay * w
        average = alpha * average + (1 - alpha) * g * g
        w = w - LR * g / (np.sqrt(average + epsilon**2) if inside else np.sqrt(average) + epsilon)
    return w


@pytest.mark.parametrize("decay", [0.0, DECAY])
@pytest.mark.parametrize("epsilon", [1e-8, 0.01])
def test_adam_and_adamw(decay, epsilon):
    for kind in ("Adam", "AdamW"):
        got = paddle_steps(type=kind, betas=(0.8, 0.95), epsilon=epsilon, weight_decay=decay)
        expected = adam(START, GRADIENTS, 0.8, 0.95, epsilon, decay, decoupled=kind == "AdamW")
        np.testing.assert_allclose(got, expected, rtol=2e-6, err_msg=kind)


@pytest.mark.parametrize("decay", [0.0, DECAY])
def test_sgd(decay):
    got = paddle_steps(type="SGD", weight_decay=decay)
    np.testing.assert_allclose(got, sgd(START, GRADIENTS, decay), rtol=1e-6)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("decay", [0.0, DECAY])
def test_momentum(decay, nesterov):
    got = paddle_steps(type="Momentum", momentum=0.7, nesterov=nesterov, weight_decay=decay)
    np.testing.assert_allclose(got, sgd(START, GRADIENTS, decay, 0.7, nesterov), rtol=1e-6)


@pytest.mark.parametrize("decay", [0.0, DECAY])
def test_rmsprop_is_pytorchs_where_gradients_are_well_above_epsilon(decay):
    got = paddle_steps(type="RMSProp", rho=0.9, epsilon=1e-8, weight_decay=decay)
    # the smallest gradient is 1e-4: epsilon is 3e-4 of the root of its average, and the step a thirtieth of the weight
    np.testing.assert_allclose(got, rmsprop(START, GRADIENTS, 0.9, 1e-8, decay), rtol=3e-5)


def test_rmsprop_of_tiny_gradients_is_pytorchs_to_root_two_and_exactly_as_its_docstring_says():
    gradients = GRADIENTS[:1] * 1e-6  # maps have such gradients; epsilon 1e-8 under the root would swallow them
    moved = START - paddle_steps(gradients, type="RMSProp", rho=0.9, epsilon=1e-8)
    pytorch = START - rmsprop(START, gradients, 0.9, 1e-8, 0.0)
    stated = START - rmsprop(START, gradients, 0.9, 1e-8, 0.0, inside=True)
    np.testing.assert_allclose(moved, stated, rtol=1e-4, atol=2.4e-7)  # float32 near 3 is that coarse
    ratio = (moved / pytorch)[:3]
    assert (ratio > 0.9999).all()
    assert (ratio < 2**0.5).all()


@pytest.mark.parametrize("decay", [0.0, DECAY])
def test_adagrad_is_tensorflows(decay):
    """Sums of squares that start at 0.1."""
    w, total = START, np.full(4, 0.1)
    for g in GRADIENTS:
        g = g + decay * w
        total = total + g * g
        w = w - LR * g / (np.sqrt(total) + 1e-8)
    np.testing.assert_allclose(paddle_steps(type="Adagrad", weight_decay=decay), w, rtol=2e-6)


def test_clipping_scales_the_whole_gradient_to_the_norm():
    gradient = np.array([[3.0, 4.0, 0.0, 0.0]])  # norm 5
    got = paddle_steps(gradient, type="SGD", clip_norm=1.0)
    np.testing.assert_allclose(got, START - LR * gradient[0] / 5, rtol=1e-6)
    np.testing.assert_allclose(paddle_steps(gradient, type="SGD", clip_norm=6.0), START - LR * gradient[0], rtol=1e-6)


KINDS = ["Adam", "AdamW", "Adagrad", "SGD", "Momentum", "RMSProp"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_goes_on_in_another_network_of_the_same_process(kind):
    """Paddle's own keys (conv2d_0.w_0_moment1_0) differ between the two networks; ours do not."""

    def steps(trainer, numbers):
        for k in numbers:
            trainer.train_step([make_batch([2 * k, 2 * k + 1])])

    first = filled(TinyNet())
    trainer = make_trainer(first, optimizer_of(first, type=kind, lr=0.01))
    steps(trainer, range(2))
    state = optimizer_state(trainer.optimizer, first)

    second = TinyNet()
    second.set_state_dict(arrays(first))
    other = make_trainer(second, optimizer_of(second, type=kind, lr=0.01))
    load_optimizer_state(other.optimizer, second, state)
    assert_same_arrays(optimizer_state(other.optimizer, second), state)

    steps(trainer, [2, 3])
    steps(other, [2, 3])
    assert_same_arrays(arrays(first), arrays(second))
    assert_same_arrays(optimizer_state(trainer.optimizer, first), optimizer_state(other.optimizer, second))


@pytest.fixture
def fused(monkeypatch):
    """Optimisers as on a GPU; the CPU has their operators too."""
    monkeypatch.setattr(optimizers.paddle.device, "get_device", lambda: "gpu:0")


@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1, "clip_norm": 0.1, "lr_factors": {"second.*": 3.0}}])
@pytest.mark.parametrize("kind", ["Adam", "Momentum"])
def test_one_call_for_all_parameters_resumes_to_the_same_bits(kind, options, fused):
    """And steps as one by one does, but for rounding; either goes on with the other's state."""

    def trainer_of(network, one_by_one=False):
        optimizer = optimizer_of(network, type=kind, lr=0.01, **options)
        assert optimizer._use_multi_tensor
        optimizer._use_multi_tensor = not one_by_one
        return make_trainer(network, optimizer)

    def trained(stop_at=None, first_one_by_one=False, then_one_by_one=False):
        trainer = trainer_of(filled(TinyNet()), first_one_by_one)
        for k in range(6):
            if k == stop_at:
                state = trainer.state({})
                trainer = trainer_of(TinyNet(), then_one_by_one)
                trainer.load_state(state, "state")
            trainer.train_step([make_batch([2 * k, 2 * k + 1])])
        return {**arrays(trainer.network), **optimizer_state(trainer.optimizer, trainer.network)}

    whole = trained()
    assert_same_arrays(trained(stop_at=3), whole)
    for first, then in [(True, True), (True, False), (False, True)]:
        assert_close_arrays(trained(3, first, then), whole, rtol=1e-4, atol=1e-5)


def test_only_what_paddle_can_is_fused_and_only_on_a_gpu(monkeypatch):
    def is_fused(kind):
        return getattr(optimizer_of(TinyNet(), type=kind), "_use_multi_tensor", False)

    assert not any(is_fused(kind) for kind in KINDS)
    monkeypatch.setattr(optimizers.paddle.device, "get_device", lambda: "gpu:0")
    assert [kind for kind in KINDS if is_fused(kind)] == ["Adam", "Momentum"]


@pytest.mark.parametrize("kind", ["Adam", "AdamW", "Momentum"])
def test_master_weights_of_half_precision_are_saved_and_restored(kind):
    """Paddle then names the accumulators after the master weights; a CPU can make them, though not step them."""

    def half():
        network = filled(TinyNet())
        network.to(dtype="bfloat16")
        optimizer = optimizer_of(network, type=kind)
        optimizer._multi_precision = True
        optimizers._create_accumulators(optimizer)
        return network, optimizer

    network, optimizer = half()
    rng = np.random.default_rng(0)
    for tensor in [t for tensors in optimizers._tensors(optimizer).values() for t in tensors.values()]:
        tensor.set_value(rng.normal(size=tensor.shape).astype("float32"))
    state = optimizer_state(optimizer, network)
    assert {"master/first.weight", "master/to_maps.bias"} <= set(state)
    assert {entry.split("/")[1] for entry in state} == {name for name, _ in network.named_parameters()}

    other, restored = half()
    load_optimizer_state(restored, other, state)
    assert_same_arrays(optimizer_state(restored, other), state)


@pytest.mark.parametrize(("saved", "wanted"), [("SGD", "Adam"), ("Adam", "SGD"), ("Momentum", "RMSProp")])
def test_a_state_of_another_optimiser_is_refused(saved, wanted):
    network = filled(TinyNet())
    trainer = make_trainer(network, optimizer_of(network, type=saved))
    trainer.train_step([make_batch([0])])
    with pytest.raises(CheckpointError, match="optimiser"):
        load_optimizer_state(optimizer_of(network, type=wanted), network, optimizer_state(trainer.optimizer, network))


def test_a_state_of_another_shape_is_refused():
    network = filled(TinyNet())
    trainer = make_trainer(network, optimizer_of(network, type="Adam"))
    trainer.train_step([make_batch([0])])
    state = optimizer_state(trainer.optimizer, network)
    state["moment1/first.weight" if "moment1/first.weight" in state else "moment1_0/first.weight"] = np.zeros(3)
    with pytest.raises(CheckpointError, match=r"first\.weight"):
        load_optimizer_state(optimizer_of(network, type="Adam"), network, state)


def test_a_parameter_without_gradient_has_no_state_and_needs_none():
    def new():
        network = filled(TinyNet())
        network.unused = nn.Linear(2, 2)
        return network, make_trainer(network, optimizer_of(network, type="Adam", lr=0.01))

    network, trainer = new()
    trainer.train_step([make_batch([0])])
    state = optimizer_state(trainer.optimizer, network)
    assert not any("unused" in entry for entry in state)
    second, other = new()
    second.set_state_dict(arrays(network))
    load_optimizer_state(other.optimizer, second, state)
    for each in (trainer, other):
        each.train_step([make_batch([1])])
    assert_same_arrays(arrays(network), arrays(second))
