"""The names by which PyTorch, numpy and Python write plain data into a checkpoint, and what stands for them here.

A stand-in checks its arguments and returns a record: where a tensor lies, not its numbers. It has no other effect.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from paddle_pose.pickled_values import ALLOWED, Refused, check_array_state, check_keys, shown

DTYPES = {
    **{"float64": "<f8", "float32": "<f4", "float16": "<f2", "bfloat16": "<u2"},  # bfloat16: widened after reading
    **{"int64": "<i8", "int32": "<i4", "int16": "<i2", "int8": "i1", "bool": "?"},
    **{"uint64": "<u8", "uint32": "<u4", "uint16": "<u2", "uint8": "u1"},
    **{"complex64": "<c8", "complex128": "<c16"},
}
STORAGES = {
    **{"DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16"},
    **{"BFloat16Storage": "bfloat16", "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16"},
    **{"CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool", "UntypedStorage": "uint8"},
    **{"QInt8Storage": "int8", "QUInt8Storage": "uint8", "QInt32Storage": "int32"},  # to know where the next begins
    **{"ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128"},
}
STORAGE_MODULES = ("torch", "torch.storage", "torch.cuda")
LONGEST_REPEAT = 1 << 24  # elements that an expanded tensor may have beyond those of its storage
MOST_AXES = 32  # of numpy 1


class Foreign:
    """A value of a class that this reader does not know: its name, and nothing of it."""

    __slots__ = ("is_module", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_module = name.startswith("torch.nn.modules.")

    def __repr__(self) -> str:
        return f"<{self.name}>"


@dataclass(frozen=True)
class Storage:
    """`count` elements of `dtype` (a key of DTYPES) from element `start` of the bytes called `key`."""

    dtype: str
    key: str
    count: int
    start: int = 0

    @property
    def size(self) -> int:
        """Bytes."""
        return self.count * np.dtype(DTYPES[self.dtype]).itemsize


@dataclass(frozen=True)
class Tensor:
    """A view of a storage; offset and strides in elements of `dtype`, all checked to stay inside."""

    storage: Storage
    dtype: str
    offset: int
    shape: tuple
    strides: tuple

    @property
    def count(self) -> int:
        """Elements."""
        return math.prod(self.shape)

    @property
    def is_contiguous(self) -> bool:
        """Whether its elements lie one after the other, the last axis fastest."""
        step = 1
        for length, stride in zip(reversed(self.shape), reversed(self.strides)):
            if length > 1 and stride != step:
                return False
            step *= length
        return True


@dataclass(frozen=True)
class StorageClass:
    """Stands for `torch.FloatStorage` and the like."""

    dtype: str


class NumpyArray:
    """A pickled numpy array; `value` stays None where it holds anything but numbers."""

    value: Optional[np.ndarray] = None

    def fill(self, state: Any) -> None:
        """Takes (version, shape, dtype, is_fortran, bytes)."""
        if isinstance(state, tuple) and len(state) == 5 and isinstance(state[2], np.dtype):
            check_array_state(state)
            value = np.empty(0, "b")
            value.__setstate__(state)
            self.value = value


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *rest: Any) -> Any:
    """`_rebuild_tensor`, `_rebuild_tensor_v2`: `rest` is requires_grad, hooks, flags."""
    if len(rest) > 2 and rest[2]:
        return Foreign("torch.Tensor with a pending conjugation or negation")
    return _checked_tensor(storage, None, offset, shape, strides)


def _tensor_v3(storage: Any, offset: Any, shape: Any, strides: Any, grad: Any, hooks: Any, dtype: Any, *_: Any) -> Any:
    """`_rebuild_tensor_v3`: an untyped storage and a dtype."""
    if isinstance(dtype, Foreign):
        return dtype
    if not isinstance(dtype, str) or dtype[len("torch.") :] not in DTYPES:
        raise Refused(f"a tensor of dtype {shown(dtype)}")
    if isinstance(storage, Storage) and (storage.dtype != "uint8" or storage.start):
        raise Refused("a storage with two dtypes")
    return _checked_tensor(storage, dtype[len("torch.") :], offset, shape, strides)


def _checked_tensor(storage: Any, dtype: Optional[str], offset: Any, shape: Any, strides: Any) -> Any:
    if not isinstance(storage, Storage):
        return storage if isinstance(storage, Foreign) else _refuse("a tensor without a storage")
    dtype = dtype or storage.dtype
    if not all(isinstance(axes, tuple) for axes in (shape, strides)) or len(shape) != len(strides):
        raise Refused("a tensor of unknown form")
    numbers = (offset, *shape, *strides)
    if len(shape) > MOST_AXES or not all(type(number) is int and 0 <= number < 2**62 for number in numbers):
        raise Refused("a tensor whose offset, shape or strides are no lengths")
    size = np.dtype(DTYPES[storage.dtype]).itemsize, np.dtype(DTYPES[dtype]).itemsize
    held, wanted = storage.count * size[0] // size[1], math.prod(shape)
    last = offset + sum((length - 1) * stride for length, stride in zip(shape, strides))
    if wanted and last >= held:
        raise Refused(f"a tensor of shape {shape} that reaches outside its storage of {held}")
    if wanted > max(held, LONGEST_REPEAT):
        raise Refused(f"a tensor of shape {shape} made of {held} numbers")
    return Tensor(storage, dtype, offset, shape, strides)


def _parameter(data: Any, *_: Any) -> Any:
    """`_rebuild_parameter` and its form with state: the tensor alone."""
    return data if isinstance(data, (Tensor, Foreign)) else _refuse("a parameter without a tensor")


def _from_type(rebuild: Any, kind: Any, arguments: Any, state: Any) -> Any:
    """`_rebuild_from_type_v2`: a tensor of a subclass, or with attributes."""
    if rebuild in (_tensor, _tensor_v3, _parameter) and isinstance(arguments, tuple):
        return rebuild(*arguments)
    return rebuild if isinstance(rebuild, Foreign) else _refuse("a tensor rebuilt in an unknown way")


def _reconstructor(kind: Any, *_: Any) -> Any:
    """`copyreg._reconstructor`, by which protocols 0 and 1 make instances: of foreign classes only."""
    return Foreign(kind.name) if isinstance(kind, Foreign) else _refuse("an instance")


def _size(lengths: Any = ()) -> tuple:
    """`torch.Size`."""
    return lengths if isinstance(lengths, tuple) else tuple(lengths)


def _device(*parts: Any) -> str:
    """`torch.device`."""
    return ":".join(shown(part) for part in parts[:2])


def _defaultdict(factory: Any = None, items: Any = ()) -> dict:
    """`collections.defaultdict`, without its default."""
    pairs = [(key, value) for key, value in items]
    check_keys(key for key, _ in pairs)
    return dict(pairs)


def _numpy_array(*_: Any) -> NumpyArray:
    """`numpy.core.multiarray._reconstruct`: receives its content by BUILD."""
    return NumpyArray()


def _or_foreign(function: Callable, name: str) -> Callable:
    """`function`, but what it refuses (texts, dates, objects of numpy) is foreign rather than the end."""

    def tolerant(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Refused:
            return Foreign(name)

    return tolerant


def _refuse(what: str) -> Any:
    raise Refused(what)


_CORES = ("numpy.core", "numpy._core")
STAND_INS = {
    **ALLOWED,
    ("collections", "defaultdict"): _defaultdict,
    ("numpy", "dtype"): _or_foreign(ALLOWED["numpy", "dtype"], "numpy.dtype"),
    **{(f"{core}.multiarray", "_reconstruct"): _numpy_array for core in _CORES},
    **{
        (f"{core}.multiarray", "scalar"): _or_foreign(ALLOWED[f"{core}.multiarray", "scalar"], "numpy.generic")
        for core in _CORES
    },
    **{(module, "_reconstructor"): _reconstructor for module in ("copyreg", "copy_reg")},
    **{("torch._utils", name): _tensor for name in ("_rebuild_tensor", "_rebuild_tensor_v2")},
    ("torch._utils", "_rebuild_tensor_v3"): _tensor_v3,
    **{("torch._utils", name): _parameter for name in ("_rebuild_parameter", "_rebuild_parameter_with_state")},
    ("torch._tensor", "_rebuild_from_type_v2"): _from_type,
    ("torch", "Size"): _size,
    ("torch", "device"): _device,
    **{("torch", name): f"torch.{name}" for name in DTYPES},
    **{(module, name): StorageClass(STORAGES[name]) for name in STORAGES for module in STORAGE_MODULES},
}
