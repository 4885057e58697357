"""The PyTorch side of align: its flags, and the network that they name. Imports neither torch nor paddle at the top."""

import argparse
import inspect
from pathlib import Path
from typing import Any

from paddle_pose.alignment.setup import MEAN_SQUARE, OPTIMIZERS
from paddle_pose.errors import UserError


def record_parser() -> argparse.ArgumentParser:
    """The flags of `align record`."""
    flags = argparse.ArgumentParser(
        prog="align record",
        description="Record a PyTorch network, to be compared where Paddle is. Needs torch and numpy.",
    )
    add_recording_flags(flags)
    flags.add_argument("--out", required=True, metavar="DIR", help="folder for the recording")
    return flags


def add_recording_flags(flags: Any) -> None:
    """What describes the network and how it is run."""
    flags.add_argument("--torch", metavar="M:C", help="module:callable or file.py:callable that builds the network")
    flags.add_argument("--checkout", metavar="DIR", help="handed to the callable as a pathlib.Path")
    flags.add_argument("--source", metavar="TEXT", help="whose network it is, for tables (default: that of --torch)")
    flags.add_argument(
        "--weights",
        default="rule",
        metavar="W",
        help="rule (drawn from names; default), own (as built), or a checkpoint",
    )
    flags.add_argument(
        "--torch_loss", default=MEAN_SQUARE, metavar="L", help="mse (default), or module:callable (outputs, targets)"
    )
    flags.add_argument("--input_wh", type=int, nargs=2, default=(256, 256), metavar=("W", "H"), help="default: 256 256")
    flags.add_argument("--train_wh", type=int, nargs=2, metavar=("W", "H"), help="in training (default: the same)")
    flags.add_argument("--batch_size", type=int, default=2, metavar="N", help="images (default: 2)")
    flags.add_argument("--double", action="store_true", help="loss, gradients and training in float64")
    flags.add_argument("--optimizer", default="Adam", choices=OPTIMIZERS, help="default: Adam")
    flags.add_argument("--lr", type=float, default=1e-4, help="learning rate (default: 1e-4)")
    flags.add_argument("--momentum", type=float, default=0.9, help="of Momentum (default: 0.9)")
    flags.add_argument("--steps", type=int, default=10, metavar="N", help="of training (default: 10)")
    flags.add_argument("--seed", type=int, default=0, metavar="N", help="of weights, images and targets (default: 0)")


def record_into(arguments: argparse.Namespace, folder: Path) -> None:
    """Builds the network and records it; UserError where the flags cannot be followed."""
    if not arguments.torch:
        raise UserError("--torch MODULE:CALLABLE is needed: what builds the PyTorch network")
    _check_numbers(arguments)
    try:
        import torch  # noqa: F401
    except ImportError:
        raise UserError(
            "PyTorch is not installed here; record where it is, or pip install 'paddle_pose[align]'"
        ) from None
    from paddle_pose.alignment import recording
    from paddle_pose.alignment.objects import find_object

    model = _built(find_object(arguments.torch, "--torch"), arguments)
    loss = MEAN_SQUARE if arguments.torch_loss == MEAN_SQUARE else find_object(arguments.torch_loss, "--torch_loss")
    recording.record(model, _request(arguments, loss), folder)


def _request(arguments: argparse.Namespace, loss: Any) -> Any:
    from paddle_pose.alignment.recording import Request

    (width, height), (train_width, train_height) = arguments.input_wh, arguments.train_wh or arguments.input_wh
    return Request(
        reference=arguments.source or arguments.torch,
        evaluation_shape=(arguments.batch_size, 3, height, width),
        training_shape=(arguments.batch_size, 3, train_height, train_width),
        seed=arguments.seed,
        dtype="float64" if arguments.double else "float32",
        weights=arguments.weights,
        optimizer=arguments.optimizer,
        lr=arguments.lr,
        momentum=arguments.momentum,
        steps=arguments.steps,
        loss=loss,
        loss_name=arguments.torch_loss,
    )


def _check_numbers(arguments: argparse.Namespace) -> None:
    sizes = [*arguments.input_wh, *(arguments.train_wh or ()), arguments.batch_size, arguments.steps]
    if min(sizes) < 1:
        raise UserError("--input_wh, --train_wh, --batch_size and --steps must be 1 or more")
    if not 0 <= arguments.seed < 2**31:
        raise UserError(f"--seed {arguments.seed}: must be 0 to {2**31 - 1}")
    if any(sign in (arguments.source or "") for sign in "|\n"):
        raise UserError(f"--source {arguments.source!r}: write one line of text without |")
    if not arguments.lr > 0:
        raise UserError(f"--lr {arguments.lr:g}: must be above 0")


def _built(build: Any, arguments: argparse.Namespace) -> Any:
    """The network: the callable's result, of the checkout if it takes one."""
    from torch import nn

    from paddle_pose.alignment.objects import call

    if not callable(build):
        raise UserError(f"--torch {arguments.torch}: is a {type(build).__name__}, not a function that builds a network")
    needed = [
        p for p in inspect.signature(build).parameters.values() if p.default is p.empty and p.kind < p.VAR_POSITIONAL
    ]
    if len(needed) != (arguments.checkout is not None):
        flag = "takes one argument: give --checkout DIR" if len(needed) == 1 else f"takes {len(needed)} arguments"
        raise UserError(f"--torch {arguments.torch}: the callable {flag}; it may take none, or one with --checkout")
    network = call(build, f"--torch {arguments.torch}", *([Path(arguments.checkout)] if needed else []))
    if not isinstance(network, nn.Module):
        raise UserError(f"--torch {arguments.torch}: built a {type(network).__name__}, not a torch.nn.Module")
    return network
