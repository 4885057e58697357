"""The picture of a run's curves."""

import json

import cv2
import numpy as np

from paddle_pose.curves import draw_curves, without_repeats


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def colored(picture, rgb):
    """Number of pixels close to a colour."""
    image = cv2.imread(str(picture))[:, :, ::-1].astype(int)
    return int((np.abs(image - rgb).max(2) < 12).sum())


BLUE, ORANGE = (31, 119, 180), (255, 127, 14)


def test_loss_and_validation_are_drawn(tmp_path):
    rows = [{"step": s, "train/loss": 0.1 / s} for s in range(1, 50)]
    write_rows(tmp_path / "metrics.jsonl", [*rows, {"step": 49, "valid/Mean": 80.0}])
    draw_curves(tmp_path / "metrics.jsonl", tmp_path / "curves.png", "Mean")
    assert colored(tmp_path / "curves.png", BLUE) > 300
    assert colored(tmp_path / "curves.png", ORANGE) > 50


def test_another_value_than_the_best_is_not_drawn(tmp_path):
    write_rows(tmp_path / "metrics.jsonl", [{"step": 1, "train/loss": 0.1}, {"step": 1, "valid/Mean": 80.0}])
    draw_curves(tmp_path / "metrics.jsonl", tmp_path / "curves.png", "Wrist")
    assert colored(tmp_path / "curves.png", ORANGE) == 0


def test_a_run_without_a_line_yet_gives_an_empty_frame(tmp_path):
    write_rows(tmp_path / "metrics.jsonl", [])
    draw_curves(tmp_path / "metrics.jsonl", tmp_path / "curves.png", "Mean")
    assert colored(tmp_path / "curves.png", BLUE) == 0


def test_steps_done_again_after_a_resume_replace_the_old_ones():
    steps = [(1, "a"), (2, "a"), (3, "a"), (2, "b"), (3, "b")]
    rows = without_repeats([{"step": step, "run": run} for step, run in steps])
    assert [(row["step"], row["run"]) for row in rows] == [(1, "a"), (2, "a"), (2, "b"), (3, "b")]
