"""What train.py and val.py print of a dataset and of a score. Imports no paddle."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Callable

from paddle_pose.config import Config
from paddle_pose.errors import ConfigError
from paddle_pose.interfaces import Dataset
from paddle_pose.metrics.report import eval_line, format_table
from paddle_pose.samples import Report


def print_counts(dataset: Dataset) -> None:
    """The counts that users compare with the PyTorch logs."""
    print(f"=> num_images: {dataset.num_images}")
    print(f"=> load {len(dataset)} samples", flush=True)


def print_report(report: Report, dataset: Dataset, say: Callable[[str], None], published: Sequence[str] = ()) -> None:
    """People, table, rules, lines about a published row, and last the `[EVAL]` line."""
    say(dataset.protocol)
    say(format_table(report))
    for line in published:
        say(line)
    say(eval_line(report))


def check_whole_photos(config: Config, arguments: argparse.Namespace) -> None:
    """ConfigError for flags of val.py that mean nothing where people are found in whole photos."""
    if config.dataset.type != "COCOPhotos":
        return
    if arguments.boxes:
        raise ConfigError("--boxes: with dataset COCOPhotos people are found without boxes; leave the flag out")
    if arguments.baseline:
        raise ConfigError("--baseline: there are no regions to put a mean pose into; use a model or --predictions")
    for flag in ("predictions", "save_predictions"):
        path = getattr(arguments, flag)
        if path and Path(path).suffix != ".json":
            raise ConfigError(f"--{flag} {path}: people found in whole photos are in COCO's results, a .json file")
