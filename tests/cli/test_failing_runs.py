"""A run that fails in the middle ends in one line and exit code 2, and what it has written before is sound."""

import numpy as np
import pytest
from cli_cases import (
    SHORT,
    assert_one_error,
    best_model,
    eval_values,
    fingerprint,
    state_of,
    train,
    validate,
)

from paddle_pose.engine.checkpoint import load_model
from paddle_pose.errors import CheckpointError


def test_a_loss_that_is_no_number_ends_the_run_and_leaves_the_checkpoint(run, synthetic_mpii, tmp_path, capsys):
    folder = tmp_path / "out"
    assert train(run[1], synthetic_mpii, folder, "--opts", *SHORT) == 0
    before = fingerprint(folder)
    capsys.readouterr()
    more = ["--resume", "--opts", *SHORT, "train.epochs=4", "schedule.type=constant", "schedule.warmup_steps=0"]
    # a rate that throws the weights to where no number reaches
    assert train(run[1], synthetic_mpii, folder, *more, "optimizer.lr=1e38", "optimizer.clip_norm=null") == 2
    assert_one_error(capsys.readouterr(), r"loss is (nan|inf) at epoch 2, step \d+", r"\.jpg", "--resume")
    after = fingerprint(folder)
    for name in ("64_training/training.pdstate", "64_best_model/model.pdparams"):
        assert after[name] == before[name]
    assert state_of(folder)["progress"]["epoch"] == 1


def test_weights_that_are_no_numbers_are_never_saved(run, synthetic_mpii, tmp_path, capsys, monkeypatch):
    from paddle_pose.engine.trainer import Trainer

    step = Trainer.train_step

    def spoilt(trainer, batches):
        loss = step(trainer, batches)
        if trainer.progress.step == 3:  # the loss of this step is still a number
            name, weight = next(iter(trainer.network.named_parameters()))
            weight.set_value(np.full(weight.shape, np.inf, "float32"))
        return loss

    monkeypatch.setattr(Trainer, "train_step", spoilt)
    assert train(run[1], synthetic_mpii, tmp_path, "--opts", "train.checkpoint_steps=1") == 2
    assert_one_error(capsys.readouterr(), "not finite after step 3", r"stem\.0\.conv\.weight")
    assert state_of(tmp_path)["progress"]["step"] == 2


@pytest.mark.parametrize("flag", ["--save_predictions", "--save_pictures"])
def test_output_that_cannot_be_written_does_not_cost_the_numbers(run, tmp_path, capsys, flag):
    (tmp_path / "taken").write_text("")
    target = tmp_path / "taken" / "p.json"
    assert validate("--pretrained_model", best_model(run[0]), flag, target) == 2
    captured = capsys.readouterr()
    assert_one_error(captured, "taken")
    assert eval_values(captured.out) == load_model(best_model(run[0]))[1]["values"]


def test_a_full_disk_while_the_best_model_is_written(run, synthetic_mpii, tmp_path, capsys, monkeypatch):
    from paddle_pose.engine import run as run_module

    def full(path, *rest):
        raise CheckpointError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr(run_module, "save_model", full)
    assert train(run[1], synthetic_mpii, tmp_path, "--opts", *SHORT) == 2
    assert_one_error(capsys.readouterr(), "No space left")
    assert state_of(tmp_path)["progress"]["best"] is None  # --resume validates again and saves the model then
