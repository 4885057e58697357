"""What train.py checks before it touches a file: nothing should fail after hours that could fail at once."""

import argparse

import paddle

from paddle_pose.builder import Parts
from paddle_pose.builder_data import build_metric, open_pack, reach_of
from paddle_pose.config import Config
from paddle_pose.engine.run import RunFiles
from paddle_pose.errors import ConfigError, DataError, UserError
from paddle_pose.interfaces import Dataset
from paddle_pose.losses.part_affinity import PartAffinityLoss


def refuse_to_overwrite(files: RunFiles, arguments: argparse.Namespace) -> None:
    """A finished or half-finished run, or a best model of unknown origin, is never overwritten by accident."""
    if arguments.overwrite:
        return
    if files.training_state.is_file() and not arguments.resume:
        raise UserError(
            f"{files.folder} holds a training run; add --resume to go on with it, --overwrite to start anew, "
            "or choose another --save_dir"
        )
    if files.best_model.is_file() and not files.training_state.is_file():
        raise UserError(
            f"{files.best_model} is there without the run that made it; move it away, choose another --save_dir, "
            "or add --overwrite"
        )


def check_metric(config: Config, dataset: Dataset) -> None:
    """ConfigError if valid.best is not a value of the metric, DataError if the valid split cannot be scored by it.

    Not after hours, when the first epoch is validated.
    """
    metric = build_metric(config)
    names = (*metric.value_names(), "loss")
    if config.valid.best not in names:
        raise ConfigError(
            f"valid.best={config.valid.best!r} is not a value of this metric; choose from {', '.join(names)}"
        )
    truth = dataset.truth()
    metric.check(truth)
    if truth.coco is not None and config.valid.best != "loss" and not truth.coco.annotations.num_keypoints.any():
        raise DataError(
            f"the valid split has no keypoints, so {config.valid.best} does not exist and no model would ever be the "
            "best; annotate some, or set valid.best=loss"
        )


def check_photos(config: Config, dataset: Dataset, split: str, max_missing: float = 0.0) -> None:
    """DataError unless the photos of a split are there, or a packed cache that does without them.

    Args:
        config: names the cache, and what views are drawn.
        dataset: the people.
        split: 'train' or 'valid'.
        max_missing: share of the photos that may be missing.
    """
    pack = open_pack(config, dataset, split)
    if pack is not None and pack.covers(reach_of(config, split), config.input_wh):
        print(f"=> {split} crops come from {pack.path}; the photos need not be there")
        return
    if pack is not None:
        print(f"=> {pack.path} was packed for smaller views or another shape of crops; the photos give the rest")
    dataset.check_photos(max_missing)


@paddle.no_grad()
def check_output(parts: Parts) -> None:
    """One black picture through the network: ConfigError before any file is touched if sizes or loss do not fit."""
    finds_everybody = hasattr(parts.codec, "people")
    if finds_everybody != isinstance(parts.loss, PartAffinityLoss):
        codec, wanted = parts.config.codec.type, "PartAffinityLoss" if finds_everybody else "another loss"
        raise ConfigError(f"loss.type={parts.config.loss.type} does not fit codec.type={codec}, which needs {wanted}")
    width, height = parts.config.input_wh
    parts.network.eval()
    output = parts.network(paddle.zeros([1, 3, height, width]))[-1]
    wanted = parts.codec.output_shape(len(parts.skeleton))
    if tuple(output.shape[1:]) != tuple(wanted):
        raise ConfigError(f"the network gives {tuple(output.shape[1:])}, the codec needs {tuple(wanted)}")


def remove_old_run(files: RunFiles) -> None:
    """What --overwrite stands for; called when nothing in the settings can be wrong any more."""
    names = ("train.log", "metrics.jsonl", "config.yaml", "curves.png")
    for path in (files.training_state, files.best_model, *(files.folder / name for name in names)):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise UserError(f"cannot remove {path}: {error.strerror}; choose another --save_dir") from None


def without_effect(config: Config, device: str) -> list[str]:
    """Settings that change nothing on a CPU."""
    if device.startswith("gpu"):
        return []
    train = config.train
    asked = {
        "train.sync_bn": train.sync_bn,
        "train.channels_last": train.channels_last,
        f"train.amp={train.amp}": train.amp != "off",
    }
    return [name for name, is_asked in asked.items() if is_asked]
