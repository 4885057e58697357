"""`val.py --baseline`: what the mean pose of the training people scores. Imports no paddle."""

import argparse
from typing import Any

from paddle_pose.builder_data import build_dataset, build_metric
from paddle_pose.cli.evaluation import check_whole_photos, print_counts
from paddle_pose.cli.options import read_config
from paddle_pose.config import Config
from paddle_pose.data.mean_pose import mean_pose, place
from paddle_pose.data.split_hash import split_hash
from paddle_pose.interfaces import Dataset, Metric
from paddle_pose.samples import Predictions


def score_mean_pose(arguments: argparse.Namespace) -> tuple[Config, Dataset, Metric, Predictions, dict[str, Any], str]:
    """Configuration, valid people, metric, the mean pose in each region, facts for the record, train split."""
    config = read_config(arguments, "valid")
    config = config.model_copy(update={"reference": arguments.reference})  # not the row of its network
    check_whole_photos(config, arguments)
    dataset = build_dataset(config, "valid")
    print_counts(dataset)
    train = build_dataset(config, "train")
    facts = {"baseline": f"mean pose of {len(train)} training people", "training_protocol": train.protocol}
    return config, dataset, build_metric(config), place(mean_pose(train), dataset), facts, split_hash(train)
