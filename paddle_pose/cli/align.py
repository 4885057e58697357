"""python -m paddle_pose.align: is this network the PyTorch network that it claims to be? See docs/alignment.md.

align record --torch MODULE:CALLABLE --out DIR     where PyTorch is
align --config FILE --recording DIR                where Paddle is
align --config FILE --torch MODULE:CALLABLE        where both are
align table results/alignment/*.json               the table of docs/alignment.md
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from paddle_pose.alignment.thresholds import RUNGS, thresholds
from paddle_pose.atomic_files import written_beside
from paddle_pose.cli.align_record import add_recording_flags, record_into, record_parser
from paddle_pose.cli.options import run_command
from paddle_pose.environment import environment
from paddle_pose.errors import UserError


def main(argv=None) -> int:
    """Entry point; returns the exit code: 1 if a rung fails, 2 for wrong input."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["record"]:
        return run_command(_record, record_parser().parse_args(words[1:]))
    if words[:1] == ["table"]:
        return run_command(_table, _table_parser().parse_args(words[1:]))
    return run_command(_compare, parser().parse_args(words))


def parser() -> argparse.ArgumentParser:
    """The flags of the comparison."""
    flags = argparse.ArgumentParser(
        description=f"Compare a network here with its PyTorch reference, rung by rung: {', '.join(RUNGS)}.",
        epilog="Also: `align record --help` (the PyTorch side), `align table --help` (the table of docs/alignment.md).",
    )
    network = flags.add_mutually_exclusive_group(required=True)
    network.add_argument("--config", help="YAML file: network, codec, metric and loss")
    network.add_argument(
        "--network", metavar="TEXT", help='"type: StackedHourglass, num_joints: 16", or module:callable'
    )
    flags.add_argument("--opts", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="with --config")
    flags.add_argument("--recording", metavar="DIR", help="what `align record` wrote; with --torch it is written here")
    flags.add_argument(
        "--pretrained_model", metavar="FILE", help="our weights, for files of the guide without setup.json"
    )
    flags.add_argument("--rungs", default=",".join(RUNGS), metavar="A,B", help=f"some of {','.join(RUNGS)}")
    flags.add_argument(
        "--threshold", nargs="+", action="extend", default=[], metavar="RUNG=X", help="e.g. forward=1e-5"
    )
    flags.add_argument(
        "--loss",
        help="mse (sum of mean squared errors), config (the configuration's), or module:callable (outputs, targets)",
    )
    flags.add_argument("--metric_record", metavar="FILE", help="record of val.py, to compare with metric_ref.npy")
    flags.add_argument("--save", metavar="FILE", help="the JSON (default: alignment.json beside DIR)")
    flags.add_argument("--save_arrays", metavar="DIR", help="write our *_paddle.npy, for reprod_log's ReprodDiffHelper")
    flags.add_argument("--device", default="auto", help="auto, cpu, gpu or gpu:i (default: auto)")
    add_recording_flags(flags.add_argument_group("with --torch: both sides in this process, as `align record`"))
    return flags


def _table_parser() -> argparse.ArgumentParser:
    flags = argparse.ArgumentParser(prog="align table", description="The table of docs/alignment.md from JSON files.")
    flags.add_argument("files", nargs="+", metavar="FILE", help="what --save wrote")
    flags.add_argument("--into", metavar="FILE", help="put it between the markers of this file")
    return flags


def _record(arguments: argparse.Namespace) -> int:
    record_into(arguments, Path(arguments.out))
    print(f"recorded into {arguments.out}; compare with: align --config FILE --recording {arguments.out}")
    return 0


def _table(arguments: argparse.Namespace) -> int:
    from paddle_pose.alignment.report import docs_table, put_between_markers

    table = docs_table([Path(path) for path in arguments.files])
    if arguments.into is None:
        print(table)
        return 0
    path = Path(arguments.into)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; check --into") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 text ({error.reason}); check --into") from None
    with written_beside(path) as temporary:
        temporary.write_text(put_between_markers(text, table, arguments.into), encoding="utf-8")
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    rungs, limits = _rungs(arguments.rungs), _limits(arguments.threshold)
    if arguments.opts and arguments.config is None:
        raise UserError("--opts changes settings of --config; leave it out")
    if arguments.torch is None:
        _refuse_recording_flags(arguments)
        if arguments.recording is None:
            raise UserError("say what to compare with: --recording DIR, or --torch MODULE:CALLABLE")
        return _run(arguments, Path(arguments.recording), rungs, limits)
    if arguments.recording is not None:
        record_into(arguments, Path(arguments.recording))
        return _run(arguments, Path(arguments.recording), rungs, limits)
    with tempfile.TemporaryDirectory() as folder:
        record_into(arguments, Path(folder))
        return _run(arguments, Path(folder), rungs, limits)


def _refuse_recording_flags(arguments: argparse.Namespace) -> None:
    """What was recorded was recorded: UserError if a flag asks for something else."""
    group = argparse.ArgumentParser()
    add_recording_flags(group)
    for name, default in vars(group.parse_args([])).items():
        if getattr(arguments, name) != default:
            raise UserError(f"--{name} is for recording, with --torch; here the recording says it, so leave it out")


def _run(arguments: argparse.Namespace, folder: Path, rungs: tuple[str, ...], limits: Any) -> int:
    from paddle_pose.alignment import report
    from paddle_pose.alignment.setup import write_json
    from paddle_pose.cli.align_compare import compare, save_arrays

    rows, setup, arrays = compare(arguments, folder, rungs, limits)
    if arguments.save_arrays:
        save_arrays(Path(arguments.save_arrays), arrays)
    beside = Path.cwd() if arguments.recording is None else folder.parent
    path = Path(arguments.save) if arguments.save else beside / "alignment.json"
    write_json(path, report.payload(rows, setup, arguments.config or arguments.network, environment()))
    print(f"reference: {setup.reference}")
    print(report.format_rows(rows))
    print("differences are relative to the largest magnitude of the reference's array")
    print(f"{report.summary(rows)}; written to {path}")
    return 1 if report.failed(rows) else 0


def _rungs(text: str) -> tuple[str, ...]:
    chosen = text.split(",")
    for rung in chosen:
        if rung not in RUNGS:
            raise UserError(f"--rungs {text}: no rung {rung!r}; choose from {','.join(RUNGS)}")
    return tuple(rung for rung in RUNGS if rung in chosen)


def _limits(texts: list[str]) -> Any:
    overrides = {}
    for text in texts:
        rung, _, number = text.partition("=")
        try:
            overrides[rung] = float(number)
        except ValueError:
            raise UserError(f"--threshold {text}: write RUNG=NUMBER, e.g. forward=1e-5") from None
    return thresholds(overrides)
