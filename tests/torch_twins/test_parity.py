"""Our networks, losses, targets and optimiser beside PyTorch twins, and a few steps of training on real photos."""

import os
from pathlib import Path

import numpy as np
import paddle
import pytest

torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")

from torch_twins import parity  # noqa: E402
from torch_twins.report import NAMES, summary  # noqa: E402
from torch_twins.sides import PaddleSide, TorchSide, biased_variance  # noqa: E402
from torch_twins.trainings import TRAININGS  # noqa: E402
from torch_twins.weights import STATISTICS, hand_over  # noqa: E402

from paddle_pose.engine.optimizers import make_optimizer  # noqa: E402
from paddle_pose.samples import Batch  # noqa: E402

DATA = os.environ.get("PADDLE_POSE_DATA", "")
JOINTS = 14
DOUBLE = 1e-9  # what float64 leaves of a pass of some dozen layers, each norm dividing by its own spread
needs_lspet = pytest.mark.skipif(
    not DATA or not (Path(DATA) / "lspet").is_dir(), reason="needs photos: PADDLE_POSE_DATA with lspet/ in it"
)


def made_up_batch(config, size=4):
    """Noise for crops, joints all over them, a few without label and a few outside."""
    draw = np.random.default_rng(5)
    width, height = config.input_wh
    joints = draw.uniform(-20, max(width, height) + 20, (size, JOINTS, 2))
    return Batch(
        images=draw.integers(0, 256, (size, height, width, 3), dtype=np.uint8),
        joints_crop=joints.astype("f4"),
        weight=(draw.random((size, JOINTS)) < 0.8).astype("f4"),
        crop_from_image=np.zeros((size, 2, 3)),
        color_gain=draw.uniform(0.8, 1.2, (size, 3)).astype("f4"),
        index=np.arange(size),
        image_paths=("",) * size,
    )


def both_sides(name, double):
    config = parity.read_config(name)
    ours = PaddleSide(config, 100, double)
    training = TRAININGS[name]
    twin = hand_over(ours.parts.network, training.build_twin(config, JOINTS))
    return ours, TorchSide(twin, training.loss, config.optimizer, double), made_up_batch(config)


@pytest.mark.parametrize("name", NAMES)
def test_images_and_targets_drawn_twice(name):
    """Float32 leaves 5e-7 of numbers up to 2.6 and 1e-6 of maps up to 1."""
    config = parity.read_config(name)
    batch, ours = made_up_batch(config, 32), PaddleSide(config, 100)
    images, target, weight = parity.input_differences(TRAININGS[name], config, batch, ours.inputs(batch))
    assert images < 1e-6
    assert target < 1e-6
    assert weight == 0
    assert 0 < ours.inputs(batch)[2].mean() < 1


@pytest.mark.parametrize("name", NAMES)
def test_loss_gradients_and_outputs_at_equal_weights(name):
    """In float64, where nothing but a different formula can differ."""
    ours, theirs, batch = both_sides(name, double=True)
    images, target, weight = (torch.tensor(array, dtype=torch.float64) for array in ours.inputs(batch))
    for a, b in zip(ours.stages(images.numpy()), theirs.stages(images)):
        np.testing.assert_allclose(a, b, atol=DOUBLE * np.abs(b).max())
    ours.parts.network.train()
    theirs.twin.train()
    loss = ours.trainer.forward(batch)
    loss.backward()
    their_loss = theirs.loss(theirs.twin(images), target, weight)
    their_loss.backward()
    assert float(loss) == pytest.approx(their_loss.item(), rel=DOUBLE)
    compare_gradients(ours.parts.network, theirs.twin)


def compare_gradients(network, twin):
    """Each over the largest number of its parameter; biases that a norm cancels have none but rounding."""
    ours, largest, seen = dict(network.named_parameters()), 0, 0
    for key, parameter in twin.named_parameters():
        layer, _, entry = (network.reference_name(key) if hasattr(twin, "backbone") else key).rpartition(".")
        gradient = ours[f"{layer}.{STATISTICS.get(entry, entry)}"].grad.numpy()
        gradient = gradient.T if gradient.ndim == 2 else gradient
        wanted = parameter.grad.numpy()
        largest = max(largest, np.abs(wanted).max())
        np.testing.assert_allclose(gradient, wanted, atol=1e-7 * np.abs(wanted).max() + 1e-14 * largest, err_msg=key)
        seen += 1
    assert seen == sum(not parameter.stop_gradient for parameter in network.parameters())


def test_adam_is_the_same_formula_also_where_epsilon_rules():
    """Gradients from 1e-11 to 1e-1, epsilon 1e-8: it stands outside the root in both, and is not corrected away."""
    start = np.ones(11)
    gradients = 10.0 ** np.arange(-11, 0) * np.random.default_rng(0).standard_normal((30, 11))
    layer = paddle.nn.Layer()
    layer.weight = layer.create_parameter([11], dtype="float64")
    layer.weight.set_value(start)
    section = parity.read_config("hourglass").optimizer
    ours = make_optimizer(layer, **section.model_dump())
    parameter = torch.nn.Parameter(torch.tensor(start))
    theirs = torch.optim.Adam([parameter], lr=section.lr, betas=section.betas, eps=section.epsilon)
    for gradient in gradients:
        (layer.weight * paddle.to_tensor(gradient)).sum().backward()
        ours.step()
        ours.clear_grad()
        parameter.grad = torch.tensor(gradient)
        theirs.step()
    np.testing.assert_allclose(layer.weight.numpy() - start, parameter.detach().numpy() - start, rtol=1e-6)


def test_running_variance_differs_by_n_over_n_minus_1():
    """Paddle keeps the variance of the batch as it is; `biased_variance` turns PyTorch's into it exactly."""
    ours, theirs, batch = both_sides("deeppose", double=True)
    inputs = ours.inputs(batch)
    ours.step(batch)
    theirs.step(inputs, lr=ours.trainer.schedule.lr(0))
    like_ours, counts = biased_variance(theirs.twin, inputs[0], steps=1)
    wanted = hand_over(ours.parts.network, TRAININGS["deeppose"].build_twin(ours.parts.config, JOINTS).double())
    assert counts[0] == 4 * 3 * 3  # a batch of 4, whose last maps have 3x3 cells
    names = [key for key in wanted.state_dict() if key.endswith("running_var")]
    assert len(names) == 20
    for key in names:
        expected = wanted.state_dict()[key].numpy()
        np.testing.assert_allclose(like_ours.state_dict()[key].numpy(), expected, rtol=1e-7, err_msg=key)
    last = "backbone.layer4.1.bn2.running_var"
    wrong = (theirs.twin.state_dict()[last] - 0.9) / (wanted.state_dict()[last] - 0.9)
    np.testing.assert_allclose(wrong.numpy(), 36 / 35, rtol=1e-6)


@needs_lspet
@pytest.mark.parametrize("name", NAMES)
def test_a_few_steps_on_real_photos(name):
    """In float64 no more than a rounding per layer, and no ReLU switches for it; in float32 as PyTorch from itself."""
    config = parity.read_config(name, ("train.batch_size=4",))
    record = parity.compare(name, config, steps=4, unseen=8)
    images, target, weight = record["data"]["largest_difference_of_images_targets_weights"]
    assert max(images, target) < 1e-6
    assert weight == 0
    figures = summary(record)
    assert figures["double"] < 1e-11
    assert figures["largest_1_50"] < max(1e-5, 10 * figures["torch_1_50"])
    assert record["losses"]["paddle"][0] != record["losses"]["paddle"][-1]
