"""How a person of a clip moves: now standing with a gesture, now walking to another place."""

from dataclasses import dataclass

import numpy as np

from paddle_pose.synthetic.body import LENGTHS, SIDES, Body, pose, view
from paddle_pose.synthetic.clothes import Outfit, draw_outfit
from paddle_pose.synthetic.difficulty import GROUP
from paddle_pose.synthetic.poses import draw_angles, draw_family

HEIGHTS = (0.56, 0.70)  # standing, as a share of the clip's height: the people of `--difficulty group`
GROUNDS = (0.88, 0.97)  # where the feet are, far and near
ROOM = 0.32  # standing heights that stay free at the clip's sides
SPEED = 0.45  # standing heights a second
STEP_S, GESTURE_S, PAUSE_S = 0.45, (0.8, 1.3), (0.4, 1.2)
WALKING_YAW, RESTING_YAW = 0.6, 0.25  # radians: a walker is turned to where it goes, and never away from us


@dataclass(frozen=True)
class Actor:
    """One person through a clip; limbs keep their lengths, for poses are interpolated as angles.

    Args:
        lengths: of the limbs, in standing heights.
        girth: factor of all radii.
        tilt: of the view, radians.
        outfit: clothes.
        height: standing height, as a share of the clip's height.
        ground: where the feet are, from the clip's upper edge, as a share of its height.
        move_s: (M,) times at which a walk begins or ends.
        places: (M,) where, from 0 to 1 across the free width; standing between equal ones.
        pose_s: (N,) times of poses.
        angles: N poses: names of poses.py and `yaw`, radians.
    """

    lengths: dict[str, float]
    girth: float
    tilt: float
    outfit: Outfit
    height: float
    ground: float
    move_s: np.ndarray
    places: np.ndarray
    pose_s: np.ndarray
    angles: tuple[dict[str, float], ...]

    def body(self, time_s: float, image_hw: tuple[int, int]) -> Body:
        """The body at a time, in the pixels of a clip of this height and width; its lowest point is on the ground."""
        now = _between(self.pose_s, time_s, self.angles)
        body = pose(self.lengths, now, view(now["yaw"], self.tilt, now["roll"]), self.girth)
        height = self.height * image_hw[0]
        place = _between(self.move_s, time_s, [{"x": place} for place in self.places])["x"]
        room = ROOM * height
        x = room + place * (image_hw[1] - 1 - 2 * room)
        return body.placed(height, np.array([x, self.ground * image_hw[0] - body.extent()[1][1] * height]))


@dataclass(frozen=True)
class Walk:
    """From one place to another, each from 0 to 1 across the clip's free width, between two times."""

    start_s: float
    end_s: float
    start: float
    end: float


def draw_walks(
    rng: np.random.Generator, people: int, seconds: float, width_heights: float
) -> list[tuple[float, list[Walk]]]:
    """Where each person is at first, and its walks: now and then two neighbours change places, and so cross.

    Who does not walk stands in a place of its own, so nobody is hidden for long. One person alone walks to and fro.

    Args:
        rng: the only source of chance.
        people: how many.
        seconds: how long.
        width_heights: width of the clip / its height.
    """
    spots = max(people, 2)
    order = [*rng.permutation(people), *[None] * (spots - people)]
    first = [order.index(person) / (spots - 1) for person in range(people)]
    walks: list[list[Walk]] = [[] for _ in range(people)]
    duration_s = (width_heights / np.mean(HEIGHTS) - 2 * ROOM) / (spots - 1) / SPEED
    time_s = rng.uniform(*PAUSE_S)
    while time_s < seconds:
        left = rng.integers(spots - 1)
        for person, start, end in ((order[left], left, left + 1), (order[left + 1], left + 1, left)):
            if person is not None:
                walks[person].append(Walk(time_s, time_s + duration_s, start / (spots - 1), end / (spots - 1)))
        order[left], order[left + 1] = order[left + 1], order[left]
        time_s += duration_s + rng.uniform(*PAUSE_S)
    return list(zip(first, walks))


def draw_actor(rng: np.random.Generator, place: float, walks: list[Walk], seconds: float, nearness: float) -> Actor:
    """A person of random proportions and clothes.

    Args:
        rng: the only source of chance.
        place: where the person is at first, from 0 to 1.
        walks: in order of time; between them the person stands and makes gestures.
        seconds: how long.
        nearness: from 0 to 1: nearer people are taller and stand lower.
    """
    moves, poses = [(0.0, place)], [(0.0, _gesture(rng))]
    for walk in walks:
        poses += _gestures(rng, poses[-1][0], walk.start_s)
        poses += _strides(rng, walk)
        moves += [(walk.start_s, walk.start), (walk.end_s, walk.end)]
    poses += _gestures(rng, poses[-1][0], seconds + GESTURE_S[1])
    return Actor(
        lengths={name: length * rng.uniform(0.92, 1.08) for name, length in LENGTHS.items()},
        girth=rng.uniform(0.88, 1.22),
        tilt=rng.uniform(-0.05, 0.12),
        outfit=draw_outfit(rng),
        height=HEIGHTS[0] + nearness * (HEIGHTS[1] - HEIGHTS[0]),
        ground=GROUNDS[0] + nearness * (GROUNDS[1] - GROUNDS[0]),
        move_s=np.array([at for at, _ in moves]),
        places=np.array([where for _, where in moves]),
        pose_s=np.array([at for at, _ in poses]),
        angles=tuple(angles for _, angles in poses),
    )


def _gestures(rng: np.random.Generator, start_s: float, end_s: float) -> list[tuple[float, dict[str, float]]]:
    """Poses after `start_s`, the last one at `end_s`."""
    count = max(1, round((end_s - start_s) / rng.uniform(*GESTURE_S)))
    return [(float(time_s), _gesture(rng)) for time_s in np.linspace(start_s, end_s, count + 1)[1:]]


def _strides(rng: np.random.Generator, walk: Walk) -> list[tuple[float, dict[str, float]]]:
    """Poses of a walk, the last one standing."""
    steps = max(2, round((walk.end_s - walk.start_s) / STEP_S))
    first = rng.integers(2)
    strides = [_stride(rng, SIDES[(first + step) % 2][0], np.sign(walk.end - walk.start)) for step in range(steps - 1)]
    return list(zip(np.linspace(walk.start_s, walk.end_s, steps + 1)[1:].tolist(), [*strides, _gesture(rng)]))


def _gesture(rng: np.random.Generator) -> dict[str, float]:
    families = tuple(name for name in GROUP.families if name != "walk")
    return {**draw_angles(rng, draw_family(rng, families)), "yaw": rng.normal(0, RESTING_YAW)}


def _stride(rng: np.random.Generator, leads: str, direction: float) -> dict[str, float]:
    """A walker's pose with this leg in front."""
    angles = draw_angles(rng, "walk")
    if (angles["left_thigh_forward"] > angles["right_thigh_forward"]) != (leads == "left"):
        swap = {"left": "right", "right": "left"}
        sides = {name: name.partition("_") for name in angles}
        angles = {swap.get(side, side) + bar + rest: angles[name] for name, (side, bar, rest) in sides.items()}
    return {**angles, "yaw": WALKING_YAW * direction + rng.normal(0, 0.1)}


def _between(times_s: np.ndarray, time_s: float, values: list[dict[str, float]]) -> dict[str, float]:
    """The values at a time, with a smooth start and end from each to the next."""
    after = int(np.clip(np.searchsorted(times_s, time_s, side="right"), 1, len(times_s) - 1))
    share = np.clip((time_s - times_s[after - 1]) / max(times_s[after] - times_s[after - 1], 1e-9), 0, 1)
    share = (1 - np.cos(np.pi * share)) / 2
    return {name: (1 - share) * low + share * values[after][name] for name, low in values[after - 1].items()}
