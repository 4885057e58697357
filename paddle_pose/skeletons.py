"""Joint names, mirror pairs and limbs of each dataset, stated once, by name.

Indices (mirror order, limb pairs, groups) are derived from names, so that no second list can disagree.
Joint orders: MPII and LSP as in the official annotation files; COCO as in `person_keypoints_*.json`;
OpenPose as in Cao et al. (CVPR 2017), released code, 18 parts; FLIC as in CPM's released evaluation files.
Skeletons that users write are read and checked by data/skeleton_files.py.
"""

from dataclasses import dataclass, field
from typing import Optional


@dataclass(frozen=True)
class Skeleton:
    """The joints of one annotation scheme.

    Args:
        name: short name, stored in checkpoints.
        joints: joint names in file order.
        limbs: pairs of joint names to draw and to score as sticks.
        groups: name printed in reports -> joints whose PCKs are averaged under it. By default a mirror pair is
            a group, under what its two names share, and every other joint is one by itself.
        upper_body: joints of the upper half for half-body augmentation.
        oks_sigmas: COCO's per-joint constants, in joint order; None where the scheme has none.
        mirror_pairs: joints that change places in a mirror; () if none does. By default `left_x` and `right_x`;
            None remains where no name has a side: nobody has said what a mirror does to these joints.
        redundant_limbs: those of `limbs` that close a cycle. They help to put joints together but make no person.
        annotated_as: the skeleton of the annotations that these joints are made from, and by which poses are scored;
            None: its own.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[str, str], ...] = ()
    groups: dict[str, tuple[str, ...]] = field(default=None, hash=False)
    upper_body: tuple[str, ...] = ()
    oks_sigmas: Optional[tuple[float, ...]] = None
    mirror_pairs: Optional[tuple[tuple[str, str], ...]] = None
    redundant_limbs: tuple[tuple[str, str], ...] = ()
    annotated_as: Optional["Skeleton"] = None

    def __post_init__(self) -> None:
        if self.mirror_pairs is None:
            object.__setattr__(self, "mirror_pairs", _pairs_by_side(self.joints) or None)
        if self.groups is None:
            object.__setattr__(self, "groups", _groups(self.joints, self.mirror_pairs or ()))

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Position of a joint in file order; ValueError names the joint if it is not there."""
        if joint not in self.joints:
            raise ValueError(f"skeleton {self.name} has no joint {joint!r}; it has {', '.join(self.joints)}")
        return self.joints.index(joint)

    @property
    def mirror(self) -> tuple[int, ...]:
        """(K,) index of each joint's mirror image; a joint without a partner is its own."""
        partner = {a: b for pair in self.mirror_pairs or () for a, b in (pair, pair[::-1])}
        return tuple(self.index(partner.get(joint, joint)) for joint in self.joints)

    @property
    def limb_pairs(self) -> tuple[tuple[int, int], ...]:
        """Limbs as pairs of joint indices."""
        return tuple((self.index(a), self.index(b)) for a, b in self.limbs)

    @property
    def upper_body_ids(self) -> tuple[int, ...]:
        """Indices of the upper-body joints."""
        return tuple(self.index(joint) for joint in self.upper_body)


def _pairs_by_side(joints: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(left_x, right_x) for the joints that are named so."""
    parts = dict.fromkeys(joint.split("_", 1)[1] for joint in joints if joint.startswith(("left_", "right_")))
    return tuple((f"left_{part}", f"right_{part}") for part in parts)


def _groups(joints: tuple[str, ...], pairs: tuple[tuple[str, str], ...]) -> dict[str, tuple[str, ...]]:
    """A group for each mirror pair and each other joint, in joint order; names without spaces, for `[EVAL]`."""
    plain = {joint: "_".join(joint.split()) for joint in joints}
    pair_of = {joint: pair for pair in pairs for joint in pair}
    labels = [*plain.values(), *(_shared(*pair) for pair in pairs)]
    groups: dict[str, tuple[str, ...]] = {}
    for members in dict.fromkeys(pair_of.get(joint, (joint,)) for joint in joints):
        label = _shared(*members) if len(members) == 2 else ""
        has_own = label and labels.count(label) == 1
        groups[label if has_own else "/".join(plain[joint] for joint in members)] = members
    return groups


def _shared(first: str, second: str) -> str:
    """What two names have in common, word by word: `elbow` of `left_elbow` and `right_elbow`."""
    words = zip(first.replace("_", " ").split(), second.replace("_", " ").split())
    return "_".join(a for a, b in words if a == b)


def _both(*names: str) -> dict[str, tuple[str, ...]]:
    """{'Elbow': ('left_elbow', 'right_elbow'), ...} for the given joints."""
    return {name.capitalize(): (f"left_{name}", f"right_{name}") for name in names}


_LEG_AND_ARM_LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("right", "left")
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
)
_RIGHT_TO_LEFT_LEGS = ("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle")
_RIGHT_TO_LEFT_ARMS = (
    "right_wrist",
    "right_elbow",
    "right_shoulder",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
)
_LIMB_GROUPS = _both("shoulder", "elbow", "wrist", "hip", "knee", "ankle")

MPII_16 = Skeleton(
    name="mpii_16",
    joints=(*_RIGHT_TO_LEFT_LEGS, "pelvis", "thorax", "upper_neck", "head_top", *_RIGHT_TO_LEFT_ARMS),
    limbs=(
        *_LEG_AND_ARM_LIMBS,
        ("pelvis", "right_hip"),
        ("pelvis", "left_hip"),
        ("pelvis", "thorax"),
        ("thorax", "right_shoulder"),
        ("thorax", "left_shoulder"),
        ("thorax", "upper_neck"),
        ("upper_neck", "head_top"),
    ),
    groups={"Head": ("head_top",), **_LIMB_GROUPS},
    upper_body=("thorax", "upper_neck", "head_top", *_RIGHT_TO_LEFT_ARMS),
)

LSP_14 = Skeleton(
    name="lsp_14",
    joints=(*_RIGHT_TO_LEFT_LEGS, *_RIGHT_TO_LEFT_ARMS, "neck", "head_top"),
    limbs=(
        *_LEG_AND_ARM_LIMBS,
        ("neck", "head_top"),
        ("neck", "right_shoulder"),
        ("neck", "left_shoulder"),
        ("neck", "right_hip"),
        ("neck", "left_hip"),
        ("right_hip", "left_hip"),
    ),
    groups={"Head": ("neck", "head_top"), **_LIMB_GROUPS},
    upper_body=(*_RIGHT_TO_LEFT_ARMS, "neck", "head_top"),
)

_FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
_LEFT_RIGHT_BODY = tuple(
    f"{side}_{part}" for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in ("left", "right")
)

COCO_17 = Skeleton(
    name="coco_17",
    joints=(*_FACE, *_LEFT_RIGHT_BODY),
    limbs=(
        *_LEG_AND_ARM_LIMBS,
        ("left_hip", "right_hip"),
        ("left_shoulder", "left_hip"),
        ("right_shoulder", "right_hip"),
        ("left_shoulder", "right_shoulder"),
        ("left_eye", "right_eye"),
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        ("left_eye", "left_ear"),
        ("right_eye", "right_ear"),
        ("left_ear", "left_shoulder"),
        ("right_ear", "right_shoulder"),
    ),
    groups={"Nose": ("nose",), **_both("eye", "ear"), **_LIMB_GROUPS},
    upper_body=(*_FACE, *_LEFT_RIGHT_BODY[:6]),
    # pycocotools, cocoeval.py, Params.setKpParams
    oks_sigmas=(
        *(0.026, 0.025, 0.025, 0.035, 0.035),
        *(0.079, 0.079, 0.072, 0.072, 0.062, 0.062),
        *(0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
    ),
)

OPENPOSE_18 = Skeleton(
    name="openpose_18",
    joints=(
        *("nose", "neck"),
        *("right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
        *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
        *("right_eye", "left_eye", "right_ear", "left_ear"),
    ),
    # In the order of the part affinity channels (two channels each: x, y).
    limbs=(
        *(("neck", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle")),
        *(("neck", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle")),
        *(("neck", "right_shoulder"), ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist")),
        ("right_shoulder", "right_ear"),
        *(("neck", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist")),
        ("left_shoulder", "left_ear"),
        *(("neck", "nose"), ("nose", "right_eye"), ("nose", "left_eye")),
        *(("right_eye", "right_ear"), ("left_eye", "left_ear")),
    ),
    groups={"Nose": ("nose",), "Neck": ("neck",), **_LIMB_GROUPS},
    upper_body=("nose", "neck", "right_shoulder", "right_elbow", "right_wrist")
    + ("left_shoulder", "left_elbow", "left_wrist", "right_eye", "left_eye", "right_ear", "left_ear"),
    redundant_limbs=(("right_shoulder", "right_ear"), ("left_shoulder", "left_ear")),
    annotated_as=COCO_17,  # the neck is the middle of the shoulders
)

# Left and right are the observer's, as if everybody faced the camera (the people who turn their backs are
# swapped): the image's left side is `right_`. `neck` is the middle of the shoulders, not annotated by hand.
FLIC_10 = Skeleton(
    name="flic_10",
    joints=(
        *("nose", "neck"),
        *("right_shoulder", "right_elbow", "right_wrist", "right_hip"),
        *("left_shoulder", "left_elbow", "left_wrist", "left_hip"),
    ),
    limbs=(
        ("nose", "neck"),
        *(("neck", "right_shoulder"), ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist")),
        *(("neck", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist")),
        *(("right_shoulder", "right_hip"), ("left_shoulder", "left_hip"), ("right_hip", "left_hip")),
    ),
    groups={"Nose": ("nose",), **_both("shoulder", "elbow", "wrist", "hip")},
    upper_body=("nose", "neck", "right_shoulder", "right_elbow", "right_wrist")
    + ("left_shoulder", "left_elbow", "left_wrist"),
)
