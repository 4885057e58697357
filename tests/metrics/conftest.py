import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from paddle_pose.samples import Predictions, Truth


def predictions(joints_image) -> Predictions:
    joints = np.asarray(joints_image, np.float64)
    return Predictions(joints, np.ones(joints.shape[:2], np.float32))


@pytest.fixture(scope="session")
def load_mat():
    """Reads a .mat file of the folder PADDLE_POSE_DATA, which holds the real annotations."""

    def load(name: str) -> dict:
        if "PADDLE_POSE_DATA" not in os.environ:
            pytest.skip("set PADDLE_POSE_DATA to the folder of mpii/annot, lsp, lspet and flic")
        path = Path(os.environ["PADDLE_POSE_DATA"]) / name
        if not path.is_file():
            pytest.skip(f"PADDLE_POSE_DATA has no {name}")
        return loadmat(path)

    return load


@pytest.fixture(scope="session")
def mpii(load_mat):
    """Truth of MPII val (2958 people) and the predictions of Tompson et al., both made 0-based."""
    content = load_mat("mpii/annot/gt_valid.mat")
    boxes = content["headboxes_src"]
    truth = Truth(
        joints_image=content["pos_gt_src"].transpose(2, 0, 1) - 1,
        labelled=content["jnt_missing"].T == 0,
        head_size_image=0.6 * np.linalg.norm(boxes[1] - boxes[0], axis=0),
    )
    return truth, predictions(content["pos_pred_src"].transpose(2, 0, 1) - 1)


@pytest.fixture(scope="session")
def lsp(load_mat):
    """`lsp("PC" or "OC")`: truth of LSP test (1000 people) and CPM's published predictions, made 0-based."""

    def load(centric: str):
        joints = load_mat(f"lsp/joints_{centric}.mat")["joints"].transpose(2, 1, 0)[1000:, :, :2] - 1
        found = load_mat("lsp/cpm_predictions_mpii_lsp.mat")["prediction_all"]
        found = found.astype(np.float64)  # uint8 in the file
        return Truth(joints, np.ones(joints.shape[:2], bool)), predictions(found.transpose(2, 0, 1) - 1)

    return load
