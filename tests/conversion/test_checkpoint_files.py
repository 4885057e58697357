import gzip
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from torch_cases import golden_arrays

from paddle_pose import safetensor_files
from paddle_pose.conversion.checkpoint_files import read_checkpoint
from paddle_pose.errors import CheckpointError

GOLDEN = Path(__file__).parents[1] / "data" / "golden_torch"


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_the_suffix_says_nothing(tmp_path, form):
    path = tmp_path / "weights.onnx"
    if form == "safetensors":
        safetensor_files.write(path, golden_arrays())
        state = read_checkpoint(path)
    else:
        path.write_bytes((GOLDEN / f"{form}.pth").read_bytes())
        state = read_checkpoint(path)["state_dict"]
    assert set(state) == set(golden_arrays())
    for name, array in golden_arrays().items():
        np.testing.assert_array_equal(state[name], array)


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("sys_info"))
    return file.getvalue()


def npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.ones(3))
    return file.getvalue()


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.ones(3))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty; fetch"),
        (bytes(1000), "full of zeros"),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
        (tar(), "tar archive.*before 0.1.10"),
        (npz(), "zip archive, but not of torch.save: no data.pkl, but a.npy"),
        (npy(), "one NumPy array"),
        (gzip.compress(b"x" * 100, mtime=0), "gzip"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x08\x06\x12\x07pytorch\x1a\x051.6", "ONNX"),
        (b"\x0a\x09HourGlass\x12\x04", "Caffe"),
        (b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1", "Torch7"),
        (pickle.dumps({"a": 1}, 2), "perhaps a Paddle checkpoint"),
        (b'{"error": "not found"}', 'a text, not a checkpoint; it begins with \'{"error"'),
        (b"PK\x03\x04" + bytes(500), "without its directory; fetch"),
        (b"\xff" * 100, "neither a PyTorch nor"),
    ],
)
def test_what_else_a_file_seems_to_be(tmp_path, content, reason):
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=reason) as error:
        read_checkpoint(path)
    assert str(error.value).startswith(f"{path}: ")
    assert str(error.value).isprintable()


def test_a_paddle_checkpoint_is_called_one(tmp_path):
    path = tmp_path / "model.pdparams"
    path.write_bytes(pickle.dumps({"a": np.ones(3)}, 4))
    with pytest.raises(CheckpointError, match="this is a Paddle checkpoint"):
        read_checkpoint(path)


def test_no_file(tmp_path):
    for path in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(CheckpointError, match="no such file"):
            read_checkpoint(path)
