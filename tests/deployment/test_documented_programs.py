"""The two programs of docs/export.md, as they stand there, find the joints that our own code finds."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import paddle
import pytest
from export_cases import parts_of
from test_exporting import FORMATS, HAS_ONNX

from paddle_pose import geometry
from paddle_pose.deployment.deploy_file import read_description
from paddle_pose.deployment.deployable import Deployable
from paddle_pose.deployment.exporting import export

DOCUMENT = Path(__file__).parents[2] / "docs" / "export.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An export of a udp network, whose crops are cut by pixel centres, and a photo beside it."""
    folder = tmp_path_factory.mktemp("run")
    coarse = np.random.default_rng(3).integers(0, 256, (6, 9, 3)).astype(np.uint8)
    cv2.imwrite(str(folder / "photo.jpg"), cv2.resize(coarse, (150, 110), interpolation=cv2.INTER_CUBIC))
    export(parts_of("hrnet_udp"), folder / "inference", FORMATS)
    return folder


@pytest.mark.parametrize("program", [0, pytest.param(1, marks=pytest.mark.skipif(not HAS_ONNX, reason="no onnx"))])
def test_a_program(program, folder):
    code = PROGRAMS[program]
    if not (folder / "inference" / "model.json").exists():  # Paddle 2.6
        code = code.replace("model.json", "model.pdmodel")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if " score " in line]
    assert [line.split(":")[0] for line in lines] == list(read_description(folder / "inference").skeleton.joints)
    found = np.array([[float(word) for word in re.findall(r"-?[\d.]+", line.split(":")[1])] for line in lines])
    joints, scores = expected(folder)
    assert np.abs(found[:, 2] - scores).max() < 1e-3 * np.abs(scores).max()
    assert (np.abs(found[:, :2] - joints).max(1) < 0.06).sum() >= 15  # printed to tenths; a joint may be undecided


def expected(folder):
    """Joints in the photo and scores, by our geometry and the network itself."""
    description = read_description(folder / "inference")
    photo = cv2.cvtColor(cv2.imread(str(folder / "photo.jpg")), cv2.COLOR_BGR2RGB)
    size = np.array(photo.shape[1::-1]) * description.padding
    width = geometry.fix_aspect(size, description.input_wh)[0]
    centre = np.array(photo.shape[1::-1]) / 2
    matrix = geometry.crop_matrix(centre, width, 0.0, description.input_wh, pixel_centres=description.pixel_centres)
    crop = geometry.warp(photo, matrix, description.input_wh, description.border)
    joints, scores = Deployable(parts_of("hrnet_udp"))(paddle.to_tensor(crop[None]))
    return geometry.apply(geometry.invert(matrix), joints.numpy()[0]), scores.numpy()[0]
