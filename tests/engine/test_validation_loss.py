"""The mean loss over the valid split, and runs that go by it."""

import numpy as np
import pytest
from engine_cases import TinyNet, arrays, assert_same_arrays, filled, make_batch, make_trainer

from paddle_pose.engine.checkpoint import load_model
from paddle_pose.engine.logger import Logger
from paddle_pose.engine.meter import Meter
from paddle_pose.engine.run import Run, RunFiles, RunSettings
from paddle_pose.engine.schedule import Schedule
from paddle_pose.engine.trained_by import TrainedBy
from paddle_pose.samples import Report


def batches_of(*groups):
    return iter([make_batch(group) for group in groups])


def test_it_is_the_mean_over_samples_whatever_the_batches():
    trainer = make_trainer(filled(TinyNet(batch_norm=True, dropout=0.5)))
    counts = []
    losses = [trainer.validation_loss(batches_of([k]), lambda count: None) for k in range(5)]
    found = trainer.validation_loss(batches_of([0, 1, 2], [3, 4]), counts.append)
    assert found == pytest.approx(np.mean(losses), rel=1e-5)
    assert np.std(losses) > 0.01 * np.mean(losses)
    assert counts == [3, 2]


def test_it_leaves_nothing_behind():
    network = filled(TinyNet(batch_norm=True))
    trainer = make_trainer(network)
    before = arrays(network)
    trainer.validation_loss(batches_of([0, 1]), lambda count: None)
    assert_same_arrays(arrays(network), before)
    assert all(parameter.grad is None for parameter in network.parameters())


LOSSES, SCORES = [0.5, 0.25, 0.375, float("nan"), 0.125], [10.0, 30.0, 50.0, 40.0, 20.0]


def run_of(folder, best, observe="best", type="plateau", losses=LOSSES):  # noqa: A002
    """A run of one step an epoch that is told these losses and scores; and the rates after each epoch."""
    schedule = Schedule(type, lr=0.1, steps_per_epoch=1, epochs=5, gamma=0.5, patience=0, observe=observe)
    trainer = make_trainer(filled(TinyNet()), schedule=schedule)
    values = iter(zip(losses, SCORES))
    rates = []

    def evaluate():
        loss, score = next(values)
        return Report({"Mean": score}, {}, "no rules", "1 of 2 people"), {"loss": loss}

    logger = Logger(folder)
    settings = RunSettings(5, 1, 1000, 1, best)
    files, meta, trained_by = RunFiles(folder, "32"), {"skeleton": "toy"}, TrainedBy({}, 1)
    run = Run(trainer, Meter(5, 1, 1, 1), evaluate, dict, logger, files, settings, meta, trained_by)
    observe_value = trainer.observe

    def observed(value):
        observe_value(value)
        rates.append(schedule.lr(0))

    trainer.observe = observed
    run.go(lambda epoch, first: batches_of([epoch]), 1)
    logger.close()
    return run, rates


def test_the_best_model_is_that_of_the_smallest_loss(tmp_path, capsys):
    run, rates = run_of(tmp_path, "loss")
    assert (run.trainer.progress.best, run.trainer.progress.best_epoch) == (0.125, 5)
    assert load_model(run.files.best_model)[1]["epoch"] == 5
    assert rates == [0.1, 0.1, 0.05, 0.025, 0.025]  # the plateau goes by it too
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[VALID]")]
    assert lines[0] == "[VALID] epoch: 1, loss: 0.5, new best model"
    assert lines[2] == "[VALID] epoch: 3, loss: 0.375, best 0.25 at epoch 2"


def test_a_plateau_on_the_loss_beside_a_best_model_by_score(tmp_path, capsys):
    run, rates = run_of(tmp_path, "Mean", observe="loss")
    assert (run.trainer.progress.best, run.trainer.progress.best_epoch) == (50.0, 3)
    assert rates == [0.1, 0.1, 0.05, 0.025, 0.025]
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[VALID]")]
    assert lines[0] == "[VALID] epoch: 1, Mean: 10.0000 (1 of 2 people), loss: 0.5, new best model"
    rows = (tmp_path / "metrics.jsonl").read_text()
    assert rows.count('"valid/loss"') == 5


def test_a_plateau_on_the_score(tmp_path):
    _, rates = run_of(tmp_path, "Mean")
    assert rates == [0.1, 0.1, 0.1, 0.05, 0.025]
