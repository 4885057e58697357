import json
import os
import random
import struct

import numpy as np
import pytest

from paddle_pose.errors import CheckpointError
from paddle_pose.safetensor_files import is_safetensors, read, read_texts, write

DTYPES = ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8")


def arrays() -> dict:
    base = np.arange(24).reshape(2, 3, 4)
    state = {name: base.astype(name) for name in (*DTYPES, "bool")}
    state.update(transposed=base.T, step=base[:, ::2], big_endian=base.astype(">f4"), scalar=np.array(2.5, "float32"))
    return {**state, "empty": np.zeros((0, 3), "float32")}


def by_hand(dtype: str, shape: list, raw: bytes) -> bytes:
    header = json.dumps({"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, len(raw)]}}).encode()
    return struct.pack("<Q", len(header)) + header + raw


def test_arrays_and_texts_come_back(tmp_path):
    path = tmp_path / "new" / "a.safetensors"
    write(path, arrays(), {"facts": '{"a": "ü"}'})
    got, texts = read(path)
    assert texts == {"facts": '{"a": "ü"}'}
    assert set(got) == set(arrays())
    for name, array in arrays().items():
        assert (got[name].dtype, got[name].shape) == (array.dtype.newbyteorder("="), array.shape), name
        np.testing.assert_array_equal(got[name], array)
    assert is_safetensors(path.read_bytes()[:9])
    assert os.listdir(path.parent) == ["a.safetensors"]
    assert read_texts(path) == texts


def test_a_written_file_can_be_read_by_those_whom_the_user_lets(tmp_path):
    write(tmp_path / "a.safetensors", arrays())
    (tmp_path / "plain").touch()
    assert (tmp_path / "a.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_bfloat16_is_widened(tmp_path):
    wanted = np.array([[1.5, -2.0], [0.0, 2.0**100]], "float32")
    bits = (wanted.view("<u4") >> 16).astype("<u2")
    path = tmp_path / "a.safetensors"
    path.write_bytes(by_hand("BF16", [2, 2], bits.tobytes()))
    got = read(path)[0]["a"]
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, wanted)


def test_numbers_that_numpy_does_not_know(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(by_hand("F8_E4M3", [2], b"\0\0"))
    with pytest.raises(CheckpointError, match="holds F8_E4M3 numbers"):
        read(path)


def test_every_truncation_and_many_damaged_bytes(tmp_path):
    path = tmp_path / "a.safetensors"
    write(path, {"a": np.arange(3.0), "b": np.ones((2, 2))}, {"x": "y"})
    whole, rng = path.read_bytes(), random.Random(0)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            read(path)
    messages = []
    for _ in range(500):
        content = bytearray(whole)
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
        try:
            read(path)
        except CheckpointError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert not any("\n" in message for message in messages)


def test_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match="a.safetensors"):
        read(tmp_path / "a.safetensors")


def test_a_failure_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.safetensors"
    write(path, {"a": np.ones(3)})
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match="cannot write"):
        write(path, {"a": np.array(["text"])})
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.safetensors"]
