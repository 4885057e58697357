"""A small skeleton, its targets, and the same by loops over cells."""

import numpy as np
import paddle

from paddle_pose.codecs.part_affinity import PartAffinity
from paddle_pose.skeletons import Skeleton

# limb 1 is limb 0 in a mirror, but runs the other way; limb 2 is itself the other way round; limb 3 is itself
KITE = Skeleton(
    name="kite",
    joints=("nose", "left_hand", "right_hand", "tail"),
    limbs=(("nose", "left_hand"), ("right_hand", "nose"), ("left_hand", "right_hand"), ("nose", "tail")),
)
RELEASED = {"people": "add", "fields": "released"}
INPUT_WH, MAP_WH, STRIDE = (96, 64), (12, 8), 8


def codec(skeleton=KITE, input_wh=INPUT_WH, stride=STRIDE, **options):
    return PartAffinity(skeleton.mirror, skeleton, input_wh, stride, **options)


def draw(everybody, labelled=None, skeleton=KITE, unknown=None, **options):
    """Target (C, h, w) and weight (h, w) of one crop with (P, K, 2) joints."""
    everybody = np.asarray(everybody, "float32")
    labelled = np.ones(everybody.shape[:2]) if labelled is None else np.asarray(labelled, float)
    joints, weight = (paddle.to_tensor(part[None].astype("float32")) for part in (everybody, labelled))
    others = (joints[:, 1:], weight[:, 1:]) if len(everybody) > 1 else None
    target, known = codec(skeleton, **options).encode(joints[:, 0], weight[:, 0], others, unknown)
    assert target.dtype == known.dtype == paddle.float32
    return target.numpy()[0], known.numpy()[0, 0]


def split(target, skeleton=KITE):
    """Fields (L, 2, h, w), joints (K, h, w), background (h, w)."""
    limbs = len(skeleton.limbs)
    return target[: 2 * limbs].reshape(limbs, 2, *target.shape[1:]), target[2 * limbs : -1], target[-1]


def crowd(count, skeleton=KITE, seed=0, missing=0.2):
    """(P, K, 2) anywhere in the crop and a little outside, and which of them have labels."""
    rng = np.random.default_rng(seed)
    people = rng.uniform((-20, -20), (116, 84), (count, len(skeleton), 2))
    return people.astype("float32").astype(float), rng.random((count, len(skeleton))) >= missing


def cells():
    return [(j, i) for j in range(MAP_WH[1]) for i in range(MAP_WH[0])]


def confidence_by_loops(people, labelled, join):
    """Eq. 6 and 7, cell by cell; `join` is max, or the sum cut to 1."""
    maps = np.zeros((people.shape[1], MAP_WH[1], MAP_WH[0]))
    for joints, known in zip(people, labelled):
        for k in np.flatnonzero(known):
            for j, i in cells():
                squared = (8 * i + 3.5 - joints[k, 0]) ** 2 + (8 * j + 3.5 - joints[k, 1]) ** 2
                value = np.exp(-squared / (2 * 7.0**2)) if squared / (2 * 7.0**2) <= 4.6052 else 0.0
                maps[k, j, i] = max(maps[k, j, i], value) if join == "max" else min(1, maps[k, j, i] + value)
    return maps


def fields_by_loops(people, labelled, skeleton, width, ends):
    """Eq. 8 and 9, cell by cell, with fields that go on for `ends` pixels."""
    fields = np.zeros((len(skeleton.limbs), 2, MAP_WH[1], MAP_WH[0]))
    for limb, (a, b) in enumerate(skeleton.limb_pairs):
        for j, i in cells():
            found = []
            for joints, known in zip(people, labelled):
                if known[a] and known[b]:
                    along = joints[b] - joints[a]
                    length = np.sqrt(along @ along)
                    v = along / length
                    offset = np.array([8 * i + 3.5, 8 * j + 3.5]) - joints[a]
                    if -ends <= v @ offset <= length + ends and abs(v[0] * offset[1] - v[1] * offset[0]) <= width:
                        found.append(v)
            fields[limb, :, j, i] = np.mean(found, 0) if found else 0
    return fields


def released_fields(people, labelled, skeleton, average):
    """What the released codes draw: in cells, in an upright box; the Caffe code keeps the last, tensorboy averages."""
    fields = np.zeros((len(skeleton.limbs), 2, MAP_WH[1], MAP_WH[0]))
    for limb, (a, b) in enumerate(skeleton.limb_pairs):
        drawn = np.zeros((MAP_WH[1], MAP_WH[0]), int)
        for joints, known in zip(people, labelled):
            if not (known[a] and known[b]):
                continue
            start, stop = joints[a] / 8, joints[b] / 8
            unit = (stop - start) / np.hypot(*(stop - start))
            low = [max(round(min(start[axis], stop[axis]) - 1), 0) for axis in (0, 1)]
            high = [min(round(max(start[axis], stop[axis]) + 1), MAP_WH[axis]) for axis in (0, 1)]
            for j in range(low[1], high[1]):
                for i in range(low[0], high[0]):
                    if abs((i - start[0]) * unit[1] - (j - start[1]) * unit[0]) <= 1:
                        n = drawn[j, i] if average else 0
                        fields[limb, :, j, i] = (fields[limb, :, j, i] * n + unit) / (n + 1)
                        drawn[j, i] += 1
    return fields
