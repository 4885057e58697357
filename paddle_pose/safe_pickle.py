"""Reads what `paddle.save` writes (.pdparams, .pdopt) without running any code that is in the file.

These files are pickles, and a pickle may name any function to be called; `paddle.load` calls it. Here an
unpickler (`paddle_pose.safe_unpickler`) knows a dozen names, all harmless, and refuses every other with a
CheckpointError. What comes out is plain containers, strings, numbers and numeric numpy arrays. Files of Paddle 2.6
and 3.x, written under numpy 1 or 2, read the same.
"""

from pathlib import Path
from typing import Any, Union

import numpy as np

from paddle_pose.safe_unpickler import Plain, Unpickler, reading

SLICES_KEY = "UnpackBigParamInfor@@"  # where paddle.save notes how it cut arrays above 1 GiB (its own spelling)


def load(path: Union[str, Path]) -> Any:
    """The object that `paddle.save` wrote to `path`, its tensors as numpy arrays.

    Raises:
        CheckpointError: where the file is missing, cut short, no pickle, or asks for anything but plain data.
    """
    with reading(path, "a Paddle checkpoint"), open(path, "rb") as file:
        return _PaddlePlain().of(Unpickler(file).load())


class _PaddlePlain(Plain):
    """Takes (name, array) pairs of paddle tensors as arrays, and rejoins cut ones."""

    def container(self, node: Any) -> Any:
        """The plain form of a dict, a list, a tuple or a pair that is a tensor."""
        if isinstance(node, tuple) and len(node) == 2 and isinstance(node[0], str) and isinstance(node[1], np.ndarray):
            return node[1]
        plain = super().container(node)
        return _rejoined(plain) if isinstance(node, dict) else plain


def _rejoined(entries: dict) -> dict:
    """Arrays above 1 GiB are stored in slices by pickle protocols 2 and 3."""
    for name, parts in entries.pop(SLICES_KEY, {}).items():
        slices = [entries.pop(part) for part in parts["slices"]]
        entries[name] = np.concatenate(slices).reshape(parts["OriginShape"])
    return entries
