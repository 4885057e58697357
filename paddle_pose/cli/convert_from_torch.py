"""convert, from a PyTorch checkpoint: recognise, match, report, write."""

import argparse
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from paddle_pose import runtime
from paddle_pose.builder import Parts, build, checkpoint_facts
from paddle_pose.cli.convert_config import chosen_config
from paddle_pose.config import Config, load_config
from paddle_pose.conversion.checkpoint_files import read_checkpoint
from paddle_pose.conversion.match import Match, beyond_trunk, match
from paddle_pose.conversion.recognise import recognise
from paddle_pose.conversion.recognised import Recognised
from paddle_pose.conversion.report import dtype_line, match_lines, not_finite
from paddle_pose.conversion.state import first_of
from paddle_pose.conversion.unwrap import Bare, unwrap
from paddle_pose.engine.checkpoint import save_model
from paddle_pose.errors import CheckpointError

FRESH_SEED = 0  # of weights that no checkpoint gives


@dataclass(frozen=True)
class _Conversion:
    """A file, what it was recognised as, our network for it, and which entry goes where."""

    source: Path
    bare: Bare
    known: Recognised
    parts: Parts
    where: str  # the configuration, in words
    fresh: tuple[str, ...]  # beginnings of names that keep the network's own weights
    found: Match


def convert_from_torch(source: Path, target: Path, arguments: argparse.Namespace) -> int:
    """Writes TARGET; returns the exit code."""
    made = _prepared(source, arguments)
    _print(made, arguments.verbose)
    _check(made, arguments)
    own = made.parts.network.state_dict()
    weights = {name: made.found.found[name] if name in made.found.found else own[name].numpy() for name in own}
    save_model(target, weights, {**checkpoint_facts(made.parts), "converted_from": _origin(made)})
    drawn = len(own) - len(made.found.found)
    print(f"written to {target}: {len(own)} entries{f', {drawn} of them fresh (seed {FRESH_SEED})' if drawn else ''}")
    return 0


def _prepared(source: Path, arguments: argparse.Namespace) -> _Conversion:
    content = read_checkpoint(source)
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{source}: holds a {type(content).__name__}, not weights by name")
    try:
        bare = unwrap(content, arguments.ema)
        known = _recognised(bare, arguments)
    except CheckpointError as error:
        raise CheckpointError(f"{source}: {error}") from None
    config, where = chosen_config(known, arguments)
    parts = _built(config)
    fresh = beyond_trunk(parts.network) if known.is_trunk else parts.network.head if arguments.drop_head else ()
    try:
        found = match(bare.entries, parts.network, tuple(fresh))
    except CheckpointError as error:
        raise CheckpointError(f"{source}: {error}") from None
    return _Conversion(source, bare, known, parts, where, tuple(fresh), found)


def _recognised(bare: Bare, arguments: argparse.Namespace) -> Recognised:
    shapes = {str(key): tuple(getattr(value, "shape", ())) for key, value in bare.entries.items()}
    try:
        return recognise(shapes)
    except CheckpointError:
        known = _by_our_names(bare, arguments)
        if known is None:
            raise
        return known


def _by_our_names(bare: Bare, arguments: argparse.Namespace) -> Optional[Recognised]:
    """What --config describes, if most names in the file are such as its network knows."""
    if not arguments.config:
        return None
    parts = _built(load_config(arguments.config, tuple(arguments.opts)))
    if 2 * len(match(bare.entries, parts.network).keys) < len(bare.entries):
        return None
    return Recognised("by the names of --config", parts.config.network.type, {}, len(parts.skeleton))


def _built(config: Config) -> Parts:
    """The parts of a configuration, their weights drawn from a fixed seed."""
    runtime.choose_device("cpu", config.cpu_threads)
    runtime.seed_everything(FRESH_SEED)
    return build(config)


def _print(made: _Conversion, verbose: bool) -> None:
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


def _check(made: _Conversion, arguments: argparse.Namespace) -> None:
    """CheckpointError unless everything fits, or what does not was accepted."""
    source, found, network = made.source, made.found, made.parts.network
    kind, head = type(network).__name__, tuple(network.head)
    if found.misshapen and all(one.name.startswith(head) for one in found.misshapen):
        raise CheckpointError(
            f"{source}: has {made.known.joints} joints, {arguments.config or 'the configuration'} has "
            f"{len(made.parts.skeleton)} (first: {found.misshapen[0]}); --drop_head keeps all but the layers that "
            "depend on joints"
        )
    if found.misshapen:
        raise CheckpointError(f"{source}: does not fit {kind}: shape differs: {first_of(found.misshapen)}")
    for what, names in (("unknown entry", found.unknown), ("missing", found.missing)):
        if names and not arguments.partial:
            hint = "--partial accepts what is missing or left over"
            raise CheckpointError(f"{source}: does not fit {kind}: {what}: {first_of(names)}; {hint}")
    if not found.found:
        raise CheckpointError(f"{source}: no entry fits {kind}")
    bad = not_finite(found)
    if bad:
        raise CheckpointError(f"{source}: holds NaN or infinity in {first_of(bad)}; that training went wrong")


def _origin(made: _Conversion) -> dict[str, Any]:
    """What is written into the file of where it comes from; what is empty is left out."""
    digest = hashlib.sha256()
    with open(made.source, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    facts = {
        "file": made.source.name,
        "sha256": digest.hexdigest(),
        "source": made.known.source,
        "entries": len(made.found.found),
        "place": made.bare.place,
        "trunk_only": made.known.is_trunk,
        "fresh_layers": list(made.fresh),
        "missing": made.found.missing,
        "left_over": made.found.unknown,
    }
    return {key: value for key, value in facts.items() if value}
