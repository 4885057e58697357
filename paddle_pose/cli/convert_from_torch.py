"""convert, from a PyTorch checkpoint: the flags, and what is printed."""

import argparse
from pathlib import Path

from paddle_pose.builder_conversion import FRESH_SEED, Conversion, Wanted, check, prepare, write
from paddle_pose.cli.options import size_override
from paddle_pose.conversion.report import dtype_line, match_lines
from paddle_pose.conversion.state import first_of


def convert_from_torch(source: Path, target: Path, arguments: argparse.Namespace) -> int:
    """Writes TARGET; returns the exit code."""
    size_override(arguments.image_size)  # refuses what is no size
    wanted = Wanted(
        config=arguments.config,
        opts=tuple(arguments.opts),
        image_size=arguments.image_size,
        partial=arguments.partial,
        drop_head=arguments.drop_head,
        ema=arguments.ema,
    )
    made = prepare(source, wanted)
    _print(made, arguments.verbose)
    check(made)
    entries, drawn = write(made, target)
    print(f"written to {target}: {entries} entries{f', {drawn} of them fresh (seed {FRESH_SEED})' if drawn else ''}")
    return 0


def _print(made: Conversion, verbose: bool) -> None:
    bare, known = made.bare, made.known
    around = f" under {bare.place!r}" if bare.place else ""
    prefix = f", each behind {bare.prefix!r}" if bare.prefix else ""
    print(f"{made.source}: {known}")
    print(f"{len(bare.entries)} entries{around}{prefix}; batch counters left out: {bare.counters}")
    print(dtype_line(bare.entries))
    print(f"configuration: {made.where}")
    if bare.averages:
        print(f"note: the file has a second set of weights, {bare.averages!r}, which --ema would take")
    if known.note:
        print(f"note: {known.note}")
    if made.fresh:
        print(f"note: fresh weights for what begins with {first_of(made.fresh)}; train it before you use it")
    print("\n".join(match_lines(made.found, bare.entries, made.parts.network, verbose)))
