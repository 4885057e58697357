"""What the keys and shapes of a checkpoint say, and how keys are read for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

Shapes = Mapping[str, tuple[int, ...]]
"""Key of an entry, as `unwrap` leaves it -> shape in PyTorch's order of axes."""


@dataclass(frozen=True)
class Recognised:
    """Which network a checkpoint is of.

    `network` and `options` are `type` and arguments of a configuration's section. `joints` is None for a trunk.
    `configs` are files under configs/ for it, the first that is there the default; of a trunk, examples of networks
    that it fits, of which some may not be there. None: nothing there has this network with these joints.
    `note` is what the file cannot say and its user must know.
    """

    source: str
    network: str
    options: dict[str, Any]
    joints: Optional[int]
    configs: tuple[str, ...] = ()
    note: str = ""

    @property
    def is_trunk(self) -> bool:
        """Whether the head is that of a photo classifier, so that a configuration must say which network is meant."""
        return self.joints is None

    def __str__(self) -> str:
        options = ", ".join(f"{key}={value}" for key, value in self.options.items())
        what = "trunk only" if self.is_trunk else f"{self.joints} joints"
        return f"{self.source}: {self.network} ({options + ', ' if options else ''}{what})"


def count(shapes: Shapes, pattern: str) -> int:
    """How many different numbers stand where `pattern`, from the beginning of a key, has its group."""
    return len({found[1] for key in shapes if (found := re.match(pattern, key))})


def has(shapes: Shapes, key: str, axes: int) -> bool:
    """Whether there is an entry `key` with this many axes."""
    return len(shapes.get(key, ())) == axes
