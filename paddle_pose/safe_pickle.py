"""Reads what `paddle.save` writes (.pdparams, .pdopt) without running any code that is in the file.

These files are pickles, and a pickle may name any function to be called; `paddle.load` calls it. Here an
unpickler knows a dozen names, all harmless, and refuses every other with a CheckpointError. What comes out is
plain containers, strings, numbers and numeric numpy arrays. Files of Paddle 2.6 and 3.x, written under numpy 1 or
2, read the same.
"""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, Union

import numpy as np

from paddle_pose.errors import CheckpointError

NUMERIC_KINDS = "biufc"  # bool, integers, floats, complex: never 'O', whose items would be pickles again
PLAIN = (str, bytes, bool, int, float, complex, np.ndarray, np.generic)
SLICES_KEY = "UnpackBigParamInfor@@"  # where paddle.save notes how it cut arrays above 1 GiB (its own spelling)


def load(path: Union[str, Path]) -> Any:
    """The object that `paddle.save` wrote to `path`, its tensors as numpy arrays.

    Raises:
        CheckpointError: where the file is missing, cut short, no pickle, or asks for anything but plain data.
    """
    try:
        with open(path, "rb") as file:
            return _plain(_Unpickler(file, encoding="latin1").load())
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None
    except _Refused as error:
        raise CheckpointError(f"{path}: refused, this file could run code or hide data: {error}") from None
    except Exception as error:  # bytes that are no pickle make the machine raise whatever it likes
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(f"{path}: damaged or not a Paddle checkpoint: {reason}") from None


class _Refused(pickle.UnpicklingError):
    """The file asks for something that plain data does not need."""


class _NdarrayName:
    """Stands for the name `numpy.ndarray`, which pickled arrays mention and nothing may call."""

    def __init__(self, *_: Any) -> None:
        raise _Refused("numpy.ndarray is called")


def _dtype(name: Any, *flags: Any) -> np.dtype:
    """`numpy.dtype` of a simple numeric kind; the flags are pickle's `align` and `copy`."""
    if not isinstance(name, (str, bytes)) or len(flags) > 2:
        raise _Refused(f"dtype {str(name)[:40]!r}")
    dtype = np.dtype(name, False, True)  # a copy: BUILD sets its byte order, and must not touch numpy's own
    if dtype.kind not in NUMERIC_KINDS:
        raise _Refused(f"dtype {dtype}")
    return dtype


def _empty_array(kind: Any, shape: Any, code: Any) -> np.ndarray:
    """`numpy.core.multiarray._reconstruct`: an array yet to receive its shape and bytes by BUILD."""
    if kind is not _NdarrayName or shape != (0,) or code not in (b"b", "b"):
        raise _Refused("an array of an unusual class")
    return np.empty(0, "b")


def _array(buffer: Any, dtype: Any, shape: Any, order: str) -> np.ndarray:
    """`numpy.core.numeric._frombuffer`, which protocol 5 uses."""
    return np.frombuffer(buffer, _checked(dtype)).reshape(shape, order=order)


def _scalar(dtype: Any, raw: Any) -> Any:
    """`numpy.core.multiarray.scalar`."""
    dtype = _checked(dtype)
    data = _latin1(raw, "latin1") if isinstance(raw, str) else raw
    return np.frombuffer(data, dtype, count=1)[0]


def _checked(dtype: Any) -> np.dtype:
    if not isinstance(dtype, np.dtype) or dtype.kind not in NUMERIC_KINDS:
        raise _Refused(f"dtype {str(dtype)[:40]!r}")
    return dtype


def _latin1(text: str, codec: str = "latin1") -> bytes:
    """`_codecs.encode`, by which protocol 2 writes bytes."""
    if codec not in ("latin1", "latin-1"):
        raise _Refused(f"codec {codec!r}")
    return str.encode(text, "latin1")


def _no_bytes() -> bytes:
    """`bytes()`, by which protocol 2 writes empty bytes; with an argument it could fill the memory."""
    return b""


ALLOWED = {
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _latin1,
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "tuple"): tuple,
    ("__builtin__", "tuple"): tuple,
    ("numpy", "ndarray"): _NdarrayName,
    ("numpy", "dtype"): _dtype,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _empty_array for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _array for core in ("core", "_core")},
}


class _Unpickler(pickle._Unpickler):
    """The unpickler written in Python, since only there BUILD and other opcodes can be narrowed."""

    dispatch = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """The harmless stand-in for a global name."""
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise _Refused(f"global {str(module)[:60]}.{str(name)[:60]}") from None

    def persistent_load(self, pid: Any) -> Any:
        """References to objects outside the file: there are none."""
        raise _Refused("persistent id")

    def load_build(self) -> None:
        """BUILD sets the state of an object; only arrays and dtypes have one here."""
        state, target = self.stack[-1], self.stack[-2]
        if isinstance(target, np.ndarray):
            _check_array_state(state)
        elif isinstance(target, np.dtype):
            _check_dtype_state(state)
        else:
            raise _Refused(f"BUILD on {type(target).__name__}")
        super().load_build()

    def load_refused(self) -> None:
        """Opcodes that make instances or look into the process-wide extension registry."""
        raise _Refused("an opcode that plain data does not need")

    dispatch[pickle.BUILD[0]] = load_build
    for opcode in (
        pickle.INST,
        pickle.OBJ,
        pickle.NEWOBJ,
        pickle.NEWOBJ_EX,
        pickle.EXT1,
        pickle.EXT2,
        pickle.EXT4,
        pickle.NEXT_BUFFER,
    ):
        dispatch[opcode[0]] = load_refused


def _check_array_state(state: Any) -> None:
    """(version, shape, dtype, is_fortran, bytes), with exactly the bytes that shape and dtype need."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise _Refused("an array state of unknown form")
    shape, dtype, data = state[1], _checked(state[2]), state[4]
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise _Refused("an array shape that is no tuple of lengths")
    count = 1
    for length in shape:
        count *= length
    if not isinstance(data, (bytes, bytearray, str)) or len(data) != count * dtype.itemsize:
        raise ValueError(f"array data do not fill shape {shape}")


def _check_dtype_state(state: Any) -> None:
    """(version, byte order, subdtype, names, fields, ...): a simple type has no parts."""
    if not isinstance(state, tuple) or len(state) < 5 or state[2:5] != (None, None, None):
        raise _Refused("a structured dtype")
    if state[1] not in ("<", ">", "|", "=") or any(type(entry) is not int for entry in state[5:]):
        raise _Refused("a dtype state of unknown form")


def _plain(node: Any) -> Any:
    """Nested containers with (name, array) pairs of paddle tensors as arrays, and cut arrays rejoined."""
    if isinstance(node, dict):
        return _rejoined(type(node)((_plain(key), _plain(value)) for key, value in node.items()))
    if isinstance(node, tuple) and len(node) == 2 and isinstance(node[0], str) and isinstance(node[1], np.ndarray):
        return node[1]
    if isinstance(node, (list, tuple)):
        return type(node)(_plain(item) for item in node)
    if node is None or isinstance(node, PLAIN):
        return node
    raise _Refused(f"a value of type {type(node).__name__}")


def _rejoined(entries: dict) -> dict:
    """Arrays above 1 GiB are stored in slices by pickle protocols 2 and 3."""
    for name, parts in entries.pop(SLICES_KEY, {}).items():
        slices = [entries.pop(part) for part in parts["slices"]]
        entries[name] = np.concatenate(slices).reshape(parts["OriginShape"])
    return entries
