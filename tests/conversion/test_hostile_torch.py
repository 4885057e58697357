"""Files that try to run something: each is refused or does nothing, and the mark that it would leave is not there."""

import pickle
import pickletools
import struct
import sys

import numpy as np
import pytest
from torch_cases import RAW, Call, Made, Named, as_legacy, as_zip, pickled, storage, tensor

from paddle_pose.conversion.torch_names import STAND_INS
from paddle_pose.conversion.torch_reader import read_torch
from paddle_pose.errors import CheckpointError

FORMS = {"zip": as_zip, "legacy": as_legacy}


def refused(mark) -> dict:
    """What no checkpoint needs: the file is refused as a whole."""
    touch, line = f"touch {mark}", f"open({str(mark)!r}, 'w').close()"
    getter = Named("__builtin__", "getattr")
    return {
        "os.system": Call(Named("os", "system"), touch),
        "posix.system": Call(Named("posix", "system"), touch),
        "os.system by NEWOBJ": Made(Named("os", "system"), touch),
        "Popen by NEWOBJ": Made(Named("subprocess", "Popen"), ["touch", str(mark)]),
        "eval": Call(Named("__builtin__", "eval"), line),
        "exec of Python 3": Call(Named("builtins", "exec"), line),
        "execfile": Call(Named("__builtin__", "execfile"), str(mark)),
        "open": Call(Named("__builtin__", "open"), str(mark), "w"),
        "__import__": Call(Named("builtins", "__import__"), "antigravity"),
        "import_module": Call(Named("importlib", "import_module"), "antigravity"),
        "partial of eval": Call(Named("functools", "partial"), Named("builtins", "eval"), line),
        "getattr chain from sys": Call(getter, Call(getter, Named("sys", "modules"), "os"), "system"),
        "operator": Call(Call(Named("operator", "methodcaller"), "system", touch), "x"),
        "pickle in a pickle": Call(Named("pickle", "loads"), pickle.dumps(1)),
        "runpy": Call(Named("runpy", "run_path"), str(mark)),
        "ctypes": Call(Named("ctypes", "CDLL"), "libc.so.6"),
        "a call of ndarray": Call(Named("numpy", "ndarray"), (2**40,)),
        "codec": Call(Named("_codecs", "encode"), "text", "zip"),
        "BUILD on a dtype": Call(
            Named("numpy", "dtype"), "f4", False, True, state=(3, "x", None, None, None, -1, -1, 0)
        ),
        "instance of a stand-in": Made(Named("collections", "OrderedDict")),
        "nested tuples as a key": {((1, 2), 3): 1},
    }


def inert(mark) -> dict:
    """Names that this reader does not know: placeholders, whatever is done with them."""
    touch, line = f"touch {mark}", f"open({str(mark)!r}, 'w').close()"
    getter = Named("__builtin__", "getattr")
    sneaky = {"__setstate__": Call(getter, Named("torch", "os"), "system"), "__class__": Named("torch", "os.system")}
    return {
        "torch.load": Call(Named("torch", "load"), str(mark)),
        "torch.serialization.os.system": Call(Named("torch.serialization", "os.system"), touch),
        "numpy.load": Call(Named("numpy", "load"), str(mark), "r", True),
        "numpy.save": Call(Named("numpy", "save"), str(mark), 1),
        "numpy.testing runstring": Call(Named("numpy.testing._private.utils", "runstring"), line, {}),
        "getattr chain": Call(Call(getter, Call(getter, Named("torch", "serialization"), "os"), "system"), touch),
        "BUILD with __setstate__": Made(Named("argparse", "Namespace"), state=sneaky),
        "BUILD with slots": Made(Named("collections", "deque"), state=(None, {"__class__": Named("torch", "load")})),
        "a call of an instance": Call(
            Made(Named("functools", "partial"), state=(Named("torch", "load"), (line,), {}, None)), 1
        ),
        "this very module": Call(Named("paddle_pose.conversion.torch_reader", "read_torch"), str(mark)),
        "pathlib touch": Call(Call(getter, Call(Named("pathlib", "Path"), str(mark)), "touch")),
        "a module that runs on import": Call(Named("antigravity", "fly")),
        "object array": Call(
            Named("numpy.core.multiarray", "_reconstruct"),
            Named("numpy", "ndarray"),
            (0,),
            b"b",
            state=(
                1,
                (1,),
                Call(Named("numpy", "dtype"), "O8", False, True),
                False,
                [Call(Named("torch", "load"), line)],
            ),
        ),
        "reconstructor": Call(
            Named("copy_reg", "_reconstructor"), Named("torch", "load"), Named("__builtin__", "object"), None
        ),
        "BUILD on OrderedDict": Call(Named("collections", "OrderedDict"), state={"update": Named("torch", "load")}),
        "hook of a tensor": Call(
            Named("torch._utils", "_rebuild_parameter"), tensor(storage()), True, Named("torch", "load")
        ),
        "tensor subclass": Call(
            Named("torch._tensor", "_rebuild_from_type_v2"),
            Named("torch", "load"),
            Named("torch", "Tensor"),
            (line,),
            {},
        ),
    }


def baggage(value) -> dict:
    """Buried in what an optimizer keeps, beside good weights."""
    return {"state_dict": {"a.weight": tensor(storage())}, "optimizer": {"state": {0: {"step": [value]}}}}


def imported():
    """Modules but for the encodings, which Python's own zipfile looks up as it opens its first archive."""
    return {name for name in sys.modules if not name.startswith("encodings.")}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", refused("-"))
def test_refused(tmp_path, name, form):
    mark = tmp_path / "mark"
    modules = imported()
    path = tmp_path / "a.pth"
    path.write_bytes(FORMS[form](pickled(baggage(refused(mark)[name])), {"0": RAW}))
    with pytest.raises(CheckpointError, match="refused") as error:
        read_torch(path)
    assert "\n" not in str(error.value)
    assert not mark.exists()
    assert imported() == modules


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", inert("-"))
def test_inert(tmp_path, name, form):
    mark = tmp_path / "mark"
    modules = imported()
    path = tmp_path / "a.pth"
    path.write_bytes(FORMS[form](pickled(baggage(inert(mark)[name])), {"0": RAW}))
    weights = read_torch(path)["state_dict"]
    assert imported() == modules
    assert not mark.exists()
    np.testing.assert_array_equal(weights["a.weight"], np.arange(4))


def test_the_mark_would_appear_without_protection(tmp_path):
    mark = tmp_path / "mark"
    pickle.loads(pickled(refused(mark)["os.system"]))
    assert mark.exists()


def text(value: str) -> bytes:
    return pickle.BINUNICODE + struct.pack("<I", len(value)) + value.encode()


OPCODES = {
    "INST": b"(S'touch'\nios\nsystem\n",
    "OBJ": b"(cos\nsystem\nS'touch'\no",
    "OBJ of a stand-in": b"(cnumpy\ndtype\nS'f4'\no",
    "NEWOBJ_EX": b"cos\nsystem\n)}\x92",
    "EXT1": b"\x82\x01",
    "EXT2": b"\x83\x01\x00",
    "EXT4": b"\x84\x01\x00\x00\x00",
    "PERSID": b"Pos.system\n",
    "STACK_GLOBAL": text("os") + text("system") + b"\x93",
    "STACK_GLOBAL with a line break": text("os\x1b[31m\nx") + text("system") + b"\x93",
    "NEXT_BUFFER": b"\x97",
    "BUILD on a list": b"]}b",
    "BUILD on a tensor's storage": b"ctorch\nFloatStorage\n}b",
    "SETITEM on a list": b"]K\x00K\x01s",
    "APPEND to a dict": b"}K\x00a",
    "a call of a text": text("x") + b")R",
    "endless memo": b"hxxx",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", OPCODES)
def test_opcodes(tmp_path, name, form):
    path = tmp_path / "a.pth"
    path.write_bytes(FORMS[form](b"\x80\x04" + OPCODES[name] + b".", {}))
    with pytest.raises(CheckpointError) as error:
        read_torch(path)
    assert str(error.value).isprintable()  # nothing of the file can write to the terminal


@pytest.mark.parametrize("form", FORMS)
def test_sets_of_protocol_4_are_placeholders(tmp_path, form):
    path = tmp_path / "a.pth"
    sets = (
        b"\x8f(K\x01K\x02\x90" + b"(K\x01\x91" + b"(isome\nThing\n" + b"(csome\nThing\nK\x01o" + b"csome\nThing\n)}\x92"
    )
    path.write_bytes(
        FORMS[form](b"\x80\x04(" + text("a.weight") + pickled(tensor(storage()))[2:-1] + sets + b"t.", {"0": RAW})
    )
    with pytest.raises(CheckpointError, match="no weights as plain tensors"):
        read_torch(path)


@pytest.mark.parametrize("form", FORMS)
def test_containers_that_would_unfold_without_end(tmp_path, form):
    """2^60 leaves in a file of some hundred bytes; and a list that holds itself."""
    doubled = b"]" + b"q\x00" + b"".join(b"](h%ch%ceq%c" % (i, i, i + 1) for i in range(60))
    path = tmp_path / "a.pth"
    path.write_bytes(FORMS[form](b"\x80\x02" + doubled + b".", {}))
    content = read_torch(path)
    assert content[0] is content[1]
    path.write_bytes(FORMS[form](b"\x80\x02]q\x00h\x00a.", {}))
    with pytest.raises(CheckpointError, match="holds itself"):
        read_torch(path)
    path.write_bytes(FORMS[form](b"\x80\x02" + b"(" * 100_000 + b"t" * 100_000 + b".", {}))
    with pytest.raises(CheckpointError):
        read_torch(path)
    doubled = b")q\x00" + b"".join(b"h%ch%c\x86q%c" % (i, i, i + 1) for i in range(60))
    path.write_bytes(FORMS[form](b"\x80\x02" + doubled + b"}h\x3cK\x01s.", {}))
    with pytest.raises(CheckpointError, match="nested tuple"):
        read_torch(path)


def test_only_stand_ins_of_this_package_can_be_called():
    """The argument of torch_pickle's docstring: nothing of another module is ever on the stack, but plain types."""
    for name, stand_in in STAND_INS.items():
        if callable(stand_in):
            assert stand_in is tuple or stand_in.__module__.startswith("paddle_pose."), name


def test_every_opcode_that_makes_or_sets_is_overridden():
    from paddle_pose.conversion.torch_pickle import TorchUnpickler

    changed = "BUILD REDUCE NEWOBJ NEWOBJ_EX INST OBJ SETITEM SETITEMS APPEND APPENDS ADDITEMS EMPTY_SET FROZENSET"
    changed += " EXT1 EXT2 EXT4 NEXT_BUFFER DICT"
    for opcode in pickletools.opcodes:
        kept = TorchUnpickler.dispatch[ord(opcode.code)] is pickle._Unpickler.dispatch[ord(opcode.code)]
        assert kept == (opcode.name not in changed.split()), opcode.name
