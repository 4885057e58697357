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
from paddle_pose.alignment.setup import MEAN_SQUARE, NUDGES, OWN, RULE, WEIGHTS_FILE, Setup, write_setup
from paddle_pose.errors import UserError

STATISTICS = ("running_mean", "running_var")
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)


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
    state = _fill(model, request, folder)
    dropout = _switch_dropout_off(model)
    setup = _setup(request, state, dropout)
    arrays = {"forward": _forward(model, setup, "float32")}
    if setup.dtype == "float64":
        _make_double(model)
        arrays["forward"] |= _forward(model, setup, "float64")
    arrays["loss"] = {"loss": _evaluation_loss(model, setup, request.loss)}
    arrays["train"], arrays["backward"] = train(model, setup, request.loss)
    model.load_state_dict(_nudged(_start(model, state), setup.nudge))
    arrays["train_again"], _ = train(model, setup, request.loss)
    for name, entries in arrays.items():
        _refuse_infinite(name, entries)
        reprod_files.write(folder / f"{name}_ref.npy", entries)
    write_setup(folder, setup)
    return setup


def train(model: nn.Module, setup: Setup, loss_of: Any) -> tuple[dict, dict]:
    """Losses before each step and outputs after the first and the last; gradients of the first step."""
    images = _tensor(setup.images(rules.TRAINING), setup.dtype)
    optimizer = _optimizer(model, setup)
    trained, gradients = {}, {}
    model.train()
    for step in range(setup.steps):
        optimizer.zero_grad()
        loss = _loss(_outputs(model, images), setup, loss_of)
        loss.backward()
        trained[f"loss_{step}"] = _array(loss)
        print(f"step {step + 1}: loss {loss.item():.12g}", flush=True)
        if step == 0:
            gradients = _gradients(model)
        optimizer.step()
        if step in (0, setup.steps - 1):
            trained[f"evaluation_after_{step + 1}"] = _forward_last(model, setup)
    return trained, gradients


def _fill(model: nn.Module, request: Request, folder: Path) -> dict[str, np.ndarray]:
    """Gives the model its weights; returns them by name, statistics included."""
    if request.weights not in (RULE, OWN):
        _load_checkpoint(model, request.weights)
    entries = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    names = [key for key in entries if isinstance(entries[key], nn.Parameter) or key.endswith(STATISTICS)]
    if request.weights == RULE:
        state = {key: rules.fill(key, entries[key].shape, request.seed) for key in names}
        model.load_state_dict({**model.state_dict(), **{key: torch.from_numpy(a) for key, a in state.items()}})
        return state
    state = {key: _array(entries[key]) for key in names}
    np.savez(folder / WEIGHTS_FILE, **state)
    return state


def _load_checkpoint(model: nn.Module, path: str) -> None:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(content.get("state_dict", content))
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"--weights {path}: does not fit the model or cannot be read safely: {reason}") from None


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


def _switch_dropout_off(model: nn.Module) -> int:
    """Random numbers of two frameworks cannot agree; returns the number of layers."""
    layers = [layer for layer in model.modules() if isinstance(layer, _DROPOUTS) and layer.p > 0]
    for layer in layers:
        layer.p = 0.0
    return len(layers)


def _make_double(model: nn.Module) -> None:
    model.double()
    for layer in model.modules():
        if isinstance(layer, _NORMS):
            layer.eps = float(np.float32(layer.eps))  # Paddle keeps it in float32, for float64 maps too


def _start(model: nn.Module, state: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    counters = {key: value * 0 for key, value in model.state_dict().items() if key.endswith("num_batches_tracked")}
    weights = {key: _tensor(array, _dtype(model)) for key, array in state.items()}
    return {**model.state_dict(), **counters, **weights}


def _dtype(model: nn.Module) -> str:
    """float32 or float64, of the model's parameters."""
    return str(next(model.parameters()).dtype).rpartition(".")[2]


def _nudged(state: dict[str, torch.Tensor], relative: float) -> dict[str, torch.Tensor]:
    return {
        key: torch.from_numpy(rules.nudged(value.numpy(), key, relative)) if value.is_floating_point() else value
        for key, value in state.items()
    }


def _outputs(model: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
    outputs = model(images)
    outputs = [outputs] if isinstance(outputs, torch.Tensor) else outputs
    if not isinstance(outputs, (list, tuple)) or not all(isinstance(output, torch.Tensor) for output in outputs):
        raise UserError(
            f"--torch: the model gives a {type(outputs).__name__}; wrap its forward so that it gives a list of tensors"
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
    return loss_of(outputs, targets)


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
