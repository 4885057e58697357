"""Logs of training runs as series: ours, those for people, those of the first reproduction, and damaged ones."""

import json

import cv2
import numpy as np
import pytest

from paddle_pose.errors import DataError
from paddle_pose.reports.curve_plot import smoothed
from paddle_pose.reports.run_logs import names_of, read_run

ROWS = [
    {"step": 2, "train/epoch": 0.5, "train/loss": 0.4, "train/batch_seconds": 900.0},
    {"step": 4, "train/epoch": 1.0, "train/loss": 0.2, "train/batch_seconds": 1800.0},
    {"step": 4, "valid/Mean": 50.0},
]
OURS = """training on cpu, 1 process(es), 4 batches an epoch, logs in out
[TRAIN] epoch: 1/2, iter: 2/4, loss: 0.400000, lr: 1.000e-03, reader: 0.1, avg_batch_cost: 900.0000 sec
[TRAIN] epoch: 1/2, iter: 4/4, loss: 0.200000, lr: 5.000e-04, reader: 0.1, avg_batch_cost: 1800.0000 sec
spread of predictions: 0.88 of the truth's
[EVAL] Ankle=40.5 Mean=50.0 Mean@0.1=5.25
[VALID] epoch: 1, Mean: 50.0000, new best model
[TRAIN] epoch: 2/2, iter: 2/4, loss: 0.100000, lr: 1.000e-04, reader: 0.1, avg_batch_cost: 900.0000 sec
"""
# The lines come every 10 batches, across the ends of epochs: here 25 in each.
FIRST = """=> load 22246 samples
[TRAIN] epoch=0, batch_id=10, loss=0.004, lr=0.000010,acc_pose=0.065 ETA 39:55:51
[TRAIN] epoch=0, batch_id=20, loss=0.003, lr=0.000020,acc_pose=0.160 ETA 39:23:34
[EVAL] epoch=0:Ankle=37.056140714932 Mean=48.092635961488426 Mean@0.1=6.177465475055348\x20
[TRAIN] epoch=1, batch_id=5, loss=0.002, lr=0.000030,acc_pose=0.435 ETA 202:54:31
[TRAIN] epoch=1, batch_id=15, loss=0.001, lr=0.000040,acc_pose=0.409 ETA 39:09:30
[TRAIN] epoch=1, batch_id=25, loss=0.001, lr=0.000040,acc_pose=0.409 ETA 39:09:30
[EVAL] epoch=1:Ankle=44.1 Mean=58.6 Mean@0.1=10.3\x20
"""


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def series(run, name, axis):
    return [values.tolist() for values in run.series(run.find(name), axis)]


def test_ours(tmp_path):
    write(tmp_path / "run" / "96_training" / "metrics.jsonl", jsonl(ROWS))
    for place in ("run", "run/96_training", "run/96_training/metrics.jsonl"):
        run = read_run(tmp_path / place)
        assert series(run, "loss", "iter") == [[2, 4], [0.4, 0.2]]
        assert series(run, "train/loss", "epoch") == [[0.5, 1.0], [0.4, 0.2]]
        assert series(run, "loss", "hours") == [[0.5, 1.5], [0.4, 0.2]]  # 2 x 900 s, then 2 x 1800 s
        assert series(run, "Mean", "epoch") == [[1.0], [50.0]]
        assert run.find("Wrist") is None


def test_a_log_for_people_says_the_same(tmp_path):
    run = read_run(write(tmp_path / "train.log", OURS))
    assert series(run, "loss", "iter") == [[2, 4, 6], [0.4, 0.2, 0.1]]
    assert series(run, "loss", "epoch") == [[0.5, 1.0, 1.5], [0.4, 0.2, 0.1]]
    assert series(run, "loss", "hours")[0] == [0.5, 1.5, 2.0]
    assert series(run, "Mean@0.1", "epoch") == [[1.0], [5.25]]
    assert series(run, "lr", "iter")[1] == [1e-3, 5e-4, 1e-4]


def test_the_first_reproduction(tmp_path):
    run = read_run(write(tmp_path / "hourglass.log", FIRST))
    assert series(run, "loss", "iter") == [[10, 20, 30, 40, 50], [0.004, 0.003, 0.002, 0.001, 0.001]]
    assert series(run, "Mean", "iter") == [[25, 50], [48.092635961488426, 58.6]]
    np.testing.assert_allclose(series(run, "Mean", "epoch")[0], [1, 2])
    assert series(run, "acc_pose", "iter")[1][0] == 0.065
    with pytest.raises(DataError, match=r"says nothing of hours; use --x iter or epoch"):
        run.series("train/loss", "hours")


def test_iterations_that_count_on(tmp_path):
    text = "2021 [INFO] [TRAIN] epoch: 2, iter: 50/80000, loss: 0.5, lr: 0.01\n"
    assert series(read_run(write(tmp_path / "a.log", text)), "loss", "iter") == [[50], [0.5]]


def test_half_a_last_line_is_left_out(tmp_path):
    file = write(tmp_path / "metrics.jsonl", jsonl(ROWS) + '{"step": 6, "train/lo')
    assert series(read_run(file), "loss", "iter")[0] == [2, 4]
    file = write(tmp_path / "train.log", OURS + "[TRAIN] epoch: 2/2, iter: 4/4, loss: 0.0")
    assert series(read_run(file), "loss", "iter")[0] == [2, 4, 6]


def test_steps_that_were_done_again_count_once(tmp_path):
    rows = [*ROWS, {"step": 3, "train/loss": 0.9}, {"step": 5, "train/loss": 0.8}]
    run = read_run(write(tmp_path / "metrics.jsonl", jsonl(rows)))
    assert series(run, "loss", "iter") == [[2, 3, 5], [0.4, 0.9, 0.8]]


def test_points_that_are_no_numbers_are_left_out(tmp_path):
    text = (
        jsonl(ROWS)
        + '{"step": 5, "train/loss": NaN}\n{"step": 6, "train/loss": null}\n{"step": 7, "train/loss": 0.1}\n'
    )
    assert series(read_run(write(tmp_path / "metrics.jsonl", text)), "loss", "iter")[0] == [2, 4, 7]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("metrics.jsonl", "", "holds no numbers yet"),
        ("metrics.jsonl", '{"step": 1}\n', "holds no numbers yet"),
        ("metrics.jsonl", '{"step": 1, "a": 2}\n{"st\n{"step": 2}\n', "line 2 is not JSON"),
        ("metrics.jsonl", '{"loss": 1}\n', 'line 1 has no "step"'),
        ("metrics.jsonl", "[1, 2]\n", 'line 1 has no "step"'),
        ("other.log", "epoch 1 loss 0.5\n", "holds no numbers yet"),
    ],
)
def test_empty_damaged_and_foreign_files(tmp_path, name, text, said):
    with pytest.raises(DataError, match=said):
        read_run(write(tmp_path / name, text))


def test_no_text_no_run_and_two_runs(tmp_path):
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\xff\xfe")
    with pytest.raises(DataError, match="is no text"):
        read_run(tmp_path / "picture.png")
    with pytest.raises(DataError, match="no such file or folder"):
        read_run(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"holds no metrics\.jsonl"):
        read_run(tmp_path / "empty")
    for size in (96, 128):
        write(tmp_path / "two" / f"{size}_training" / "metrics.jsonl", jsonl(ROWS))
    with pytest.raises(DataError, match=r"holds 2 runs; name one, as .*128_training"):
        read_run(tmp_path / "two")


def test_names_are_short_and_different(tmp_path):
    paths = [tmp_path / "a" / "run", tmp_path / "b" / "run" / "96_training" / "metrics.jsonl", tmp_path / "c.log"]
    assert names_of(paths[1:]) == ["run", "c.log"]
    assert names_of(paths)[:2] == ["a/run", "b/run"]
    assert len(set(names_of([paths[0], paths[0]]))) == 2


def test_smoothing_by_hand():
    np.testing.assert_allclose(smoothed(np.array([1.0, 3, 5, 7]), 2), [1, 2, 4, 6])
    np.testing.assert_allclose(smoothed(np.array([1.0, 3, 5, 7]), 1), [1, 3, 5, 7])
    np.testing.assert_allclose(smoothed(np.array([1.0, 3]), 9), [1, 2])


class TestCommand:
    def plot(self, *arguments):
        from paddle_pose.cli.plot_log import main

        return main([str(argument) for argument in arguments])

    def test_two_runs_and_a_published_curve(self, tmp_path, capsys):
        first = write(tmp_path / "first.log", FIRST)
        ours = write(tmp_path / "ours" / "96_training" / "metrics.jsonl", jsonl(ROWS))
        flags = ["--x", "epoch", "--smooth", 2, "--published", "first_paddle_hourglass52_mpii_256x256"]
        assert self.plot(first, ours, "--out", tmp_path / "c.png", *flags) == 0
        assert f"curves of 2 runs (loss, Mean) in {tmp_path / 'c.png'}" in capsys.readouterr().out
        picture = cv2.imread(str(tmp_path / "c.png"))[:, :, ::-1].astype(int)
        for color in ((230, 159, 0), (86, 180, 233)):  # one for each run
            assert (np.abs(picture - color).max(2) < 12).sum() > 40

    @pytest.mark.parametrize("suffix", ["svg", "pdf"])
    def test_other_formats(self, tmp_path, suffix):
        run = write(tmp_path / "first.log", FIRST)
        assert self.plot(run, "--keys", "lr", "--out", tmp_path / f"c.{suffix}") == 0
        assert (tmp_path / f"c.{suffix}").stat().st_size > 1000

    @pytest.mark.parametrize(
        ("flags", "said"),
        [
            (["--keys", "Wirst"], "--keys Wirst: no run has it; they have epoch, loss"),
            (["--out", "c.jpeg"], "c.jpeg: pictures are written as .png, .svg, .pdf"),
            (["--out", "/dev/null/c.png"], "cannot write /dev/null/c.png"),
            (["--published", "first_paddle_hourglass52_mpii_256x256"], "add --x epoch"),
            (["--published", "tompson_mpii_valid", "--x", "epoch"], "no curve of it is published"),
            (["--published", "nonsense", "--x", "epoch"], "no published row 'nonsense'"),
            (["--x", "hours"], "says nothing of hours"),
        ],
    )
    def test_wrong_flags_are_one_line(self, tmp_path, capsys, flags, said):
        assert self.plot(write(tmp_path / "first.log", FIRST), "--out", tmp_path / "c.png", *flags) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert said in error
        assert error.count("\n") == 1
