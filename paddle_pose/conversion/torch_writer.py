"""Writes arrays as PyTorch's zip form, without PyTorch; `torch.load(path, weights_only=True)` reads it.

The archive holds a pickle that names the tensors and where their bytes lie, and one member of raw bytes for each
tensor, uncompressed and aligned to 64 bytes, so that `torch.load(path, mmap=True)` can map them.
"""

import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Optional, Union

import numpy as np

from paddle_pose.atomic_files import written_beside
from paddle_pose.errors import CheckpointError

ROOT = "archive"
ALIGNMENT = 64
LOCAL_HEADER = 30  # bytes before the name of a member
STORAGES = {
    **{"float64": "DoubleStorage", "float32": "FloatStorage", "float16": "HalfStorage", "int64": "LongStorage"},
    **{"int32": "IntStorage", "int16": "ShortStorage", "int8": "CharStorage", "uint8": "ByteStorage"},
    "bool": "BoolStorage",
}
ORDERED_DICT = b"ccollections\nOrderedDict\n" + pickle.EMPTY_TUPLE + pickle.REDUCE


def write_torch(path: Union[str, Path], state: Mapping[str, np.ndarray], wrapper: Optional[str] = None) -> None:
    """Writes what `torch.save` would write for a `state_dict`, all at once or not at all.

    Args:
        path: the file.
        state: name -> array of any shape.
        wrapper: put the `state_dict` into a dict under this key, as training checkpoints have it.

    Raises:
        CheckpointError: an array of a kind that PyTorch lacks, a full disk, or a folder that cannot be written.
    """
    for name, array in state.items():
        if array.dtype.name not in STORAGES:
            raise CheckpointError(f"cannot write {path}: {name!r} is of dtype {array.dtype}")
    with written_beside(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "data.pkl", _pickled(state, wrapper))
        _add(archive, "byteorder", b"little")
        for number, array in enumerate(state.values()):
            _add(archive, f"data/{number}", np.asarray(array, array.dtype.newbyteorder("<"), order="C").tobytes())
        _add(archive, "version", b"3\n")


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """A member whose content begins at a multiple of ALIGNMENT, by an extra field as PyTorch pads with."""
    info = zipfile.ZipInfo(f"{ROOT}/{name}", (1980, 1, 1, 0, 0, 0))
    begins = archive.fp.tell() + LOCAL_HEADER + len(info.filename) + 4
    padding = -begins % ALIGNMENT
    info.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
    archive.writestr(info, content)


def _pickled(state: Mapping[str, np.ndarray], wrapper: Optional[str]) -> bytes:
    """The `data.pkl`: pickle protocol 2, which names PyTorch's functions without need of them."""
    entries = b"".join(_text(name) + _tensor(number, array) for number, (name, array) in enumerate(state.items()))
    content = ORDERED_DICT + pickle.MARK + entries + pickle.SETITEMS
    if wrapper is not None:
        content = pickle.EMPTY_DICT + _text(wrapper) + content + pickle.SETITEM
    return pickle.PROTO + b"\x02" + content + pickle.STOP


def _tensor(number: int, array: np.ndarray) -> bytes:
    """A call of `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)`."""
    steps = np.cumprod([1, *array.shape[:0:-1]]) if array.ndim else []
    storage = b"ctorch\n%s\n" % STORAGES[array.dtype.name].encode()
    place = _text("storage") + storage + _text(str(number)) + _text("cpu") + _number(array.size)
    arguments = [
        pickle.MARK + place + pickle.TUPLE + pickle.BINPERSID,
        _number(0),
        _numbers(array.shape),
        _numbers(steps[::-1]),
        pickle.NEWFALSE,
        ORDERED_DICT,
    ]
    rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n"
    return rebuild + pickle.MARK + b"".join(arguments) + pickle.TUPLE + pickle.REDUCE


def _text(text: str) -> bytes:
    content = text.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(content)) + content


def _numbers(numbers: tuple) -> bytes:
    return pickle.MARK + b"".join(_number(int(number)) for number in numbers) + pickle.TUPLE


def _number(number: int) -> bytes:
    if number < 2**31:
        return pickle.BININT + struct.pack("<i", number)
    content = pickle.encode_long(number)
    return pickle.LONG1 + bytes([len(content)]) + content
