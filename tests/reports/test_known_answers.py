"""Published predictions of Convolutional Pose Machines on LSP: the numbers that docs/reports.md shows."""

import os
from pathlib import Path

import pytest

from paddle_pose.data.lsp import LSP
from paddle_pose.data.prediction_files import read_predictions
from paddle_pose.metrics.pck_metrics import PCK
from paddle_pose.reports.confusion import lies_on, swaps
from paddle_pose.reports.pairs import by_row
from paddle_pose.skeletons import LSP_14


def test_left_and_right_of_cpm_on_lsp():
    root = Path(os.environ.get("PADDLE_POSE_DATA", "nowhere")) / "lsp"
    if not root.is_dir():
        pytest.skip("set PADDLE_POSE_DATA to the folder of lsp")
    truth = LSP(str(root), split="valid", joints_file="joints_PC.mat").truth()
    found = read_predictions(root / "cpm_predictions_mpii_lsp.mat", 1000, 14)
    pairs = by_row(found, truth, LSP_14, PCK(LSP_14).yardstick(truth))
    percents = {s.pair[0]: round(s.percent, 2) for s in swaps(pairs, lies_on(pairs))}
    assert percents["left_wrist"] == 9.40
    assert percents["left_shoulder"] == 6.05
    every = swaps(pairs, lies_on(pairs))
    assert sum(s.both for s in every) == 184
    assert round(100 * sum(s.first + s.second for s in every) / 12000, 2) == 7.69
