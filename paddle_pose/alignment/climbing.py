"""The Paddle side: runs our network on what a recording was made with, and gives the same entries."""

from pathlib import Path
from typing import Any, Callable

import numpy as np
import paddle
from paddle import nn

from paddle_pose.alignment import rules
from paddle_pose.alignment.objects import call
from paddle_pose.alignment.setup import Setup
from paddle_pose.conversion.match import linear_weights
from paddle_pose.conversion.state import convert_state
from paddle_pose.engine.optimizers import make_optimizer
from paddle_pose.errors import ConfigError

LossOf = Callable[[list, list], paddle.Tensor]
_NORMS = (nn.BatchNorm1D, nn.BatchNorm2D, nn.BatchNorm3D)
_DROPOUTS = (nn.Dropout, nn.Dropout2D, nn.Dropout3D, nn.AlphaDropout)


def mean_square(outputs: list[paddle.Tensor], targets: list[paddle.Tensor]) -> paddle.Tensor:
    """Sum over outputs of the mean squared error."""
    return sum(((output - target) ** 2).mean() for output, target in zip(outputs, targets))


def load(network: nn.Layer, setup: Setup, folder: Path) -> None:
    """Gives the network the reference's weights, and switches its dropout off.

    Raises:
        CheckpointError: they do not fit.
        ConfigError: the network does not say how its reference calls things.
    """
    if not callable(getattr(network, "reference_name", None)):
        raise ConfigError(
            f"{type(network).__name__} has no reference_name(key), the name map to its reference; where the names are "
            "the same: def reference_name(self, key): return key"
        )
    network.set_state_dict(call(convert_state, "reference_name", setup.state(folder), network))
    switch_dropout_off(network)


def switch_dropout_off(network: nn.Layer) -> None:
    """Random numbers of two frameworks cannot agree."""
    for layer in network.sublayers():
        if isinstance(layer, _DROPOUTS):
            layer.p = 0.0


def keep_unbiased_variance(network: nn.Layer) -> None:
    """Makes running variances those of PyTorch, which averages n / (n - 1) times what Paddle averages.

    n is the number of cells of a channel in a batch: 1e-6 in real training, but 2 % of the small batches here, enough
    to hide a wrong momentum behind it.
    """
    for layer in network.sublayers(include_self=True):
        if isinstance(layer, _NORMS):
            layer.register_forward_pre_hook(_remember_variance)
            layer.register_forward_post_hook(_correct_variance)


def _remember_variance(layer: nn.Layer, inputs: Any) -> None:
    layer.kept_variance = layer._momentum * layer._variance.numpy()


def _correct_variance(layer: nn.Layer, inputs: Any, outputs: Any) -> None:
    n = int(np.prod(inputs[0].shape)) // inputs[0].shape[1]
    if layer.training and n > 1:
        added = layer._variance.numpy() - layer.kept_variance
        layer._variance.set_value(layer.kept_variance + added * (n / (n - 1)))


def climb(network: nn.Layer, setup: Setup, loss_of: LossOf, rungs: tuple[str, ...]) -> dict[str, dict[str, np.ndarray]]:
    """Runs the rungs that are asked for.

    Args:
        network: with the reference's weights, in float32.
        setup: of the recording.
        loss_of: (outputs, targets) -> scalar.
        rungs: of "forward", "loss", "backward", "training".

    Returns:
        Name of the file -> entries, as the recording has them.
    """
    arrays: dict[str, dict[str, np.ndarray]] = {"forward": _forward(network, setup, "float32")}
    if setup.dtype == "float64":
        network.to(dtype="float64")
        arrays["forward"] |= _forward(network, setup, "float64")
    if "loss" in rungs:
        arrays["loss"] = {"loss": _evaluation_loss(network, setup, loss_of)}
    steps = setup.steps if "training" in rungs else int("backward" in rungs)
    if steps:
        arrays["train"], arrays["backward"] = _train(network, setup, loss_of, steps)
    return arrays


def _train(network: nn.Layer, setup: Setup, loss_of: LossOf, steps: int) -> tuple[dict, dict]:
    images = paddle.to_tensor(setup.images(rules.TRAINING).astype(setup.dtype))
    optimizer = _optimizer(network, setup)
    keep_unbiased_variance(network)
    trained, gradients = {}, {}
    network.train()
    for step in range(steps):
        loss = _loss(_outputs(network, images), setup, loss_of)
        loss.backward()
        trained[f"loss_{step}"] = loss.numpy()
        if step == 0:
            gradients = _gradients(network, setup)
        optimizer.step()
        optimizer.clear_grad()
        if step in (0, setup.steps - 1):
            *_, last = _forward(network, setup, setup.dtype).values()
            trained[f"evaluation_after_{step + 1}"] = last
            network.train()
    return trained, gradients


def _outputs(network: nn.Layer, images: paddle.Tensor) -> list[paddle.Tensor]:
    outputs = call(network, f"{type(network).__name__} on images {images.shape}", images)
    outputs = [outputs] if isinstance(outputs, paddle.Tensor) else outputs
    is_list = isinstance(outputs, (list, tuple)) and len(outputs) > 0
    if not is_list or not all(isinstance(output, paddle.Tensor) for output in outputs):
        raise ConfigError(f"{type(network).__name__} gives a {type(outputs).__name__}, not a list of tensors")
    return list(outputs)


@paddle.no_grad()
def _forward(network: nn.Layer, setup: Setup, dtype: str) -> dict[str, np.ndarray]:
    network.eval()
    outputs = _outputs(network, paddle.to_tensor(setup.images(rules.EVALUATION).astype(dtype)))
    suffix = "" if dtype == "float32" else f"_{dtype}"
    return {f"output_{i}{suffix}": output.numpy() for i, output in enumerate(outputs)}


@paddle.no_grad()
def _evaluation_loss(network: nn.Layer, setup: Setup, loss_of: LossOf) -> np.ndarray:
    network.eval()
    images = paddle.to_tensor(setup.images(rules.EVALUATION).astype(setup.dtype))
    return _loss(_outputs(network, images), setup, loss_of).numpy()


def _loss(outputs: list[paddle.Tensor], setup: Setup, loss_of: LossOf) -> paddle.Tensor:
    drawn = setup.targets([tuple(output.shape) for output in outputs])
    loss = call(loss_of, "--loss", outputs, [paddle.to_tensor(target.astype(setup.dtype)) for target in drawn])
    if not isinstance(loss, paddle.Tensor) or loss.numel() != 1:
        kind = f"tensor {loss.shape}" if isinstance(loss, paddle.Tensor) else type(loss).__name__
        raise ConfigError(f"--loss: gives a {kind}, not a scalar tensor")
    return loss


def _gradients(network: nn.Layer, setup: Setup) -> dict[str, np.ndarray]:
    """By the reference's names and in its shapes; what has no name there, by ours with a star before it."""
    ours = {name: p.grad.numpy() for name, p in network.named_parameters() if p.grad is not None}
    transposed, names = linear_weights(network), {network.reference_name(key): key for key in setup.shapes}
    found = {names.get(name, f"*{name}"): grad.T if name in transposed else grad for name, grad in ours.items()}
    return rules.gradient_entries(found)


def _optimizer(network: nn.Layer, setup: Setup) -> paddle.optimizer.Optimizer:
    return make_optimizer(
        network,
        type=setup.optimizer,
        lr=setup.lr,
        weight_decay=0.0,
        betas=(0.9, 0.999),
        momentum=setup.momentum,
        nesterov=False,
        rho=0.99,
        epsilon=1e-8,
    )
