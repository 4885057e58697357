"""Articulated people on a map, some of their joints unseen, and how many of their limbs come back."""

import numpy as np

from paddle_pose.skeletons import OPENPOSE_18
from paddle_pose.synthetic.body import JOINTS, draw_body

NEAREST_MAP = 2.0  # cells between the same joints of two people: two bumps on a grid of cells need as much
_SHOULDERS = [JOINTS.index(f"{side}_shoulder") for side in ("left", "right")]
_ROWS = [JOINTS.index(name) for name in OPENPOSE_18.joints if name != "neck"]


def crowd(seed, people, size_wh=(46, 46), heights=None, hidden=0.15, nearest=NEAREST_MAP):
    """(P, 18, 2) joints in cells, NaN where hidden, of people who overlap freely.

    Their standing heights are `heights` shares of the map's, (0.2, 0.9) for a few, smaller for many.
    """
    rng = np.random.default_rng(seed)
    heights = heights or (0.2, max(0.35, 0.9 - 0.02 * people))
    found = []
    for _ in range(people * 2000):
        joints = _person(rng, size_wh, heights)
        joints[rng.random(18) < hidden] = np.nan
        if all(_apart(joints, other, nearest) for other in found):
            found.append(joints)
        if len(found) == people:
            return np.stack(found)
    raise ValueError(f"no room for {people} people on {size_wh}")


def _person(rng, size_wh, heights):
    size = np.array(size_wh)
    while True:
        body = draw_body(rng).placed(rng.uniform(*heights) * size[1], rng.uniform(0, size - 1))
        all_joints = body.joints_image()
        joints = np.insert(all_joints[_ROWS], OPENPOSE_18.index("neck"), all_joints[_SHOULDERS].mean(axis=0), axis=0)
        if ((joints >= 0) & (joints <= size - 1)).all():
            return joints


def _apart(one, other, nearest):
    distance = np.linalg.norm(one - other, axis=1)
    return not (distance < nearest).any()  # NaN is not near


def limbs_right(truth, found, skeleton=OPENPOSE_18, within=0.5):
    """How many limbs with two visible ends there are, and how many of them some found person has, `within` cells."""
    pairs = np.array(skeleton.limb_pairs)
    near = np.linalg.norm(truth[:, None] - found[None], axis=-1) < within  # (P, found, K)
    right = (near[:, :, pairs[:, 0]] & near[:, :, pairs[:, 1]]).any(axis=1)  # (P, L)
    there = np.isfinite(truth[:, pairs]).all(axis=(2, 3))
    return int(there.sum()), int((right & there).sum())


def joints_found(truth, found, within=0.5):
    """How many visible joints there are, and how many of them somebody has, and the distances of those."""
    distance = np.linalg.norm(truth[:, None] - found[None], axis=-1)
    nearest = np.nan_to_num(distance, nan=np.inf).min(axis=1, initial=np.inf)
    there = np.isfinite(truth).all(axis=-1)
    return int(there.sum()), int((nearest[there] < within).sum()), nearest[there]
