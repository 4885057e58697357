"""How hard the photos are: shares that scenes and bodies are drawn with.

`full` is the suite's data: any pose and view, passers-by, things in front, close-ups. `calm` is for a quick
start: a network of a few hundred thousand weights learns it in minutes on a CPU. `group` is for systems that
look for everybody in a photo: calm people, mostly two to four together, smaller and of like size. Other shares are
other files: who changes one raises `VERSION` in folder.py.
"""

from dataclasses import dataclass, replace

from paddle_pose.synthetic.poses import FAMILIES


@dataclass(frozen=True)
class Difficulty:
    """Shares, each in [0, 1].

    Args:
        name: what `--difficulty` calls it.
        families: names of the pose families in use, weighed as in poses.py; a crowd uses all.
        views: chance of facing us, of turning the back, of any direction; a crowd has those of `FULL`.
        others: chance of 0, 1, 2, 3 passers-by.
        main_size: range of the main person's share of the photo.
        other_size: range of a passer-by's height, as a share of the main person's.
        crowd: photos with a row of tiny people.
        front_thing: photos with a thing in front of the main person.
        close_up: photos that cut the main person off.
    """

    name: str
    families: tuple[str, ...]
    views: tuple[float, float, float]
    others: tuple[float, float, float, float]
    main_size: tuple[float, float]
    other_size: tuple[float, float]
    crowd: float
    front_thing: float
    close_up: float


FULL = Difficulty(
    "full",
    tuple(FAMILIES),
    views=(0.5, 0.2, 0.3),
    others=(0.42, 0.32, 0.16, 0.10),
    main_size=(0.6, 0.98),
    other_size=(0.4, 0.95),
    crowd=0.07,
    front_thing=0.15,
    close_up=0.12,
)
CALM = Difficulty(
    "calm",
    ("stand", "hands_on_hips", "walk", "both_arms_up", "one_arm_up"),
    views=(0.95, 0.05, 0.0),
    others=(0.85, 0.12, 0.03, 0.0),
    main_size=(0.6, 0.98),
    other_size=(0.4, 0.95),
    crowd=0.03,
    front_thing=0.05,
    close_up=0.03,
)
GROUP = replace(
    CALM,
    name="group",
    others=(0.1, 0.3, 0.3, 0.3),
    main_size=(0.45, 0.75),
    other_size=(0.7, 1.0),
    crowd=0.0,
    close_up=0.0,
)
BY_NAME = {difficulty.name: difficulty for difficulty in (FULL, CALM, GROUP)}
