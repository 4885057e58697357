"""Static models are read through before Paddle gets them: damage, mixtures, formats."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import paddle
import pytest

from paddle_pose.deployment import protobuf
from paddle_pose.deployment.static_files import find_static_files
from paddle_pose.deployment.static_model import StaticModel
from paddle_pose.deployment.static_weights import weight_shapes
from paddle_pose.errors import CheckpointError

ROOT = Path(__file__).parents[2]
IS_OLD = paddle.__version__.startswith("2.")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Folder with a small static model of this Paddle, never written to."""
    return save_small(tmp_path_factory.mktemp("static"), channels=4)


def save_small(folder, channels):
    """Pixels -> maps of two kinds; a model of this Paddle's format, named `model`."""

    class Small(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.first, self.last = paddle.nn.Conv2D(3, channels, 3, padding=1), paddle.nn.Conv2D(channels, 2, 1)

        def forward(self, images):
            maps = self.last(paddle.nn.functional.relu(self.first(images.astype("float32").transpose([0, 3, 1, 2]))))
            return maps, maps.flatten(2)

    paddle.seed(0)
    spec = paddle.static.InputSpec([None, 8, 8, 3], "uint8", "images")
    paddle.jit.save(Small(), str(folder / "model"), input_spec=[spec])
    return folder


def copied(saved, folder):
    folder.mkdir(exist_ok=True)
    for file in saved.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def program_of(folder):
    return folder / ("model.pdmodel" if IS_OLD else "model.json")


def message_of(folder):
    with pytest.raises(CheckpointError) as caught:
        find_static_files(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


def test_the_input_and_the_weights_are_seen_before_loading(saved):
    files = find_static_files(saved, reads_json=not IS_OLD)
    assert files.program == program_of(saved)
    assert [(one.name, one.dtype, one.shape) for one in files.inputs] == [("images", "uint8", (-1, 8, 8, 3))]
    assert sorted(weight_shapes(files.weights)) == [(2,), (2, 4, 1, 1), (4,), (4, 3, 3, 3)]


def test_a_folder_a_prefix_and_a_file_name_the_same_model(saved):
    found = {find_static_files(path).program for path in (saved, saved / "model", program_of(saved), str(saved))}
    assert found == {program_of(saved)}


@pytest.mark.parametrize("which", ["program", "weights"])
@pytest.mark.parametrize("damage", ["missing", "empty", "one byte short", "cut in half", "noise", "text"])
def test_damage_is_one_line(saved, tmp_path, which, damage):
    """Of these Paddle dies (noise as .pdmodel), or computes with wrong numbers (weights short by a byte, missing)."""
    folder = copied(saved, tmp_path / "model")
    path = program_of(folder) if which == "program" else folder / "model.pdiparams"
    data = path.read_bytes()
    noise = np.random.default_rng(0).bytes(len(data))
    damaged = {"empty": b"", "one byte short": data[:-1], "cut in half": data[: len(data) // 2], "noise": noise}
    damaged["text"] = b"version https://git-lfs.github.com/spec/v1\n"
    path.unlink()
    if damage != "missing":
        path.write_bytes(damaged[damage])
    message = message_of(folder)
    assert path.name in message or (which, damage) == ("program", "missing")


def test_weights_that_are_longer_or_of_another_model(saved, tmp_path):
    folder = copied(saved, tmp_path / "model")
    weights = folder / "model.pdiparams"
    weights.write_bytes(weights.read_bytes() + b"\0")
    assert "damaged" in message_of(folder)
    other = save_small(tmp_path, channels=5)
    weights.write_bytes((other / "model.pdiparams").read_bytes())
    assert "of two models" in message_of(folder)


def test_a_json_for_an_older_paddle_is_refused_before_it_is_loaded(tmp_path):
    """2.6 dies of one; it takes the .pdmodel beside it if there is one."""
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(CheckpointError, match="format of Paddle 3"):
        find_static_files(tmp_path / "model", reads_json=False)
    (tmp_path / "model.pdmodel").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"model\.pdmodel: damaged"):
        find_static_files(tmp_path / "model", reads_json=False)
    if IS_OLD:
        (tmp_path / "model.pdmodel").unlink()
        (tmp_path / "model.pdiparams").write_bytes(b"")
        with pytest.raises(CheckpointError, match="format of Paddle 3"):
            StaticModel(tmp_path)


def test_no_model_and_too_many(saved, tmp_path):
    assert "no model of Paddle" in message_of(tmp_path)
    assert "no model of Paddle" in message_of(tmp_path / "nowhere")
    for name in ("one", "two"):
        (tmp_path / f"{name}.pdiparams").write_bytes(b"")
    assert "several models (one, two)" in message_of(tmp_path)


def test_json_of_other_things(tmp_path):
    (tmp_path / "model.pdiparams").write_bytes(b"")
    for content in ("[]", "{}", json.dumps({"base_code": {"magic": "pir"}}), "[" * 100_000):
        (tmp_path / "model.json").write_text(content)
        assert "not a program of Paddle" in message_of(tmp_path)


def test_what_paddle_itself_refuses_is_one_line(saved, tmp_path):
    """In a process of its own: Paddle may die."""
    folder = copied(saved, tmp_path / "model")
    path = program_of(folder)
    path.write_bytes(path.read_bytes().replace(b"conv2d", b"conv9d"))  # an operator that is not there
    lines = [
        "from paddle_pose import runtime; runtime.prepare_environment()",
        "from paddle_pose.deployment.static_model import StaticModel",
        "from paddle_pose.errors import UserError",
        "try:",
        f"    StaticModel({str(folder)!r}, 'cpu')",
        "except UserError as error: print('refused:', error)",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, cwd=ROOT)
    said = done.stdout.strip().splitlines()
    assert done.returncode == 0, done.stderr
    assert len(said) == 1
    assert said[0].startswith("refused:")


def test_protobuf_fields_by_hand():
    message = bytes([0x08, 0x96, 0x01, 0x12, 0x02, 0x41, 0x42, 0x1D, 1, 0, 0, 0])  # the first two are from the manual
    assert [(n, v if isinstance(v, int) else bytes(v)) for n, v in protobuf.fields(message)] == [
        (1, 150),
        (2, b"AB"),
        (3, b"\1\0\0\0"),
    ]
    assert protobuf.signed(2**64 - 1) == -1
    for cut in (1, 2, 4, 5, 6, 8, 11):
        with pytest.raises(ValueError, match="cut off"):
            list(protobuf.fields(message[:cut]))
    with pytest.raises(ValueError, match="kind 7"):
        list(protobuf.fields(b"\x0f"))
    with pytest.raises(ValueError, match="64 bits"):
        list(protobuf.fields(b"\x08" + b"\xff" * 10))
