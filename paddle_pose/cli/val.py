"""val.py: scores a trained network, or a file of predictions that any system wrote."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from paddle_pose.cli.options import common_parser, read_config, run_command


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
    flags.add_argument("--save_predictions", metavar="FILE", help="write the joints found: .mat, .npy or .json")
    flags.add_argument("--save_record", metavar="FILE", help="write numbers, rules and circumstances as JSON")
    flags.add_argument("--save_pictures", metavar="DIR", help="draw the joints found on some of the photos")
    flags.add_argument("--num_pictures", type=_positive, default=16, metavar="N", help="how many (default: 16)")
    return flags


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


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
    notes: tuple[str, ...] = ()  # lines before the report


def _evaluate(arguments: argparse.Namespace) -> int:
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
        _save(arguments, scored, report)
    finally:  # a full disk does not cost the numbers
        for note in scored.notes:
            print(note)
        print_report(report, scored.dataset, scored.config, print)
    return 0


def _save(arguments: argparse.Namespace, scored: _Scored, report: Any) -> None:
    if arguments.save_predictions:
        from paddle_pose.cli.pose_files import write_pose_file

        people = write_pose_file(arguments.save_predictions, scored.predictions, scored.dataset, scored.metric)
        print(f"joints of {people} people written to {arguments.save_predictions}")
    if arguments.save_pictures:
        from paddle_pose.cli.pictures import save_pictures

        save_pictures(Path(arguments.save_pictures), scored.dataset, scored.predictions, arguments.num_pictures)
    if arguments.save_record:
        from paddle_pose.cli.record import write_record

        write_record(Path(arguments.save_record), report, scored.dataset, scored.config, scored.facts)


def _score_file(arguments: argparse.Namespace) -> _Scored:
    from paddle_pose.builder_data import build_dataset, build_metric
    from paddle_pose.cli.evaluation import check_whole_photos, print_counts
    from paddle_pose.cli.pose_files import read_pose_file

    config = read_config(arguments, "valid").model_copy(update={"reference": None})  # that row is of a network
    check_whole_photos(config, arguments)
    dataset = build_dataset(config, "valid")
    print_counts(dataset)
    metric = build_metric(config)
    dataset, predictions = read_pose_file(arguments.predictions, dataset, metric)
    return _Scored(config, dataset, metric, predictions, {"predictions": arguments.predictions})


def _score_baseline(arguments: argparse.Namespace) -> _Scored:
    from paddle_pose.cli.baseline import score_mean_pose

    *parts, facts = score_mean_pose(arguments)
    return _Scored(*parts, facts, (f"mean-pose baseline, no network: {facts['baseline']}, put into each region",))


def _score_cascade(arguments: argparse.Namespace) -> Optional[_Scored]:
    from paddle_pose.cli.cascade import score_cascade

    scored = score_cascade(arguments)
    return scored and _Scored(*scored)


def _score_network(arguments: argparse.Namespace) -> Optional[_Scored]:
    from paddle_pose import runtime
    from paddle_pose.builder import build, use_weights
    from paddle_pose.builder_data import build_dataset, build_metric
    from paddle_pose.cli.evaluation import check_whole_photos, print_counts
    from paddle_pose.cli.photo_scorer import make_scorer
    from paddle_pose.cli.preflight import check_photos
    from paddle_pose.engine import distributed
    from paddle_pose.engine.checkpoint import load_model
    from paddle_pose.engine.logger import Logger

    path = Path(arguments.pretrained_model)
    weights, facts = load_model(path)
    # Without --config it is the configuration that the checkpoint was trained with.
    config = read_config(arguments, "valid", None if arguments.config else facts.get("config"))
    check_whole_photos(config, arguments)
    dataset = build_dataset(config, "valid")
    print_counts(dataset)
    check_photos(config, dataset, "valid")
    runtime.choose_device(arguments.device, config.cpu_threads)
    place = distributed.initialise()
    parts = build(config)
    use_weights(parts, weights, facts, path)
    scorer = make_scorer(parts, dataset, place, Logger(None, silent=place[0] > 0))
    people, predictions = scorer.predict(parts.network)
    how, notes = scorer.describe(people, predictions)
    scored = {"checkpoint": path.name, "epoch": facts.get("epoch"), **how}
    return _Scored(config, people, build_metric(config), predictions, scored, notes) if place[0] == 0 else None
