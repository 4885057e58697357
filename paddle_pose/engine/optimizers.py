"""Optimisers by name, and their state keyed by the network's own parameter names.

Paddle keys optimiser state by generated names (`conv2d_0.w_0_moment1_0`) that depend on how many layers the
process has made before; such a file cannot be loaded into a second network. Names of the network can.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Optional

import numpy as np
import paddle

from paddle_pose.errors import CheckpointError, ConfigError

ADAGRAD_START = 0.1
_FUSED = ("Adam", "Momentum")  # those of which Paddle has a form that takes all parameters in one call


def make_optimizer(
    network: paddle.nn.Layer,
    type: str,  # noqa: A002 (the word of the configuration)
    lr: float,
    weight_decay: float,
    betas: tuple[float, float],
    momentum: float,
    nesterov: bool,
    rho: float,
    epsilon: float,
    clip_norm: Any = None,
    lr_factors: Optional[Mapping[str, float]] = None,
) -> paddle.optimizer.Optimizer:
    """An optimiser over the trainable parameters of a network.

    Numbers mean what they mean in PyTorch: `weight_decay` is L2 in the gradient, but decoupled for AdamW;
    `rho` is RMSprop's alpha. `clip_norm` clips the global gradient norm. The rate is set at each step;
    `lr_factors` multiplies it, pattern of parameter names -> factor, all that fit.

    Differs from PyTorch: RMSProp divides by sqrt(average + epsilon^2), PyTorch by sqrt(average) + epsilon.
    Paddle has its epsilon under the root, so it is handed the square; both agree to a factor of at most
    sqrt(2), where the root of the average is near epsilon. RMSProp and SGD have no momentum here.
    Adagrad's sums start at 0.1, as TensorFlow's do and the reference's that uses it; PyTorch's start at 0.

    On a GPU, Adam and Momentum step all parameters in one call. Of Adam that rounds differently from one by one, so
    a CPU, which gains little by it, keeps its numbers. States are the same either way.
    """
    _set_lr_factors(network, lr_factors or {})
    arguments: dict[str, Any] = {"parameters": [p for p in network.parameters() if not p.stop_gradient]}
    if weight_decay:
        arguments["weight_decay"] = weight_decay
    if clip_norm:
        arguments["grad_clip"] = paddle.nn.ClipGradByGlobalNorm(clip_norm)
    if type in ("Adam", "AdamW"):
        arguments.update(beta1=betas[0], beta2=betas[1], epsilon=epsilon)
    if type == "AdamW":
        arguments["weight_decay"] = weight_decay  # Paddle's default is not 0
    if type == "Adagrad":
        arguments.update(epsilon=epsilon, initial_accumulator_value=ADAGRAD_START)
    if type == "Momentum":
        arguments.update(momentum=momentum, use_nesterov=nesterov)
    if type == "RMSProp":
        arguments.update(rho=rho, epsilon=epsilon * epsilon)
    if type in _FUSED and paddle.device.get_device().startswith("gpu"):
        arguments["use_multi_tensor"] = True
    return getattr(paddle.optimizer, type)(learning_rate=lr, **arguments)


def _set_lr_factors(network: paddle.nn.Layer, factors: Mapping[str, float]) -> None:
    parameters = dict(network.named_parameters())
    for pattern in factors:
        if not any(fnmatchcase(name, pattern) for name in parameters):
            tops = sorted({name.split(".")[0] for name in parameters})
            raise ConfigError(f"optimizer.lr_factors: no parameter fits {pattern!r}; the network has {', '.join(tops)}")
    for name, parameter in parameters.items():
        fitting = [factor for pattern, factor in factors.items() if fnmatchcase(name, pattern)]
        parameter.optimize_attr["learning_rate"] = float(np.prod(fitting))


def optimizer_state(optimizer: paddle.optimizer.Optimizer, network: paddle.nn.Layer) -> dict[str, np.ndarray]:
    """`accumulator/parameter` -> array, for every accumulator and master weight."""
    name = _own_names(optimizer, network)
    return {
        f"{kind}/{name[key]}": tensor.numpy()
        for kind, tensors in _tensors(optimizer).items()
        for key, tensor in tensors.items()
    }


def load_optimizer_state(
    optimizer: paddle.optimizer.Optimizer, network: paddle.nn.Layer, state: dict[str, np.ndarray]
) -> None:
    """Restores what `optimizer_state` returned; CheckpointError if it belongs to another optimiser or network."""
    _create_accumulators(optimizer)
    name = _own_names(optimizer, network)
    unused = set(state)
    known = {entry.split("/", 1)[-1] for entry in state}  # others never had a gradient
    for kind, tensors in _tensors(optimizer).items():
        for key, tensor in tensors.items():
            entry = f"{kind}/{name[key]}"
            if known and name[key] not in known:
                continue
            if entry not in state or list(np.shape(state[entry])) != list(tensor.shape):
                raise CheckpointError(
                    f"optimiser state {entry} is missing or has another shape; was the optimiser changed?"
                )
            tensor.set_value(np.asarray(state[entry]))
            unused.discard(entry)
    if unused:
        raise CheckpointError(f"optimiser state {min(unused)} belongs to another optimiser; was it changed?")


def _own_names(optimizer: paddle.optimizer.Optimizer, network: paddle.nn.Layer) -> dict[str, str]:
    """Paddle's name -> the network's, of parameters; with O2, accumulators go by the names of master weights."""
    masters = getattr(optimizer, "_master_weights", None) or {}
    name = {parameter.name: own for own, parameter in network.named_parameters()}
    return {**name, **{master.name: name[of] for of, master in masters.items()}}


def _tensors(optimizer: paddle.optimizer.Optimizer) -> dict[str, dict[str, paddle.Tensor]]:
    masters = getattr(optimizer, "_master_weights", None) or {}
    return {**optimizer._accumulators, **({"master": masters} if masters else {})}


def _create_accumulators(optimizer: paddle.optimizer.Optimizer) -> None:
    """Paddle makes them at the first step; a state can only be put into them once they are there."""
    if optimizer._accumulators:
        return
    if getattr(optimizer, "helper", None) is None:  # 2.6 asserts it
        from paddle.base.layer_helper import LayerHelper

        optimizer.helper = LayerHelper(optimizer.__class__.__name__)
    block = paddle.base.framework.default_main_program().global_block()
    optimizer._create_accumulators(block, optimizer._parameter_list)
