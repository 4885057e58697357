"""The fields of a protobuf message, without its schema: enough to look into a file before Paddle does.

Wire format: protobuf.dev, "Encoding". A message is a row of (key, value); the key holds number and kind of the field.
"""

from collections.abc import Iterator
from typing import Union

Value = Union[int, memoryview]
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10  # bytes of a 64-bit number


def fields(message: Union[bytes, memoryview]) -> Iterator[tuple[int, Value]]:
    """(field number, its value) in the order of the file; submessages, strings and floats come as their bytes.

    Raises:
        ValueError: it is not a protobuf message, or it is cut off.
    """
    view = memoryview(message)
    at = 0
    while at < len(view):
        key, at = _varint(view, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(view, at)
        else:
            if kind == _BYTES:
                length, at = _varint(view, at)
            elif kind in (_FIXED64, _FIXED32):
                length = 8 if kind == _FIXED64 else 4
            else:
                raise ValueError(f"a field of kind {kind}")
            value, at = view[at : at + length], at + length
        if number == 0 or at > len(view):
            raise ValueError("cut off" if number else "field number 0")
        yield number, value


def gather(message: Union[bytes, memoryview]) -> dict[int, list[Value]]:
    """All values of each field; ValueError as `fields`."""
    found: dict[int, list[Value]] = {}
    for number, value in fields(message):
        found.setdefault(number, []).append(value)
    return found


def signed(value: int) -> int:
    """A varint as int64: -1 is written as 2^64 - 1."""
    return value - 2**64 if value >= 2**63 else value


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where the next field begins."""
    number = 0
    for i in range(_LONGEST_VARINT):
        if at + i >= len(view):
            raise ValueError("cut off")
        byte = view[at + i]
        number |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return number, at + i + 1
    raise ValueError("a number of more than 64 bits")
