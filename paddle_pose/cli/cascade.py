"""A cascade's stages: their configurations, the file that lists them, and how each looks at what the last one saw.

`cascade.json` lies in the folder of a cascade and names the model of each finished stage, relative to itself.
"""

import argparse
import json
from pathlib import Path
from typing import Any, Optional

import numpy as np

from paddle_pose import runtime
from paddle_pose.atomic_files import replacing
from paddle_pose.builder import build, load_into
from paddle_pose.builder_data import build_dataset, build_metric
from paddle_pose.cli.evaluation import print_counts
from paddle_pose.cli.options import read_config
from paddle_pose.cli.scorer import Scorer
from paddle_pose.config import Config, check_config, merge
from paddle_pose.data.crops import CropMaker
from paddle_pose.data.joint_crops import JointCrops, LastPhoto
from paddle_pose.engine import distributed
from paddle_pose.engine.checkpoint import load_model
from paddle_pose.engine.logger import Logger
from paddle_pose.errors import CheckpointError, ConfigError, UserError
from paddle_pose.interfaces import Dataset
from paddle_pose.prediction.cascade import read_stages
from paddle_pose.samples import Predictions

CASCADE_FILE = "cascade.json"


def stage_config(config: Config, number: int) -> Config:
    """What stage `number`, from 1, of a cascade is trained with; `joint_crops` is for the training to fill in.

    The first stage is the configuration itself, a later one differs from it as `cascade.stages` says.
    """
    mapping = {**config.model_dump(mode="json"), "cascade": None}
    if number == 1:
        return check_config(mapping, "configuration")
    where = f"cascade.stages[{number - 2}]"
    changes = config.cascade.stages[number - 2]
    forbidden = sorted({"dataset", "cascade", "joint_crops"} & set(changes))
    if forbidden:
        raise ConfigError(f"{where}: {forbidden[0]} is the same for all stages; leave it out")
    return check_config(merge(mapping, changes), where)


def model_config(path: Path, changes: dict[str, Any]) -> Config:
    """The configuration in a model file, with some sections replaced."""
    _, facts = load_model(path)
    if "config" not in facts:
        raise CheckpointError(f"{path}: does not say which network it is; a stage of a cascade must be a model of ours")
    return check_config({**facts["config"], **changes}, str(path))


def people_of(config: Config, split: str) -> Dataset:
    """The people of a stage's configuration, not the crops of their joints."""
    return build_dataset(config.model_copy(update={"joint_crops": None}), split)


def see(
    config: Config,
    model: Path,
    people: Dataset,
    before: Optional[np.ndarray],
    place: tuple[int, int],
    skip_bad_photos: bool = False,
) -> Predictions:
    """What one stage makes of all people.

    Args:
        config: of the stage.
        model: its weights.
        people: N people.
        before: (N, K, 2) joints that the stage before saw, in photo pixels; None for the first stage.
        place: rank and number of processes.
        skip_bad_photos: take a photo that cannot be read for a black one, as training goes on without it too.
    """
    section, valid = config.joint_crops, config.valid
    if skip_bad_photos:
        config = config.model_copy(update={"valid": valid.model_copy(update={"test_scales": (1.0,)})})
    parts = build(config)
    load_into(parts, model)
    dataset = people
    if section is not None:
        dataset = JointCrops(people, before, section.sigma, section.diameter_between, training=False)
    make_crop = None
    if skip_bad_photos:
        make_crop = CropMaker(dataset, config.input_wh, parts.codec.pixel_centres, None, LastPhoto(or_black=True))
    scorer = Scorer(parts, dataset, place, Logger(None, silent=place[0] > 0), make_crop)
    return scorer.predict(parts.network)[1]


def write_stages(path: Path, stages: list[dict[str, Any]]) -> None:
    """Writes the list; it appears whole or not at all."""
    try:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps({"stages": stages}, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror}; free some space or choose another --save_dir"
        ) from None


def stage_lines(values_of_stages: list[dict[str, float]]) -> list[str]:
    """One line for each stage: all of its values, in percent."""
    return [
        f"stage {number} of {len(values_of_stages)}: " + ", ".join(f"{name} {v:.2f}" for name, v in values.items())
        for number, values in enumerate(values_of_stages, 1)
    ]


def score_cascade(arguments: argparse.Namespace) -> Optional[tuple]:
    """Scores every stage of the cascade in `--pretrained_model`, each on what the one before it saw.

    Returns:
        Configuration, dataset, metric and predictions of the last stage, facts for the record, a line for each stage,
        and what trained the last stage; None on all processes but the first.
    """
    path = Path(arguments.pretrained_model)
    for flag in ("config", "image_size"):
        if getattr(arguments, flag) is not None:
            raise UserError(f"--{flag}: the stages of a cascade have their own configurations; change them by --opts")
    models = [path.parent / stage["model"] for stage in read_stages(path)]
    configs = [read_config(arguments, "valid", model_config(model, {}).model_dump(mode="json")) for model in models]
    people = people_of(configs[-1], "valid")
    print_counts(people)
    people.check_photos()
    runtime.choose_device(arguments.device, configs[-1].cpu_threads)
    place, metric = distributed.initialise(), build_metric(configs[-1])
    found, values = None, []
    for config, model in zip(configs, models):
        found = see(config, model, people, None if found is None else found.joints_image, place)
        values.append(metric(found, people.truth()).values)
    facts = {"checkpoint": path.name, "stages": values, "mirror_test": configs[-1].valid.mirror_test}
    lines, trained_by = tuple(stage_lines(values)), load_model(models[-1])[1].get("trained_by")
    return (configs[-1], people, metric, found, facts, lines, trained_by) if place[0] == 0 else None
