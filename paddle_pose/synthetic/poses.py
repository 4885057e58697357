"""Families of poses: ranges that joint angles are drawn from.

Degrees. A range is (low, high); an angle that each side has on its own may be given as two ranges, which
are dealt to left and right at random (a walker's leading and trailing leg). Zero everywhere is a person who
stands upright with hanging arms.

    bend, lean, twist   torso: forward, sideways, shoulders against hips
    roll                whole body in the picture plane; a sign is drawn as well
    arm_forward, arm_out  upper arm: raised forward, raised sideways
    arm_in              upper arm turned about itself, so that the elbow bends inward
    elbow               bent forward
    thigh_forward, thigh_out, knee  the leg; the knee bends backward
    head_turn, head_nod head against the torso
"""

from typing import Union

import numpy as np

Range = tuple[float, float]
TORSO_ANGLES = ("bend", "lean", "twist", "roll", "head_turn", "head_nod")
LIMB_ANGLES = ("arm_forward", "arm_out", "arm_in", "elbow", "thigh_forward", "thigh_out", "knee")

STANDING: dict[str, Union[Range, tuple[Range, Range]]] = {
    "bend": (-5, 12),
    "lean": (-8, 8),
    "twist": (-15, 15),
    "roll": (0, 6),
    "head_turn": (-30, 30),
    "head_nod": (-12, 20),
    "arm_forward": (-15, 25),
    "arm_out": (3, 20),
    "arm_in": (0, 30),
    "elbow": (0, 40),
    "thigh_forward": (-5, 8),
    "thigh_out": (0, 10),
    "knee": (0, 8),
}

# share of people, and the angles that differ from STANDING
FAMILIES: dict[str, tuple[float, dict]] = {
    "stand": (0.17, {}),
    "hands_on_hips": (
        0.05,
        {"arm_out": (35, 55), "arm_forward": (-25, 0), "arm_in": (70, 95), "elbow": (85, 115)},
    ),
    "arms_crossed": (0.05, {"arm_forward": (15, 45), "arm_in": (45, 80), "elbow": (75, 115)}),
    "walk": (
        0.13,
        {
            "thigh_forward": ((12, 38), (-28, -5)),
            "knee": ((0, 20), (10, 55)),
            "arm_forward": ((10, 45), (-40, -8)),
            "elbow": (8, 55),
        },
    ),
    "run": (
        0.08,
        {
            "bend": (3, 28),
            "thigh_forward": ((35, 80), (-35, -5)),
            "knee": ((35, 105), (15, 95)),
            "arm_forward": ((20, 65), (-60, -15)),
            "elbow": (55, 115),
        },
    ),
    "both_arms_up": (0.07, {"arm_out": (95, 172), "arm_forward": (-10, 30), "elbow": (0, 75)}),
    "one_arm_up": (0.07, {"arm_out": ((95, 172), (3, 55)), "arm_forward": (-10, 30), "elbow": (0, 80)}),
    "reach": (0.06, {"arm_forward": ((50, 120), (-15, 70)), "elbow": (0, 60), "bend": (-5, 30)}),
    "jump": (
        0.06,
        {
            "arm_out": (40, 155),
            "elbow": (0, 60),
            "thigh_forward": (-10, 45),
            "thigh_out": (8, 38),
            "knee": (0, 70),
            "lean": (-18, 18),
        },
    ),
    "sit": (
        0.09,
        {
            "bend": (-18, 25),
            "thigh_forward": (65, 100),
            "thigh_out": (0, 28),
            "knee": (55, 110),
            "arm_forward": (0, 60),
            "arm_in": (0, 45),
            "elbow": (15, 100),
        },
    ),
    "squat": (
        0.04,
        {
            "bend": (15, 45),
            "thigh_forward": (75, 115),
            "thigh_out": (0, 30),
            "knee": (85, 135),
            "arm_forward": (30, 95),
            "elbow": (0, 80),
        },
    ),
    "lunge": (
        0.04,
        {"thigh_forward": ((45, 90), (-25, 5)), "knee": ((45, 95), (15, 60)), "arm_out": (5, 60)},
    ),
    "bend": (0.05, {"bend": (40, 95), "arm_forward": (30, 110), "elbow": (0, 50), "thigh_forward": (-5, 20)}),
    "lie": (
        0.04,
        {
            "roll": (65, 110),
            "arm_out": (5, 150),
            "arm_forward": (-10, 60),
            "elbow": (0, 90),
            "thigh_forward": (-5, 60),
            "knee": (0, 90),
        },
    ),
}


def draw_angles(rng: np.random.Generator, family: str) -> dict[str, float]:
    """Angles in radians: each torso angle by its name, each limb angle as `left_x` and `right_x`."""
    ranges = {**STANDING, **FAMILIES[family][1]}
    angles = {name: rng.uniform(*ranges[name]) for name in TORSO_ANGLES}
    angles["roll"] *= rng.choice((-1, 1))
    sides = ("left", "right") if rng.random() < 0.5 else ("right", "left")
    for name in LIMB_ANGLES:
        pair = ranges[name] if isinstance(ranges[name][0], tuple) else (ranges[name],) * 2
        # a walker's arms swing against the legs
        order = sides[::-1] if name.startswith("arm") and family in ("walk", "run") else sides
        for side, low_high in zip(order, pair):
            angles[f"{side}_{name}"] = rng.uniform(*low_high)
    return {name: float(np.deg2rad(angle)) for name, angle in angles.items()}


def draw_family(rng: np.random.Generator, names: tuple[str, ...]) -> str:
    """One of the families `names`, by the shares."""
    shares = np.array([FAMILIES[name][0] for name in names])
    return str(rng.choice(names, p=shares / shares.sum()))
