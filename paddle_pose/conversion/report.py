"""What a conversion prints: how many entries and numbers went where, and the first names of what is left."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from paddle import nn

from paddle_pose.conversion.match import Match

NAMED = 2  # names on a line of the table


def match_lines(found: Match, entries: Mapping[str, Any], network: nn.Layer, verbose: bool) -> list[str]:
    """A table of a match; with `verbose` all names below it."""
    ours = network.state_dict()
    fresh = [name for name in found.fresh if not name.endswith(("._mean", "._variance"))]
    misshapen = [one.key for one in found.misshapen]
    rows = [  # what, names, where their sizes are
        ("matched", [key for key in found.keys.values() if key not in misshapen], entries),
        ("known, of no use here", found.unused, entries),
        ("left out for fresh layers", found.left_out, entries),
        ("fresh layers of ours", fresh, ours),
        ("left over, unknown", found.unknown, entries),
        ("missing here", found.missing, ours),
        ("of another shape", misshapen, entries),
    ]
    shown = [row for row in rows if row[1] or row[0] in ("matched", "left over, unknown", "missing here")]
    lines = [f"{'':<26}{'entries':>8} {'numbers':>12}  first"]
    for what, names, where in shown:
        numbers = sum(int(np.prod(where[name].shape)) for name in names if hasattr(where[name], "shape"))
        lines.append(f"{what:<26}{len(names):>8,} {numbers:>12,}  {', '.join(names[:NAMED])}".rstrip())
    if verbose:
        for what, names, _ in shown:
            lines += [f"{what}:", *(f"  {name}" for name in names)] if names else []
    lines += [f"shape: {one}" for one in found.misshapen[: None if verbose else NAMED]]
    return lines


def dtype_line(entries: Mapping[str, Any]) -> str:
    """Which kinds of numbers a checkpoint has, and what becomes of them."""
    kinds = Counter(_kind(value) for value in entries.values() if hasattr(value, "dtype"))
    if set(kinds) == {"float32"}:
        return "numbers: float32"
    listed = ", ".join(f"{kind} ({count} entries)" for kind, count in kinds.most_common())
    return f"numbers: {listed}; converted to float32"


def not_finite(found: Match) -> Sequence[str]:
    """Keys of entries that hold NaN or infinity, as they are after conversion."""
    return [found.keys[name] for name, array in found.found.items() if not np.isfinite(array).all()]


def _kind(array: Any) -> str:
    """The dtype; float32 that has bfloat16's precision throughout was bfloat16, which numpy has not."""
    if array.dtype == np.float32 and array.size > 1:
        bits = np.ascontiguousarray(array).view(np.uint32)
        if not (bits & 0xFFFF).any() and (bits != bits.flat[0]).any():
            return "bfloat16"
    return str(array.dtype)
