"""An unpickler that runs no code of the file: the ground on which checkpoints of Paddle and PyTorch are read.

A pickle may name any function and have it called. Here a name is looked up in a table of a dozen stand-ins, all
harmless and all of this module, and never imported: `find_class` does not call `__import__` and does not look into
`sys.modules`. Whatever is called afterwards was therefore put on the stack by that table. The opcodes that make
instances, set attributes or look into the process-wide registry of extensions are refused or narrowed.
"""

import contextlib
import pickle
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union

import numpy as np

from paddle_pose.errors import CheckpointError

NUMERIC_KINDS = "biufc"  # bool, integers, floats, complex: never 'O', whose items would be pickles again
PLAIN = (str, bytes, bool, int, float, complex, np.ndarray, np.generic)
_OPEN = object()  # marks a container that is being walked


class Refused(pickle.UnpicklingError):
    """The file asks for something that plain data does not need."""


class Unsuitable(Exception):
    """The file is no danger and no use: the message says what it holds and what to do."""


@contextlib.contextmanager
def reading(path: Union[str, Path], program: str) -> Iterator[None]:
    """Whatever goes wrong with the file `path` in the block becomes one line; `program` should have written it.

    Raises:
        CheckpointError: in place of any other exception.
    """
    try:
        yield
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None
    except Refused as error:
        raise CheckpointError(f"{path}: refused, this file could run code or hide data: {error}") from None
    except Unsuitable as error:
        raise CheckpointError(f"{path}: {error}") from None
    except Exception as error:  # bytes that are no pickle make the machine raise whatever it likes
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise CheckpointError(f"{path}: damaged or not a {program} checkpoint: {reason}") from None


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


class Unpickler(pickle._Unpickler):
    """The unpickler written in Python, since only there BUILD and other opcodes can be narrowed."""

    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, file: Any) -> None:
        super().__init__(file, encoding="latin1")  # strings of Python 2: any bytes, which no other codec takes

    def find_class(self, module: str, name: str) -> Any:
        """The harmless stand-in for a global name."""
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise Refused(f"global {shown(module)}.{shown(name)}") from None

    def persistent_load(self, pid: Any) -> Any:
        """References to objects outside the file: there are none."""
        raise Refused("persistent id")

    def load_build(self) -> None:
        """BUILD sets the state of an object; only arrays and dtypes have one here."""
        state, target = self.stack[-1], self.stack[-2]
        if isinstance(target, np.ndarray):
            check_array_state(state)
        elif isinstance(target, np.dtype):
            _check_dtype_state(state)
        else:
            raise Refused(f"BUILD on {type(target).__name__}")
        super().load_build()

    def load_setitem(self) -> None:
        """One entry, of a dict and of nothing else."""
        self._check_entries(self.stack[-3], self.stack[-2:-1])
        super().load_setitem()

    def load_setitems(self) -> None:
        """Many entries."""
        self._check_entries(self.metastack[-1][-1], self.stack[::2])
        super().load_setitems()

    def load_dict(self) -> None:
        """A dict in the manner of protocol 0."""
        check_keys(self.stack[::2])
        super().load_dict()

    def _check_entries(self, target: Any, keys: Any) -> None:
        if not isinstance(target, dict):
            raise Refused(f"entries of a {type(target).__name__}")
        check_keys(keys)

    def load_refused(self) -> None:
        """Opcodes that make instances or sets, or look into the process-wide extension registry."""
        raise Refused("an opcode that plain data does not need")

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.DICT[0]] = load_dict
    for opcode in (
        *(pickle.INST, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX),
        *(pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.NEXT_BUFFER),
        *(pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET),
    ):
        dispatch[opcode[0]] = load_refused


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


def _check_dtype_state(state: Any) -> None:
    """(version, byte order, subdtype, names, fields, ...): a simple type has no parts."""
    if not isinstance(state, tuple) or len(state) < 5 or state[2:5] != (None, None, None):
        raise Refused("a structured dtype")
    if state[1] not in ("<", ">", "|", "=") or any(type(entry) is not int for entry in state[5:]):
        raise Refused("a dtype state of unknown form")


class Plain:
    """Turns what an unpickler made into nested containers of plain values; what is shared is done once."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}  # by id; the unpickled graph is alive as long as this walk

    def of(self, node: Any) -> Any:
        """The plain form of a node and of all below it."""
        if not isinstance(node, (dict, list, tuple)):
            return self.leaf(node)
        if id(node) not in self._done:
            self._done[id(node)] = _OPEN
            self._done[id(node)] = self.container(node)
        if self._done[id(node)] is _OPEN:
            raise Refused("a container that holds itself")
        return self._done[id(node)]

    def container(self, node: Any) -> Any:
        """The plain form of a dict, a list or a tuple."""
        if isinstance(node, dict):
            return type(node)((self.of(key), self.of(value)) for key, value in node.items())
        return type(node)(self.of(item) for item in node)

    def leaf(self, node: Any) -> Any:
        """The plain form of anything else."""
        if node is None or isinstance(node, PLAIN):
            return node
        raise Refused(f"a value of type {type(node).__name__}")
