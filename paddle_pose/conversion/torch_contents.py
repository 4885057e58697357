"""What a PyTorch checkpoint holds, once its pickle is read: arrays in the place of tensors, and no weights missing."""

from collections.abc import Callable
from typing import Any

import numpy as np

from paddle_pose.conversion.torch_names import DTYPES, Foreign, NumpyArray, Storage, Tensor
from paddle_pose.pickled_values import Refused, shown
from paddle_pose.safe_unpickler import PLAIN, Plain, Unsuitable

SAVE_INSTEAD = "load it in PyTorch and save model.state_dict()"
FOREIGN_KINDS = {NumpyArray: "numpy.ndarray of objects"}
WEIGHT_NAMES = ("weight", "bias")  # some of each network's parameters end in these


class Contents(Plain):
    """Puts arrays in the place of tensors, and sees to it that nothing foreign stands where weights belong."""

    def __init__(self, storages: dict[str, Storage], raw: Callable[[Storage], np.ndarray]) -> None:
        super().__init__()
        self._storages = storages
        self._raw = raw  # the bytes of a whole storage
        self._rows: dict[tuple, np.ndarray] = {}
        self._foreign: list[Foreign] = []
        self._has_weights = False

    def checked(self, content: Any) -> Any:
        """The plain form of all that a file holds.

        Raises:
            Unsuitable: objects of foreign classes are where the weights should be.
        """
        plain = self.of(content)
        if self._foreign and not self._has_weights and not isinstance(plain, np.ndarray):
            modules = [foreign for foreign in self._foreign if foreign.is_module]
            raise _misplaced("no weights as plain tensors, but", (modules or self._foreign)[0])
        return plain

    def container(self, node: Any) -> Any:
        """A dict, a list or a tuple; a `state_dict` may hold nothing foreign."""
        plain = super().container(node)
        if isinstance(plain, dict) and _is_state_dict(plain):
            self._has_weights = True
            for key, value in plain.items():
                if isinstance(value, Foreign):
                    raise _misplaced(f"as {shown(key)!r}, among the weights,", value)
        return plain

    def leaf(self, node: Any) -> Any:
        """A tensor, a bare storage, a numpy array, a number, a text, or what is foreign."""
        if node is None or isinstance(node, PLAIN):
            return node
        if isinstance(node, Tensor):
            return self._array(node)
        if isinstance(node, Storage):
            return self._row(node, node.dtype)
        if isinstance(node, NumpyArray) and node.value is not None:
            return node.value
        foreign = node if isinstance(node, Foreign) else Foreign(FOREIGN_KINDS.get(type(node), type(node).__name__))
        self._foreign.append(foreign)
        return foreign

    def _array(self, tensor: Tensor) -> np.ndarray:
        """A view of the storage; one that is not contiguous cannot be written to, since it may repeat numbers."""
        count = tensor.count
        if not count:
            return np.empty(tensor.shape, _result_dtype(tensor.dtype))
        row = self._row(tensor.storage, tensor.dtype)[tensor.offset :]
        if tensor.is_contiguous:
            return row[:count].reshape(tensor.shape)
        strides = [stride * row.itemsize for stride in tensor.strides]
        if sum((length - 1) * stride for length, stride in zip(tensor.shape, tensor.strides)) >= row.size:
            raise Refused("a tensor outside its storage")  # checked before; here it would read foreign memory
        return np.lib.stride_tricks.as_strided(row, tensor.shape, strides, writeable=False)

    def _row(self, storage: Storage, dtype: str) -> np.ndarray:
        """The elements of a storage, or of a view of one, as `dtype`."""
        whole = self._storages[storage.key]
        if (storage.key, dtype) not in self._rows:
            raw = self._raw(whole)
            row = raw[: raw.size - raw.size % np.dtype(DTYPES[dtype]).itemsize].view(DTYPES[dtype])
            self._rows[storage.key, dtype] = _float32(row) if dtype == "bfloat16" else row
        row = self._rows[storage.key, dtype]
        return row if storage == whole else row[storage.start : storage.start + storage.count]


def _is_state_dict(entries: dict) -> bool:
    """Mostly arrays, under names of layers: an optimizer's state has no layers, other baggage few arrays."""
    arrays = sum(isinstance(value, np.ndarray) for value in entries.values())
    layers = any(isinstance(key, str) and ("." in key or key.endswith(WEIGHT_NAMES)) for key in entries)
    return layers and 2 * arrays > len(entries)


def _result_dtype(dtype: str) -> str:
    return "<f4" if dtype == "bfloat16" else DTYPES[dtype]


def _float32(bits: np.ndarray) -> np.ndarray:
    """bfloat16 is the upper half of a float32."""
    wide = bits.astype("<u4")
    wide <<= 16
    return wide.view("<f4")


def _misplaced(where: str, foreign: Foreign) -> Unsuitable:
    kind = foreign.name.rpartition(".")[2]
    if foreign.is_module:
        return Unsuitable(f"holds a pickled module ({foreign.name}), not weights; {SAVE_INSTEAD}")
    for word, what in (("qtensor", "quantised"), ("sparse", "sparse")):
        if word in kind:
            return Unsuitable(f"holds {where} a {what} tensor; save it dense, in floating point")
    return Unsuitable(f"holds {where} an object of {foreign.name}; {SAVE_INSTEAD}")
