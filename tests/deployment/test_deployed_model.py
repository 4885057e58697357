"""Exported folders run: the network's own joints by every engine, which engine is taken, what does not fit."""

import dataclasses
import importlib.util
import json
import shutil
import sys
import time

import numpy as np
import paddle
import pytest

from paddle_pose.builder import build
from paddle_pose.config import load_config
from paddle_pose.deployment import deployed_model
from paddle_pose.deployment.deploy_file import read_description, write_description
from paddle_pose.deployment.deployable import Deployable
from paddle_pose.deployment.deployed_model import open_deployed, possible_engines
from paddle_pose.deployment.exporting import export
from paddle_pose.errors import CheckpointError, UserError
from paddle_pose.networks.blocks import PreActBottleneck

HAS_ONNX = all(importlib.util.find_spec(name) for name in ("paddle2onnx", "onnxruntime"))
SIDE = 96


@pytest.fixture(scope="module")
def parts():
    paddle.seed(1)
    return build(load_config("configs/hourglass/hg1_small_synthetic_96x96.yaml"))


@pytest.fixture(scope="module")
def folder(parts, tmp_path_factory):
    """An exported network with random weights; with ONNX where that can be made."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    export(parts, folder, ("paddle", "onnx") if HAS_ONNX else ("paddle",), raw=True)
    return folder


@pytest.fixture(scope="module")
def images():
    coarse = np.random.default_rng(0).uniform(0, 255, (2, 6, 6, 3))
    return np.kron(coarse, np.ones((1, SIDE // 6, SIDE // 6, 1))).astype(np.uint8)


@pytest.mark.parametrize("engine", ["paddle", "onnxruntime"])
def test_every_engine_says_what_the_network_says(parts, folder, images, engine):
    if engine == "onnxruntime" and not HAS_ONNX:
        pytest.skip("needs paddle2onnx and onnxruntime")
    model = open_deployed(folder, "cpu", 1, engine)
    assert model.engine == engine
    assert model.device == "cpu"
    assert model.description == read_description(folder)
    got = model(images)
    want = [part.numpy() for part in Deployable(parts, raw=True)(paddle.to_tensor(images))]
    assert list(got) == ["joints", "scores", "maps"]
    for one, other in zip(got.values(), want):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=0, atol=max(0.01, 1e-4 * np.abs(other).max()))


def test_no_program_has_an_interpolation(folder):
    """Paddle 3.3's predictor dies of one under oneDNN."""
    for path in folder.glob("model.*"):
        if path.suffix in (".json", ".pdmodel"):
            assert b"interp" not in path.read_bytes()


def test_norms_behind_a_convolution_are_gone(parts, folder):
    """A predictor folds each through an executor of its own. In front of a convolution stays one for each module."""
    path = folder / "model.json"
    if not path.is_file():
        pytest.skip("reads Paddle 3's format")
    operations = json.loads(path.read_text())["program"]["regions"][0]["blocks"][0]["ops"]
    modules = [layer for layer in parts.network.sublayers() if isinstance(layer, PreActBottleneck)]
    assert sum("batch_norm" in one["#"] for one in operations) == len(modules) > 0


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.zeros((1, SIDE, SIDE, 3), np.float32), "of type uint8, but got"),
        (np.zeros((SIDE, SIDE, 3), np.uint8), r"takes images \(B, H, W, 3\)"),
        (np.zeros((1, 3, SIDE, SIDE), np.uint8), r"takes images \(B, H, W, 3\)"),
        (np.zeros((0, SIDE, SIDE, 3), np.uint8), r"takes images \(B, H, W, 3\)"),
        (np.zeros((1, SIDE, 64, 3), np.uint8), r"takes crops of \(96, 96\) \(width, height\), but got \(64, 96\)"),
    ],
)
def test_images_that_do_not_fit_are_one_line(folder, images, said):
    with pytest.raises(UserError, match=said) as caught:
        open_deployed(folder, "cpu", 1, "paddle")(images)
    assert "\n" not in str(caught.value)


def test_sides_of_a_photo_of_everybody_are_multiples_of_the_stride(folder):
    class Echo:
        input_names, output_names, device = ("images",), ("maps",), "cpu"

        def __call__(self, inputs):
            return [inputs["images"].shape]

    description = dataclasses.replace(
        read_description(folder), finds="everybody", input_wh=None, outputs=("maps",), stride=8
    )
    model = deployed_model.DeployedModel(description, Echo(), "paddle", "here")
    assert model(np.zeros((1, 16, 24, 3), np.uint8)) == {"maps": (1, 16, 24, 3)}
    with pytest.raises(UserError, match="multiples of 8, but are"):
        model(np.zeros((1, 16, 20, 3), np.uint8))


@pytest.mark.parametrize("engine", ["paddle", "onnxruntime"])
def test_a_file_whose_bytes_changed_is_refused(folder, tmp_path, engine):
    if engine == "onnxruntime" and not HAS_ONNX:
        pytest.skip("needs paddle2onnx and onnxruntime")
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    path = tmp_path / ("model.onnx" if engine == "onnxruntime" else "model.pdiparams")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{path.name}: damaged, or of another model"):
        open_deployed(tmp_path, "cpu", 1, engine)
    about = tmp_path / "deploy.yaml"
    about.write_text("".join(line for line in about.open() if not line.startswith(f"  {path.name}: ")))
    open_deployed(tmp_path, "cpu", 1, engine)  # a change on purpose


def test_a_model_that_is_not_what_deploy_yaml_says(folder, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    write_description(tmp_path, dataclasses.replace(read_description(folder), outputs=("joints", "scores")))
    with pytest.raises(UserError, match="3 outputs, but deploy.yaml names 1 and"):
        open_deployed(tmp_path, "cpu", 1, "paddle")


@pytest.mark.parametrize(
    ("files", "installed", "device", "possible"),
    [
        (("model.json", "model.pdmodel", "model.onnx"), True, "cpu", ("paddle", "onnxruntime")),
        (("model.json", "model.onnx"), False, "cpu", ("paddle",)),
        (("model.json", "model.onnx"), True, "gpu:0", ("paddle",)),
        (("model.pdmodel",), True, "cpu", ("paddle",)),
        (("model.onnx",), True, "cpu", ("onnxruntime",)),
        (("model.onnx",), False, "cpu", ("onnxruntime",)),  # which then says what to install
        ((), True, "cpu", ("paddle",)),  # which then says that nothing is there
    ],
)
def test_engines_that_auto_chooses_from(tmp_path, monkeypatch, files, installed, device, possible):
    for name in files:
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setattr(deployed_model, "has_onnxruntime", lambda: installed)
    monkeypatch.setattr(deployed_model, "version_of", lambda package: "3.2.2")
    assert possible_engines(tmp_path, "auto", device) == possible
    for engine in ("paddle", "onnxruntime", "tensorrt"):
        assert possible_engines(tmp_path, engine, device) == (engine,)


def test_paddle_2_is_not_there_for_a_program_of_paddle_3(tmp_path, monkeypatch):
    (tmp_path / "model.json").write_bytes(b"")
    (tmp_path / "model.onnx").write_bytes(b"")
    monkeypatch.setattr(deployed_model, "version_of", lambda package: "2.6.2")
    assert possible_engines(tmp_path, "auto", "cpu") == ("onnxruntime",)


def test_engines_that_are_not_there_are_one_line(folder, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="--engine openvino: unknown; use auto, paddle"):
        open_deployed(folder, "cpu", engine="openvino")
    with pytest.raises(UserError, match="onnxruntime runs on the CPU here"):
        open_deployed(folder, "gpu", engine="onnxruntime")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it were not installed
    with pytest.raises(UserError, match="pip install onnxruntime"):
        open_deployed(folder, "cpu", engine="onnxruntime")
    with pytest.raises(CheckpointError, match="not an exported model"):
        open_deployed(tmp_path)


@pytest.mark.skipif(not HAS_ONNX, reason="needs paddle2onnx and onnxruntime")
def test_damaged_onnx_is_one_line(folder, tmp_path, images):
    write_description(tmp_path, read_description(folder))  # which knows no hashes: there is no file beside it
    with pytest.raises(CheckpointError, match=r"model\.onnx: not there"):
        open_deployed(tmp_path, "cpu", 1, "onnxruntime")
    data = (folder / "model.onnx").read_bytes()
    for damaged in (b"", data[: len(data) // 2], np.random.default_rng(0).bytes(1000)):
        (tmp_path / "model.onnx").write_bytes(damaged)
        with pytest.raises(CheckpointError, match="onnxruntime cannot load it") as caught:
            open_deployed(tmp_path, "cpu", 1, "onnxruntime")
        assert "\n" not in str(caught.value)


def test_one_thread_uses_one_core(folder, images):
    """And more than one is more than that only where there is work for them, which is not tested."""
    model = open_deployed(folder, "cpu", 1, "paddle")
    model(images)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(5):
        model(images)
    assert time.process_time() - cpu <= 1.3 * (time.perf_counter() - wall)
