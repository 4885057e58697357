"""Trains the stages of a cascade one after the other: the body of train.py for a configuration with `cascade`.

Each stage has a folder of its own, `stage1`, `stage2`, ..., which is a run of train.py like any other; what it
sees of the people of each split lies there too, for the next stage. A stage is finished when `cascade.json`
lists it; --resume goes on with the first one that is not.
"""

import argparse
import os
from pathlib import Path
from typing import Any, Optional

import numpy as np

from paddle_pose import runtime
from paddle_pose.builder import build
from paddle_pose.builder_data import build_metric, skeleton_of
from paddle_pose.cli.cascade import (
    CASCADE_FILE,
    model_config,
    people_of,
    read_stages,
    see,
    stage_config,
    stage_lines,
    write_stages,
)
from paddle_pose.cli.evaluation import print_report
from paddle_pose.cli.preflight import check_output
from paddle_pose.cli.training import train
from paddle_pose.config import Config
from paddle_pose.config_sections import JointCrops as JointCropsSection
from paddle_pose.data.joint_crops import JointCrops, check_diameter
from paddle_pose.data.prediction_files import read_predictions, write_predictions
from paddle_pose.engine import distributed
from paddle_pose.engine.run import RunFiles
from paddle_pose.errors import ConfigError, UserError


def train_cascade(config: Config, arguments: argparse.Namespace) -> None:
    """Trains, or goes on with, all stages; then prints what each of them scores."""
    folder = Path(arguments.save_dir)
    configs = _checked_configs(config)
    runtime.choose_device(arguments.device, config.cpu_threads)
    rank, _ = distributed.initialise()
    stages = _finished_stages(folder, config, arguments)
    for number, stage in enumerate(configs, 1):
        if number <= len(stages):
            continue
        say(f"=> cascade: stage {number} of {len(configs)}", rank)
        if number > 1:
            stage = _after(stage, config, folder, number - 1, rank)
        stages.append(_stage(stage, config, folder, number, arguments))
        if rank == 0:
            write_stages(folder / CASCADE_FILE, stages)
    for line in stage_lines([entry["values"] for entry in stages]):
        say(line, rank)
    say(f"cascade in {folder / CASCADE_FILE}", rank)


def say(line: str, rank: int) -> None:
    """Prints a line, on one process."""
    if rank == 0:
        print(line, flush=True)


def joints_file(folder: Path, number: int, split: str) -> Path:
    """Where the predictions of a stage on the people of a split are."""
    return folder / f"stage{number}" / f"{split}_joints.npy"


def _checked_configs(config: Config) -> list[Config]:
    """Configurations of all stages, built once: what is wrong with the last one shows before the first is trained."""
    if config.dataset.type == "COCOPhotos":
        raise ConfigError(
            "cascade: its stages refine the joints of one person at a time, but dataset.type=COCOPhotos has whole "
            "photos; use COCO"
        )
    check_diameter(skeleton_of(config), config.cascade.diameter_between)
    configs = [stage_config(config, number) for number in range(1, len(config.cascade.stages) + 2)]
    for number, stage in enumerate(configs, 1):
        try:
            check_output(build(stage))
        except ConfigError as error:
            raise ConfigError(f"stage {number} of the cascade: {error}") from None
    return configs


def _finished_stages(folder: Path, config: Config, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Those that --resume need not train again."""
    path = folder / CASCADE_FILE
    if not path.is_file():
        return []
    if arguments.resume:
        return read_stages(path)[: len(config.cascade.stages) + 1]
    if not arguments.overwrite:
        raise UserError(
            f"{folder} holds a cascade; add --resume to go on with it, --overwrite to start anew, "
            "or choose another --save_dir"
        )
    path.unlink(missing_ok=True)  # another process may have been quicker
    return []


def _after(stage: Config, config: Config, folder: Path, before: int, rank: int) -> Config:
    """The configuration of a later stage, with the errors of stage number `before` in it."""
    cascade, sigma = config.cascade, config.cascade.sigma[before - 1]
    errors = {}
    for split in ("train", "valid"):
        people = people_of(config, split)
        estimate = read_predictions(joints_file(folder, before, split), len(people), len(people.skeleton))
        crops = JointCrops(people, estimate.joints_image, sigma, cascade.diameter_between, training=True)
        errors[split] = crops.errors()
        reached = f"{100 * crops.share_in_reach():.1f} % of the joints lie inside their crops"
        say(f"=> stage {before}, {split} people: errors of {errors[split].typical:.3f} diameters; {reached}", rank)
    section = JointCropsSection(
        sigma=sigma,
        diameter_between=cascade.diameter_between,
        train_joints=str(joints_file(folder, before, "train")),
        valid_joints=str(joints_file(folder, before, "valid")),
        error_mean=errors["train"].mean.tolist(),
        error_covariance=errors["train"].covariance.tolist(),
        all_labels=cascade.all_labels,
    )
    return stage.model_copy(update={"joint_crops": section})


def _stage(stage: Config, config: Config, folder: Path, number: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Trains one stage if it is not given, writes what it sees, and scores it; its entry of `cascade.json`."""
    if number == 1 and config.cascade.stage1:
        model = Path(config.cascade.stage1)
        written = config.model_dump(mode="json")
        same = {name: written[name] for name in ("dataset", "metric", "packed")}
        stage = model_config(model, same)
        if stage.joint_crops is not None:
            raise UserError(f"cascade.stage1={model} is a later stage of a cascade; name a model of whole people")
    else:
        save_dir = folder / f"stage{number}"
        start = arguments.pretrained_model if number == 1 else None
        train(stage, argparse.Namespace(**{**vars(arguments), "save_dir": str(save_dir), "pretrained_model": start}))
        model = RunFiles(save_dir, stage.size_name).best_model
    distributed.wait_for_all()  # only one process writes files, and all of them read
    values = _write_joints(stage, model, folder, number, number <= len(config.cascade.stages))
    return {"model": os.path.relpath(model, folder), "values": values}


def _write_joints(stage: Config, model: Path, folder: Path, number: int, has_next: bool) -> dict[str, float]:
    """What a finished stage sees of the valid people and, for a next stage, of the training people; its score."""
    place = distributed.initialise()
    values: dict[str, float] = {}
    for split in ("train", "valid") if has_next else ("valid",):
        people = people_of(stage, split)
        before = _joints_before(folder, number, split, people)
        found = see(stage, model, people, before, place, skip_bad_photos=split == "train")
        if place[0] == 0:
            write_predictions(joints_file(folder, number, split), found)
        if split == "valid":
            report = build_metric(stage)(found, people.truth())
            values = report.values
            print_report(report, people, lambda line: say(line, place[0]))
    distributed.wait_for_all()  # only one process writes files, and all of them read
    return values


def _joints_before(folder: Path, number: int, split: str, people: Any) -> Optional[np.ndarray]:
    if number == 1:
        return None
    path = joints_file(folder, number - 1, split)
    return read_predictions(path, len(people), len(people.skeleton)).joints_image
