"""An articulated body in three dimensions, seen without perspective.

Frames. A body's own axes: x to the person's left, y up, z forward. The camera's axes, in which all results
are given: x right and y down as in the photo, z towards the viewer. So a person who faces the viewer has the
left hand at greater x than the right one. Lengths are in units of the standing height until `placed`.
"""

from dataclasses import dataclass, replace

import numpy as np

from paddle_pose.skeletons import COCO_17, LSP_14, MPII_16
from paddle_pose.synthetic.difficulty import FULL, Difficulty
from paddle_pose.synthetic.poses import draw_angles, draw_family

# Every joint of every skeleton that the writers serve, MPII's first.
JOINTS = tuple(dict.fromkeys((*MPII_16.joints, *LSP_14.joints, *COCO_17.joints)))
SIDES = (("left", 1.0), ("right", -1.0))
HEAD_HALF_HEIGHT, HEAD_HALF_WIDTH, HEAD_HALF_DEPTH = 0.070, 0.052, 0.060

# Lengths of an average adult, in standing heights.
LENGTHS = {
    "hip_half": 0.055,
    "spine": 0.285,  # pelvis to thorax, which is midway between the shoulders
    "shoulder_half": 0.112,
    "neck": 0.055,  # thorax to upper neck
    "upper_arm": 0.165,
    "forearm": 0.145,
    "hand": 0.065,
    "thigh": 0.245,
    "shin": 0.240,
    "foot": 0.105,
}


@dataclass(frozen=True)
class Body:
    """Points and directions of one posed person, in the camera's axes.

    Args:
        points: name -> (3,) for all of `JOINTS` and for hands, toes and `head_center`.
        torso_axes, head_axes: (3, 3); columns are the part's left, up and forward, unit length.
        height: standing height; radii are multiples of it.
        girth: factor of all radii, about 1.
    """

    points: dict[str, np.ndarray]
    torso_axes: np.ndarray
    head_axes: np.ndarray
    height: float
    girth: float

    def placed(self, height_image: float, origin_image_xy: np.ndarray) -> "Body":
        """The body with a standing height of so many photo pixels and its pelvis at a photo point."""
        scale = height_image / self.height
        shift = np.array([*origin_image_xy, 0.0]) - self.points["pelvis"] * scale
        points = {name: point * scale + shift for name, point in self.points.items()}
        return replace(self, points=points, height=height_image)

    def joints_image(self) -> np.ndarray:
        """(len(JOINTS), 2) joints in photo pixels, once placed."""
        return np.stack([self.points[name][:2] for name in JOINTS])

    def extent(self) -> tuple[np.ndarray, np.ndarray]:
        """(2,) lowest and (2,) highest x, y over all points, flesh not counted."""
        points = np.stack(list(self.points.values()))[:, :2]
        return points.min(axis=0), points.max(axis=0)


def turn_x(angle: float) -> np.ndarray:
    """Rotation that carries y to z."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def turn_y(angle: float) -> np.ndarray:
    """Rotation that carries z to x."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def turn_z(angle: float) -> np.ndarray:
    """Rotation that carries x to y."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def draw_body(rng: np.random.Generator, difficulty: Difficulty = FULL) -> Body:
    """A person of random proportions, pose and view, pelvis at the origin, standing height 1."""
    angles = draw_angles(rng, draw_family(rng, difficulty.families))
    lengths = {name: length * rng.uniform(0.92, 1.08) for name, length in LENGTHS.items()}
    return pose(lengths, angles, view=draw_view(rng, angles["roll"], difficulty.views), girth=rng.uniform(0.88, 1.22))


def draw_view(rng: np.random.Generator, roll: float, shares: tuple[float, float, float]) -> np.ndarray:
    """(3, 3) camera_from_body; `shares` of people face us, turn their back, look anywhere."""
    kind = rng.choice(3, p=shares)
    yaw = (rng.normal(0, 0.6), rng.normal(np.pi, 0.5), rng.uniform(-np.pi, np.pi))[kind]
    return view(yaw, tilt=rng.uniform(-0.12, 0.25), roll=roll)


def view(yaw: float, tilt: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """(3, 3) camera_from_body: 0 faces the viewer; a positive yaw turns the face to the photo's right."""
    return turn_z(roll) @ np.diag([1.0, -1.0, 1.0]) @ turn_x(tilt) @ turn_y(yaw)


def pose(lengths: dict[str, float], angles: dict[str, float], view: np.ndarray, girth: float = 1.0) -> Body:
    """The body that proportions, angles (radians) and a view give."""
    pelvis_axes = turn_z(0.4 * angles["lean"]) @ turn_x(0.25 * angles["bend"])
    torso_axes = turn_z(angles["lean"]) @ turn_x(angles["bend"]) @ turn_y(angles["twist"])
    head_axes = torso_axes @ turn_y(angles["head_turn"]) @ turn_x(angles["head_nod"] - 0.5 * angles["bend"])
    points = {"pelvis": np.zeros(3), "thorax": torso_axes @ (0, lengths["spine"], 0)}
    points.update(_head(points["thorax"], torso_axes, head_axes, lengths["neck"]))
    for side, sign in SIDES:
        limb_angles = {k[len(side) + 1 :]: v for k, v in angles.items() if k.startswith(side)}
        points.update(_arm(side, sign, points["thorax"], torso_axes, lengths, limb_angles))
        points.update(_leg(side, sign, pelvis_axes, lengths, limb_angles))
    return Body(
        points={name: view @ point for name, point in points.items()},
        torso_axes=view @ torso_axes,
        head_axes=view @ head_axes,
        height=1.0,
        girth=girth,
    )


def _head(thorax: np.ndarray, torso: np.ndarray, head: np.ndarray, neck: float) -> dict[str, np.ndarray]:
    upper_neck = thorax + torso @ (0, neck, 0.012)
    center = upper_neck + head @ (0, HEAD_HALF_HEIGHT * 0.95, 0.006)
    points = {
        "upper_neck": upper_neck,
        "neck": (thorax + upper_neck) / 2,  # LSP marks the middle of the neck
        "head_center": center,
        "head_top": center + head @ (0, HEAD_HALF_HEIGHT * 0.97, -0.006),
        "nose": center + head @ (0, -0.012, HEAD_HALF_DEPTH),
    }
    for side, sign in SIDES:
        points[f"{side}_eye"] = center + head @ (sign * 0.020, 0.006, HEAD_HALF_DEPTH * 0.82)
        points[f"{side}_ear"] = center + head @ (sign * HEAD_HALF_WIDTH * 0.95, -0.002, -0.008)
    return points


def _arm(side, sign, thorax, torso, lengths, angles) -> dict[str, np.ndarray]:
    upper = torso @ turn_z(sign * angles["arm_out"]) @ turn_x(-angles["arm_forward"])
    upper = upper @ turn_y(-sign * angles["arm_in"])
    lower = upper @ turn_x(-angles["elbow"])
    shoulder = thorax + torso @ (sign * lengths["shoulder_half"], 0.0, 0.0)
    elbow = shoulder + upper @ (0, -lengths["upper_arm"], 0)
    wrist = elbow + lower @ (0, -lengths["forearm"], 0)
    hand = wrist + lower @ (0, -lengths["hand"], 0)
    return {
        f"{side}_shoulder": shoulder,
        f"{side}_elbow": elbow,
        f"{side}_wrist": wrist,
        f"{side}_hand": hand,
    }


def _leg(side, sign, pelvis, lengths, angles) -> dict[str, np.ndarray]:
    thigh = pelvis @ turn_z(sign * angles["thigh_out"]) @ turn_x(-angles["thigh_forward"])
    shin = thigh @ turn_x(angles["knee"])
    hip = pelvis @ (sign * lengths["hip_half"], -0.01, 0.0)
    knee = hip + thigh @ (0, -lengths["thigh"], 0)
    ankle = knee + shin @ (0, -lengths["shin"], 0)
    toe = ankle + shin @ (sign * 0.015, -0.32 * lengths["foot"], lengths["foot"])
    return {f"{side}_hip": hip, f"{side}_knee": knee, f"{side}_ankle": ankle, f"{side}_toe": toe}
