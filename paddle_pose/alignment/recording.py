"""The PyTorch side: runs a network and writes what the other side is compared with.

Runs where PyTorch is; needs neither Paddle nor a GPU.
"""

import importlib.metadata
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import numpy as np
import torch
from torch import nn

from paddle_pose.alignment import reprod_files, rules
from paddle_pose.alignment.objects import call, said
from paddle_pose.alignment.setup import MEAN_SQUARE, NUDGES, RULE, SETUP_FILE, WEIGHTS_FILE, Setup, write_setup
from paddle_pose.alignment.torch_model import fill, make_double, start_again, switch_dropout_off
from paddle_pose.atomic_files import written_beside
from paddle_pose.errors import UserError


@dataclass(frozen=True)
class Request:
    """What `record` is asked for; see `Setup` for what has the same name there.

    Args:
        weights: RULE, OWN (as the model is built), or a checkpoint that `torch.load(weights_only=True)` reads.
        loss: MEAN_SQUARE, or (outputs, targets) -> scalar, both lists.
        loss_name: of that function, for the setup.
    """

    reference: str
    evaluation_shape: tuple[int, ...]
    training_shape: tuple[int, ...]
    seed: int
    dtype: str
    weights: str
    optimizer: str
    lr: float
    momentum: float
    steps: int
    loss: Any = MEAN_SQUARE
    loss_name: str = MEAN_SQUARE


def record(model: nn.Module, request: Request, folder: Path) -> Setup:
    """Writes `setup.json` and `*_ref.npy` into a folder.

    Raises:
        UserError: the model gives no tensors, or numbers that are not finite.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = fill(model, request.weights, request.seed)
    dropout = switch_dropout_off(model)
    setup = _setup(request, state, dropout)
    arrays = {"forward": _forward(model, setup, "float32")}
    if setup.dtype == "float64":
        make_double(model)
        arrays["forward"] |= _forward(model, setup, "float64")
    arrays["loss"] = {"loss": _evaluation_loss(model, setup, request.loss)}
    arrays["train"], arrays["backward"] = train(model, setup, request.loss)
    start_again(model, state, setup.nudge)
    arrays["train_again"], arrays["backward_again"] = train(model, setup, request.loss)
    for name, entries in arrays.items():
        _refuse_infinite(name, entries)
    _write(folder, setup, state, arrays)
    return setup


def _write(folder: Path, setup: Setup, state: dict[str, np.ndarray], arrays: dict[str, dict[str, np.ndarray]]) -> None:
    """An earlier recording loses its setup first, so that what is written half is no recording."""
    (folder / SETUP_FILE).unlink(missing_ok=True)
    (folder / WEIGHTS_FILE).unlink(missing_ok=True)
    if setup.weights == WEIGHTS_FILE:
        with written_beside(folder / WEIGHTS_FILE) as temporary, open(temporary, "wb") as file:
            np.savez(file, **state)
    for name, entries in arrays.items():
        reprod_files.write(folder / f"{name}_ref.npy", entries)
    write_setup(folder, setup)


def train(model: nn.Module, setup: Setup, loss_of: Any) -> tuple[dict, dict]:
    """Losses before each step and outputs after the first and the last; gradients of the first step."""
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UserError("--torch: the model has no parameter that can be trained")
    images = _tensor(setup.images(rules.TRAINING), setup.dtype)
    optimizer = _optimizer(model, setup)
    trained, gradients = {}, {}
    model.train()
    for step in range(setup.steps):
        optimizer.zero_grad()
        loss = _loss(_outputs(model, images), setup, loss_of)
        if not loss.requires_grad:
            raise UserError("--torch: the loss does not depend on any parameter, so that nothing can be trained")
        loss.backward()
        trained[f"loss_{step}"] = _array(loss)
        print(f"step {step + 1}: loss {loss.item():.12g}", flush=True)
        if step == 0:
            gradients = _gradients(model)
        optimizer.step()
        if step in (0, setup.steps - 1):
            trained[f"evaluation_after_{step + 1}"] = _forward_last(model, setup)
    return trained, gradients


def _setup(request: Request, state: dict[str, np.ndarray], dropout: int) -> Setup:
    packages = {name: importlib.metadata.version(name) for name in ("torch", "numpy")}
    return Setup(
        reference=request.reference,
        shapes={key: list(array.shape) for key, array in state.items()},
        evaluation_shape=list(request.evaluation_shape),
        training_shape=list(request.training_shape),
        seed=request.seed,
        dtype=request.dtype,
        weights=RULE if request.weights == RULE else WEIGHTS_FILE,
        loss=request.loss_name,
        optimizer=request.optimizer,
        lr=request.lr,
        momentum=request.momentum,
        steps=request.steps,
        nudge=NUDGES[request.dtype],
        dropout=dropout,
        versions={**packages, "python": platform.python_version()},
    )


def _outputs(model: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
    try:
        outputs = model(images)
    except Exception as error:  # mostly of sizes that do not fit
        raise UserError(
            f"--torch: the model fails on images {tuple(images.shape)}: {said(error)}; check --input_wh, --train_wh "
            "and --batch_size"
        ) from None
    outputs = [outputs] if isinstance(outputs, torch.Tensor) else outputs
    is_list = isinstance(outputs, (list, tuple)) and len(outputs) > 0
    if not is_list or not all(isinstance(one, torch.Tensor) and one.is_floating_point() for one in outputs):
        kind = "list of something else" if is_list else type(outputs).__name__
        raise UserError(
            f"--torch: the model gives a {kind}; wrap its forward so that it gives a list of floating-point tensors"
        )
    return list(outputs)


def _forward(model: nn.Module, setup: Setup, dtype: str) -> dict[str, np.ndarray]:
    model.eval()
    with torch.no_grad():
        outputs = _outputs(model, _tensor(setup.images(rules.EVALUATION), dtype))
    suffix = "" if dtype == "float32" else f"_{dtype}"
    return {f"output_{i}{suffix}": _array(output) for i, output in enumerate(outputs)}


def _forward_last(model: nn.Module, setup: Setup) -> np.ndarray:
    *_, last = _forward(model, setup, setup.dtype).values()
    model.train()
    return last


def _evaluation_loss(model: nn.Module, setup: Setup, loss_of: Any) -> np.ndarray:
    model.eval()
    with torch.no_grad():
        return _array(_loss(_outputs(model, _tensor(setup.images(rules.EVALUATION), setup.dtype)), setup, loss_of))


def _loss(outputs: list[torch.Tensor], setup: Setup, loss_of: Any) -> torch.Tensor:
    targets = [_tensor(target, setup.dtype) for target in setup.targets([tuple(output.shape) for output in outputs])]
    if loss_of == MEAN_SQUARE:
        return sum(((output - target) ** 2).mean() for output, target in zip(outputs, targets))
    loss = call(loss_of, f"--torch_loss {setup.loss}", outputs, targets)
    if not isinstance(loss, torch.Tensor) or loss.ndim:
        kind = f"tensor {tuple(loss.shape)}" if isinstance(loss, torch.Tensor) else type(loss).__name__
        raise UserError(f"--torch_loss {setup.loss}: gives a {kind}, not a scalar tensor")
    return loss


def _gradients(model: nn.Module) -> dict[str, np.ndarray]:
    found = {key: _array(p.grad) for key, p in model.named_parameters() if p.grad is not None}
    return rules.gradient_entries(found)


def _optimizer(model: nn.Module, setup: Setup) -> torch.optim.Optimizer:
    make: dict[str, Callable] = {
        "Adam": lambda parameters: torch.optim.Adam(parameters, setup.lr),
        "SGD": lambda parameters: torch.optim.SGD(parameters, setup.lr),
        "Momentum": lambda parameters: torch.optim.SGD(parameters, setup.lr, setup.momentum),
    }
    return make[setup.optimizer](model.parameters())


def _refuse_infinite(name: str, entries: dict[str, np.ndarray]) -> None:
    for key, array in entries.items():
        if not np.isfinite(array).all():
            raise UserError(f"{name}: {key} of the reference itself is not finite; lower --lr, or take other weights")


def _tensor(array: np.ndarray, dtype: str) -> torch.Tensor:
    return torch.from_numpy(array.astype(dtype))


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().copy()
