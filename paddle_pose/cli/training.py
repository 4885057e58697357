"""The body of train.py: puts dataset, trainer, evaluator and files together."""

import argparse
from pathlib import Path
from typing import Callable

import yaml

from paddle_pose import runtime
from paddle_pose.builder import Parts, build, build_crop_maker, checkpoint_facts, load_into
from paddle_pose.builder_data import build_dataset
from paddle_pose.builder_training import build_trainer, describe_learning_rate, samples_in_a_step
from paddle_pose.cli.comparison import circumstances
from paddle_pose.cli.evaluation import print_counts
from paddle_pose.cli.photo_scorer import make_scorer
from paddle_pose.cli.pictures import preview
from paddle_pose.cli.preflight import (
    check_metric,
    check_output,
    check_photos,
    refuse_to_overwrite,
    remove_old_run,
    without_effect,
)
from paddle_pose.cli.standing import Standing
from paddle_pose.cli.validation_loss import ValidationLoss, goes_by_loss
from paddle_pose.config import Config
from paddle_pose.config_hash import config_hash
from paddle_pose.curves import draw_curves
from paddle_pose.data.loader import BadPhotos, Loader, training_order
from paddle_pose.data.split_hash import split_hash
from paddle_pose.engine import distributed
from paddle_pose.engine.logger import Logger, visualdl_writer
from paddle_pose.engine.meter import Meter
from paddle_pose.engine.prefetch import on_device_ahead
from paddle_pose.engine.run import Run, RunFiles, RunSettings
from paddle_pose.engine.trained_by import TrainedBy
from paddle_pose.environment import environment
from paddle_pose.errors import ConfigError, UserError
from paddle_pose.interfaces import Dataset
from paddle_pose.samples import Report


def train(config: Config, arguments: argparse.Namespace) -> None:
    """Trains from start or from a checkpoint to the last epoch, then prints the best model's place."""
    files = RunFiles(Path(arguments.save_dir), config.size_name)
    refuse_to_overwrite(files, arguments)
    if arguments.use_vdl:
        visualdl_writer()
    datasets = _open_datasets(config)
    device = runtime.choose_device(arguments.device, config.cpu_threads)
    runtime.keep_freed_memory(device)
    rank, ranks = distributed.initialise()
    parts = _build_parts(config, arguments)
    steps = _batches_per_epoch(config, len(datasets["train"]), rank, ranks)
    logger = Logger(None, silent=rank > 0)
    standing = Standing(config, circumstances(config, datasets["valid"], parts.codec))
    run = _make_run(parts, datasets, steps, (rank, ranks), logger, files, standing)
    loader = _train_loader(parts, datasets["train"], logger)
    check_metric(config, datasets["valid"])
    if rank == 0 and arguments.overwrite and not arguments.resume:
        remove_old_run(files)  # only now, when nothing in the settings can be wrong any more
    logger.open_files(files.folder, arguments.use_vdl)
    try:
        _resume_if_asked(run, logger, arguments)
        if rank == 0:
            _write_config(config, files)
        for setting in without_effect(config, device):
            logger.line(f"{setting} needs a GPU and is ignored on {device}")
        logger.line(f"training on {device}, {ranks} process(es), {steps} batches an epoch, logs in {files.folder}")
        logger.line(describe_learning_rate(config, ranks))
        for line in standing.introduction():
            logger.line(line)
        runtime.tune_gpu_training(device, config.train.channels_last)
        run.go(_epoch_batches(config, loader, len(datasets["train"]), rank, ranks), steps)
        if rank == 0:
            _draw_curves(files, config, logger)
        logger.line(f"best {config.valid.best}: {run.trainer.progress.best}; model in {files.best_model}")
    finally:
        logger.close()


def _open_datasets(config: Config) -> dict[str, Dataset]:
    """Both splits, counted on the screen; photos of the valid split must all be there."""
    datasets = {split: build_dataset(config, split) for split in ("train", "valid")}
    for dataset in datasets.values():
        print_counts(dataset)
    check_photos(config, datasets["train"], "train", config.train.max_bad_photos)
    check_photos(config, datasets["valid"], "valid")
    return datasets


def _build_parts(config: Config, arguments: argparse.Namespace) -> Parts:
    runtime.seed_everything(config.seed)
    parts = build(config)
    if arguments.pretrained_model:
        load_into(parts, Path(arguments.pretrained_model))
    check_output(parts)
    return parts


def _batches_per_epoch(config: Config, people: int, rank: int, ranks: int) -> int:
    train = config.train
    batches = len(training_order(people, train.batch_size, config.seed, 0, rank, ranks))
    if batches < train.accumulate:
        raise ConfigError(
            f"{people} people are fewer than one step needs ({train.batch_size} x {ranks} "
            f"processes x {train.accumulate}); lower train.batch_size"
        )
    return batches


def _resume_if_asked(run: Run, logger: Logger, arguments: argparse.Namespace) -> None:
    if arguments.resume and run.files.training_state.is_file():
        run.resume()
    elif arguments.resume:
        logger.line(f"--resume: no run in {run.files.folder} yet, this one starts from the beginning")


def _draw_curves(files: RunFiles, config: Config, logger: Logger) -> None:
    try:
        draw_curves(files.folder / "metrics.jsonl", files.folder / "curves.png", config.valid.best)
    except OSError as error:  # a picture less is no reason to call a finished run a failure
        logger.line(f"curves.png could not be written: {error.strerror}")


def _write_config(config: Config, files: RunFiles) -> None:
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    path = files.folder / "config.yaml"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror}; free some space or choose another --save_dir"
        ) from None


def _make_run(
    parts: Parts,
    datasets: dict[str, Dataset],
    steps: int,
    place: tuple[int, int],
    logger: Logger,
    files: RunFiles,
    standing: Standing,
) -> Run:
    config = parts.config
    train, valid = config.train, config.valid
    rank, ranks = place
    trainer = build_trainer(parts, steps, ranks)
    meter = Meter(train.epochs, steps, train.accumulate, ranks)
    score = make_scorer(parts, datasets["valid"], place, logger)
    loss = ValidationLoss(parts, datasets["valid"], place, logger) if goes_by_loss(config) else None

    def evaluate() -> tuple[Report, dict[str, float]]:
        report, further = score(trainer.network, trainer.stop.check)
        return report, {**further, "loss": loss(trainer)} if loss else further

    return Run(
        trainer,
        meter,
        evaluate,
        lambda: preview(parts, trainer.network, datasets),
        logger,
        files,
        RunSettings(train.epochs, train.log_steps, train.checkpoint_steps, valid.every_epochs, valid.best),
        checkpoint_facts(parts),
        _trained_by(config, datasets["train"], ranks),
        writes=rank == 0,
        standing=standing.line,
    )


def _trained_by(config: Config, people: Dataset, ranks: int) -> TrainedBy:
    facts = {**environment(), "processes": ranks, "seed": config.seed}
    facts |= {"config_hash": config_hash(config), "train_split": split_hash(people)}
    return TrainedBy(facts, samples_in_a_step(config, ranks))


def _train_loader(parts: Parts, dataset: Dataset, logger: Logger) -> Loader:
    config = parts.config
    bad_photos = BadPhotos(len(dataset), config.train.max_bad_photos, logger.line)
    return Loader(build_crop_maker(parts, dataset, training=True), config.train.workers, config.seed, bad_photos)


def _epoch_batches(config: Config, loader: Loader, count: int, rank: int, ranks: int) -> Callable:
    def batches(epoch: int, first: int):
        order = training_order(count, config.train.batch_size, config.seed, epoch, rank, ranks)
        return on_device_ahead(loader.batches(order[first:], epoch))

    return batches
