"""Entries of a reference's checkpoint, each put where it belongs in one of our networks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional

import numpy as np
from paddle import nn

from paddle_pose.errors import CheckpointError

STATISTICS = {"running_mean": "_mean", "running_var": "_variance"}


class Misshapen(NamedTuple):
    """An entry whose shape is not that of its place; shapes in our order of axes."""

    key: str
    shape: tuple[int, ...]
    name: str
    wanted: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.key} {self.shape} for {self.name} {self.wanted}"


@dataclass
class Match:
    """Which entry of a checkpoint went where, and what is left on either side.

    Keys are the reference's, names ours. `found` has our names, shapes and dtypes; `keys` says which entry each came
    from. `fresh` are names that keep the network's own weights because they were asked to.
    """

    found: dict[str, np.ndarray] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # entries of layers that are to be fresh
    unused: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    misshapen: list[Misshapen] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def match(entries: Mapping[str, Any], network: nn.Layer, fresh: tuple[str, ...] = ()) -> Match:
    """Puts entries of a PyTorch `state_dict` where `network.reference_name` says.

    Args:
        entries: bare names, as `unwrap` leaves them.
        network: one of `paddle_pose.networks`.
        fresh: beginnings of our names for which nothing is taken from the checkpoint.

    Raises:
        CheckpointError: what belongs to one of our layers is integers or complex numbers (quantised, or no weights).
    """
    wanted, linear, result = network.state_dict(), linear_weights(network), Match()
    result.fresh = [name for name in wanted if name.startswith(fresh)] if fresh else []
    for key, value in entries.items():
        name = our_name(key, network)
        if name is None:
            result.unused.append(key)
        elif fresh and name.startswith(fresh):
            result.left_out.append(key)
        elif name not in wanted or name in result.keys:
            result.unknown.append(key)
        else:
            array = np.asarray(value).T if name in linear else np.asarray(value)
            result.keys[name] = key
            shape = tuple(wanted[name].shape)
            if array.dtype.kind not in "fO" and array.ndim:
                raise CheckpointError(f"{key!r} holds {array.dtype} numbers; save weights in floating point")
            if array.shape == shape:
                with np.errstate(over="ignore"):  # a float64 that float32 cannot hold becomes infinite
                    result.found[name] = array.astype(str(wanted[name].dtype).split(".")[-1])
            else:
                result.misshapen.append(Misshapen(key, array.shape, name, shape))
    known = {*result.keys, *result.fresh}
    result.missing = [name for name in wanted if name not in known]
    return result


def our_name(key: str, network: nn.Layer) -> Optional[str]:
    """Our name of one entry, or None where it is known to be unused."""
    name = network.reference_name(key)
    if name is None:
        return None
    layer, _, entry = name.rpartition(".")
    return f"{layer}.{STATISTICS.get(entry, entry)}"


def beyond_trunk(network: nn.Layer) -> tuple[str, ...]:
    """Beginnings of the names of what a trunk that was trained on photo classification does not have."""
    return tuple(getattr(network, "beyond_trunk", network.head))


def linear_weights(network: nn.Layer) -> set[str]:
    """Names of the weights that Paddle stores as (in, out) and PyTorch as (out, in)."""
    layers = network.named_sublayers(include_self=True)
    return {f"{name}.weight" for name, layer in layers if isinstance(layer, nn.Linear)}
