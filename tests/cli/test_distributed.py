"""Two processes: one writes, both train, and the numbers are those of one process."""

import json

import pytest
from cli_cases import (
    ROOT,
    best_model,
    eval_values,
    rows_of,
    run_launch,
    state_of,
    train_arguments,
    validate,
    write_config,
)

from paddle_pose.engine.checkpoint import load_model


@pytest.fixture(scope="module")
def launched(synthetic_mpii, tmp_path_factory):
    """Folder of a run of two processes over three epochs without an average of weights."""
    folder = tmp_path_factory.mktemp("launched")
    config = write_config(folder)
    settings = ["train.ema_decay=null", "train.epochs=3", "valid.batch_size=3", "optimizer.base_batch=8"]
    done = run_launch(
        folder, ROOT / "train.py", *train_arguments(config, synthetic_mpii, folder / "out", "--opts", *settings)
    )
    logs = {path.name: path.read_text() for path in (folder / "launch_logs").glob("workerlog.*")}
    assert done.returncode == 0, "\n".join(logs.values())[-3000:]
    return folder / "out", logs


def test_only_the_first_process_tells_and_writes(launched):
    folder, logs = launched
    assert sorted(path.name for path in folder.iterdir()) == ["64_best_model", "64_training"]
    first, second = logs["workerlog.0"], logs["workerlog.1"]
    assert "2 process(es)" in first
    assert "learning rate 0.002 for 8 samples a step (optimizer.base_batch); here 2 x 2 x 2 = 8: 0.002" in first
    assert "learning rate" not in second
    assert first.count("[EVAL]") == 3
    assert "[EVAL]" not in second
    assert "[TRAIN]" not in second
    steps = [row["step"] for row in rows_of(folder) if "train/loss" in row]
    assert steps == list(range(1, state_of(folder)["progress"]["step"] + 1))


def test_each_process_has_half_of_the_people(launched, synthetic_mpii):
    people = len(json.loads((synthetic_mpii / "annot" / "train.json").read_text()))
    # batches of 2 in each of 2 processes, 2 batches a step, 3 epochs
    assert state_of(launched[0])["progress"]["step"] == people // 4 // 2 * 3


def test_the_value_of_a_saved_model_is_the_one_that_val_finds(launched, capsys):
    """Running statistics of batch norms differ between the processes; those that are saved must be those validated."""
    folder, _ = launched
    assert validate("--pretrained_model", best_model(folder)) == 0
    assert eval_values(capsys.readouterr().out) == load_model(best_model(folder))[1]["values"]
    assert validate("--pretrained_model", folder / "64_training" / "training.pdstate") == 0
    last = [row for row in rows_of(folder) if "valid/Mean" in row][-1]
    assert eval_values(capsys.readouterr().out) == {
        name[6:]: last[name] for name in last if name not in ("step", "valid/spread")
    }


def test_val_in_two_processes_prints_the_lines_of_one(launched, synthetic_mpii, tmp_path, capsys):
    flags = ["--pretrained_model", best_model(launched[0]), "--dataset_root", synthetic_mpii, "--batch_size", 3]
    done = run_launch(tmp_path, ROOT / "val.py", "--device", "cpu", *flags)
    logs = [(tmp_path / "launch_logs" / f"workerlog.{rank}").read_text() for rank in range(2)]
    assert done.returncode == 0, logs[0][-3000:]
    assert validate(*flags) == 0
    said = capsys.readouterr().out.splitlines()
    assert logs[0].splitlines()[2 - len(said) :] == said[2:]  # after the counts, Paddle says what it was started with
    assert "[EVAL]" not in logs[1]
