"""Colours of limbs and joints in pictures, RGB.

Right is warm, left is cold: yellow against blue is what nearly all the colour-blind tell apart.
tests/test_pose_colors.py measures the distances, as they are seen with each kind of colour-blindness.
"""

import colorsys
from dataclasses import dataclass

from paddle_pose.skeletons import Skeleton

Color = tuple[int, int, int]

RIGHT, LEFT, MIDDLE = (255, 140, 0), (30, 144, 255), (60, 200, 80)
_LIMBS = {  # of a side: light, medium, dark, so that limbs that meet differ in lightness too
    RIGHT: ((235, 140, 0), (255, 240, 110), (190, 45, 15)),
    LEFT: ((40, 130, 255), (110, 215, 255), (50, 40, 220)),
    MIDDLE: ((215, 140, 205), (255, 250, 245), (140, 50, 110)),
}


@dataclass(frozen=True)
class PoseColors:
    """Colours of one person's limbs and joints, in the skeleton's order."""

    limbs: tuple[Color, ...]
    joints: tuple[Color, ...]


def by_side(skeleton: Skeleton) -> PoseColors:
    """Orange is the person's right, blue the left, green the middle."""
    limbs = tuple(_side(a, b) for a, b in skeleton.limbs)
    return PoseColors(limbs, tuple(_side(joint, joint) for joint in skeleton.joints))


def by_person(skeleton: Skeleton, person: int) -> PoseColors:
    """Limbs in a light colour of each person's own, joints by side; the next few people differ much."""
    hue = 0.13 + 0.618034 * person  # steps of the golden section
    color = tuple(round(255 * value) for value in colorsys.hsv_to_rgb(hue, 0.75, 1.0))
    return PoseColors((color,) * len(skeleton.limbs), by_side(skeleton).joints)


def by_limb(skeleton: Skeleton) -> PoseColors:
    """Each limb in another colour than those of its side that it meets; a joint as the limb that leads to it.

    Limbs between the sides, and joints without a limb, have the colours of the middle.
    """
    sides = [_side(a, b) for a, b in skeleton.limbs]
    meeting = [
        [other for other, limb in enumerate(skeleton.limbs) if set(limb) & {a, b} and sides[other] == side]
        for (a, b), side in zip(skeleton.limbs, sides)
    ]
    chosen: dict[int, Color] = {}
    for number in sorted(range(len(sides)), key=lambda number: -len(meeting[number])):  # the least free ones first
        met, used = [chosen.get(other) for other in meeting[number]], list(chosen.values())
        chosen[number] = min(_LIMBS[sides[number]], key=lambda color: (met.count(color), used.count(color)))
    colors = [chosen[number] for number in range(len(sides))]
    joints = tuple(
        next(
            (color for color, limb in zip(colors, skeleton.limbs) if joint == limb[1]),
            next((color for color, limb in zip(colors, skeleton.limbs) if joint in limb), _LIMBS[MIDDLE][0]),
        )
        for joint in skeleton.joints
    )
    return PoseColors(tuple(colors), joints)


def _side(a: str, b: str) -> Color:
    if "right_" in a + b and "left_" not in a + b:
        return RIGHT
    if "left_" in a + b and "right_" not in a + b:
        return LEFT
    return MIDDLE
