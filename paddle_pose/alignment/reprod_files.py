"""The files of `reprod_log`: a dict of name -> array, written by `np.save`. Needs numpy only.

Such a file is a pickle inside a .npy, and `np.load(allow_pickle=True)` runs whatever a pickle asks for. Here the
header is read by numpy and the pickle by the restricted one of `safe_unpickler`.
"""

import pickle
from pathlib import Path
from typing import Any, BinaryIO, Union

import numpy as np
from numpy.lib import format as npy

from paddle_pose.atomic_files import written_beside
from paddle_pose.errors import DataError
from paddle_pose.safe_unpickler import Plain, Unpickler, reading

OBJECT_KINDS = ("O8", "O4", "O", b"O8", b"O4", b"O")
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class _ObjectKind:
    """Stands for `numpy.dtype("O")`, the kind of `np.save`'s outermost array."""


class _NpyUnpickler(Unpickler):
    """Plain data inside a 0-d array of one object, which becomes that object; no other array may hold objects."""

    dispatch = dict(Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """As for checkpoints, but `numpy.dtype` also knows the kind object."""
        found = super().find_class(module, name)
        if (module, name) != ("numpy", "dtype"):
            return found
        return lambda kind, *flags: _ObjectKind() if kind in OBJECT_KINDS else found(kind, *flags)

    def load_build(self) -> None:
        """BUILD gives the kind its flags, which do not matter, and the array its one object."""
        state, target = self.stack[-1], self.stack[-2]
        if isinstance(target, _ObjectKind):
            self.stack.pop()
        elif isinstance(target, np.ndarray) and isinstance(state, tuple) and _is_outermost(state):
            self.stack[-2:] = state[4]
        else:
            super().load_build()

    dispatch[pickle.BUILD[0]] = load_build


def _is_outermost(state: tuple) -> bool:
    """(version, shape (), kind object, is_fortran, [one object])."""
    is_object = len(state) == 5 and state[1] == () and isinstance(state[2], _ObjectKind)
    return is_object and isinstance(state[4], list) and len(state[4]) == 1


def read(path: Union[str, Path]) -> dict[str, np.ndarray]:
    """Name -> array of a file that `ReprodLogger.save` or `write` wrote; numbers become 0-d arrays.

    Raises:
        DataError: the file is missing, damaged, of another form, or could run code.
    """
    with reading(path, "a file of reprod_log (np.save of a dict)", DataError), open(path, "rb") as file:
        content = _content(file)
    return _checked(content, path)


def read_plain(path: Union[str, Path]) -> np.ndarray:
    """The numeric array of a .npy such as the guide's `fake_data.npy`; DataError as `read`."""
    with reading(path, "a plain .npy array", DataError):
        return np.load(path, allow_pickle=False)


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes what `ReprodLogger.save` writes, and `ReprodDiffHelper.load_info` reads; the whole file or none."""
    with written_beside(path) as temporary, open(temporary, "wb") as file:
        np.save(file, {name: np.asarray(array) for name, array in arrays.items()}, allow_pickle=True)


def _content(file: BinaryIO) -> dict:
    version = npy.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f".npy of version {version}")
    shape, _, dtype = _HEADERS[version](file)
    if dtype != np.dtype(object) or shape != ():
        raise ValueError(f"it holds an array {shape} of {dtype}")
    return Plain().of(_NpyUnpickler(file).load())


def _checked(content: object, path: Union[str, Path]) -> dict[str, np.ndarray]:
    if not isinstance(content, dict):
        raise DataError(f"{path}: holds a {type(content).__name__}; a file of reprod_log holds a dict")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, (bool, int, float, np.ndarray, np.generic)):
            raise DataError(
                f"{path}: entry {str(name)[:40]!r} is no array; log arrays by name, as ReprodLogger.add does"
            )
    return {name: np.asarray(value) for name, value in content.items()}
