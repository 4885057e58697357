"""What a checkpoint file holds -> the weights alone, by the names that the reference's own code gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paddle_pose.errors import CheckpointError
from paddle_pose.pickled_values import shown

WRAPPERS = ("state_dict", "model_state_dict", "model")  # a training checkpoint keeps its weights under one of these
AVERAGES = ("ema_state_dict", "state_dict_ema")  # mmengine's and timm's second set of weights
PREFIXES = ("module.", "model.", "_orig_mod.")  # of data-parallel, trainer and compiler wrappers
COUNTERS = ("num_batches_tracked",)
AVERAGE_COUNTERS = ("steps", "n_averaged")  # of the averaged model beside its weights
SHOWN = 3  # names in an error message
LONGEST_NAME = 500


@dataclass(frozen=True)
class Bare:
    """Weights without what a training program puts around them.

    `place` says where in the file they lay, `prefix` what all their names began with, `counters` how many batch
    counters were left out, and `averages` under which name the file has a second set of weights.
    """

    entries: dict[str, Any]
    place: str = ""
    prefix: str = ""
    counters: int = 0
    averages: str = ""


def unwrap(content: Mapping[str, Any], averaged: bool = False) -> Bare:
    """The weights in what `read_checkpoint` returned.

    Args:
        content: the file's outermost mapping.
        averaged: take the second set of weights. In mmengine's files that is the one that was *not* averaged, since
            its EMA hook exchanges the two when it saves.

    Raises:
        CheckpointError: there are no weights, or no second set, or an entry's name is none.
    """
    averages = next((name for name in AVERAGES if isinstance(content.get(name), Mapping)), "")
    place, state = averages if averaged else "", content
    if averaged:
        if not averages:
            raise CheckpointError(f"--ema: the file has none of {', '.join(AVERAGES)}; leave the flag out")
        state = {key: value for key, value in content[averages].items() if key not in AVERAGE_COUNTERS}
    while (wrapper := next((name for name in WRAPPERS if isinstance(state.get(name), Mapping)), None)) is not None:
        place, state = f"{place}.{wrapper}".lstrip("."), state[wrapper]
    prefix = ""
    while (found := next((p for p in PREFIXES if state and all(str(key).startswith(p) for key in state)), "")) != "":
        prefix, state = prefix + found, {key[len(found) :]: value for key, value in state.items()}
    entries = {key: value for key, value in state.items() if not str(key).endswith(COUNTERS)}
    misnamed = next((key for key in entries if not _is_name(key)), None)
    if misnamed is not None:
        raise CheckpointError(f"an entry is called {shown(misnamed) or 'nothing'}, which is no name of a layer")
    if not any(hasattr(value, "shape") for value in entries.values()):
        names = ", ".join(map(str, list(entries)[:SHOWN])) or "nothing"
        raise CheckpointError(f"the file holds no weights, only {names}; weights are looked for in {_places()}")
    return Bare(entries, place, prefix, len(state) - len(entries), "" if averaged else averages)


def _is_name(key: Any) -> bool:
    """Whether an entry's name can be looked up and printed on a line."""
    return isinstance(key, str) and 0 < len(key) <= LONGEST_NAME and key.isprintable()


def _places() -> str:
    return f"the file itself and under {', '.join(WRAPPERS)}"
