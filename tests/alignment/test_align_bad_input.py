"""One line and exit code 2, whatever is wrong; nothing in a file is run."""

import json
import os
import shutil

import numpy as np
import pytest
from alignment import sixth
from cli.cli_cases import assert_one_error

from paddle_pose.alignment import reprod_files
from paddle_pose.cli.align import main
from paddle_pose.errors import DataError


@pytest.fixture
def recording(tmp_path):
    return shutil.copytree(sixth.RECORDING, tmp_path / "recording")


def error(capsys, *words):
    assert main([str(word) for word in words]) == 2
    return assert_one_error(capsys.readouterr())


class Canary:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def hostile(path):
    for content in ({"output_0": Canary(path)}, {"output_0": np.array([Canary(path)], object)}, Canary(path)):
        yield np.array(content, object).reshape(())


def test_a_hostile_file_is_refused_and_not_run(recording, tmp_path, capsys):
    canary = tmp_path / "canary"
    for content in hostile(canary):
        np.save(recording / "forward_ref.npy", content, allow_pickle=True)
        line = error(capsys, "--recording", recording, "--network", sixth.write(tmp_path))
        assert "forward_ref.npy: refused" in line
        np.save(recording / "train_ref.npy", content, allow_pickle=True)
        with pytest.raises(DataError, match="refused"):
            reprod_files.read(recording / "train_ref.npy")
    assert not canary.exists()
    np.load(recording / "forward_ref.npy", allow_pickle=True)
    assert canary.exists()  # it would have been run


def test_what_is_no_dict_of_arrays(tmp_path):
    path = tmp_path / "a.npy"
    good = {"a": np.arange(6.0).reshape(2, 3), "b": 1.5, "c": np.float32(2), "d": np.asfortranarray(np.ones((2, 3)))}
    reprod_files.write(path, good)
    found = reprod_files.read(path)
    for name, value in good.items():
        np.testing.assert_array_equal(found[name], value)
    whole = path.read_bytes()
    for content in (whole[:-20], whole[:40], b"", b"PK\x03\x04", whole[:-1] + b"x"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.npy"):
            reprod_files.read(path)
    for content in (
        {"a": "text"},
        {"a": [1, 2]},
        {1: np.ones(2)},
        [1, 2],
        "text",
        np.ones(3),
        {"a": np.array([None, 1])},
    ):
        np.save(path, content, allow_pickle=True)
        with pytest.raises(DataError, match=r"a\.npy"):
            reprod_files.read(path)


@pytest.mark.parametrize("name", ["forward", "loss", "backward", "backward_again", "train", "train_again"])
def test_a_missing_file(name, recording, tmp_path, capsys):
    (recording / f"{name}_ref.npy").unlink()
    line = error(capsys, "--recording", recording, "--network", sixth.write(tmp_path))
    assert f"{name}_ref.npy: cannot be read: No such file" in line


def test_another_number_of_joints_or_outputs(recording, tmp_path, capsys):
    entries = reprod_files.read(recording / "forward_ref.npy")
    reprod_files.write(recording / "forward_ref.npy", {**entries, "output_0": np.zeros((2, 5, 4, 6), "float32")})
    line = error(capsys, "--recording", recording, "--network", sixth.write(tmp_path))
    assert "output_0 is (2, 5, 4, 6) there, (2, 4, 4, 6) here" in line
    reprod_files.write(recording / "forward_ref.npy", {**entries, "output_1": entries["output_0"]})
    assert "output_1 is on the side of the recording only" in error(
        capsys, "--recording", recording, "--network", sixth.write(tmp_path)
    )


def test_another_number_of_steps(recording, tmp_path, capsys):
    setup = json.loads((recording / "setup.json").read_text())
    (recording / "setup.json").write_text(json.dumps({**setup, "steps": 4}))
    line = error(capsys, "--recording", recording, "--network", sixth.write(tmp_path))
    assert "train_ref.npy: holds losses of 5 steps, setup.json says 4" in line


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": "ten"}, "steps=ten cannot be used"),
        ({"dtype": "float16"}, "dtype=float16 cannot be used"),
        ({"weights": "../weights.npz"}, "weights=../weights.npz cannot be used"),
        ({"evaluation_shape": [3, 16, 24]}, "evaluation_shape"),
        ({"optimizer": "Adadelta"}, "optimizer=Adadelta cannot be used"),
        ({"lr": True}, "lr=True cannot be used"),
        ({"lr": float("inf")}, "lr=inf cannot be used"),
        ({"momentum": "much"}, "momentum=much cannot be used"),
        ({"nudge": None}, "nudge=None cannot be used"),
        ({"loss": 5}, "loss=5 cannot be used"),
        ({"invented": 1}, "unknown entry 'invented'"),
    ],
)
def test_a_setup_that_cannot_be_used(change, message, recording, tmp_path, capsys):
    setup = json.loads((recording / "setup.json").read_text())
    (recording / "setup.json").write_text(json.dumps({**setup, **change}))
    assert message in error(capsys, "--recording", recording, "--network", sixth.write(tmp_path))


def test_a_setup_that_is_no_json_or_not_whole(recording, tmp_path, capsys):
    network = sixth.write(tmp_path)
    (recording / "setup.json").write_text("{")
    assert "setup.json: not JSON" in error(capsys, "--recording", recording, "--network", network)
    (recording / "setup.json").write_text("{}")
    assert "entry 'reference' is missing" in error(capsys, "--recording", recording, "--network", network)
    (recording / "setup.json").unlink()
    assert "has neither setup.json" in error(capsys, "--recording", recording, "--network", network)


def test_weights_of_another_network(recording, capsys):
    line = error(capsys, "--recording", recording, "--network", "type: StackedHourglass, num_joints: 4, stacks: 1")
    assert "checkpoint does not fit StackedHourglass" in line


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--rungs", "forwards"), "no rung 'forwards'"),
        (("--threshold", "forward"), "write RUNG=NUMBER"),
        (("--threshold", "speed=1"), "RUNG one of forward"),
        (("--loss", "config"), "name ours: --config"),
        (("--loss", "nowhere.py:f"), "no such file"),
        (("--loss", "half"), "module:name"),
        (("--steps", "3"), "--steps is for recording"),
        (("--double",), "--double is for recording"),
        (("--pretrained_model", "x.pdparams"), "the recording says which weights"),
        (("--opts", "seed=1"), "--opts changes settings of --config"),
    ],
)
def test_wrong_flags(flags, message, recording, tmp_path, capsys):
    assert message in error(capsys, "--recording", recording, "--network", sixth.write(tmp_path), *flags)


def test_a_network_that_cannot_be_had(recording, tmp_path, capsys):
    network = sixth.write(tmp_path)
    assert "no 'Seventh' there; it has Sixth" in error(
        capsys, "--recording", recording, "--network", network.replace("Sixth", "Seventh").replace("seventh", "sixth")
    )
    assert "write it as" in error(capsys, "--recording", recording, "--network", "stacks: 2")
    negative = "type: StackedHourglass, num_joints: -1, stacks: 1, depth: 1, width: 8"
    assert "fails with AssertionError" in error(capsys, "--recording", recording, "--network", negative)
    assert "say what to compare with" in error(capsys, "--network", network)
    nameless = sixth.write(tmp_path, "def reference_name", "def other_name")
    assert "has no reference_name(key)" in error(capsys, "--recording", recording, "--network", nameless)


def test_recording_without_a_network(tmp_path, capsys):
    assert "--torch MODULE:CALLABLE is needed" in error(capsys, "record", "--out", tmp_path / "new")
    pytest.importorskip("torch")
    sixth.write(tmp_path)
    torch_file = tmp_path / "sixth_torch.py"
    flags = ("record", "--out", tmp_path / "new", "--torch")
    assert "not a function" in error(capsys, *flags, f"{torch_file}:nn")
    assert "takes 0 arguments" in error(capsys, *flags, f"{torch_file}:Sixth", "--checkout", tmp_path)
    assert "--steps must be 1" in error(capsys, *flags, f"{torch_file}:Sixth", "--steps", "0")
    big = ("--lr", "1e30", "--input_wh", "24", "16")
    assert "is not finite; lower --lr" in error(capsys, *flags, f"{torch_file}:Sixth", *big)
    tiny = ("--input_wh", "1", "1", "--batch_size", "1")  # PyTorch wants more than one cell for batch statistics
    assert "the model fails on images (1, 3, 1, 1)" in error(capsys, *flags, f"{torch_file}:Sixth", *tiny)
    assert "cannot be read safely" in error(capsys, *flags, f"{torch_file}:Sixth", "--weights", torch_file)


BAD_TORCH = """
import torch
from torch import nn
from sixth_torch import Sixth

def broken(): raise KeyError("boom")
class Mapping(Sixth):
    def forward(self, images): return {"maps": super().forward(images)}
class Nothing(Sixth):
    def forward(self, images): return []
class Whole(Sixth):
    def forward(self, images): return super().forward(images).argmax(1)
class Failing(Sixth):
    def forward(self, images): return self.missing(images)
class Frozen(Sixth):
    def forward(self, images): return super().forward(images).detach()
class Empty(nn.Module):
    def forward(self, images): return images * 2
def whole_loss(outputs, targets): return outputs[0]
number = 5
"""


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("broken",), "fails with KeyError: 'boom' (line 6 of bad_torch.py)"),
        (("Mapping",), "the model gives a dict; wrap its forward"),
        (("Nothing",), "the model gives a list; wrap its forward"),
        (("Whole",), "the model gives a list of something else"),
        (("Failing",), "the model fails on images (2, 3, 16, 24): AttributeError"),
        (("Frozen",), "the loss does not depend on any parameter"),
        (("Empty",), "no parameter that can be trained"),
        (("Sixth", "--torch_loss", "bad_torch.py:whole_loss"), "gives a tensor (2, 4, 4, 6), not a scalar"),
        (("Sixth", "--torch_loss", "bad_torch.py:number"), "is a int, not a function"),
        (("Sixth", "--source", "a|b"), "one line of text without |"),
        (("Sixth", "--input_wh", "1000000", "1000000"), "not enough memory"),
    ],
)
def test_a_pytorch_side_that_cannot_be_recorded(flags, message, tmp_path, capsys, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    sixth.write(tmp_path)
    (tmp_path / "bad_torch.py").write_text(BAD_TORCH)
    size = ("--input_wh", "24", "16", "--steps", "2")
    line = error(capsys, "record", "--out", "new", *size, "--torch", f"bad_torch.py:{flags[0]}", *flags[1:])
    assert message in line
    assert not list((tmp_path / "new").glob("*")) if (tmp_path / "new").exists() else True


def test_an_earlier_recording_is_never_mixed_with_a_new_one(tmp_path, capsys):
    pytest.importorskip("torch")
    sixth.write(tmp_path)
    flags = ("record", "--out", tmp_path / "kept", "--input_wh", "24", "16", "--steps", "2")
    torch_side = ("--torch", f"{tmp_path / 'sixth_torch.py'}:Sixth")
    assert main([str(word) for word in (*flags, *torch_side, "--weights", "own")]) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()}
    capsys.readouterr()
    assert "not finite" in error(capsys, *flags, *torch_side, "--lr", "1e30", "--seed", "5")
    assert {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()} == before
    assert main([str(word) for word in (*flags, *torch_side)]) == 0
    assert "weights.npz" not in {path.name for path in (tmp_path / "kept").iterdir()}


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("[self.to_maps(self.stem(images))]", "{'a': self.stem(images)}", "Sixth gives a dict, not a list of tensors"),
        ("[self.to_maps(self.stem(images))]", "[]", "Sixth gives a list, not a list of tensors"),
        ("self.to_maps(self", "self.nothing(self", "Sixth on images [2, 3, 16, 24]: fails with AttributeError"),
        ("super().__init__()", "super().__init__(); 1 / 0", "fails with ZeroDivisionError: division by zero (line 6"),
        ("key.replace", "key.substitute", "reference_name: fails with AttributeError"),
    ],
)
def test_a_network_that_fails(right, wrong, message, recording, tmp_path, capsys):
    assert message in error(capsys, "--recording", recording, "--network", sixth.write(tmp_path, right, wrong))


def test_one_tensor_is_a_list_of_one(recording, tmp_path):
    network = sixth.write(tmp_path, "[self.to_maps(self.stem(images))]", "self.to_maps(self.stem(images))")
    assert main(["--recording", str(recording), "--network", network]) == 0
