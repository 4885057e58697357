import json
import re
import sys

import numpy as np
import paddle
import pytest
from engine_cases import make_batch

from paddle_pose.engine import meter as meter_module
from paddle_pose.engine.logger import Logger
from paddle_pose.engine.meter import Meter
from paddle_pose.engine.progress import Progress
from paddle_pose.errors import UserError


class Clock:
    now = 0.0

    def perf_counter(self):
        return self.now


def test_the_line_of_a_step_by_hand(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(meter_module, "time", clock)
    meter = Meter(epochs=2, batches_per_epoch=10, accumulate=2, ranks=3)
    progress = Progress(epoch=0)

    def batches():
        for k in range(4):
            clock.now += 0.25  # waiting
            yield make_batch([k])

    meter.start_epoch(progress)
    for k, _ in enumerate(meter.timed(batches())):
        clock.now += 1.75  # computing
        progress.batch += 1
        if k % 2:
            progress.step += 1
            meter.add(paddle.to_tensor(np.float32(k)), ["a.jpg", "b.jpg"])
    assert meter.has_losses
    line, numbers = meter.summary(lr=0.001)
    # 4 batches of 2 s are 2 steps of 4 s, in which 3 processes see 2 people each: 6 a step, 1.5 a second.
    # 16 of 20 batches are left: 8 steps, 32 s.
    assert line == (
        "[TRAIN] epoch: 1/2, iter: 4/10, loss: 2.000000, lr: 1.000e-03, avg_reader_cost: 0.5000 sec, "
        "avg_batch_cost: 4.0000 sec, avg_samples: 6.0, avg_ips: 1.5 images/sec, eta: 0:00:32"
    )
    assert numbers == {
        **{"epoch": 0.4, "loss": 2.0, "lr": 0.001, "reader_seconds": 0.5},
        **{"batch_seconds": 4.0, "images_per_second": 1.5},
    }
    assert not meter.has_losses


def test_lines_and_numbers_go_to_files_and_screen(tmp_path, capsys):
    logger = Logger(tmp_path / "new")
    logger.line("first")
    logger.line("second", screen=False)
    logger.numbers(3, {"train/loss": 0.5})
    logger.numbers(4, {"valid/Mean": 12.0})
    logger.close()
    again = Logger(tmp_path / "new")
    again.line("third")
    again.close()
    assert (tmp_path / "new" / "train.log").read_text().splitlines() == ["first", "second", "third"]
    rows = [json.loads(row) for row in (tmp_path / "new" / "metrics.jsonl").read_text().splitlines()]
    assert rows == [{"step": 3, "train/loss": 0.5}, {"step": 4, "valid/Mean": 12.0}]
    assert capsys.readouterr().out.splitlines() == ["first", "third"]


def test_a_silent_logger_says_and_writes_nothing(tmp_path, capsys):
    logger = Logger(tmp_path / "none", silent=True)
    logger.line("nothing")
    logger.numbers(1, {"a": 1.0})
    logger.start_bar(3, 0, "bar")
    logger.close()
    assert not (tmp_path / "none").exists()
    assert capsys.readouterr() == ("", "")


def test_the_bar_is_for_terminals_only(tmp_path, capsys, monkeypatch):
    logger = Logger(None)
    logger.start_bar(3, 0, "evaluating")
    assert not logger.has_bar
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    logger.start_bar(3, 1, "evaluating")
    assert logger.has_bar
    logger.advance(2, "loss 0.1")
    logger.close()
    assert not logger.has_bar
    assert re.search(r"evaluating", capsys.readouterr().err)


def test_visualdl_gets_curves_and_pictures(tmp_path):
    pytest.importorskip("visualdl", reason="VisualDL is not installed")
    from visualdl import LogReader

    logger = Logger(tmp_path, visualdl=True)
    assert logger.shows_pictures
    logger.numbers(1, {"train/loss": 0.5})
    logger.numbers(2, {"train/loss": 0.25})
    logger.picture(2, "valid/predicted", np.zeros((8, 9, 3), np.uint8))
    logger.close()
    (file,) = (tmp_path / "vdl").iterdir()
    reader = LogReader(file_path=str(file))
    points = reader.get_data("scalar", "train/loss")
    assert [(point.id, point.value) for point in points] == [(1, 0.5), (2, 0.25)]
    assert "valid/predicted" in reader.get_tags()["image"]


def test_visualdl_that_is_not_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "visualdl", None)
    with pytest.raises(UserError, match="pip install") as error:
        Logger(tmp_path, visualdl=True)
    assert "\n" not in str(error.value)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write") as error:
        Logger(tmp_path / "file" / "logs")
    assert "--save_dir" in str(error.value)
