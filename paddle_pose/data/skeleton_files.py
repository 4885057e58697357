"""Skeletons from the category of a COCO annotation file.

A category holds `keypoints` (names) and `skeleton` (limbs, pairs of positions counted from 1), as in COCO, and
may hold `sigmas` and `mirror_pairs` (pairs of names, or of positions counted from 0); `flip_idx`, Ultralytics'
list of each joint's mirror image, counted from 0, is read too.
"""

import json
import math
from typing import Any, Optional, Union

from paddle_pose.data.skeleton_settings import WrittenSkeleton, problem_of, read_written
from paddle_pose.errors import ConfigError, DataError


def complete(own: dict[str, Any], path: str, category: str, where: str) -> dict[str, Any]:
    """A user's mapping with what it does not say taken from an annotation file.

    Args:
        own: of `WrittenSkeleton`'s keys, without `joints`; its keys win over the file's.
        path: a COCO annotation file.
        category: its name.
        where: path of the key, for messages.

    Returns:
        The whole skeleton as a mapping, from which `skeleton_from` needs no file.

    Raises:
        ConfigError: what the user wrote is wrong.
        DataError: the file cannot be read, or its category is wrong.
    """
    own = read_written(own, where).as_mapping()
    entry = find_category(path, category)
    place = f"{path}: category {category!r}"
    whole = WrittenSkeleton(**{**category_mapping(entry, place), **own})
    problem = problem_of(whole)
    if problem is not None and problem.partition(":")[0] in own:
        raise ConfigError(f"{where}.{problem}")
    if problem is not None:
        raise DataError(f"{place}: {problem}")
    return whole.as_mapping()


def find_category(path: str, name: str) -> dict[str, Any]:
    """The entry of `categories` with this name; DataError if there is not just one."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not JSON"
        raise DataError(
            f"{path}: cannot read the joints ({reason}); check dataset.root and dataset.train_annotations"
        ) from None
    entries = content.get("categories") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DataError(f"{path}: has no list `categories`; write the joints under dataset.skeleton")
    fitting = [entry for entry in entries if entry.get("name") == name]
    if len(fitting) != 1:
        known = ", ".join(str(entry.get("name")) for entry in entries) or "none"
        how_many = f"{len(fitting)} categories" if fitting else "no category"
        raise DataError(f"{path} has {how_many} named {name!r}, it has {known}; set dataset.category")
    return fitting[0]


def category_mapping(entry: dict[str, Any], place: str) -> dict[str, Any]:
    """A category as a mapping of `WrittenSkeleton`'s keys; DataError names `place` and the key."""
    joints = entry.get("keypoints")
    if not joints or not isinstance(joints, list) or not all(isinstance(joint, str) for joint in joints):
        raise DataError(f"{place}: `keypoints` is not a list of names; write them there, or under dataset.skeleton")
    found = {
        "name": f"{entry.get('name')}_{len(joints)}",
        "joints": joints,
        "limbs": _pairs(entry, "skeleton", joints, 1, place),
        "mirror_pairs": _pairs(entry, "mirror_pairs", joints, 0, place),
        "sigmas": _sigmas(entry, place),
    }
    if found["mirror_pairs"] is None and entry.get("flip_idx") is not None:
        found["mirror_pairs"] = _pairs_of_order(entry["flip_idx"], joints, place)
    return {key: value for key, value in found.items() if value is not None}


def _pairs(entry: dict, key: str, joints: list[str], first: int, place: str) -> Optional[list[list[str]]]:
    """Pairs of names from pairs of names or of positions that count from `first`."""
    pairs = entry.get(key)
    if pairs is None:
        return None
    if not isinstance(pairs, list) or not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
        raise DataError(f"{place}: `{key}` is not a list of pairs; correct it")
    return [[_joint(end, key, joints, first, place) for end in pair] for pair in pairs]


def _joint(end: Any, key: str, joints: list[str], first: int, place: str) -> str:
    if isinstance(end, str):
        return end
    if not _is_position(end, first, len(joints)):
        last = len(joints) - 1 + first
        raise DataError(f"{place}: `{key}` has {end!r}; the positions of joints are {first} to {last} there")
    return joints[end - first]


def _is_position(value: Any, first: int, count: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and first <= value < first + count


def _pairs_of_order(order: Any, joints: list[str], place: str) -> list[list[str]]:
    """Pairs from the list of each joint's mirror image."""
    count = len(joints)
    is_list = isinstance(order, list) and len(order) == count and all(_is_position(k, 0, count) for k in order)
    if not is_list or any(order[other] != k for k, other in enumerate(order)):
        raise DataError(f"{place}: `flip_idx` is not a list of {count} positions, 0 to {count - 1}, that swaps pairs")
    return [[joints[k], joints[other]] for k, other in enumerate(order) if k < other]


def _sigmas(entry: dict, place: str) -> Union[float, list[float], None]:
    sigmas = entry.get("sigmas")
    if sigmas is None or all(_is_finite(v) for v in (sigmas if isinstance(sigmas, list) else [sigmas])):
        return sigmas
    raise DataError(f"{place}: `sigmas` is neither a number nor a list of numbers; correct it")


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
