"""PyTorch checkpoints -> weights of our networks, by each network's own name map, strictly.

A network offers `reference_name(key)`: our name for a key of its reference's `state_dict`, or None for an entry
that the reference stores but no forward pass uses. What is common to all references is done here: wrappers,
prefixes, names of batch statistics, and the transposed weight of fully connected layers.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from paddle import nn

from paddle_pose.errors import CheckpointError

WRAPPERS = ("state_dict", "model_state_dict", "model")  # a training checkpoint keeps its weights under one of these
PREFIXES = ("module.", "model.")  # of data-parallel and trainer wrappers
STATISTICS = {"running_mean": "_mean", "running_var": "_variance"}
SHOWN = 3  # offenders named in an error message


def convert_state(
    reference_state: Mapping[str, Any], network: nn.Layer, trunk_only: bool = False
) -> dict[str, np.ndarray]:
    """The weights of `network` that `reference_state` holds, by our names, in our dtypes.

    Args:
        reference_state: a PyTorch `state_dict` as arrays, bare or inside a training checkpoint.
        network: one of `paddle_pose.networks`, with a `reference_name` method.
        trunk_only: leave the layers that `network.head` names as they are in `network`, whatever the checkpoint has
            for them: to start from ImageNet, or from other joints.

    Raises:
        CheckpointError: unless every entry is used or known to be unused, every parameter and statistic of
            `network` is given once, and all shapes agree.
    """
    wanted = network.state_dict()
    head = tuple(network.head) if trunk_only else ()
    linear = _linear_weights(network)
    found: dict[str, np.ndarray] = {}
    unknown, misshapen = [], []
    for key, value in _bare_state(reference_state).items():
        name = _our_name(key, network)
        if name is None or name.startswith(head):
            continue
        if name not in wanted or name in found:
            unknown.append(key)
            continue
        array = np.asarray(value).T if name in linear else np.asarray(value)
        if array.shape != tuple(wanted[name].shape):
            misshapen.append(f"{key} {array.shape} for {name} {tuple(wanted[name].shape)}")
        found[name] = array.astype(str(wanted[name].dtype).split(".")[-1])
    _refuse(network, "unknown entry", unknown)
    _refuse(network, "shape differs", misshapen)
    found.update({name: value.numpy() for name, value in wanted.items() if name.startswith(head)})
    _refuse(network, "missing", [name for name in wanted if name not in found])
    return found


def _bare_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """Without training-checkpoint wrappers, without prefixes that every key has, without batch counters."""
    for wrapper in WRAPPERS:
        if isinstance(state.get(wrapper), Mapping):
            return _bare_state(state[wrapper])
    for prefix in PREFIXES:
        if state and all(key.startswith(prefix) for key in state):
            return _bare_state({key[len(prefix) :]: value for key, value in state.items()})
    return {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}


def _our_name(key: str, network: nn.Layer) -> Any:
    """Our name for one entry, or None where it is known to be unused."""
    name = network.reference_name(key)
    if name is None:
        return None
    layer, _, entry = name.rpartition(".")
    return f"{layer}.{STATISTICS.get(entry, entry)}"


def _linear_weights(network: nn.Layer) -> set[str]:
    """Names of the weights that Paddle stores as (in, out) and PyTorch as (out, in)."""
    layers = network.named_sublayers(include_self=True)
    return {f"{name}.weight" for name, layer in layers if isinstance(layer, nn.Linear)}


def _refuse(network: nn.Layer, what: str, offenders: list[str]) -> None:
    if not offenders:
        return
    more = f" and {len(offenders) - SHOWN} more" if len(offenders) > SHOWN else ""
    raise CheckpointError(
        f"checkpoint does not fit {type(network).__name__}: {what}: {', '.join(offenders[:SHOWN])}{more}"
    )
