"""Names of layers in published checkpoints -> ours, by lists of patterns."""

import re
from collections.abc import Sequence
from typing import Callable, Union

Names = Sequence[tuple[str, Union[str, Callable[[re.Match], str]]]]
"""Pairs of a pattern and what takes its place, applied one after the other as by `re.sub`."""


def renamed(key: str, names: Names) -> str:
    """`key` after all replacements."""
    for pattern, replacement in names:
        key = re.sub(pattern, replacement, key)
    return key
