"""The entries of a COCO file: read from JSON without what nobody needs, and turned into columns of checked numbers.

A file of 150,000 people has 290 MB, most of them outlines of people. Python's objects of all that take 1.4 GB; so
outlines that nobody asks for do not reach the parser, photos lose what is not used as soon as the parser has them, and
lists of numbers become arrays of 8 bytes a number. Checks look at a column at a time, not at an entry.
"""

import gc
import json
import re
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Union

import numpy as np

from paddle_pose.errors import DataError

_OF_A_PHOTO = ("id", "file_name", "width", "height")
# From the key to the last bracket before the next text or object. Within a text the first quote has a backslash.
_OUTLINE = re.compile(rb'"segmentation"(?<!\\"segmentation")\s*:\s*\[[^"{}]*\]')
Entries = list[dict[str, Any]]


def read_json(path: str, outlines: bool) -> Any:
    """What a COCO file holds, lists of numbers as `array('d')`; without what is not used, and `outlines` if asked.

    Raises:
        OSError, ValueError, RecursionError: as `open` and `json.loads`.
    """
    with open(path, "rb") as file:
        content = file.read()
    content = content if outlines else _OUTLINE.sub(b'"segmentation":0', content)
    text = content.decode()
    del content  # a quarter of the peak
    with _no_collection():
        return json.loads(text, object_hook=_smaller)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Inside, Python does not look again and again through millions of new objects, none of which is in a cycle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _smaller(entry: dict[str, Any]) -> dict[str, Any]:
    """An object of the file as soon as it is read, in less memory."""
    if "file_name" in entry:
        return {key: entry[key] for key in _OF_A_PHOTO if key in entry}
    for key in ("keypoints", "bbox"):
        if key in entry:
            entry[key] = _packed(entry[key])
    if isinstance(entry.get("segmentation"), list):
        entry["segmentation"] = [_packed(points) for points in entry["segmentation"]]
    return entry


def numbers_of(path: str, what: str, entries: Entries, name: str, lists: list, count: int) -> np.ndarray:
    """(M, count) float64 of a list of numbers that each of M entries has.

    Args:
        path: the file, for messages.
        what: "annotation" or "photo".
        entries: M of them.
        name: of the list.
        lists: M of them, packed or not.
        count: of numbers in each.
    """
    rows = [
        values
        if type(values) is array and len(values) == count
        else numbers(path, _where(what, entry), name, values, count)
        for entry, values in zip(entries, lists)
    ]
    table = np.frombuffer(b"".join(rows), np.float64).reshape(-1, count)
    bad = ~np.isfinite(table).all(axis=1)
    if bad.any():
        row = int(np.argmax(bad))
        numbers(path, _where(what, entries[row]), name, lists[row], count)  # refuses them
    return table


def number_of(path: str, what: str, entries: Entries, name: str, default: Any = None) -> np.ndarray:
    """(M,) float64 of a number that each of M entries has; DataError unless all are finite."""
    values = [entry.get(name, default) for entry in entries]
    try:
        column = np.array(values, np.float64)
        plain = column.ndim == 1 and np.isfinite(column).all()
    except (TypeError, ValueError, OverflowError):
        plain = False
    if plain:
        return column
    return np.concatenate([numbers(path, _where(what, entry), name, [v]) for entry, v in zip(entries, values)])


def whole_of(path: str, what: str, entries: Entries, name: str, values: list) -> np.ndarray:
    """(M,) int64 of M `values`; DataError unless all are whole numbers."""
    if set(map(type, values)) - {int} or (values and not -(2**63) <= min(values) <= max(values) < 2**63):
        values = [whole(path, _where(what, entry), name, value) for entry, value in zip(entries, values)]
    return np.array(values, np.int64)


def whole(path: str, where: str, name: str, value: Any) -> int:
    """A whole number of 64 bits, or DataError."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not -(2**63) <= value < 2**63 or not float(value).is_integer():
        raise DataError(f"{path}: {where} has {name} {value!r}; it must be a whole number")
    return int(value)


def numbers(path: str, where: str, name: str, values: Any, count: int = 0) -> np.ndarray:
    """(count,) float64; DataError unless `values` is a list of as many finite numbers (0: as it is)."""
    values = values.tolist() if isinstance(values, array) else values
    try:
        found = np.array(values, np.float64)
        plain = isinstance(values, list) and found.ndim == 1 and len(found) == (count or len(values))
    except (TypeError, ValueError, OverflowError):
        plain = False
    if not plain or not np.isfinite(found).all():
        wanted = f"a list of {count} finite numbers" if count else "finite numbers"
        raise DataError(f"{path}: {where}: {name} should be {wanted}, not {str(values)[:60]}")
    return found


def _packed(values: Any) -> Union[array, Any]:
    """A list of numbers in 8 bytes each; anything else as it is."""
    if not isinstance(values, list):
        return values
    try:
        return array("d", values)
    except (TypeError, OverflowError):
        return values


def _where(what: str, entry: dict[str, Any]) -> str:
    return f"{what} {entry.get('id')!r}"
