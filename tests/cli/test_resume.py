"""A run that was killed, or stopped by Ctrl-C, goes on to the weights of the run that was not."""

import os
import signal
from pathlib import Path

import pytest
from cli_cases import (
    CONFIG,
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
from paddle_pose.engine.trainer import Trainer

KILLED = Path(__file__).with_name("killed_train.py")


@pytest.fixture(scope="module")
def whole(synthetic_mpii, tmp_path_factory):
    """(folder, configuration) of a run of two epochs that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    config = write_config(folder, CONFIG.replace("lr: 2.0e-3", "lr: 4.0e-3, base_batch: 8"))
    assert train(config, synthetic_mpii, folder) == 0
    return folder, config


def steps_of_an_epoch(whole) -> int:
    return state_of(whole[0])["progress"]["step"] // 2


def assert_same_run(folder, whole) -> None:
    assert_same_state(state_of(folder), state_of(whole[0]))
    weights, facts = load_model(best_model(folder))
    expected, expected_facts = load_model(best_model(whole[0]))
    assert (facts["epoch"], facts["values"]) == (expected_facts["epoch"], expected_facts["values"])
    trained, expected_trained = state_of(folder)["meta"]["trained_by"], state_of(whole[0])["meta"]["trained_by"]
    assert trained["images"] == expected_trained["images"]
    assert trained["resumed"] > expected_trained["resumed"] == 0
    assert all((weights[name] == expected[name]).all() for name in expected)


def test_killed_in_mid_epoch_and_again_while_saving(whole, synthetic_mpii, tmp_path):
    epoch = steps_of_an_epoch(whole)
    assert epoch > 5  # or the kills are not where they should be

    arguments = train_arguments(whole[1], synthetic_mpii, tmp_path)
    killed = run_python(KILLED, "step", 4, *arguments, cwd=tmp_path)
    assert (killed.returncode, killed.stderr) == (-signal.SIGKILL, "")
    assert state_of(tmp_path)["progress"] == {"epoch": 0, "batch": 4, "step": 2, "best": None, "best_epoch": 0}

    # the second time with other loader threads, and in the middle of writing a state of the second epoch
    more = ["--resume", "--num_workers", "3"]
    killed = run_python(KILLED, "save", epoch + 3, *arguments, *more, cwd=tmp_path)
    assert (killed.returncode, killed.stderr) == (-signal.SIGKILL, "")
    assert state_of(tmp_path)["progress"]["epoch"] == 1
    assert epoch < state_of(tmp_path)["progress"]["step"] < 2 * epoch
    half_written = [name for name in os.listdir(tmp_path / "64_training") if name.endswith(".tmp")]
    assert len(half_written) == 1

    assert train(whole[1], synthetic_mpii, tmp_path, "--resume") == 0
    assert_same_run(tmp_path, whole)
    assert not [name for name in os.listdir(tmp_path / "64_training") if name.endswith(".tmp")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_writes_a_last_checkpoint_and_resume_goes_on(
    whole, synthetic_mpii, tmp_path, monkeypatch, capsys, number
):
    step = Trainer.train_step

    def interrupted(trainer, batches):
        if trainer.progress.step == 2:  # during step 3, after which no checkpoint is due
            os.kill(os.getpid(), number)
        return step(trainer, batches)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "train_step", interrupted)
        capsys.readouterr()
        assert train(whole[1], synthetic_mpii, tmp_path) == 130
    assert capsys.readouterr().err.splitlines() == [
        "interrupted; the training state is written, --resume goes on from it"
    ]
    assert state_of(tmp_path)["progress"]["step"] == 3
    assert train(whole[1], synthetic_mpii, tmp_path, "--resume", "--num_workers", "0") == 0
    assert_same_run(tmp_path, whole)
    steps = [row["step"] for row in rows_of(tmp_path) if "train/loss" in row]
    assert steps == list(range(1, 2 * steps_of_an_epoch(whole) + 1))


def test_ctrl_c_in_validation(whole, synthetic_mpii, tmp_path, monkeypatch):
    from paddle_pose.engine.evaluator import Evaluator

    decode = Evaluator.decode

    def interrupted(evaluator, network, batch):
        os.kill(os.getpid(), signal.SIGINT)
        return decode(evaluator, network, batch)

    with monkeypatch.context() as patched:
        patched.setattr(Evaluator, "decode", interrupted)
        assert train(whole[1], synthetic_mpii, tmp_path) == 130
    progress = state_of(tmp_path)["progress"]
    assert (progress["epoch"], progress["best"]) == (0, None)
    assert train(whole[1], synthetic_mpii, tmp_path, "--resume") == 0
    assert_same_run(tmp_path, whole)


def test_a_finished_run_says_so_and_stays_as_it_is(whole, synthetic_mpii, capsys):
    before = state_of(whole[0])
    model = best_model(whole[0]).read_bytes()
    assert train(whole[1], synthetic_mpii, whole[0], "--resume") == 0
    assert "has finished its 2 epochs" in capsys.readouterr().out
    assert_same_state(state_of(whole[0]), before)
    assert best_model(whole[0]).read_bytes() == model


def test_resume_without_a_run_says_that_it_starts_from_the_beginning(whole, synthetic_mpii, tmp_path, capsys):
    assert train(whole[1], synthetic_mpii, tmp_path, "--resume", "--opts", "train.epochs=1") == 0
    assert "starts from the beginning" in capsys.readouterr().out
