"""convert, from a PyTorch checkpoint: recognise, match, report, write."""

import argparse
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from paddle_pose import runtime
from paddle_pose.builder import Parts, build, checkpoint_facts
from paddle_pose.cli.convert_config import chosen_config
from paddle_pose.config import load_config
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


def convert_from_torch(source: Path, target: Path, arguments: argparse.Namespace) -> int:
    """Writes TARGET; returns the exit code."""
    content = read_checkpoint(source)
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{source}: holds a {type(content).__name__}, not weights by name")
    bare = _unwrapped(content, source, arguments)
    known, parts, where = _network(bare, source, arguments)
    fresh = beyond_trunk(parts.network) if known.is_trunk else parts.network.head if arguments.drop_head else ()
    found = match(bare.entries, parts.network, tuple(fresh))
    _print(source, bare, known, where, found, parts, arguments)
    _check(source, known, found, parts, arguments)
    own = parts.network.state_dict()
    rest = {name: own[name].numpy() for name in own if name not in found.found}
    facts = {**checkpoint_facts(parts), "converted_from": _origin(source, bare, known, found, fresh)}
    save_model(target, {name: found.found.get(name, rest.get(name)) for name in own}, facts)
    fresh_line = f", {len(rest)} of them fresh (seed {FRESH_SEED})" if rest else ""
    print(f"written to {target}: {len(own)} entries{fresh_line}")
    return 0


def _unwrapped(content: Mapping[str, Any], source: Path, arguments: argparse.Namespace) -> Bare:
    try:
        return unwrap(content, arguments.ema)
    except CheckpointError as error:
        raise CheckpointError(f"{source}: {error}") from None


def _network(bare: Bare, source: Path, arguments: argparse.Namespace) -> tuple[Recognised, Parts, str]:
    """What the file is, and our network for it, its weights drawn from a fixed seed."""
    shapes = {str(key): tuple(getattr(value, "shape", ())) for key, value in bare.entries.items()}
    try:
        known = recognise(shapes)
    except CheckpointError as error:
        known = _by_our_names(bare, arguments)
        if known is None:
            raise CheckpointError(f"{source}: {error}") from None
    config, where = chosen_config(known, arguments)
    return known, _built(config), where


def _by_our_names(bare: Bare, arguments: argparse.Namespace) -> Optional[Recognised]:
    """What --config describes, if the names in the file are mostly those that its network knows."""
    if not arguments.config:
        return None
    parts = _built(load_config(arguments.config, tuple(arguments.opts)))
    found = match(bare.entries, parts.network)
    if 2 * len(found.keys) < len(bare.entries):
        return None
    return Recognised("by the names of --config", parts.config.network.type, {}, len(parts.skeleton))


def _built(config: Any) -> Parts:
    runtime.choose_device("cpu", config.cpu_threads)
    runtime.seed_everything(FRESH_SEED)
    return build(config)


def _print(
    source: Path, bare: Bare, known: Recognised, where: str, found: Match, parts: Parts, arguments: argparse.Namespace
) -> None:
    around = f" under {bare.place!r}" if bare.place else ""
    prefix = f", each behind {bare.prefix!r}" if bare.prefix else ""
    print(f"{source}: {known}")
    print(f"{len(bare.entries)} entries{around}{prefix}; batch counters left out: {bare.counters}")
    print(dtype_line(bare.entries))
    print(f"configuration: {where}")
    if bare.averages:
        print(f"note: the file has a second set of weights, {bare.averages!r}, which --ema would take")
    if known.note:
        print(f"note: {known.note}")
    print("\n".join(match_lines(found, bare.entries, parts.network, arguments.verbose)))


def _check(source: Path, known: Recognised, found: Match, parts: Parts, arguments: argparse.Namespace) -> None:
    """CheckpointError unless everything fits, or what does not was accepted."""
    kind = type(parts.network).__name__
    if found.misshapen and all(one.name.startswith(tuple(parts.network.head)) for one in found.misshapen):
        raise CheckpointError(
            f"{source}: has {known.joints} joints, {arguments.config or 'the configuration'} has {len(parts.skeleton)} (first: {found.misshapen[0]}); "
            "--drop_head keeps all but the layers that depend on joints"
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


def _origin(source: Path, bare: Bare, known: Recognised, found: Match, fresh: tuple[str, ...]) -> dict[str, Any]:
    """What is written into the file of where it comes from."""
    with open(source, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    facts = {
        "file": source.name,
        "sha256": digest.hexdigest(),
        "source": known.source,
        "entries": len(found.found),
        "place": bare.place,
        "trunk_only": known.is_trunk,
        "fresh_layers": list(fresh),
        "missing": found.missing,
        "left_over": found.unknown,
    }
    return {key: value for key, value in facts.items() if value not in ("", False, [])}
