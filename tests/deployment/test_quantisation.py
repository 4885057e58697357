"""int8: joints as float32's but for rounding, decoding in float32, nothing written that was not checked."""

import logging

import cv2
import numpy as np
import pytest
from export_cases import CASES, parts_of
from paddle import nn

from paddle_pose import runtime, zoo
from paddle_pose.builder import load_parts
from paddle_pose.deployment import quantisation
from paddle_pose.deployment.deploy_file import INT8, ONNX, read_deploy_file
from paddle_pose.deployment.deployable import Deployable
from paddle_pose.deployment.deployed_model import open_deployed
from paddle_pose.deployment.exported_check import pictures
from paddle_pose.deployment.exporting import export
from paddle_pose.deployment.onnx_model import OnnxModel
from paddle_pose.errors import CheckpointError, ConfigError, UserError

PACKAGES = ("paddle2onnx", "onnxruntime", "onnx", "ml_dtypes")
ABSENT = [name for name in PACKAGES if not quantisation._has(name)]
VNNI = {"avx512_vnni", "avx_vnni"} & runtime.cpu_flags()
pytestmark = pytest.mark.skipif(bool(ABSENT) or not VNNI, reason=f"needs VNNI and {' '.join(PACKAGES)}; no {ABSENT}")


def crops():
    """(1, 96, 96, 3) of the bundled photo, moved and darkened."""
    photo = cv2.imread(str(zoo.default_photo("synthetic_hourglass")))[..., ::-1]
    crop = cv2.resize(np.ascontiguousarray(photo), (96, 96), interpolation=cv2.INTER_AREA)
    return [np.roll(crop, 2 * k, 1)[None] // (1 + k % 2) for k in range(quantisation.FEWEST)]


def hourglass():
    return load_parts(str(zoo.named_model("synthetic_hourglass")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The bundled network, trained, in float32 and in int8."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    export(hourglass(), folder, ("onnx",), raw=True, calibration=crops())
    return folder


def test_joints_are_those_of_float32_but_for_rounding(folder):
    model, exact = (open_deployed(folder, "cpu", 1, "auto", one) for one in ("int8", "float32"))
    assert model.engine == "onnxruntime"
    got, want = model(crops()[0]), exact(crops()[0])
    assert got["joints"].dtype == got["scores"].dtype == got["maps"].dtype == np.float32
    sure = want["scores"] > 0.3
    assert sure.any()
    # A quarter of a cell: a map of 255 levels tells apart no less beside a peak, whose sigma is about a cell.
    np.testing.assert_allclose(got["joints"][sure], want["joints"][sure], atol=1.0)
    np.testing.assert_allclose(got["scores"][sure], want["scores"][sure], atol=0.1)
    assert np.abs(got["maps"] - want["maps"]).max() > 0  # it was not float32


def test_what_the_folder_says(folder):
    assert {path.name for path in folder.iterdir()} == {"deploy.yaml", ONNX, INT8}
    about = read_deploy_file(folder)
    assert set(about.sha256) == {ONNX, INT8}
    assert about.facts["checked"]["int8"]["inputs"] == quantisation.FEWEST
    assert 0 < about.facts["checked"]["int8"]["median_px"] < 0.5
    assert (folder / INT8).stat().st_size < (folder / ONNX).stat().st_size / 2


def test_only_the_networks_inner_convolutions_are_quantised(folder):
    import onnx

    graph = onnx.load(str(folder / INT8)).graph
    bytes_of = {node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    weights = {one.name for one in graph.initializer}
    stored = {
        node.output[0] for node in graph.node if node.op_type == "DequantizeLinear" and set(node.input[:1]) <= weights
    }
    taking = [node for node in graph.node if stored & set(node.input)]
    assert {node.op_type for node in taking} == {"Conv"}
    assert all(set(node.input) <= bytes_of for node in taking)
    convolutions = [layer for layer in hourglass().network.sublayers() if isinstance(layer, nn.Conv2D)]
    assert len(taking) == len(convolutions) - 2  # without the first and the last


def test_the_outermost_convolutions_are_not_inner_ones():
    """Two branches as an OpenPose's: a, then b or c, then d or e."""
    from onnx import helper

    ways = {"a": ("in", "x"), "b": ("x", "y"), "c": ("x", "z"), "d": ("y", "p"), "e": ("z", "q")}
    nodes = [helper.make_node("Conv", [taken, f"w{name}"], [given], name) for name, (taken, given) in ways.items()]
    nodes.insert(2, helper.make_node("Relu", ["y"], ["unused"], "relu"))
    assert quantisation.inner_convolutions(helper.make_graph(nodes, "graph", [], [])) == ["b", "c"]


@pytest.mark.parametrize("name", ["hrnet_udp", "cpm", "resnet_rle", "openpose"])
def test_other_networks(name, tmp_path):
    """Weights drawn at random, so that nothing is asked of the joints."""
    parts = parts_of(name)
    inputs = list(pictures(Deployable(parts), parts.config.input_wh, parts.network.stride))
    export(parts, tmp_path / "out", ("onnx",), raw=True, mirror_test=CASES[name][2])
    quantisation.quantise(tmp_path / "out" / ONNX, tmp_path / INT8, inputs)
    exact, model = OnnxModel(tmp_path / "out" / ONNX), OnnxModel(tmp_path / INT8)
    for images in inputs:
        want, got = exact({"images": images}), model({"images": images})
        assert [one.shape for one in got] == [one.shape for one in want]
        assert [one.dtype for one in got] == [one.dtype for one in want]
        assert 0 < np.linalg.norm(got[-1] - want[-1]) < 0.5 * np.linalg.norm(want[-1])


def refused(folder, error=UserError, **settings) -> str:
    """What an export with these settings says; an older export stays, a new one does not appear."""
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(error) as caught:
        export(hourglass(), folder, **{"formats": ("onnx",), "calibration": crops(), **settings})
    assert sorted(folder.parent.rglob("*")) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_model_that_says_something_else_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(quantisation, "MOST_MEDIAN", 1e-6)
    assert "nothing was written; calibrate with more photos" in refused(tmp_path / "out")


@pytest.mark.parametrize("value", [np.nan, 1e3])
def test_nor_one_that_gives_nonsense(folder, monkeypatch, value):
    class Broken(OnnxModel):
        def __call__(self, inputs):
            found = super().__call__(inputs)
            return [part + value for part in found] if self._name.endswith(INT8) else found

    monkeypatch.setattr(quantisation, "OnnxModel", Broken)
    with pytest.raises(UserError, match="nothing was written"):
        quantisation.compare_int8(folder / ONNX, folder / INT8, crops())


def test_what_cannot_be_made_is_one_line(tmp_path, monkeypatch):
    folder = tmp_path / "out"
    assert "7 crops or photos are too few" in refused(folder, calibration=crops()[1:])
    assert "give --format onnx" in refused(folder, ConfigError, formats=("paddle",))
    with monkeypatch.context() as patch:
        patch.setattr(runtime, "cpu_flags", lambda: {"avx512f"})
        assert "neither avx512_vnni nor avx_vnni" in refused(folder)
    with monkeypatch.context() as patch:
        patch.setattr(quantisation, "_has", lambda name: name == "onnxruntime")
        assert "--calibrate needs onnx and ml_dtypes" in refused(folder)
    import onnxruntime.quantization

    def fail(*arguments, **settings):
        raise ValueError("no\nsuch operator")

    monkeypatch.setattr(onnxruntime.quantization, "quantize_static", fail)
    assert "onnxruntime cannot quantise it (ValueError: no such operator)" in refused(folder)
    assert logging.root.manager.disable == logging.NOTSET


def test_what_cannot_be_opened_is_one_line(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with open(tmp_path / INT8, "r+b") as file:
        file.truncate(1000)
    with pytest.raises(CheckpointError, match="damaged, or of another model"):
        open_deployed(tmp_path, "cpu", precision="int8")
    assert open_deployed(tmp_path, "cpu").engine == "onnxruntime"  # which float32 does not care about
    (tmp_path / INT8).unlink()
    with pytest.raises(CheckpointError, match="has no model_int8.onnx; export again with --format onnx --calibrate"):
        open_deployed(tmp_path, "cpu", precision="int8")


def test_an_export_without_it_leaves_no_old_one(tmp_path):
    export(hourglass(), tmp_path / "out", ("onnx",), calibration=crops())
    export(hourglass(), tmp_path / "out", ("onnx",))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"deploy.yaml", ONNX}
