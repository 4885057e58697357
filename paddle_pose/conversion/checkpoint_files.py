"""Reads a checkpoint of PyTorch or of safetensors by what is in the file, whatever its suffix says."""

import os
from pathlib import Path
from typing import Any, Union

from paddle_pose import safetensor_files
from paddle_pose.conversion.torch_reader import ZIP_START, is_legacy, read_torch
from paddle_pose.errors import CheckpointError

START_LENGTH = 512
PADDLE_SUFFIXES = (".pdparams", ".pdopt", ".pdstate")
FETCH_AGAIN = "fetch the file again"
OTHER_STARTS = (  # first bytes -> what such a file is, and what to do
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself; run `git lfs pull` where it came from"),
    (b"\x1f\x8b", "compressed by gzip; unpack it first"),
    (b"BZh", "compressed by bzip2; unpack it first"),
    (b"\xfd7zXZ\x00", "compressed by xz; unpack it first"),
    (b"(\xb5/\xfd", "compressed by zstd; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"\x89HDF\r\n", "an HDF5 file (Keras, MATLAB), not a PyTorch checkpoint"),
    (b"MATLAB", "a MATLAB file, not a PyTorch checkpoint"),
    (b"\x93NUMPY", "one NumPy array, not a PyTorch checkpoint"),
    (b"\x03\x00\x00\x00\x01\x00\x00\x00", "a Torch7 (Lua) file, not a PyTorch checkpoint"),
    (b"\x04\x00\x00\x00\x01\x00\x00\x00", "a Torch7 (Lua) file, not a PyTorch checkpoint"),
    (b"\x08", "perhaps an ONNX file, not a PyTorch checkpoint"),
    (b"\x0a", "perhaps a Caffe model, not a PyTorch checkpoint"),
)


def read_checkpoint(path: Union[str, Path]) -> Any:
    """What a checkpoint file of PyTorch (zip or legacy form) or of safetensors holds.

    Returns:
        nested containers with numpy arrays in the place of tensors, as `read_torch` describes them; of a
        safetensors file a flat dict of arrays.

    Raises:
        CheckpointError: the file cannot be used; the message says what it seems to be.
    """
    start = _start(path)
    if start.startswith(ZIP_START) or is_legacy(start):
        return read_torch(path)
    if safetensor_files.is_safetensors(start):
        return safetensor_files.read(path)[0]
    if start and Path(path).suffix in PADDLE_SUFFIXES:
        raise CheckpointError(f"{path}: this is a Paddle checkpoint, not one of PyTorch")
    raise CheckpointError(f"{path}: {_description(start)}")


def _start(path: Union[str, Path]) -> bytes:
    if not os.path.isfile(path):
        raise CheckpointError(f"{path}: no such file; check the path of the checkpoint")
    try:
        with open(path, "rb") as file:
            return file.read(START_LENGTH)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None


def _description(start: bytes) -> str:
    """What a file seems to be that is none of ours to read."""
    if not start.strip(b"\0"):
        return f"{'full of zeros' if start else 'empty'}; {FETCH_AGAIN}"
    if start[257:262] == b"ustar":
        return "a tar archive: unpack it, or if PyTorch before 0.1.10 wrote it, save it anew with a later one"
    if start[:1] == b"\x80":
        return "a pickle, but not of torch.save; perhaps a Paddle checkpoint (.pdparams)"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return f"a web page, not the file it should have led to; {FETCH_AGAIN}"
    for beginning, description in OTHER_STARTS:
        if start.startswith(beginning):
            return description
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start):
        return f"a text, not a checkpoint; it begins with {start[:30].decode()!r}"
    return "neither a PyTorch nor a safetensors file, or damaged at its start"
