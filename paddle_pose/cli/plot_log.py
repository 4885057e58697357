"""paddle-pose plot_log: curves of one or many training runs as a picture. Imports no paddle."""

import argparse
from pathlib import Path
from typing import Any, Optional

from paddle_pose.cli.options import positive, run_command
from paddle_pose.errors import ConfigError, DataError

_BEST = ("Mean", "AP", "Found", "valid/loss")  # the first one that a run has is drawn below the loss


def parser() -> argparse.ArgumentParser:
    """The flags of the command."""
    flags = argparse.ArgumentParser(description="Draw loss and validation curves of training runs.")
    flags.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="folder of a run (--save_dir, or its <size>_training), a metrics.jsonl, or a log with [TRAIN] lines",
    )
    flags.add_argument("--out", metavar="FILE", default="curves.png", help=".png, .svg or .pdf (default: curves.png)")
    flags.add_argument(
        "--keys", nargs="+", metavar="KEY", help="loss, lr, Mean, valid/loss ... (default: loss and the main value)"
    )
    flags.add_argument("--x", choices=("iter", "epoch", "hours"), default="iter", help="axis (default: iter)")
    flags.add_argument(
        "--smooth", type=positive, default=1, metavar="N", help="average the training loss over N points (default: 1)"
    )
    flags.add_argument("--published", metavar="ID", help="draw a published curve too; needs --x epoch")
    return flags


def main(argv=None) -> int:
    """Entry point; returns the exit code."""
    return run_command(_plot, parser().parse_args(argv))


def _plot(arguments: argparse.Namespace) -> int:
    from paddle_pose.reports.curve_plot import FORMATS, draw_runs
    from paddle_pose.reports.run_logs import names_of, read_run

    picture = Path(arguments.out)
    if picture.suffix.lower() not in FORMATS:
        raise ConfigError(f"--out {picture}: pictures are written as {', '.join(FORMATS)}")
    beside = _published(arguments)
    runs = [read_run(Path(run)) for run in arguments.runs]
    keys = arguments.keys or _main_keys(runs)
    for key in keys:
        if not any(run.find(key) for run in runs):
            known = ", ".join(dict.fromkeys(key.partition("/")[2] for run in runs for key in run.known()))
            raise DataError(f"--keys {key}: no run has it; they have {known}")
    names = names_of([Path(run) for run in arguments.runs])
    draw_runs(picture, runs, names, keys, arguments.x, arguments.smooth, beside)
    print(f"curves of {len(runs)} run{'s' * (len(runs) > 1)} ({', '.join(keys)}) in {picture}")
    return 0


def _main_keys(runs: list[Any]) -> list[str]:
    best = next((key for key in _BEST if any(run.find(key) for run in runs)), None)
    return [key for key in ("loss", best) if key and any(run.find(key) for run in runs)] or runs[0].known()[:1]


def _published(arguments: argparse.Namespace) -> Optional[tuple[str, Any]]:
    if arguments.published is None:
        return None
    from paddle_pose.references import curves, find

    if arguments.x != "epoch":
        raise ConfigError("--published: such a curve has a point for each epoch; add --x epoch")
    known = curves()
    name = arguments.published if arguments.published in known else find(arguments.published, "--published").curve_of
    if name not in known:
        raise ConfigError(
            f"--published {arguments.published}: no curve of it is published; there are {', '.join(known)}"
        )
    return name, known[name]
