"""`.pdiparams`, the weights of a static model: checked from first to last byte before Paddle reads them.

Paddle runs a model whose last weights are cut off, and one whose weights are missing, without a word, with wrong
numbers (3.2.2: `.json` models; 2.6.2: a file that is short by less than a tensor).

The file is a row of tensors, in the order of their names, which it does not hold. Each is: version (uint32, 0), levels
(uint64, 0), version (uint32, 0), length of a description (int32), description (protobuf: 1 type, 2 dimensions), data.
"""

import math
import os
import struct
from pathlib import Path

from paddle_pose.deployment.protobuf import gather, signed
from paddle_pose.errors import CheckpointError

Shape = tuple[int, ...]
ITEM_BYTES = {0: 1, 1: 2, 2: 4, 3: 8, 4: 2, 5: 4, 6: 8, 20: 1, 21: 1, 22: 2, 23: 8, 24: 16, 32: 1, 33: 1}
_HEAD = struct.Struct("<IQIi")


def check_weights(path: Path, wanted: list[Shape]) -> None:
    """CheckpointError unless the file is whole and holds tensors of these shapes, in any order."""
    try:
        found = weight_shapes(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: not there; a static model is two files, export it again or copy both") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); check the folder of the model") from None
    except ValueError as error:
        raise CheckpointError(f"{path}: damaged or not Paddle's weights ({error}); export again") from None
    if sorted(found) != sorted(wanted):
        raise CheckpointError(
            f"{path}: {len(found)} tensors of {_count(found):,} numbers, but the program beside it wants {len(wanted)} "
            f"of {_count(wanted):,}: the files are of two models; export again or copy both"
        )


def weight_shapes(path: Path) -> list[Shape]:
    """Shapes of the tensors in the file; ValueError if it is not whole."""
    shapes = []
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        while file.tell() < size:
            shape, length = _next_tensor(file)
            end = file.tell() + length
            if end > size:
                raise ValueError(f"tensor {len(shapes)} ends at byte {end:,} of {size:,}")
            file.seek(end)
            shapes.append(shape)
    return shapes


def _next_tensor(file) -> tuple[Shape, int]:
    """Shape and bytes of the data of the tensor that begins here; leaves the file where they begin."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise ValueError("cut off")
    first, levels, second, length = _HEAD.unpack(head)
    if first or levels or second or not 0 <= length <= 4096:
        raise ValueError("no tensor where one should begin")
    description = gather(file.read(length))
    shape = tuple(signed(n) for n in description.get(2, []) if isinstance(n, int))
    kind = description.get(1, [None])[0]
    if kind not in ITEM_BYTES or any(n < 0 for n in shape):
        raise ValueError(f"a tensor of type {kind} and shape {shape}")
    return shape, math.prod(shape) * ITEM_BYTES[kind]


def _count(shapes: list[Shape]) -> int:
    return sum(math.prod(shape) for shape in shapes)
