"""A run that goes by the validation loss, in two phases: a part frozen, then everything. Killed in both, it goes on."""

import signal
from pathlib import Path

import pytest
from cli_cases import (
    CONFIG,
    assert_one_error,
    assert_same_state,
    best_model,
    rows_of,
    run_python,
    state_of,
    train,
    train_arguments,
    write_config,
)

from paddle_pose.engine.checkpoint import load_model

KILLED = Path(__file__).with_name("killed_train.py")
RECIPE = (
    CONFIG.replace("epochs: 2, batch_size: 2, accumulate: 2", "epochs: 3, batch_size: 4")
    .replace("train: {", "train: {freeze: [stem], freeze_epochs: 1, ")
    .replace("schedule: {type: cosine, warmup_steps: 3}", "schedule: {type: plateau, observe: loss, patience: 0}")
    .replace("mirror_test: true, best: Mean", "mirror_test: false, best: loss")
)


@pytest.fixture(scope="module")
def whole(synthetic_mpii, tmp_path_factory):
    """(folder, configuration) of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("two_phases")
    config = write_config(folder, RECIPE)
    assert train(config, synthetic_mpii, folder) == 0
    return folder, config


def test_the_best_model_has_the_smallest_loss(whole):
    rows = [row for row in rows_of(whole[0]) if "valid/Mean" in row]
    losses = [row["valid/loss"] for row in rows]
    assert len(losses) == 3
    assert state_of(whole[0])["progress"]["best"] == min(losses)
    assert load_model(best_model(whole[0]))[1]["epoch"] == 1 + losses.index(min(losses))
    log = (whole[0] / "64_training" / "train.log").read_text()
    assert "loss" in log.splitlines()[-1]
    assert log.count("epoch 2: what was frozen is trained from here on") == 1
    assert (whole[0] / "64_training" / "curves.png").is_file()


def test_killed_in_both_phases_and_resumed(whole, synthetic_mpii, tmp_path):
    steps = state_of(whole[0])["progress"]["step"] // 3
    arguments = train_arguments(whole[1], synthetic_mpii, tmp_path)
    killed = run_python(KILLED, "step", steps - 1, *arguments, cwd=tmp_path)
    assert (killed.returncode, killed.stderr) == (-signal.SIGKILL, "")
    assert not state_of(tmp_path)["thawed"]
    killed = run_python(KILLED, "step", steps + 3, *arguments, "--resume", cwd=tmp_path)
    assert (killed.returncode, killed.stderr) == (-signal.SIGKILL, "")
    assert state_of(tmp_path)["thawed"]
    assert train(whole[1], synthetic_mpii, tmp_path, "--resume") == 0
    assert_same_state(state_of(tmp_path), state_of(whole[0]))


def test_a_typing_error_is_told_the_values_and_the_loss(whole, synthetic_mpii, tmp_path, capsys):
    assert train(whole[1], synthetic_mpii, tmp_path, "--opts", "valid.best=los") == 2
    assert_one_error(capsys.readouterr(), r"valid\.best='los' is not a value of this metric", "Mean", "loss")


def test_freezing_for_some_epochs_needs_something_to_freeze(whole, synthetic_mpii, tmp_path, capsys):
    assert train(whole[1], synthetic_mpii, tmp_path, "--opts", "train.freeze=[]") == 2
    assert_one_error(capsys.readouterr(), "freeze_epochs=1, but nothing is frozen; name the parts in freeze")
