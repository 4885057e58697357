"""What a pickle of plain data may name, and the checks on what it then says.

Each stand-in is a function that checks its arguments and returns a container, a number or an array.
"""

import pickle
from collections import OrderedDict
from typing import Any

import numpy as np

NUMERIC_KINDS = "biufc"  # bool, integers, floats, complex: never 'O', whose items would be pickles again


class Refused(pickle.UnpicklingError):
    """The file asks for something that plain data does not need."""


def shown(value: Any) -> str:
    """A value of the file for a message: short, in one line; of a container, whose text may be endless, its type."""
    if isinstance(value, np.dtype) or type(value) is int and value.bit_length() < 64:
        value = str(value)
    if not isinstance(value, str):
        return f"a {type(value).__name__}"
    return "".join(letter if letter.isprintable() else "?" for letter in value[:60])


class _NdarrayName:
    """Stands for the name `numpy.ndarray`, which pickled arrays mention and nothing may call."""

    def __init__(self, *_: Any) -> None:
        raise Refused("numpy.ndarray is called")


def _dtype(name: Any, *flags: Any) -> np.dtype:
    """`numpy.dtype` of a simple numeric kind; the flags are pickle's `align` and `copy`."""
    if not isinstance(name, (str, bytes)) or len(flags) > 2:
        raise Refused(f"dtype {shown(name)}")
    dtype = np.dtype(name, False, True)  # a copy: BUILD sets its byte order, and must not touch numpy's own
    if dtype.kind not in NUMERIC_KINDS:
        raise Refused(f"dtype {shown(dtype)}")
    return dtype


def _empty_array(kind: Any, shape: Any, code: Any) -> np.ndarray:
    """`numpy.core.multiarray._reconstruct`: an array yet to receive its shape and bytes by BUILD."""
    if kind is not _NdarrayName or shape != (0,) or code not in (b"b", "b"):
        raise Refused("an array of an unusual class")
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
        raise Refused(f"dtype {shown(dtype)}")
    return dtype


def _latin1(text: str, codec: str = "latin1") -> bytes:
    """`_codecs.encode`, by which protocol 2 writes bytes."""
    if codec not in ("latin1", "latin-1"):
        raise Refused(f"codec {shown(codec)}")
    return str.encode(text, "latin1")


def _no_bytes() -> bytes:
    """`bytes()`, by which protocol 2 writes empty bytes; with an argument it could fill the memory."""
    return b""


def _ordered(items: Any = ()) -> OrderedDict:
    """`collections.OrderedDict`."""
    pairs = [(key, value) for key, value in items]
    check_keys(key for key, _ in pairs)
    return OrderedDict(pairs)


def check_keys(keys: Any) -> None:
    """Keys of a dict: nested tuples would take for ever to hash, or exhaust the stack."""
    for key in keys:
        if isinstance(key, tuple) and any(isinstance(part, tuple) for part in key):
            raise Refused("a nested tuple as a key")


def check_array_state(state: Any) -> None:
    """(version, shape, dtype, is_fortran, bytes), with exactly the bytes that shape and dtype need."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise Refused("an array state of unknown form")
    shape, dtype, data = state[1], _checked(state[2]), state[4]
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise Refused("an array shape that is no tuple of lengths")
    count = 1
    for length in shape:
        count *= length
    if not isinstance(data, (bytes, bytearray, str)) or len(data) != count * dtype.itemsize:
        raise ValueError(f"array data do not fill shape {shape}")


def check_dtype_state(state: Any) -> None:
    """(version, byte order, subdtype, names, fields, ...): a simple type has no parts."""
    if not isinstance(state, tuple) or len(state) < 5 or state[2:5] != (None, None, None):
        raise Refused("a structured dtype")
    if state[1] not in ("<", ">", "|", "=") or any(type(entry) is not int for entry in state[5:]):
        raise Refused("a dtype state of unknown form")


ALLOWED = {
    ("collections", "OrderedDict"): _ordered,
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
