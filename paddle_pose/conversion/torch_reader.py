"""PyTorch checkpoints as numpy arrays, without PyTorch and without running anything that is in the file.

Read are the zip form (PyTorch 1.6 and later) and the legacy form (0.1.10 to 1.5: four pickles, then the raw bytes).
What the pickles may say is the business of `torch_pickle` beside this module. They name where bytes lie, and
only bytes that a tensor outside of foreign objects needs are read, once per storage.
"""

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Union

import numpy as np

from paddle_pose.conversion.torch_contents import SAVE_INSTEAD, Contents
from paddle_pose.conversion.torch_names import Storage
from paddle_pose.conversion.torch_pickle import TorchUnpickler
from paddle_pose.pickled_values import Refused, shown
from paddle_pose.safe_unpickler import Plain, Unpickler, Unsuitable, reading

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_MAGIC_BYTES = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the same number as pickle protocol 2 writes it
LEGACY_VERSION = 1001
ZIP_START = b"PK\x03\x04"


def read_torch(path: Union[str, Path]) -> Any:
    """What `torch.save` wrote to `path`: nested dicts, lists, tuples, texts and numbers, tensors as arrays.

    Arrays keep their dtype, but bfloat16 becomes float32. Tensors that share a storage share memory. Values of
    classes that hold no weights (schedulers, configurations) come as `Foreign`; dtypes and devices as texts.

    Raises:
        CheckpointError: the file is missing, cut short, of another form, hostile, or holds no weights but objects.
    """
    with reading(path, "a PyTorch checkpoint"), open(path, "rb") as file:
        start = file.read(len(ZIP_START))
        file.seek(0)
        return _read_zip(file) if start == ZIP_START else _read_legacy(file)


def is_legacy(start: bytes) -> bool:
    """Whether a file that starts with these bytes is of PyTorch's legacy form."""
    return start[:1] == b"\x80" and LEGACY_MAGIC_BYTES in start[:32]


def _read_zip(file: BinaryIO) -> Any:
    records = _records(file)
    pickles = [name for name in records if name.split("/")[-1] == "data.pkl"]
    if len(pickles) != 1:
        holds = (
            "several of them"
            if pickles
            else f"no data.pkl, but {', '.join(map(shown, sorted(records)[:3])) or 'nothing'}"
        )
        raise Unsuitable(f"a zip archive, but not of torch.save: {holds}")
    root = pickles[0][: -len("data.pkl")]
    order = f"{root}byteorder"
    if order in records and _record(file, records[order]).tobytes() != b"little":
        raise Unsuitable("written on a big-endian machine; save it anew on a little-endian one")
    unpickler = TorchUnpickler(io.BytesIO(_record(file, records[pickles[0]])))
    content = unpickler.load()

    def raw(storage: Storage) -> np.ndarray:
        info = records.get(f"{root}data/{storage.key}")
        if info is None or info.file_size != storage.size:
            raise Refused(f"storage {shown(storage.key)} claims {storage.size} bytes, which the file does not hold")
        return _record(file, info)

    return Contents(unpickler.storages, raw).checked(content)


def _records(file: BinaryIO) -> dict[str, zipfile.ZipInfo]:
    """The directory of a zip archive whose members are stored as they are, each once, and fit into the file."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile:
        raise Unsuitable("cut short or damaged: a zip archive without its directory; fetch the file again") from None
    if any(info.filename.split("/")[1:] == ["constants.pkl"] for info in members):
        raise Unsuitable(f"a TorchScript archive, which is a program; {SAVE_INSTEAD}")
    for info in members:
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size != info.compress_size:
            raise Refused(f"member {shown(info.filename)} is compressed or encrypted, which torch.save never does")
    records = {info.filename: info for info in members}
    if len(records) != len(members) or sum(info.file_size for info in members) > os.fstat(file.fileno()).st_size:
        raise Refused("its members overlap")
    return records


def _record(file: BinaryIO, info: zipfile.ZipInfo) -> np.ndarray:
    """The bytes of one stored member, read straight into an array."""
    file.seek(info.header_offset)
    header = file.read(30)
    if len(header) < 30 or header[:4] != ZIP_START:
        raise ValueError(f"no member at byte {info.header_offset}")
    name_length, extra_length = struct.unpack("<HH", header[26:])
    content = _bytes_at(file, info.header_offset + 30 + name_length + extra_length, info.file_size)
    if info.CRC and zlib.crc32(content) != info.CRC:  # 0: torch was told not to compute it
        raise ValueError(f"checksum of {shown(info.filename)} is wrong; fetch the file again")
    return content


def _bytes_at(file: BinaryIO, offset: int, size: int) -> np.ndarray:
    if offset < 0 or offset + size > os.fstat(file.fileno()).st_size:
        raise ValueError("cut short; fetch the file again")
    content = np.empty(size, np.uint8)
    file.seek(offset)
    if file.readinto(memoryview(content)) != size:
        raise ValueError("cut short; fetch the file again")
    return content


def _read_legacy(file: BinaryIO) -> Any:
    if not is_legacy(file.read(32)):
        raise Unsuitable("not a file of torch.save")
    file.seek(0)
    magic, version, system = (Plain().of(Unpickler(file).load()) for _ in range(3))
    if magic != LEGACY_MAGIC or version != LEGACY_VERSION or not isinstance(system, dict):
        raise ValueError(f"a header of version {shown(version)}, known is {LEGACY_VERSION}")
    if system.get("little_endian") is not True:
        raise Unsuitable("written on a big-endian machine; save it anew on a little-endian one")
    unpickler = TorchUnpickler(file)
    content = unpickler.load()
    offsets = _legacy_offsets(file, unpickler.storages)

    def raw(storage: Storage) -> np.ndarray:
        if storage.key not in offsets:
            raise ValueError(f"storage {shown(storage.key)} is missing; fetch the file again")
        return _bytes_at(file, offsets[storage.key], storage.size)

    return Contents(unpickler.storages, raw).checked(content)


def _legacy_offsets(file: BinaryIO, storages: dict[str, Storage]) -> dict[str, int]:
    """Where the bytes of each storage begin: a list of keys, then for each its count and its bytes."""
    keys = Plain().of(Unpickler(file).load())
    if not isinstance(keys, list) or any(not isinstance(key, str) or key not in storages for key in keys):
        raise Refused("a list of storages that the tensors do not know")
    end = os.fstat(file.fileno()).st_size
    position, offsets = file.tell(), {}
    for key in keys:
        file.seek(position)
        count = struct.unpack("<q", file.read(8))[0]
        if count != storages[key].count:
            raise Refused(f"storage {shown(key)} has {count} elements, not {storages[key].count}")
        offsets[key] = position + 8
        position = offsets[key] + storages[key].size
        if position > end:
            raise ValueError("cut short; fetch the file again")
    return offsets
