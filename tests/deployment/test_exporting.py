"""What is exported says what the network says in validation, in both forms; and the check notices what does not."""

import dataclasses
import importlib.util
import os

import numpy as np
import paddle
import pytest
from export_cases import CASES, parts_of

from paddle_pose.builder import build
from paddle_pose.config import load_config
from paddle_pose.deployment import onnx_conversion
from paddle_pose.deployment.deploy_file import ONNX, read_deploy_file, read_description
from paddle_pose.deployment.deployable import Deployable
from paddle_pose.deployment.exported_check import MOST_PIXELS, compare, onnx_runner, paddle_runner, pictures
from paddle_pose.deployment.exporting import check_exportable, export
from paddle_pose.engine.evaluator import Evaluator
from paddle_pose.errors import ConfigError, UserError
from paddle_pose.samples import Batch

HAS_ONNX = all(importlib.util.find_spec(name) for name in onnx_conversion.NEEDED)
FORMATS = ("paddle", "onnx") if HAS_ONNX else ("paddle",)
# Rounding of float32 is 6e-8 of a value; a few dozen layers make a few 1e-6 of it (seen: 1.3e-6). A parabola or a
# Newton step turns that into about as many cells, of 4 or 8 pixels, times how flat a peak is: most are below 1e-3.
SHARE, PIXELS = 3e-5, MOST_PIXELS


@pytest.mark.parametrize("name", CASES)
def test_exported_is_eager(name, tmp_path):
    """The eager side is the Evaluator: what val.py scores."""
    parts, mirror_test = parts_of(name), CASES[name][2]
    made = export(parts, tmp_path / "out", FORMATS, raw=True, mirror_test=mirror_test)
    assert set(made) == set(FORMATS)
    for difference in made.values():
        assert difference.share < SHARE
        assert difference.undecided <= difference.compared / 2
    description = read_description(tmp_path / "out")
    assert description.mirror_test == mirror_test
    layer = Deployable(parts, mirror_test, raw=True)
    assert description.outputs == layer.outputs
    runners = {"paddle": paddle_runner, "onnx": onnx_runner}
    for images in list(pictures(layer, parts.config.input_wh, parts.network.stride))[1::2]:  # three pictures each
        expected = eager(parts, mirror_test, images)[-len(layer.outputs) :]
        for form in FORMATS:
            got = dict(zip(description.outputs, runners[form](tmp_path / "out")(images)))
            assert [part.dtype for part in got.values()] == [np.float32] * len(got)
            for key, want in zip(description.outputs, expected):
                scale = PIXELS if key == "joints" else SHARE * np.abs(want).max()
                far = np.abs(got[key] - want) > scale
                assert far.mean() < (1 / 8 if key == "joints" else 1e-9)  # undecided joints


def eager(parts, mirror_test, images):
    """Joints, scores and output by the Evaluator."""
    count = len(images)
    ones = np.ones((count, 3), np.float32)
    evaluator = Evaluator(parts.codec, parts.normalise, mirror_test)
    with paddle.no_grad():
        output = evaluator.output(parts.network, images, ones).numpy()
    zeros = np.zeros((count, 1, 2), np.float32)
    batch = Batch(images, zeros, zeros[..., 0], np.zeros((count, 2, 3)), ones, np.arange(count), ("",) * count)
    return (*evaluator.decode(parts.network, batch), output)


class TestWhatComesOut:
    def test_without_raw_there_are_no_maps(self, tmp_path):
        parts = parts_of("alexnet")
        export(parts, tmp_path / "out")
        assert read_description(tmp_path / "out").outputs == ("joints", "scores")
        images = next(pictures(Deployable(parts), parts.config.input_wh, 1))
        assert [part.shape for part in paddle_runner(tmp_path / "out")(images)] == [(1, 14, 2), (1, 14)]

    @pytest.mark.skipif(not HAS_ONNX, reason="paddle2onnx or onnxruntime is not installed")
    def test_onnx_alone(self, tmp_path):
        export(parts_of("alexnet"), tmp_path / "out", ("onnx",))
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["deploy.yaml", ONNX]
        assert list(read_deploy_file(tmp_path / "out").sha256) == [ONNX]

    def test_networks_that_are_not_exported(self):
        centres = build(load_config("configs/cpm/person_centre_synthetic_96x96.yaml"))
        with pytest.raises(ConfigError, match="--people_model"):
            check_exportable(centres)
        parts = parts_of("alexnet")
        later = dataclasses.replace(parts, config=parts.config.model_copy(update={"joint_crops": object()}))
        with pytest.raises(ConfigError, match="first stage"):
            check_exportable(later)


class TestTheCheck:
    @pytest.fixture(scope="class")
    def layer(self):
        return Deployable(parts_of("hrnet_udp"))

    def compared(self, layer, change):
        def run(images):
            return change([part.numpy() for part in layer(paddle.to_tensor(images))])

        return compare(layer, run, (96, 128), 4, "paddle")

    def test_the_layer_agrees_with_itself(self, layer):
        difference = self.compared(layer, lambda parts: parts)
        assert (difference.joints_px, difference.share) == (0, 0)
        assert difference.compared > difference.undecided

    @pytest.mark.parametrize(
        "change",
        [
            lambda parts: [parts[0] + 0.02, parts[1]],
            lambda parts: [parts[0], parts[1] * 1.01],
            lambda parts: [parts[0] * np.nan, parts[1]],
            lambda parts: [parts[0], parts[1] * np.nan],
        ],
    )
    def test_what_differs_is_refused(self, layer, change):
        with pytest.raises(UserError, match="nothing was written"):
            self.compared(layer, change)

    def test_another_shape_is_refused(self, layer):
        with pytest.raises(UserError, match="in place of"):
            self.compared(layer, lambda parts: parts[::-1])

    def test_a_joint_with_two_equal_peaks_is_undecided(self):
        """Which of them is higher is decided by rounding; the exported model may say the other one."""

        class TwoPeaks(Deployable):
            def output(self, images):
                maps = np.zeros((len(images), 17, 32, 24), np.float32)
                maps[:, :, 8, 8] = 1.0
                maps[:, 3, 20, 12] = 1.0
                return paddle.to_tensor(maps)

        layer = TwoPeaks(parts_of("hrnet_udp", ("codec.refine=argmax", "codec.target=msra")))

        def other(parts):
            parts[0][:, 3] = [48, 80]
            return parts

        difference = self.compared(layer, other)
        assert (difference.joints_px, difference.undecided) == (0, 4)
        assert difference.compared == 4 * 16


class TestConversion:
    def test_missing_packages(self, monkeypatch):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(UserError, match="paddle2onnx and onnxruntime"):
            onnx_conversion.check_packages()

    def test_a_process_that_ends_badly_is_one_line(self, tmp_path):
        (tmp_path / "model.json").write_text("{}")
        with pytest.raises(UserError, match="--format paddle") as caught:
            onnx_conversion.convert(tmp_path / "model.json", tmp_path / "model.pdiparams", tmp_path / ONNX)
        assert "\n" not in str(caught.value)
        assert not (tmp_path / ONNX).exists()


@pytest.mark.parametrize("kept", [0, 1000])
def test_a_full_disk_of_which_paddle_says_nothing_is_one_line(kept, tmp_path, monkeypatch):
    save = paddle.jit.save

    def cut(layer, prefix, **settings):
        save(layer, prefix, **settings)
        os.truncate(f"{prefix}.pdiparams", kept)

    monkeypatch.setattr(paddle.jit, "save", cut)
    parts = parts_of("hourglass")
    with pytest.raises(UserError, match="cannot be read again; is there space on the disk") as caught:
        export(parts, tmp_path / "exported")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
