"""val.py: scores a trained network, or a file of predictions that any system wrote."""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from paddle_pose.cli.options import common_parser, positive, read_config, run_command


def parser() -> argparse.ArgumentParser:
    """The flags of val.py."""
    flags = common_parser("Evaluate a pose network or a file of predictions; ends with the [EVAL] line.")
    source = flags.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--pretrained_model",
        metavar="FILE",
        help="model.pdparams, model.safetensors or training.pdstate of a run, or cascade.json",
    )
    source.add_argument(
        "--predictions", metavar="FILE", help="score this .mat (preds), .npy or .json instead of a network"
    )
    source.add_argument("--baseline", action="store_true", help="score the mean pose of the training people")
    flags.add_argument("--boxes", metavar="FILE", help="COCO: a detector's boxes; default: those of the ground truth")
    flags.add_argument("--reference", metavar="ID", help="published row to compare with (docs/references.md)")
    flags.add_argument("--save_predictions", metavar="FILE", help="write the joints found: .mat, .npy or .json")
    flags.add_argument("--save_record", metavar="FILE", help="write numbers, rules and circumstances as JSON")
    flags.add_argument("--save_pictures", metavar="DIR", help="draw the joints found on some of the photos")
    flags.add_argument("--num_pictures", type=positive, default=16, metavar="N", help="how many (default: 16)")
    flags.add_argument("--report", metavar="DIR", help="write DIR/report.html: curves, errors, worst cases")
    return flags


def main(argv=None) -> int:
    """Entry point; returns the exit code."""
    return run_command(_evaluate, parser().parse_args(argv))


@dataclass(frozen=True)
class _Scored:
    config: Any
    dataset: Any
    metric: Any
    predictions: Any
    facts: dict[str, Any]
    notes: tuple[str, ...]  # lines before the report
    here: Any  # Circumstances
    trained_by: Any = None  # what the checkpoint says of its training
    train_split: Optional[str] = None  # hash of the training people, where they were used
    processes: int = 1


def _evaluate(arguments: argparse.Namespace) -> int:
    began = time.monotonic()
    if arguments.report:  # not after hours
        from paddle_pose.reports.report import check_folder

        check_folder(Path(arguments.report))
    if arguments.baseline:
        scored = _score_baseline(arguments)
    elif arguments.predictions:
        scored = _score_file(arguments)
    else:
        is_cascade = arguments.pretrained_model.endswith(".json")
        scored = _score_cascade(arguments) if is_cascade else _score_network(arguments)
    if scored is None:  # another process of a launch prints and writes
        return 0
    from paddle_pose.cli.evaluation import print_report

    report = scored.metric(scored.predictions, scored.dataset.truth())
    try:
        _save(arguments, scored, report, time.monotonic() - began)
    finally:  # a full disk does not cost the numbers
        for note in scored.notes:
            print(note)
        print_report(report, scored.dataset, print, _published(scored, report))
    return 0


def _published(scored: _Scored, report: Any) -> list[str]:
    """Lines about the row that the configuration, the flag or the predictions themselves name."""
    from paddle_pose.cli.comparison import report_lines

    if scored.config.reference is None:
        return []
    return report_lines(scored.config.reference, report, scored.here)


def _save(arguments: argparse.Namespace, scored: _Scored, report: Any, seconds: float) -> None:
    if arguments.save_predictions:
        from paddle_pose.cli.pose_files import write_pose_file

        people = write_pose_file(arguments.save_predictions, scored.predictions, scored.dataset, scored.metric)
        print(f"joints of {people} people written to {arguments.save_predictions}")
    if arguments.save_pictures:
        from paddle_pose.cli.pictures import save_pictures

        save_pictures(Path(arguments.save_pictures), scored.dataset, scored.predictions, arguments.num_pictures)
    if arguments.save_record:
        from paddle_pose.cli.record import Making, write_record

        how = Making(scored.facts, seconds, scored.here, scored.trained_by, scored.train_split, scored.processes)
        write_record(Path(arguments.save_record), report, scored.dataset, scored.config, how)
    if arguments.report:
        from paddle_pose.cli.report_page import circumstances
        from paddle_pose.reports.report import write_report

        facts = (scored.config, scored.facts, scored.notes, scored.here, report, seconds, scored.trained_by)
        parts = (scored.dataset, scored.predictions, scored.metric, report, circumstances(*facts))
        print(f"report written to {write_report(Path(arguments.report), *parts)}")


def _score_file(arguments: argparse.Namespace) -> _Scored:
    from paddle_pose.builder_data import build_dataset, build_metric
    from paddle_pose.cli.comparison import of_predictions, whose_predictions
    from paddle_pose.cli.evaluation import check_whole_photos, print_counts
    from paddle_pose.cli.pose_files import read_pose_file

    config = read_config(arguments, "valid")
    check_whole_photos(config, arguments)
    dataset = build_dataset(config, "valid")
    print_counts(dataset)
    metric = build_metric(config)
    dataset, predictions = read_pose_file(arguments.predictions, dataset, metric)
    name, notes = whose_predictions(predictions)
    config = config.model_copy(update={"reference": arguments.reference or name})  # not the row of its network
    facts = {"predictions": Path(arguments.predictions).name, **({"published": name} if name else {})}
    return _Scored(config, dataset, metric, predictions, facts, notes, of_predictions(config, dataset))


def _score_baseline(arguments: argparse.Namespace) -> _Scored:
    from paddle_pose.cli.baseline import score_mean_pose
    from paddle_pose.cli.comparison import of_predictions

    config, dataset, metric, predictions, facts, train_split = score_mean_pose(arguments)
    notes = (f"mean-pose baseline, no network: {facts['baseline']}, put into each region",)
    here = of_predictions(config, dataset)
    return _Scored(config, dataset, metric, predictions, facts, notes, here, train_split=train_split)


def _score_cascade(arguments: argparse.Namespace) -> Optional[_Scored]:
    from paddle_pose.cli.cascade import score_cascade

    scored = score_cascade(arguments)
    if scored is None:
        return None
    from paddle_pose.cli.comparison import circumstances

    config, people, *parts, trained_by = scored
    return _Scored(config, people, *parts, circumstances(config, people), trained_by)


def _score_network(arguments: argparse.Namespace) -> Optional[_Scored]:
    from paddle_pose import runtime
    from paddle_pose.builder_data import build_dataset, build_metric
    from paddle_pose.cli.checkpoint import Checkpoint
    from paddle_pose.cli.comparison import circumstances
    from paddle_pose.cli.evaluation import check_whole_photos, print_counts
    from paddle_pose.cli.photo_scorer import make_scorer
    from paddle_pose.cli.preflight import check_photos
    from paddle_pose.engine import distributed
    from paddle_pose.engine.logger import Logger

    checkpoint = Checkpoint(arguments)
    config, facts = checkpoint.config, checkpoint.facts
    check_whole_photos(config, arguments)
    dataset = build_dataset(config, "valid")
    print_counts(dataset)
    check_photos(config, dataset, "valid")
    runtime.keep_freed_memory(runtime.choose_device(arguments.device, config.cpu_threads))
    place = distributed.initialise()
    parts = checkpoint.build()
    scorer = make_scorer(parts, dataset, place, Logger(None, silent=place[0] > 0))
    people, predictions = scorer.predict(parts.network)
    how, notes = scorer.describe(people, predictions)
    scored = {"checkpoint": checkpoint.path.name, "epoch": facts.get("epoch"), **how}
    if place[0]:
        return None
    here, metric, by = circumstances(config, people, parts.codec), build_metric(config), facts.get("trained_by")
    return _Scored(config, people, metric, predictions, scored, notes, here, by, processes=place[1])
