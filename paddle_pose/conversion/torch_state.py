"""Weights of one of our networks -> a PyTorch `state_dict` by the names of a public program."""

from collections.abc import Mapping
from typing import Any, Optional

import numpy as np
from paddle import nn

from paddle_pose.conversion.match import STATISTICS, linear_weights, our_name
from paddle_pose.conversion.published_names import styles_of
from paddle_pose.errors import CheckpointError, UserError

STATISTICS_THERE = {ours: theirs for theirs, ours in STATISTICS.items()}
SIDE = 256  # channels of Hourglass-52's maps


def torch_state(
    network: nn.Layer, weights: Mapping[str, np.ndarray], style: Optional[str] = None
) -> tuple[str, dict[str, np.ndarray]]:
    """The style that was taken, and the entries that a program of that style loads strictly.

    Entries which that program creates and never uses are among them: zeros, and statistics of nothing.

    Args:
        network: whose weights these are.
        weights: ours, by our names.
        style: one of `published_names.styles_of(network)`; none: the network's main reference, or our own names.

    Raises:
        UserError: no program of that style has this network.
        CheckpointError: a name does not lead back to the layer it was made from.
    """
    styles = styles_of(network)
    chosen = style or next(iter(styles))
    if chosen not in styles:
        raise UserError(f"--style {chosen}: no such names for this {type(network).__name__}; use {' or '.join(styles)}")
    linear, state = linear_weights(network), {}
    for name in network.state_dict():
        layer, _, entry = name.rpartition(".")
        key = styles[chosen](f"{layer}.{STATISTICS_THERE.get(entry, entry)}", network)
        if key in state or our_name(key, network) != name:
            raise CheckpointError(
                f"{name} would be {key} by --style {chosen}, which is another layer's; use --style own"
            )
        state[key] = np.ascontiguousarray(weights[name].T if name in linear else weights[name])
    return chosen, {**state, **_never_used(network, chosen, state)}


def _never_used(network: Any, style: str, state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the program of a style has beyond the network."""
    kind = type(network).__name__
    if style == "own":
        return {}
    if kind == "PrincetonHourglass":
        return _princeton_skips(state)
    if kind == "Hourglass52" and len(network.hourglasses) == 1:
        return _basic_block("backbone.inters.0", SIDE)
    if kind == "MMPoseCPM" and network.features is None:
        first = ("backbone.stem.0.", "backbone.stem.2.", "backbone.stem.4.")
        return {key.replace("stem", "middle"): np.zeros_like(state[key]) for key in state if key.startswith(first)}
    if kind == "ResNetRegression" and network.flow is not None:
        flow = next(key for key in state if ".flow_model." in key).partition(".flow_model.")[0] + ".flow_model"
        mask = np.array([[0, 1], [1, 0]] * 3, np.float32)
        return {
            f"{flow}.loc": np.zeros(2, np.float32),
            f"{flow}.cov": np.eye(2, dtype=np.float32),
            f"{flow}.mask": mask,
        }
    return {}


def _princeton_skips(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The `skip_layer` of every residual module that keeps its width."""
    skips = {}
    for key in [key for key in state if key.endswith(".conv3.conv.weight")]:
        block, outputs = key[: -len("conv3.conv.weight")], state[key].shape[0]
        if f"{block}skip_layer.conv.weight" not in state:
            skips[f"{block}skip_layer.conv.weight"] = np.zeros((outputs, outputs, 1, 1), np.float32)
            skips[f"{block}skip_layer.conv.bias"] = np.zeros(outputs, np.float32)
    return skips


def _basic_block(name: str, width: int) -> dict[str, np.ndarray]:
    """Two 3x3 convolutions and their normalisations, which do nothing."""
    block = {}
    for i in (1, 2):
        block[f"{name}.conv{i}.weight"] = np.zeros((width, width, 3, 3), np.float32)
        for entry, value in {"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1}.items():
            block[f"{name}.bn{i}.{entry}"] = np.full(width, value, np.float32)
    return block
