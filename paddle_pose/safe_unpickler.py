"""An unpickler that runs no code of the file: the ground on which checkpoints of Paddle and PyTorch are read.

A pickle may name any function and have it called. Here a name is looked up in a table of a dozen stand-ins, all
harmless (`paddle_pose.pickled_values`), and never imported: `find_class` does not call `__import__` and does not look
into `sys.modules`. Whatever is called afterwards was therefore put on the stack by that table. The opcodes that make
instances, set attributes or look into the process-wide registry of extensions are refused or narrowed.
"""

import contextlib
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union

import numpy as np

from paddle_pose.errors import CheckpointError, UserError
from paddle_pose.pickled_values import ALLOWED, Refused, check_array_state, check_dtype_state, check_keys, shown

PLAIN = (str, bytes, bool, int, float, complex, np.ndarray, np.generic)
_OPEN = object()  # marks a container that is being walked


class Unsuitable(Exception):
    """The file is no danger and no use: the message says what it holds and what to do."""


@contextlib.contextmanager
def reading(path: Union[str, Path], what: str, kind: type[UserError] = CheckpointError) -> Iterator[None]:
    """Whatever goes wrong with the file `path` in the block becomes one line; `what` the file should be.

    Raises:
        UserError: of the given kind, in place of any other exception.
    """
    try:
        yield
    except UserError:
        raise
    except OSError as error:
        raise kind(f"{path}: cannot be read: {error.strerror or error}") from None
    except Refused as error:
        raise kind(f"{path}: refused, this file could run code or hide data: {error}") from None
    except Unsuitable as error:
        raise kind(f"{path}: {error}") from None
    except Exception as error:  # bytes that are no pickle make the machine raise whatever it likes
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise kind(f"{path}: damaged or not {what}: {reason}") from None


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
            check_dtype_state(state)
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
