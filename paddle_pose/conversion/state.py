"""PyTorch checkpoints -> weights of our networks, by each network's own name map, strictly.

A network offers `reference_name(key)`: our name for a key of its reference's `state_dict`, or None for an entry
that the reference stores but no forward pass uses. What is common to all references is done in unwrap.py (wrappers,
prefixes) and match.py (names of batch statistics, the transposed weight of fully connected layers).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from paddle import nn

from paddle_pose.conversion.match import Match, beyond_trunk, match
from paddle_pose.conversion.unwrap import SHOWN, unwrap
from paddle_pose.errors import CheckpointError


def convert_state(
    reference_state: Mapping[str, Any], network: nn.Layer, trunk_only: bool = False
) -> dict[str, np.ndarray]:
    """The weights of `network` that `reference_state` holds, by our names, in our dtypes.

    Args:
        reference_state: a PyTorch `state_dict` as arrays, bare or inside a training checkpoint.
        network: one of `paddle_pose.networks`, with a `reference_name` method.
        trunk_only: leave the layers that a trunk does not have as they are in `network`, whatever the checkpoint has
            for them: to start from ImageNet, or from other joints.

    Raises:
        CheckpointError: unless every entry is used or known to be unused, every parameter and statistic of
            `network` is given once, and all shapes agree.
    """
    found = match(unwrap(reference_state).entries, network, beyond_trunk(network) if trunk_only else ())
    refuse_partial(found, network)
    wanted = network.state_dict()
    return {**found.found, **{name: wanted[name].numpy() for name in found.fresh}}


def refuse_partial(found: Match, network: nn.Layer) -> None:
    """CheckpointError that names the first entries that do not fit, if any do not."""
    problems = {"unknown entry": found.unknown, "shape differs": found.misshapen, "missing": found.missing}
    for what, offenders in problems.items():
        if offenders:
            raise CheckpointError(f"checkpoint does not fit {type(network).__name__}: {what}: {first_of(offenders)}")


def first_of(offenders: Sequence[Any]) -> str:
    """The first few, and how many more there are."""
    more = f" and {len(offenders) - SHOWN} more" if len(offenders) > SHOWN else ""
    return f"{', '.join(map(str, offenders[:SHOWN]))}{more}"
