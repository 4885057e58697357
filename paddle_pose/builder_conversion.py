"""A checkpoint of PyTorch -> a model file of ours: recognise, match, check, write. Nothing is printed here.

made = prepare(Path("hourglass52.pth"), Wanted())
check(made)
write(made, Path("hourglass52.pdparams"))
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from paddle_pose import runtime
from paddle_pose.builder import Parts, build, checkpoint_facts
from paddle_pose.config import Config
from paddle_pose.config_of_checkpoint import asked_config, chosen_config
from paddle_pose.conversion.checkpoint_files import read_checkpoint
from paddle_pose.conversion.match import Match, beyond_trunk, match
from paddle_pose.conversion.recognise import recognise
from paddle_pose.conversion.recognised import Recognised
from paddle_pose.conversion.report import not_finite
from paddle_pose.conversion.state import first_of
from paddle_pose.conversion.unwrap import Bare, unwrap
from paddle_pose.digests import sha256_of
from paddle_pose.engine.checkpoint import save_model
from paddle_pose.errors import CheckpointError

FRESH_SEED = 0  # of weights that no checkpoint gives


@dataclass(frozen=True)
class Wanted:
    """What is asked of a conversion, each as the flag of `paddle-pose convert` that has its name."""

    config: Optional[str] = None
    opts: tuple[str, ...] = ()
    image_size: Optional[int] = None
    partial: bool = False
    drop_head: bool = False
    ema: bool = False


@dataclass(frozen=True)
class Conversion:
    """A file, what it was recognised as, our network for it, and which entry goes where."""

    source: Path
    wanted: Wanted
    bare: Bare
    known: Recognised
    parts: Parts
    where: str  # the configuration, in words
    fresh: tuple[str, ...]  # beginnings of names that keep the network's own weights
    found: Match


def prepare(source: Path, wanted: Wanted) -> Conversion:
    """Reads a file, of which nothing is run, and finds the place of each entry.

    Raises:
        CheckpointError: the file is damaged or hostile, holds no weights, or is of no network that is known.
        ConfigError: there is no configuration for it, or `wanted.config` is of another network.
    """
    content = read_checkpoint(source)
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{source}: holds a {type(content).__name__}, not weights by name")
    try:
        bare = unwrap(content, wanted.ema)
        known, parts, where = _network_of(bare, wanted)
        fresh = beyond_trunk(parts.network) if known.is_trunk else parts.network.head if wanted.drop_head else ()
        found = match(bare.entries, parts.network, tuple(fresh))
    except CheckpointError as error:
        raise CheckpointError(f"{source}: {error}") from None
    return Conversion(source, wanted, bare, known, parts, where, tuple(fresh), found)


def check(made: Conversion) -> None:
    """CheckpointError unless everything fits, or what does not was accepted."""
    source, found, network = made.source, made.found, made.parts.network
    kind, head = type(network).__name__, tuple(network.head)
    if found.misshapen and all(one.name.startswith(head) for one in found.misshapen):
        raise CheckpointError(
            f"{source}: has {made.known.joints} joints, {made.wanted.config or 'the configuration'} has "
            f"{len(made.parts.skeleton)} (first: {found.misshapen[0]}); --drop_head keeps all but the layers that "
            "depend on joints"
        )
    if found.misshapen:
        raise CheckpointError(f"{source}: does not fit {kind}: shape differs: {first_of(found.misshapen)}")
    for what, names in (("unknown entry", found.unknown), ("missing", found.missing)):
        if names and not made.wanted.partial:
            hint = "--partial accepts what is missing or left over"
            raise CheckpointError(f"{source}: does not fit {kind}: {what}: {first_of(names)}; {hint}")
    if not found.found:
        raise CheckpointError(f"{source}: no entry fits {kind}")
    bad = not_finite(found)
    if bad:
        raise CheckpointError(f"{source}: holds NaN or infinity in {first_of(bad)}; that training went wrong")


def write(made: Conversion, target: Path) -> tuple[int, int]:
    """Writes a model file; returns how many entries it has, and how many of them are fresh.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written.
    """
    own = made.parts.network.state_dict()
    weights = {name: made.found.found[name] if name in made.found.found else own[name].numpy() for name in own}
    save_model(target, weights, {**checkpoint_facts(made.parts), "converted_from": _origin(made)})
    return len(own), len(own) - len(made.found.found)


def _network_of(bare: Bare, wanted: Wanted) -> tuple[Recognised, Parts, str]:
    """Which network the entries are of, ours with drawn weights, and its configuration in words."""
    shapes = {str(key): tuple(getattr(value, "shape", ())) for key, value in bare.entries.items()}
    try:
        known = recognise(shapes)
    except CheckpointError:
        described = _by_our_names(bare, wanted)
        if described is None:
            raise
        return described
    config, where = chosen_config(known, wanted.config, wanted.opts, wanted.image_size)
    return known, _built(config), where


def _by_our_names(bare: Bare, wanted: Wanted) -> Optional[tuple[Recognised, Parts, str]]:
    """What the configuration that was asked for describes, if most names in the file are such as its network knows."""
    if not wanted.config:
        return None
    config, where = asked_config(wanted.config, wanted.opts, wanted.image_size)
    parts = _built(config)
    if 2 * len(match(bare.entries, parts.network).keys) < len(bare.entries):
        return None
    known = Recognised("by the names of --config", config.network.type, {}, len(parts.skeleton))
    return known, parts, where


def _built(config: Config) -> Parts:
    """The parts of a configuration, their weights drawn from a fixed seed."""
    runtime.choose_device("cpu", config.cpu_threads)
    runtime.seed_everything(FRESH_SEED)
    return build(config)


def _origin(made: Conversion) -> dict[str, Any]:
    """What is written into the file of where it comes from; what is empty is left out."""
    facts = {
        "file": made.source.name,
        "sha256": sha256_of(made.source),
        "source": made.known.source,
        "entries": len(made.found.found),
        "place": made.bare.place,
        "trunk_only": made.known.is_trunk,
        "fresh_layers": list(made.fresh),
        "missing": made.found.missing,
        "left_over": made.found.unknown,
    }
    return {key: value for key, value in facts.items() if value}
