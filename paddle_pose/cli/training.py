"""The body of train.py: puts dataset, trainer, evaluator and files together."""

import argparse
from pathlib import Path
from typing import Callable

import numpy as np
import paddle
import yaml

from paddle_pose import runtime
from paddle_pose.build import Parts, build, build_crop_maker, build_trainer, checkpoint_facts, load_into
from paddle_pose.build_data import build_dataset, build_metric
from paddle_pose.cli.evaluation import print_counts
from paddle_pose.cli.pictures import preview
from paddle_pose.cli.scorer import Scorer
from paddle_pose.config import Config
from paddle_pose.curves import draw_curves
from paddle_pose.data.loader import BadPhotos, Loader, training_order
from paddle_pose.engine import distributed
from paddle_pose.engine.logger import Logger, visualdl_writer
from paddle_pose.engine.meter import Meter
from paddle_pose.engine.run import Run, RunFiles, RunSettings
from paddle_pose.errors import ConfigError, UserError
from paddle_pose.interfaces import Dataset
from paddle_pose.samples import Predictions


def train(config: Config, arguments: argparse.Namespace) -> None:
    """Trains from start or from a checkpoint to the last epoch, then prints the best model's place."""
    files = RunFiles(Path(arguments.save_dir), config.size_name)
    _refuse_to_overwrite(files, arguments)
    if arguments.use_vdl:
        visualdl_writer()
    datasets = {split: build_dataset(config, split) for split in ("train", "valid")}
    for dataset in datasets.values():
        print_counts(dataset)
    datasets["train"].check_photos(max_missing=config.train.max_bad_photos)
    datasets["valid"].check_photos()
    device = runtime.choose_device(arguments.device, config.cpu_threads)
    rank, ranks = distributed.initialise()
    runtime.seed_everything(config.seed)
    parts = build(config)
    if arguments.pretrained_model:
        load_into(parts, Path(arguments.pretrained_model))
    _check_output(parts)
    steps = len(training_order(len(datasets["train"]), config.train.batch_size, config.seed, 0, rank, ranks))
    if steps < config.train.accumulate:
        raise ConfigError(
            f"{len(datasets['train'])} people are fewer than one step needs ({config.train.batch_size} x {ranks} "
            f"processes x {config.train.accumulate}); lower train.batch_size"
        )
    logger = Logger(None, silent=rank > 0)
    run = _make_run(parts, datasets, steps, (rank, ranks), logger, files)
    loader = _train_loader(parts, datasets["train"], logger)
    _check_best(config, datasets["valid"])
    if rank == 0 and arguments.overwrite and not arguments.resume:
        _remove_old_run(files)  # only now, when nothing in the settings can be wrong any more
    logger.open_files(files.folder, arguments.use_vdl)
    try:
        if arguments.resume and files.training_state.is_file():
            run.resume()
        elif arguments.resume:
            logger.line(f"--resume: no run in {files.folder} yet, this one starts from the beginning")
        if rank == 0:
            _write_config(config, files)
        for setting in _without_effect(config, device):
            logger.line(f"{setting} needs a GPU and is ignored on {device}")
        logger.line(f"training on {device}, {ranks} process(es), {steps} batches an epoch, logs in {files.folder}")
        run.go(_epoch_batches(config, loader, len(datasets["train"]), rank, ranks), steps)
        if rank == 0:
            try:
                draw_curves(files.folder / "metrics.jsonl", files.folder / "curves.png", config.valid.best)
            except OSError as error:  # a picture less is no reason to call a finished run a failure
                logger.line(f"curves.png could not be written: {error.strerror}")
        logger.line(f"best {config.valid.best}: {run.trainer.progress.best}; model in {files.best_model}")
    finally:
        logger.close()


def _refuse_to_overwrite(files: RunFiles, arguments: argparse.Namespace) -> None:
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


def _check_best(config: Config, dataset: Dataset) -> None:
    """ConfigError if valid.best is not a value of the metric: not after hours, when the first epoch is validated."""
    truth = dataset.truth()
    perfect = Predictions(truth.joints_image, np.ones(truth.labelled.shape, np.float32))
    names = build_metric(config)(perfect, truth).values
    if config.valid.best not in names:
        raise ConfigError(
            f"valid.best={config.valid.best!r} is not a value of this metric; choose from {', '.join(names)}"
        )


@paddle.no_grad()
def _check_output(parts: Parts) -> None:
    """One black picture through the network: ConfigError before any file is touched if the sizes do not fit."""
    width, height = parts.config.input_wh
    parts.network.eval()
    output = parts.network(paddle.zeros([1, 3, height, width]))[-1]
    wanted = parts.codec.output_shape(len(parts.skeleton))
    if tuple(output.shape[1:]) != tuple(wanted):
        raise ConfigError(f"the network gives {tuple(output.shape[1:])}, the codec needs {tuple(wanted)}")


def _remove_old_run(files: RunFiles) -> None:
    names = ("train.log", "metrics.jsonl", "config.yaml", "curves.png")
    for path in (files.training_state, files.best_model, *(files.folder / name for name in names)):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise UserError(f"cannot remove {path}: {error.strerror}; choose another --save_dir") from None


def _write_config(config: Config, files: RunFiles) -> None:
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    path = files.folder / "config.yaml"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror}; free some space or choose another --save_dir"
        ) from None


def _without_effect(config: Config, device: str) -> list[str]:
    """Settings that change nothing on a CPU."""
    if device.startswith("gpu"):
        return []
    train = config.train
    asked = {"train.sync_bn": train.sync_bn, f"train.amp={train.amp}": train.amp != "off"}
    return [name for name, is_asked in asked.items() if is_asked]


def _make_run(
    parts: Parts,
    datasets: dict[str, Dataset],
    steps: int,
    place: tuple[int, int],
    logger: Logger,
    files: RunFiles,
) -> Run:
    config = parts.config
    train, valid = config.train, config.valid
    rank, ranks = place
    trainer = build_trainer(parts, steps, ranks)
    meter = Meter(train.epochs, steps, train.accumulate, ranks)
    score = Scorer(parts, datasets["valid"], place, logger)
    return Run(
        trainer,
        meter,
        lambda: score(trainer.network, trainer.stop.check),
        lambda: preview(parts, trainer.network, datasets),
        logger,
        files,
        RunSettings(train.epochs, train.log_steps, train.checkpoint_steps, valid.every_epochs, valid.best),
        checkpoint_facts(parts),
        writes=rank == 0,
    )


def _train_loader(parts: Parts, dataset: Dataset, logger: Logger) -> Loader:
    config = parts.config
    bad_photos = BadPhotos(len(dataset), config.train.max_bad_photos, logger.line)
    return Loader(build_crop_maker(parts, dataset, training=True), config.train.workers, config.seed, bad_photos)


def _epoch_batches(config: Config, loader: Loader, count: int, rank: int, ranks: int) -> Callable:
    def batches(epoch: int, first: int):
        order = training_order(count, config.train.batch_size, config.seed, epoch, rank, ranks)
        return loader.batches(order[first:], epoch)

    return batches
