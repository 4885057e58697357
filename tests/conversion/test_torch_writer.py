import os
import zipfile

import numpy as np
import pytest
from torch_cases import golden_arrays

from paddle_pose.conversion.checkpoint_files import read_checkpoint
from paddle_pose.conversion.torch_writer import write_torch
from paddle_pose.errors import CheckpointError


def arrays() -> dict:
    """Every dtype that is written, and layouts that are not contiguous."""
    extra = {"big_endian": np.arange(3, dtype=">f4"), "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3))}
    integers = {name: np.arange(-2, 2).astype(name) for name in ("int8", "int16", "int32", "int64", "uint8")}
    return {**golden_arrays(), **extra, **integers, "größe": np.ones(2)}


def assert_same(got, wanted):
    assert list(got) == list(wanted)
    for name, array in wanted.items():
        assert (got[name].dtype, got[name].shape) == (array.dtype.newbyteorder("="), array.shape), name
        np.testing.assert_array_equal(got[name], array, err_msg=name)


@pytest.mark.parametrize("wrapper", [None, "state_dict"])
def test_it_reads_back(tmp_path, wrapper):
    path = tmp_path / "new" / "a.pth"
    write_torch(path, arrays(), wrapper)
    content = read_checkpoint(path)
    assert_same(content[wrapper] if wrapper else content, arrays())
    assert os.listdir(path.parent) == ["a.pth"]


@pytest.mark.parametrize("how", [{"weights_only": True}, {"weights_only": False}, {"weights_only": True, "mmap": True}])
@pytest.mark.parametrize("wrapper", [None, "state_dict"])
def test_pytorch_reads_it(tmp_path, wrapper, how):
    torch = pytest.importorskip("torch")
    write_torch(tmp_path / "a.pth", arrays(), wrapper)
    content = torch.load(tmp_path / "a.pth", **how)
    state = content[wrapper] if wrapper else content
    assert_same({name: tensor.numpy() for name, tensor in state.items()}, arrays())
    assert all(tensor.is_contiguous() and not tensor.requires_grad for tensor in state.values())


def test_an_empty_state(tmp_path):
    write_torch(tmp_path / "a.pth", {})
    assert read_checkpoint(tmp_path / "a.pth") == {}


def test_its_bytes_begin_at_multiples_of_64_and_are_the_same_each_time(tmp_path):
    for name in ("a.pth", "b.pth"):
        write_torch(tmp_path / name, arrays())
    content = (tmp_path / "a.pth").read_bytes()
    assert content == (tmp_path / "b.pth").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.pth") as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            header = content[info.header_offset :][:30]
            name_length, extra_length = np.frombuffer(header[26:], "<u2")
            assert (info.header_offset + 30 + name_length + extra_length) % 64 == 0


@pytest.mark.parametrize("array", [np.array(["text"]), np.array([None]), np.zeros(2, "complex64")])
def test_what_pytorch_has_not_is_one_line(tmp_path, array):
    with pytest.raises(CheckpointError, match=r"'b\.weight' is of dtype"):
        write_torch(tmp_path / "a.pth", {"a.weight": np.ones(2), "b.weight": array})
    assert not os.listdir(tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(CheckpointError, match="cannot write"):
        write_torch(tmp_path / "taken" / "a.pth", {"a.weight": np.ones(2)})
