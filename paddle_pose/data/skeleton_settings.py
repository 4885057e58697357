"""Skeletons that users write in a YAML file: read, checked, built. What they leave out: data/skeleton_files.py."""

import math
from collections.abc import Iterable
from typing import Any, Optional, Union

import pydantic

from paddle_pose.errors import ConfigError
from paddle_pose.skeletons import Skeleton

_Pairs = tuple[tuple[str, str], ...]


class WrittenSkeleton(pydantic.BaseModel):
    """A skeleton as users write it; every key may be missing.

    Args:
        name: stored in checkpoints; `custom_K` by default.
        joints: names in the order of the annotation file.
        mirror_pairs: joints that change places in a mirror, [] for none; `left_x`, `right_x` by default.
        limbs: pairs of joints to draw.
        sigmas: one for each joint, or a single number that stands for all.
        upper_body: joints of the upper half for half-body augmentation.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: Optional[str] = None
    joints: Optional[tuple[str, ...]] = None
    mirror_pairs: Optional[_Pairs] = None
    limbs: Optional[_Pairs] = None
    sigmas: Union[float, tuple[float, ...], None] = None
    upper_body: Optional[tuple[str, ...]] = None

    def as_mapping(self) -> dict[str, Any]:
        """Plain lists, numbers and texts, without the keys that are missing."""
        return self.model_dump(mode="json", exclude_none=True)


def read_written(mapping: Any, where: str) -> WrittenSkeleton:
    """What a user wrote under a key of a configuration.

    Args:
        mapping: of `WrittenSkeleton`'s keys.
        where: path of the key, for messages.

    Raises:
        ConfigError: a key is unknown, or its value of the wrong type.
    """
    if not isinstance(mapping, dict):
        raise ConfigError(f"{where}={mapping!r} is wrong: write `annotation`, or a mapping with `joints`")
    try:
        return WrittenSkeleton.model_validate(mapping)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        key = first["loc"][0]
        if first["type"] == "extra_forbidden":
            known = ", ".join(WrittenSkeleton.model_fields)
            raise ConfigError(f"{where}.{key}: a skeleton has no such key; known: {known}") from None
        wanted = _WANTED.get(key, "a text")
        raise ConfigError(f"{where}.{key}={mapping[key]!r} is wrong: write {wanted}") from None


_WANTED = {
    "joints": "a list of names, in quotes if they are numbers",
    "mirror_pairs": "a list of pairs of joint names, or [] if no joint has a partner",
    "limbs": "a list of pairs of joint names",
    "sigmas": "one number for each joint, or a single number for all",
    "upper_body": "a list of joint names",
}


def skeleton_from(mapping: Any, where: str) -> Skeleton:
    """The skeleton of a mapping that names its joints.

    Args:
        mapping: of `WrittenSkeleton`'s keys.
        where: path of the key, for messages.

    Raises:
        ConfigError: a list contradicts itself or the joints.
    """
    written = read_written(mapping, where)
    problem = problem_of(written)
    if problem is not None:
        raise ConfigError(f"{where}.{problem}")
    joints, sigmas = written.joints, written.sigmas
    return Skeleton(
        name=written.name or f"custom_{len(joints)}",
        joints=joints,
        limbs=written.limbs or (),
        upper_body=written.upper_body or (),
        oks_sigmas=(sigmas,) * len(joints) if isinstance(sigmas, float) else sigmas,
        mirror_pairs=written.mirror_pairs,
    )


def problem_of(written: WrittenSkeleton) -> Optional[str]:
    """`key: what is wrong and how to mend it` of the first list that contradicts itself or the joints, or None."""
    joints, pairs = written.joints, written.mirror_pairs
    if not joints:
        return "joints: there are none; name each joint, in the order of the annotation file"
    if not all(joint.strip() for joint in joints):
        return "joints: a name is empty; give every joint a name"
    found = _twice("joints", ("_".join(joint.split()) for joint in joints))
    for key in ("mirror_pairs", "limbs"):
        found = found or _wrong_pair(key, getattr(written, key) or (), joints)
    found = found or _twice("mirror_pairs", (joint for pair in pairs or () for joint in pair))
    found = found or (_without_partner(joints) if pairs is None else None)
    found = found or _unknown("upper_body", written.upper_body or (), joints)
    return found or _wrong_sigmas(written.sigmas, len(joints))


def _twice(key: str, names: Iterable[str]) -> Optional[str]:
    seen = set()
    for name in names:
        if name in seen:
            return f"{key}: {name} is there twice; name it once"
        seen.add(name)
    return None


def _unknown(key: str, names: Iterable[str], joints: tuple[str, ...]) -> Optional[str]:
    strange = next((name for name in names if name not in joints), None)
    return strange and f"{key}: there is no joint {strange!r}; the joints are {', '.join(joints)}"


def _wrong_pair(key: str, pairs: Iterable[tuple[str, str]], joints: tuple[str, ...]) -> Optional[str]:
    for a, b in pairs:
        if a == b:
            return f"{key}: {a} is paired with itself; leave this pair out"
        unknown = _unknown(key, (a, b), joints)
        if unknown:
            return unknown
    return None


def _without_partner(joints: tuple[str, ...]) -> Optional[str]:
    other = {"left": "right", "right": "left"}
    for joint in joints:
        side, underscore, part = joint.partition("_")
        if underscore and side in other and f"{other[side]}_{part}" not in joints:
            return f"mirror_pairs: {joint} has no partner {other[side]}_{part}; mend the name, or give mirror_pairs"
    return None


def _wrong_sigmas(sigmas: Union[float, tuple[float, ...], None], count: int) -> Optional[str]:
    values = (sigmas,) * count if isinstance(sigmas, float) else sigmas
    if values is None:
        return None
    if len(values) != count:
        return f"sigmas: {len(values)} for {count} joints; give one for each, in the order of the joints"
    bad = next((value for value in values if not (math.isfinite(value) and value > 0)), None)
    return None if bad is None else f"sigmas: {bad:g} is not above 0; a sigma is a spread, as a share of the size"
