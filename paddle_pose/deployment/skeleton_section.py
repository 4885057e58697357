"""A skeleton in `deploy.yaml`: all of it, in names and numbers."""

from typing import Any, Optional

import pydantic

from paddle_pose.config_sections import Section
from paddle_pose.data.skeleton_settings import WrittenSkeleton, problem_of
from paddle_pose.skeletons import Skeleton

_Pairs = tuple[tuple[str, str], ...]


class SkeletonSection(Section):
    """All of a `Skeleton`, so that the one that is read equals the one that was written."""

    name: str
    joints: tuple[str, ...]
    limbs: _Pairs = ()
    mirror_pairs: Optional[_Pairs] = None
    sigmas: Optional[tuple[float, ...]] = None
    upper_body: tuple[str, ...] = ()
    redundant_limbs: _Pairs = ()
    groups: Optional[dict[str, tuple[str, ...]]] = None
    annotated_as: Optional["SkeletonSection"] = None

    @pydantic.model_validator(mode="after")
    def _agrees(self) -> "SkeletonSection":
        own = {key: getattr(self, key) for key in WrittenSkeleton.model_fields}
        # A pair of names with sides is not demanded here: no name needs one, and the pairs are written out.
        problem = problem_of(WrittenSkeleton(**{**own, "mirror_pairs": self.mirror_pairs or ()}))
        strange = [name for members in (self.groups or {}).values() for name in members if name not in self.joints]
        if problem is None and strange:
            problem = f"groups: there is no joint {strange[0]!r}"
        if problem is None and not set(self.redundant_limbs) <= set(self.limbs):
            problem = "redundant_limbs: one of them is not among the limbs"
        if problem is not None:
            raise ValueError(problem)
        return self

    def made(self) -> Skeleton:
        """The skeleton."""
        fields = {key: getattr(self, key) for key in ("name", "joints", "limbs", "upper_body", "redundant_limbs")}
        return Skeleton(
            **fields,
            groups=self.groups,
            oks_sigmas=self.sigmas,
            mirror_pairs=self.mirror_pairs,
            annotated_as=self.annotated_as and self.annotated_as.made(),
        )


def skeleton_mapping(skeleton: Skeleton) -> dict[str, Any]:
    """All of a skeleton as plain lists; what it does not have is left out."""
    mapping = {
        "name": skeleton.name,
        "joints": list(skeleton.joints),
        "limbs": _lists(skeleton.limbs),
        "mirror_pairs": None if skeleton.mirror_pairs is None else _lists(skeleton.mirror_pairs),
        "sigmas": skeleton.oks_sigmas and list(skeleton.oks_sigmas),
        "upper_body": list(skeleton.upper_body),
        "redundant_limbs": _lists(skeleton.redundant_limbs),
        "groups": {name: list(joints) for name, joints in skeleton.groups.items()},
        "annotated_as": skeleton.annotated_as and skeleton_mapping(skeleton.annotated_as),
    }
    return {key: value for key, value in mapping.items() if value is not None}


def _lists(pairs: tuple) -> list[list[str]]:
    return [list(pair) for pair in pairs]
