"""Which joints can be seen: read off the buffer that says what every pixel shows."""

import numpy as np

from paddle_pose.synthetic.body import JOINTS, Body
from paddle_pose.synthetic.canvas import PARTS_PER_PERSON, Canvas

FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
HEAD_PARTS = frozenset({"head", "hair", "face", "ear"})
# A joint sits inside one of these; if another part shows there, that part hides it. Own clothes hide nothing.
OWN_PARTS = {
    "pelvis": frozenset({"torso", "skirt", "left_thigh", "right_thigh"}),
    "thorax": frozenset({"torso", "neck"}),
    "neck": frozenset({"neck", "torso", "head"}),
    "upper_neck": frozenset({"neck", "torso", "head", "face", "hair"}),
    "head_top": HEAD_PARTS,
    "nose": frozenset({"face", "head"}),
}
for _side in ("left", "right"):
    OWN_PARTS[f"{_side}_eye"] = frozenset({"face", "head"})
    OWN_PARTS[f"{_side}_ear"] = frozenset({"ear", "face", "head"})
    OWN_PARTS[f"{_side}_shoulder"] = frozenset({f"{_side}_upper_arm", "torso"})
    OWN_PARTS[f"{_side}_elbow"] = frozenset({f"{_side}_upper_arm", f"{_side}_forearm"})
    OWN_PARTS[f"{_side}_wrist"] = frozenset({f"{_side}_forearm"})
    OWN_PARTS[f"{_side}_hip"] = frozenset({f"{_side}_thigh", "torso", "skirt"})
    OWN_PARTS[f"{_side}_knee"] = frozenset({f"{_side}_thigh", f"{_side}_shin", "skirt"})
    OWN_PARTS[f"{_side}_ankle"] = frozenset({f"{_side}_shin"})


def inside(joints_image: np.ndarray, image_hw: tuple[int, int]) -> np.ndarray:
    """(K,) bool, True where a joint's nearest pixel is in the photo."""
    nearest = np.round(joints_image)
    return (nearest >= 0).all(axis=1) & (nearest < image_hw[::-1]).all(axis=1)


def turned_away(body: Body) -> np.ndarray:
    """(len(JOINTS),) bool, True for joints of face, shoulders and hips on the far side of the body."""
    points = body.points
    away = np.zeros(len(JOINTS), bool)
    for number, name in enumerate(JOINTS):
        if name in FACE:
            away[number] = points[name][2] < points["head_center"][2] - 0.02 * body.height
        for joint, middle in (("shoulder", "thorax"), ("hip", "pelvis")):
            if name.endswith(joint):
                behind = points[middle] - points[name]
                away[number] = behind[2] > 0.8 * np.linalg.norm(behind)
    return away


def visible_joints(canvas: Canvas, person: int, body: Body) -> np.ndarray:
    """(len(JOINTS),) bool, True where the joint's pixel shows the part of this person that it lies in."""
    joints_image = body.joints_image()
    seen = inside(joints_image, canvas.shown.shape) & ~turned_away(body)
    # crown and ears lie on the outline: look a little further in
    for name, towards, share in (("head_top", "head_center", 0.2), ("left_ear", "head_center", 0.25)):
        for joint in {name, name.replace("left", "right")}:
            number = JOINTS.index(joint)
            joints_image[number] += share * (body.points[towards][:2] - joints_image[number])
    height, width = canvas.shown.shape
    xs, ys = np.clip(np.round(joints_image).astype(int), 0, (width - 1, height - 1)).T
    shown = canvas.shown[ys, xs]
    for number in np.flatnonzero(seen):
        owner, part = divmod(int(shown[number]), PARTS_PER_PERSON)
        seen[number] = owner == person + 1 and canvas.names[part] in OWN_PARTS[JOINTS[number]]
    return seen
