import contextlib
import functools
import importlib
import io
import os
import pickle
import random
from collections import OrderedDict

import numpy as np
import pytest

from paddle_pose.errors import CheckpointError
from paddle_pose.safe_pickle import load

PROTOCOLS = (2, 3, 4, 5)


def write(tmp_path, content):
    path = tmp_path / "file.pdparams"
    path.write_bytes(content)
    return path


def assert_equal(got, wanted):
    assert type(got) is type(wanted)
    if isinstance(wanted, dict):
        assert list(got) == list(wanted)
        for key in wanted:
            assert_equal(got[key], wanted[key])
    elif isinstance(wanted, (list, tuple)):
        assert len(got) == len(wanted)
        for a, b in zip(got, wanted):
            assert_equal(a, b)
    elif isinstance(wanted, np.ndarray):
        assert got.dtype.newbyteorder("=") == wanted.dtype.newbyteorder("=")  # numpy makes old files native
        np.testing.assert_array_equal(got, wanted)
    else:
        assert got == wanted


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nested_data_come_back_as_they_were(tmp_path, protocol):
    rng = np.random.default_rng(0)
    data = {
        "float32": rng.standard_normal((3, 4, 5)).astype("float32"),
        "nested": {"float16": rng.standard_normal(7).astype("float16"), "int64": np.arange(6).reshape(2, 3)},
        "zero_dim": np.array(2.5, "float32"),
        "empty": np.zeros((0, 3), "float32"),
        "fortran": np.asfortranarray(rng.standard_normal((3, 4))),
        "big_endian": np.arange(4, dtype=">f4"),
        "bool": np.array([True, False]),
        "scalar": np.float32(1.5),
        "plain": [1, -(2**70), 2.5, None, True, "text", b"bytes", ("a", "b"), OrderedDict(z=1, a=2)],
    }
    assert_equal(load(write(tmp_path, pickle.dumps(data, protocol))), data)
    assert np.dtype("f4").isnative  # reading big-endian data left numpy's own dtype alone


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_reads_what_paddle_saves(tmp_path, protocol):
    paddle = pytest.importorskip("paddle")
    layer = paddle.nn.Linear(3, 4)
    paddle.save(layer.state_dict(), str(tmp_path / "a.pdparams"), protocol=protocol)
    paddle.save({"pair": [layer.weight], "step": 3}, str(tmp_path / "nested"), protocol=protocol)
    state = load(tmp_path / "a.pdparams")
    np.testing.assert_array_equal(state["weight"], layer.weight.numpy())
    assert state["StructuredToParameterName@@"]["bias"] == layer.bias.name
    nested = load(tmp_path / "nested")
    np.testing.assert_array_equal(nested["pair"][0], layer.weight.numpy())
    assert nested["step"] == 3


def test_slices_of_a_big_array_are_rejoined(tmp_path):
    entries = {
        "w@@.0": np.arange(4.0),
        "w@@.1": np.arange(4.0, 6.0),
        "UnpackBigParamInfor@@": {"w": {"OriginShape": (2, 3), "slices": ["w@@.0", "w@@.1"]}},
    }
    assert_equal(load(write(tmp_path, pickle.dumps(entries, 2))), {"w": np.arange(6.0).reshape(2, 3)})


@pytest.mark.parametrize("core", ["core", "_core"])
def test_module_paths_of_both_numpy_generations(tmp_path, core):
    content = pickle.dumps(np.arange(3.0), 2)
    for other in (b"numpy._core.", b"numpy.core."):
        content = content.replace(other, b"numpy.%s." % core.encode())
    assert_equal(load(write(tmp_path, content)), np.arange(3.0))


class Calls:
    """Pickles as a call of `function(*arguments)`."""

    def __init__(self, function, *arguments, state=None):
        self.reduced = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.reduced


class Instance:
    """Pickles as an instance of a class of this file, with state."""


def hostile(mark):
    command = f"open({str(mark)!r}, 'w').close()"
    ndarray = np.arange(3.0)
    instance = Instance()
    instance.state = 1
    return {
        "os.system": Calls(os.system, f"touch {mark}"),
        "eval": Calls(eval, command),
        "exec": Calls(exec, command),
        "partial": Calls(functools.partial, eval, command),
        "import_module": Calls(importlib.import_module, "antigravity"),
        "getattr": Calls(getattr, "", "join"),
        "numpy.load": Calls(np.load, str(mark)),
        "numpy.save": Calls(np.save, str(mark), ndarray),
        "open": Calls(open, str(mark), "w"),
        "BytesIO": Calls(io.BytesIO, b""),
        "object array": np.array([Calls(eval, command)], dtype=object),
        "structured array": np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]),
        "text array": np.array(["abc"]),
        "instance": instance,
        "class": Instance,
        "ndarray as a value": np.ndarray,
        "call of ndarray": Calls(np.ndarray, (2, 2)),
        "BUILD on OrderedDict": Calls(OrderedDict, state={"clear": 1}),
        "set": {1, 2},
        "a gigabyte of nothing": Calls(bytes, 2**30),
        "codec": Calls(__import__("_codecs").encode, "text", "utf-16"),
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", hostile("-"))
def test_hostile_file_is_refused_and_nothing_runs(tmp_path, name, protocol):
    mark = tmp_path / "mark"
    path = write(tmp_path, pickle.dumps({"weight": hostile(mark)[name]}, protocol))
    with pytest.raises(CheckpointError) as error:
        load(path)
    assert not mark.exists()
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_the_mark_would_appear_without_protection(tmp_path):
    mark = tmp_path / "mark"
    pickle.loads(pickle.dumps(hostile(mark)["eval"]))
    assert mark.exists()


def test_message_names_what_was_refused(tmp_path):
    content = b"cos\nsystem\n(S'true'\ntR."  # protocol 0
    with pytest.raises(CheckpointError, match=r"refused.*global os\.system"):
        load(write(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        b"(ios\nsystem\n.",  # INST
        b"(cnumpy\nndarray\no.",  # OBJ
        b"ccollections\nOrderedDict\n)\x81.",  # NEWOBJ
        b"\x82\x01.",  # EXT1
        b"P1\n.",  # PERSID
    ],
)
def test_opcodes_beyond_plain_data_are_refused(tmp_path, content):
    with pytest.raises(CheckpointError, match="refused|damaged"):
        load(write(tmp_path, content))


def test_a_dtype_cannot_be_changed_under_numpys_feet(tmp_path):
    swap = Calls(np.dtype, "f4", state=(3, ">", None, None, None, -1, -1, 0))
    with pytest.raises(CheckpointError):
        load(write(tmp_path, pickle.dumps([swap], 2)))
    assert np.dtype("f4").isnative
    assert np.float32(1).tobytes() == b"\x00\x00\x80?"


def test_array_that_claims_more_than_it_brings(tmp_path):
    content = pickle.dumps({"w": np.arange(4, dtype="float32")}, 2)
    claimed = content.replace(b"K\x04\x85", b"K\x7f\x85")
    assert claimed != content
    with pytest.raises(CheckpointError, match="do not fill"):
        load(write(tmp_path, claimed))


def test_every_truncation_is_a_checkpoint_error(tmp_path):
    whole = pickle.dumps({"weight": np.arange(12.0).reshape(3, 4), "bias": np.zeros(4)}, 4)
    for length in range(len(whole)):
        with pytest.raises(CheckpointError, match="damaged|refused"):
            load(write(tmp_path, whole[:length]))


def test_damaged_bytes_never_raise_anything_else(tmp_path):
    rng = random.Random(0)
    whole = pickle.dumps({"weight": np.arange(12.0).reshape(3, 4), "bias": [1, "a", (2.5, None)]}, 2)
    for _ in range(1000):
        content = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        with contextlib.suppress(CheckpointError):  # some damage goes unseen: a changed number is still a number
            load(write(tmp_path, bytes(content)))


def test_random_bytes(tmp_path):
    rng = random.Random(1)
    for length in (0, 1, 10, 1000):
        with pytest.raises(CheckpointError):
            load(write(tmp_path, b"\xff" + rng.randbytes(length)))


def test_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match="No such file"):
        load(tmp_path / "nothing.pdparams")


def test_a_container_that_holds_itself(tmp_path):
    loop = []
    loop.append(loop)
    with pytest.raises(CheckpointError):
        load(write(tmp_path, pickle.dumps(loop, 2)))
