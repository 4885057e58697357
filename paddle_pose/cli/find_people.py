"""scripts/find_people.py: photos of a COCO split -> a file of boxes, by a network of person centres."""

import argparse
import json
from pathlib import Path
from typing import IO, Any

from paddle_pose.cli.options import common_parser, run_command, share
from paddle_pose.errors import ConfigError


def parser() -> argparse.ArgumentParser:
    """The flags of scripts/find_people.py."""
    flags = common_parser("Find the people in the photos of a COCO split and write their boxes.")
    flags.add_argument("--pretrained_model", metavar="FILE", required=True, help="a model of dataset PersonCentres")
    flags.add_argument("--out", metavar="FILE", required=True, help="the boxes, as a COCO results file")
    flags.add_argument("--threshold", type=share, default=0.1, metavar="S", help="lowest score (default: 0.1)")
    flags.add_argument(
        "--overlap", type=share, default=0.6, metavar="S", help="two boxes that share more are one (default: 0.6)"
    )
    return flags


def main(argv=None) -> int:
    """Entry point; returns the exit code."""
    return run_command(_find, parser().parse_args(argv))


def _find(arguments: argparse.Namespace) -> int:
    from paddle_pose import runtime
    from paddle_pose.builder_data import build_dataset
    from paddle_pose.cli.checkpoint import Checkpoint
    from paddle_pose.prediction.person_centres import boxes_of

    checkpoint = Checkpoint(arguments)
    config = checkpoint.config
    if config.dataset.type != "PersonCentres" or config.dataset.arguments.get("of", {}).get("type") != "COCO":
        raise ConfigError(
            f"{checkpoint.path} is not a model of dataset PersonCentres of COCO; train one, see docs/methods/cpm.md"
        )
    runtime.choose_device(arguments.device, config.cpu_threads)
    dataset = build_dataset(config, "valid")
    parts = checkpoint.build()
    people = dataset.people_dataset
    squares, scores = _run(parts, dataset, arguments)
    boxes = [boxes_of(found, people.padding) for found in squares]
    _write(arguments.out, people.photos.ids, boxes, scores, people.truth().coco.annotations.category_id)
    print(f"{sum(map(len, boxes))} boxes of {len(boxes)} photos written to {arguments.out}")
    _report(dataset, people.photos.names, squares)
    return 0


def _run(parts: Any, dataset: Any, arguments: argparse.Namespace) -> tuple[list, list]:
    """Squares and scores of every photo of the split, in the order of the annotation file."""
    from paddle_pose.builder import build_crop_maker
    from paddle_pose.data.loader import Loader, evaluation_order
    from paddle_pose.data.person_centres import WholePhotos
    from paddle_pose.data.photos import photo_path
    from paddle_pose.engine.evaluator import Evaluator
    from paddle_pose.engine.people_finder import PeopleFinder

    config, people = parts.config, dataset.people_dataset
    photos = WholePhotos([photo_path(people.photo_folder, str(name)) for name in people.photos.names])
    loader = Loader(build_crop_maker(parts, photos, training=False), config.train.workers, 0)
    evaluator = Evaluator(parts.codec, parts.normalise, config.valid.mirror_test)
    finder = PeopleFinder(parts.codec, evaluator, arguments.threshold, arguments.overlap)
    batches = loader.batches(evaluation_order(len(photos), config.valid.batch_size))
    found = sorted(finder.find(parts.network, batches), key=lambda each: each[0])
    return [squares for _, squares, _ in found], [scores for _, _, scores in found]


def _write(path: str, image_ids: Any, boxes: list, scores: list, category_id: int) -> None:
    from paddle_pose.data.prediction_files import write_whole

    entries = [
        {"image_id": int(image_id), "category_id": category_id, "bbox": box.tolist(), "score": float(score)}
        for image_id, of_photo, of_scores in zip(image_ids, boxes, scores)
        for box, score in zip(of_photo, of_scores)
    ]

    def write(file: IO[bytes]) -> None:
        file.write(json.dumps(entries).encode())

    write_whole(Path(path), write)


def _report(dataset: Any, names: Any, squares: list) -> None:
    """How many annotated people were found, and how many squares are nobody's (or somebody's without keypoints)."""
    from paddle_pose.data.person_centres import as_joints
    from paddle_pose.metrics.people_found import NEAR, SIZE_RATIO, match

    row = {str(name): number for number, name in enumerate(names)}
    found = annotated = 0
    for index, everybody in enumerate(dataset.truth().everybody):
        mine = squares[row[dataset.photo_name(index)]]
        found += match(as_joints(mine[:, :2], mine[:, 2]), everybody)
        annotated += len(everybody)
    others = sum(map(len, squares)) - found
    print(
        f"found {found} of {annotated} annotated people ({100 * found / annotated:.1f} %): centre within {NEAR:g} of "
        f"the size, size within a factor of {SIZE_RATIO:g}; {others} boxes are of nobody who is annotated"
    )
