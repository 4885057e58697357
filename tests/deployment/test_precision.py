"""bfloat16 on a CPU: joints as float32's but for rounding, and what cannot be run so in one line."""

import dataclasses

import cv2
import numpy as np
import paddle
import pytest

from paddle_pose import runtime, zoo
from paddle_pose.builder import build, load_parts
from paddle_pose.cli import predict
from paddle_pose.config import load_config
from paddle_pose.deployment import deployed_model, precision
from paddle_pose.deployment.bfloat16 import Bfloat16Model
from paddle_pose.deployment.deploy_file import read_description
from paddle_pose.deployment.deployed_model import open_deployed
from paddle_pose.deployment.exporting import export
from paddle_pose.deployment.static_model import StaticModel
from paddle_pose.errors import CheckpointError, UserError

HERE = "avx512_bf16" in runtime.cpu_flags() and not paddle.__version__.startswith("2.")
needs_bf16 = pytest.mark.skipif(not HERE, reason="needs Paddle 3 and a CPU with avx512_bf16")
FACTS = "flags : fma {}\n\nflags : avx2"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The bundled network, trained, with its maps."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    export(load_parts(str(zoo.named_model("synthetic_hourglass"))), folder, raw=True)
    return folder


@needs_bf16
def test_joints_are_those_of_float32_but_for_rounding(folder):
    photo = cv2.imread(str(zoo.default_photo("synthetic_hourglass")))[..., ::-1]
    images = cv2.resize(np.ascontiguousarray(photo), (96, 96), interpolation=cv2.INTER_AREA)[None]
    model, exact = (open_deployed(folder, "cpu", 1, "auto", one) for one in ("bf16", "float32"))
    assert model.engine == "paddle"
    got, want = model(images), exact(images)
    assert got["joints"].dtype == got["scores"].dtype == np.float32
    np.testing.assert_allclose(got["scores"], want["scores"], atol=0.02)
    sure = want["scores"] > 0.3
    assert sure.any()
    np.testing.assert_allclose(got["joints"][sure], want["joints"][sure], atol=0.5)
    assert np.abs(got["maps"] - want["maps"]).max() > 0  # it was not float32


class PeaksInTheLastCell(paddle.nn.Layer):
    """32x32 maps, whose last cell, 1023, is the highest: in bfloat16 it is 1024, which is not there."""

    stride = 4

    def __init__(self, joints):
        super().__init__()
        self.convolution = paddle.nn.Conv2D(3, joints, 4, 4)
        peaks = np.zeros((1, joints, 32, 32), np.float32)
        peaks[..., -1, -1] = 100
        self.peaks = self.create_parameter(peaks.shape, default_initializer=paddle.nn.initializer.Assign(peaks))

    def forward(self, images):
        return [self.convolution(images) + self.peaks]


@needs_bf16
def test_a_peak_in_the_last_cell_is_found(tmp_path):
    config = load_config("configs/hourglass/hg1_small_synthetic_96x96.yaml", ["input_wh=[128,128]"])
    parts = build(config)
    parts = dataclasses.replace(parts, network=PeaksInTheLastCell(len(parts.skeleton)))
    export(parts, tmp_path / "model", raw=True)
    images = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), np.uint8)
    got, want = (open_deployed(tmp_path / "model", "cpu", 1, "paddle", one)(images) for one in ("bf16", "float32"))
    np.testing.assert_allclose(got["joints"], want["joints"], atol=0.01)
    assert got["joints"].min() > 120
    assert list(got) == list(want)


@needs_bf16
def test_a_program_without_the_maps_that_deploy_yaml_names_is_one_line(folder, tmp_path):
    export(load_parts(str(zoo.named_model("synthetic_hourglass"))), tmp_path)
    with pytest.raises(CheckpointError, match="has 2 outputs, not 3; export again"):
        Bfloat16Model(tmp_path / "model", "cpu", 1, read_description(folder))


@needs_bf16
def test_a_model_without_its_maps_is_one_line(folder, tmp_path):
    text = (folder / "deploy.yaml").read_text().replace("outputs: [joints, scores, maps]", "outputs: [joints, scores]")
    (tmp_path / "deploy.yaml").write_text(text)
    with pytest.raises(UserError, match="export again with --raw") as caught:
        open_deployed(tmp_path, "cpu", precision="bf16")
    assert "\n" not in str(caught.value)


def assert_refused(asked, arguments, said):
    """In one line that holds `said`; or taken, where that is None."""
    if said is None:
        precision.check_precision(asked, *arguments)
        return
    with pytest.raises(UserError, match=said) as caught:
        precision.check_precision(asked, *arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("flags", "paddle_version", "arguments", "said"),
    [
        ("avx512_bf16", "3.2.2", ("onnxruntime", "cpu"), "is not for --engine onnxruntime; take --engine paddle"),
        ("avx512_bf16", "3.2.2", ("tensorrt", "auto"), "is not for --engine tensorrt"),
        ("avx512_bf16", "3.2.2", ("auto", "gpu:0"), "is for the CPU, not for --device gpu:0; take --device cpu"),
        ("avx512_bf16", "2.6.2", ("auto", "cpu"), "needs Paddle 3"),
        ("avx512f", "3.2.2", ("paddle", "cpu"), "this CPU has no avx512_bf16"),
        ("avx512_bf16", "3.2.2", ("paddle", "auto"), None),
    ],
)
def test_where_bf16_cannot_be_run_is_one_line(monkeypatch, flags, paddle_version, arguments, said):
    monkeypatch.setattr(runtime, "_cpu_facts", lambda: FACTS.format(flags))
    monkeypatch.setattr(precision, "version_of", lambda package: paddle_version)
    precision.check_precision("float32", *arguments)
    assert_refused("bf16", arguments, said)


@pytest.mark.parametrize(
    ("flags", "installed", "arguments", "said"),
    [
        ("avx512_vnni", True, ("paddle", "cpu"), "is not for --engine paddle; take --engine onnxruntime"),
        ("avx512_vnni", True, ("auto", "gpu:0"), "is for the CPU, not for --device gpu:0; take --device cpu"),
        ("avx512_vnni", False, ("auto", "cpu"), "needs onnxruntime; pip install onnxruntime"),
        ("avx512f avx512_bf16", True, ("auto", "cpu"), "this CPU has neither avx512_vnni nor avx_vnni"),
        ("avx_vnni", True, ("onnxruntime", "auto"), None),
    ],
)
def test_where_int8_cannot_be_run_is_one_line(monkeypatch, flags, installed, arguments, said):
    monkeypatch.setattr(runtime, "_cpu_facts", lambda: FACTS.format(flags))
    monkeypatch.setattr(precision, "has_onnxruntime", lambda: installed)
    assert_refused("int8", arguments, said)


def test_an_unknown_precision_is_one_line(tmp_path):
    with pytest.raises(UserError, match="--precision int4: unknown; use float32, bf16, int8"):
        open_deployed(tmp_path, precision="int4")
    with pytest.raises(UserError, match="unknown"):
        StaticModel(tmp_path, precision="int4")
    with pytest.raises(UserError, match="is not for --engine paddle"):
        StaticModel(tmp_path, precision="int8")


@pytest.mark.parametrize("name", ["bf16", "int8"])
def test_a_checkpoint_has_no_precision(name, tmp_path, capsys):
    assert predict.main(["--precision", name, "--save_dir", str(tmp_path)]) == 2
    assert f"--precision {name}: is for exported models (--model_dir); leave it out" in capsys.readouterr().err


def test_the_flag_offers_what_there_is():
    assert predict.PRECISIONS == precision.PRECISIONS
    assert deployed_model.ENGINES == predict.ENGINES
