"""train.py: trains a network, validates it every epoch, keeps the best model."""

import argparse
import sys

from paddle_pose.cli.options import EXIT_INTERRUPTED, common_parser, read_config, run_command


def parser() -> argparse.ArgumentParser:
    """The flags of train.py."""
    flags = common_parser("Train a pose network. Ctrl-C writes a last checkpoint; --resume goes on from it.")
    flags.add_argument("--save_dir", default="output", metavar="DIR", help="where models and logs go (default: output)")
    flags.add_argument("--resume", action="store_true", help="go on with the run in --save_dir, to the same weights")
    flags.add_argument("--overwrite", action="store_true", help="start anew over a run in --save_dir")
    flags.add_argument("--pretrained_model", metavar="FILE", help="start from the weights of this checkpoint")
    flags.add_argument("--use_vdl", action="store_true", help="write curves and pictures for VisualDL")
    flags.add_argument("--seed", type=int, help="overrides the configuration's seed")
    return flags


def main(argv=None) -> int:
    """Entry point; returns the exit code."""
    return run_command(_train, parser().parse_args(argv))


def _train(arguments: argparse.Namespace) -> int:
    if arguments.seed is not None:
        arguments.opts = [*arguments.opts, f"seed={arguments.seed}"]
    config = read_config(arguments, "train")

    from paddle_pose.cli.cascade_training import train_cascade
    from paddle_pose.cli.training import train
    from paddle_pose.engine.stop import Interrupted

    try:
        (train_cascade if config.cascade else train)(config, arguments)
    except Interrupted:
        print("interrupted; the training state is written, --resume goes on from it", file=sys.stderr)
        return EXIT_INTERRUPTED
    return 0
