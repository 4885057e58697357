"""paddle-pose convert: PyTorch's checkpoints to ours, and ours to PyTorch's."""

import argparse
from pathlib import Path

from paddle_pose.cli.options import run_command
from paddle_pose.errors import UserError

OURS, THEIRS = (".pdparams", ".safetensors"), (".pth", ".pt")
STATE = ".pdstate"
# Of conversion/published_names.py, which --help need not load.
STYLES = ("bearpaw", "princeton", "mmpose1", "mmpose0", "official", "tensorboy", "torchvision", "own")


def parser() -> argparse.ArgumentParser:
    """The flags of convert."""
    flags = argparse.ArgumentParser(
        prog="paddle-pose convert",
        description="Convert a PyTorch checkpoint to one of ours, or one of ours to PyTorch's. Network and source are "
        "recognised by the names in the file, of which nothing is run; docs/convert.md lists them.",
    )
    flags.add_argument(
        "source",
        metavar="SOURCE",
        help="PyTorch's .pth or .safetensors; or our .pdparams, .pdstate, or a name of the zoo",
    )
    flags.add_argument(
        "target", metavar="TARGET", help="what to write: .pdparams or .safetensors is ours, .pth PyTorch's"
    )
    flags.add_argument("--config", metavar="FILE", help="YAML file of the network; default: by its type and joints")
    flags.add_argument("--image_size", type=int, metavar="N", help="square input of N x N pixels")
    flags.add_argument("--opts", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="any setting")
    flags.add_argument(
        "--partial", action="store_true", help="accept unknown entries, and fresh weights for missing ones"
    )
    flags.add_argument(
        "--drop_head", action="store_true", help="other joints: keep all but the layers that end in them"
    )
    flags.add_argument("--ema", action="store_true", help="take the second set of weights (ema_state_dict) of the file")
    flags.add_argument("--style", choices=STYLES, help="to PyTorch: whose names; default: the network's main reference")
    flags.add_argument("--overwrite", action="store_true", help="replace TARGET if it is there")
    flags.add_argument("--verbose", action="store_true", help="list all names")
    return flags


def main(argv=None) -> int:
    """Entry point; returns the exit code."""
    return run_command(_convert, parser().parse_args(argv))


def _convert(arguments: argparse.Namespace) -> int:
    from paddle_pose import zoo  # takes a fifth of a second

    source, target = Path(zoo.named_model(arguments.source)), Path(arguments.target)
    if target.suffix.lower() not in OURS + THEIRS:
        raise UserError(f"{target}: give TARGET a suffix of {', '.join(OURS)} (ours) or {', '.join(THEIRS)} (PyTorch)")
    if target.exists() and not arguments.overwrite:
        raise UserError(f"{target}: is there already; choose another TARGET, or give --overwrite")
    if not source.is_file():
        raise UserError(f"{source}: no such file; check SOURCE")
    to_torch = target.suffix.lower() in THEIRS
    if not _is_ours(source):
        if to_torch:
            raise UserError(
                f"{source} is no checkpoint of ours, so {target} cannot be made of it; use {' or '.join(OURS)}"
            )
        _refuse(arguments, ("style",), "is for checkpoints of ours that become PyTorch's")
        from paddle_pose.cli.convert_from_torch import convert_from_torch

        return convert_from_torch(source, target, arguments)
    _refuse(arguments, ("image_size", "partial", "drop_head", "ema"), f"is for PyTorch's checkpoints, {source} is ours")
    if not to_torch:
        _refuse(arguments, ("style",), f"is for TARGETs of PyTorch, {target} is ours")
    from paddle_pose.cli.convert_ours import convert_ours

    return convert_ours(source, target, to_torch, arguments)


def _refuse(arguments: argparse.Namespace, flags: tuple[str, ...], why: str) -> None:
    """UserError if one of the flags is given, which would do nothing here."""
    from paddle_pose.errors import UserError

    given = [flag for flag in flags if getattr(arguments, flag) not in (None, False)]
    if given:
        raise UserError(f"--{given[0]} {why}; leave it out")


def _is_ours(source: Path) -> bool:
    """By the suffix; a .safetensors file by the facts in it."""
    if source.suffix.lower() != ".safetensors":
        return source.suffix.lower() in (*OURS, STATE)
    from paddle_pose.engine.checkpoint import safetensors_facts

    return "config" in safetensors_facts(source)
