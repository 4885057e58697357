"""PyTorch files by hand: the arrays of the golden ones, and archives around any pickle."""

import io
import pickle
import struct
import zipfile

import numpy as np

from paddle_pose.conversion.torch_reader import LEGACY_MAGIC, LEGACY_VERSION


def golden_arrays() -> dict:
    """What tests/data/golden_torch holds under `state_dict`; bfloat16 keeps 8 bits, so these are small numbers."""
    base = np.arange(24, dtype="float32").reshape(2, 3, 4) / 8 - 1
    return {
        "layer.weight": base,
        "layer.bias": base[0, 0],
        "half.weight": base[0].astype("float16"),
        "bfloat16.weight": base[1],
        "double.weight": base[0].astype("float64") / 3,
        "norm.num_batches_tracked": np.array(7),
        "flags.mask": np.array([True, False, True]),
        "bytes.table": np.arange(5, dtype="uint8"),
        "transposed.weight": base[0].T,
        "offset.weight": base[1, 1:, 2:],
        "expanded.weight": np.broadcast_to(base[0, 0], (3, 4)),
        "empty.weight": np.zeros((0, 3), "float32"),
        "scalar.weight": np.array(-2.5, "float32"),
        "parameter.weight": base[0],
    }


def as_zip(content: bytes, storages: dict, root="archive", extra=None, compression=zipfile.ZIP_STORED) -> bytes:
    """The zip form around a pickle, with the raw bytes of storages by key."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr(f"{root}/data.pkl", content)
        archive.writestr(f"{root}/byteorder", "little")
        for key, raw in storages.items():
            archive.writestr(f"{root}/data/{key}", raw)
        for name, raw in (extra or {}).items():
            archive.writestr(f"{root}/{name}", raw)
        archive.writestr(f"{root}/version", "3\n")
    return file.getvalue()


def as_legacy(content: bytes, storages: dict, itemsize: int = 4) -> bytes:
    """The legacy form around a pickle, with the raw bytes of storages by key."""
    header = (LEGACY_MAGIC, LEGACY_VERSION, {"protocol_version": LEGACY_VERSION, "little_endian": True})
    parts = [*(pickle.dumps(part, 2) for part in header), content, pickle.dumps(list(storages), 2)]
    parts += [struct.pack("<q", len(raw) // itemsize) + raw for raw in storages.values()]
    return b"".join(parts)


class Named:
    """Pickles as a global name that need not exist."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    """Pickles as a call of a `Named` with arguments, then BUILD with a state if there is one."""

    def __init__(self, function, *arguments, state=None):
        self.function, self.arguments, self.state = function, arguments, state


class Made(Call):
    """Pickles as an instance made by NEWOBJ."""


class Id(tuple):
    """Pickles as a persistent id."""

    __slots__ = ()


class Pickler(pickle._Pickler):
    """Writes names without looking whether they exist."""

    def persistent_id(self, value):
        return tuple(value) if isinstance(value, Id) else None

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Named):
            self.write(b"c%s\n%s\n" % (value.module.encode(), value.name.encode()))
        elif isinstance(value, Call):
            self.save(value.function)
            self.save(value.arguments)
            self.write(pickle.NEWOBJ if isinstance(value, Made) else pickle.REDUCE)
            if value.state is not None:
                self.save(value.state)
                self.write(pickle.BUILD)
        else:
            super().save(value, save_persistent_id)


def pickled(value) -> bytes:
    file = io.BytesIO()
    Pickler(file, 2).dump(value)
    return file.getvalue()


def storage(key="0", count=4, kind="FloatStorage", view=()) -> Id:
    return Id(("storage", Named("torch", kind), key, "cpu", count, *view))


def tensor(store, offset=0, shape=(4,), strides=(1,), *more) -> Call:
    return Call(Named("torch._utils", "_rebuild_tensor_v2"), store, offset, shape, strides, False, {}, *more)


RAW = np.arange(4, dtype="<f4").tobytes()  # of storage "0"
