"""The highest cell of each map, and a few cells of each, at the speed of the memory.

On the CPU a Paddle operation on a few numbers costs as much as NumPy's ten, `take_along_axis` copies all maps to read
one cell of each, and `argmax` compares one number at a time. So the functions here, and those built on them, take
tensors and NumPy arrays alike: `on_host` lends them a CPU tensor's own memory as an array. Maps on a GPU stay there,
and in exported models the operations are Paddle's. All give the same.
"""

from types import ModuleType
from typing import Callable, Optional, Union

import numpy as np
import paddle
from paddle import Tensor

Array = Union[Tensor, np.ndarray]

_LENT = {paddle.float32: "<f4", paddle.float64: "<f8"}


def on_host(function: Callable[[Array], tuple[Array, ...]], maps: Tensor) -> tuple[Tensor, ...]:
    """`function(maps)`, by NumPy on the maps' own memory where that can be read; none of it is copied.

    Args:
        function: does with an array what it does with a tensor, and does not write to it.
        maps: a tensor; only one that is not contiguous is copied.
    """
    seen = host_view(maps)
    return function(maps) if seen is None else _by_numpy(function, seen)


def _by_numpy(function: Callable, seen: np.ndarray) -> tuple[Tensor, ...]:
    with np.errstate(all="ignore"):  # NaN and infinity are results here, as they are in Paddle
        return tuple(paddle.to_tensor(found) for found in function(seen))


def library(x: Array) -> ModuleType:
    """NumPy or Paddle, whichever has the functions for `x`."""
    return np if isinstance(x, np.ndarray) else paddle


def constant(values: object, like: Array, dtype: str = "float32") -> Array:
    """Numbers as an array where `like` is one, as a tensor where it is a tensor."""
    return np.asarray(values, dtype) if isinstance(like, np.ndarray) else paddle.to_tensor(values, dtype=dtype)


def unbind(x: Array) -> list[Array]:
    """x[..., 0], x[..., 1] and so on."""
    return [x[..., i] for i in range(x.shape[-1])] if isinstance(x, np.ndarray) else x.unbind(-1)


def highest(maps: Array) -> tuple[Array, Array]:
    """Place (int64) and value (B, K, 1) of the maximum of each flat map, the first where there are several.

    Not by `amax`, which no ONNX of Paddle 2.6 has.

    Args:
        maps: (B, K, h, w).
    """
    if isinstance(maps, np.ndarray):
        return _highest_of_array(maps.reshape(*maps.shape[:2], -1))
    flat = maps.flatten(2)
    index = flat.argmax(-1, keepdim=True)
    return index, take(flat, index)


def _highest_of_array(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    index = flat.argmax(-1)[..., None]
    value = take(flat, index)
    if not np.isnan(value).any():
        return index, value
    index = paddle.to_tensor(flat).argmax(-1, keepdim=True).numpy()  # NumPy takes NaN for the highest, Paddle does not
    return index, take(flat, index)


def take(flat: Array, places: Array) -> Array:
    """(B, K, m) values of flat maps (B, K, n) at int64 places (B, K, m)."""
    if not paddle.in_dynamic_mode():
        return paddle.take_along_axis(flat, places, -1)
    maps, cells = flat.shape[0] * flat.shape[1], flat.shape[2]
    places = places + library(flat).arange(0, maps * cells, cells, dtype="int64").reshape([*flat.shape[:2], 1])
    if isinstance(flat, np.ndarray):
        return flat.reshape(-1)[places]
    return paddle.gather(flat.flatten(), places.flatten()).reshape(places.shape)


def around(maps: Array, x_map: Array, y_map: Array, offsets: tuple) -> Array:
    """Values (B, K, n) at the cell x_map, y_map (B, K) plus each (dx, dy) of n; beyond the border the border's cell.

    Cells are counted in float32, exactly up to 2^24 of them: in exported models oneDNN fuses sums and products of
    whole numbers, and of float64 with a number, and then gets them wrong (Paddle 3.2), or refuses them (2.6).
    """
    height, width = maps.shape[2:]
    dx, dy = (constant(axis, like=maps) for axis in zip(*offsets))
    x = (x_map.astype("float32")[..., None] + dx).clip(0, width - 1)
    y = (y_map.astype("float32")[..., None] + dy).clip(0, height - 1)
    flat = maps.reshape(*maps.shape[:2], -1) if isinstance(maps, np.ndarray) else maps.flatten(2)
    return take(flat, (y * width + x).astype("int64"))


def host_view(tensor: Tensor) -> Optional[np.ndarray]:
    """The tensor's own memory, to be read; None where that cannot be: on a GPU, in an export, of other types.

    NumPy may write to it, which must not be done: but `argmax` copies an array that it may not write to.
    """
    if not paddle.in_dynamic_mode() or not tensor.place.is_cpu_place() or 0 in tensor.shape:
        return None
    return np.asarray(_Lent(tensor.detach().contiguous())) if tensor.dtype in _LENT else None


class _Lent:
    """A tensor as NumPy wants to borrow it; the array keeps it alive."""

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor
        self.__array_interface__ = {
            "version": 3,
            "shape": tuple(tensor.shape),
            "typestr": _LENT[tensor.dtype],
            "data": (tensor.data_ptr(), False),
        }
