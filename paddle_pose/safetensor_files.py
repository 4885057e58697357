"""Files of safetensors: named arrays and a few texts, with nothing in them that could run.

Its numpy side is used: the Paddle side is broken with Paddle 2.6.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from paddle_pose.atomic_files import written_beside
from paddle_pose.errors import CheckpointError

NUMPY_NAMES = ("F64", "F32", "F16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")


def is_safetensors(start: bytes) -> bool:
    """Whether a file that starts with these (at least 9) bytes seems to be one: a length, then JSON."""
    return start[8:9] == b"{" and 0 < int.from_bytes(start[:8], "little") <= 100_000_000


def read(path: Union[str, Path]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays and the texts of a file; bfloat16 becomes float32.

    Raises:
        CheckpointError: the file is missing, damaged, or holds numbers that numpy does not know (float8).
    """
    with _opened(path) as file:
        kinds = {name: str(file.get_slice(name).get_dtype()) for name in file.keys()}  # noqa: SIM118
        unknown = sorted(set(kinds.values()) - {*NUMPY_NAMES, "BF16"})
        if unknown:
            raise CheckpointError(f"{path}: holds {unknown[0]} numbers, which cannot be read; save it as float32")
        arrays = {name: file.get_tensor(name) for name, kind in kinds.items() if kind != "BF16"}
        metadata = dict(file.metadata() or {})
        if len(arrays) < len(kinds):
            arrays.update(_bfloat16(path))
    return {name: arrays[name] for name in kinds}, metadata


def read_texts(path: Union[str, Path]) -> dict[str, str]:
    """The texts of a file, without its arrays; CheckpointError as `read`."""
    with _opened(path) as file:
        return dict(file.metadata() or {})


@contextlib.contextmanager
def _opened(path: Union[str, Path]) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open  # loads slowly

    try:
        with safe_open(str(path), framework="numpy") as file:
            yield file
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None
    except SafetensorError as error:
        raise CheckpointError(f"{path}: damaged or not a safetensors file: {' '.join(str(error).split())}") from None


def _bfloat16(path: Union[str, Path]) -> dict[str, np.ndarray]:
    """The bfloat16 arrays, the upper halves of float32 ones; numpy has no such type, so from their bytes."""
    from safetensors import deserialize

    arrays = {}
    for name, entry in deserialize(Path(path).read_bytes()):
        if entry["dtype"] == "BF16":
            wide = np.frombuffer(entry["data"], "<u2").astype("<u4")
            arrays[name] = (wide << 16).view("<f4").reshape(entry["shape"])
    return arrays


def write(
    path: Union[str, Path], arrays: Mapping[str, np.ndarray], metadata: Optional[Mapping[str, str]] = None
) -> None:
    """Writes arrays and texts, all at once or not at all.

    Raises:
        CheckpointError: the disk is full, the folder cannot be written, or an array is of a kind that cannot be kept.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    rows = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    with written_beside(path) as temporary:
        temporary.touch()
        mode = temporary.stat().st_mode  # as the user's umask has it; the library makes files that nobody else can read
        try:
            save_file(rows, str(temporary), dict(metadata or {}) or None)
            temporary.chmod(mode)
        except SafetensorError as error:
            if "No space" in str(error) or "os error" in str(error):
                raise OSError(str(error)) from None
            raise CheckpointError(f"cannot write {path}: {error}") from None
