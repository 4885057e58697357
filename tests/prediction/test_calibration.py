"""An int8 model is calibrated with what the network gets in prediction, and with nothing else."""

import importlib.util

import cv2
import numpy as np
import pytest
from prediction_cases import HOURGLASS, OPENPOSE, photo, write_json, write_model

from paddle_pose import Predictor, runtime
from paddle_pose.builder import load_parts
from paddle_pose.cli import export, predict
from paddle_pose.errors import ConfigError, DataError
from paddle_pose.prediction.calibration import network_inputs
from paddle_pose.prediction.pose_model import EagerModel

ABSENT = [one for one in ("paddle2onnx", "onnxruntime", "onnx", "ml_dtypes") if not importlib.util.find_spec(one)]
VNNI = {"avx512_vnni", "avx_vnni"} & runtime.cpu_flags()
BOXES = [[10, 5, 60, 70], [50, 20, 40, 60], [-5, -5, 30, 90]]


@pytest.fixture
def many(tmp_path):
    """Ten photos, whose names are their numbers."""
    paths = [str(tmp_path / f"{number}.png") for number in range(10)]
    for number, path in enumerate(paths):
        cv2.imwrite(path, photo(number, 150, 90 + 10 * number))
    return paths


class Watched(EagerModel):
    """Keeps what it is shown."""

    def __init__(self, parts):
        super().__init__(parts)
        self.seen = []

    def __call__(self, images):
        self.seen += list(images)
        return super().__call__(images)


@pytest.mark.parametrize(("recipe", "boxes"), [(HOURGLASS, None), (HOURGLASS, BOXES), (OPENPOSE, None)])
def test_inputs_are_those_of_prediction(recipe, boxes, many, tmp_path):
    if boxes is not None:
        entries = [{"image_id": number, "bbox": box} for number in (0, 3) for box in boxes]
        boxes = write_json(tmp_path / "boxes.json", entries)
    parts = load_parts(str(write_model(tmp_path / "model.pdparams", recipe)))
    model = Watched(parts)
    predictor = Predictor(model, boxes=boxes)
    for path in many:
        predictor(path)
    inputs = network_inputs(parts, many, boxes)
    assert len(inputs) == len(model.seen) == (10 if boxes is None else 6)
    for got, want in zip(inputs, model.seen):
        np.testing.assert_array_equal(got, want[None])


def test_of_many_some_evenly_spread(many, tmp_path):
    parts = load_parts(str(write_model(tmp_path / "model.pdparams", HOURGLASS)))
    every, some = network_inputs(parts, many), network_inputs(parts, many, most=4)
    np.testing.assert_array_equal(some, [every[index] for index in (0, 2, 5, 7)])


def test_wrong_photos_are_one_line(photos, many, tmp_path):
    parts = load_parts(str(write_model(tmp_path / "model.pdparams", HOURGLASS)))
    with pytest.raises(DataError, match=r"2\.png") as caught:
        network_inputs(parts, [str(photos / "2.png")])
    assert "\n" not in str(caught.value)
    everybody = load_parts(str(write_model(tmp_path / "everybody.pdparams", OPENPOSE)))
    boxes = write_json(tmp_path / "boxes.json", [{"image_id": 0, "bbox": BOXES[0]}])
    with pytest.raises(ConfigError, match="finds everybody by itself; leave it out"):
        network_inputs(everybody, many, boxes)


def run(command, *words) -> int:
    return command.main([str(word) for word in words])


@pytest.mark.skipif(bool(ABSENT) or not VNNI, reason=f"needs VNNI; or missing: {ABSENT}")
def test_by_the_commands(tmp_path, capsys):
    assert run(_synthetic(), "--format", "mpii", "--root", tmp_path / "made", "--train", 2, "--valid", 10) == 0
    photos, folder = tmp_path / "made" / "images", tmp_path / "exported"
    flags = ("--pretrained_model", "synthetic_hourglass", "--save_dir", folder)
    assert run(export, *flags, "--format", "onnx", "--calibrate", photos) == 0
    assert "int8: joints of 12 calibration crops: median" in capsys.readouterr().out
    flags = ("--model_dir", folder, "--precision", "int8", "--save_dir", tmp_path / "out")
    assert run(predict, *flags, "--input", photos) == 0
    assert capsys.readouterr().out.startswith("12 photos, 12 people, ")


def _synthetic():
    from paddle_pose.synthetic import command

    return command


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--boxes", "boxes.json"), "--boxes says where people are in the photos of --calibrate; give both"),
        (("--calibrate", "nowhere.jpg"), "nowhere.jpg: there is no such file"),
    ],
)
def test_flags_that_do_not_fit_are_one_line(more, said, tmp_path, capsys):
    flags = ("--pretrained_model", "synthetic_hourglass", "--save_dir", tmp_path / "out", "--format", "onnx")
    assert run(export, *flags, *more) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
