"""Maps of people that are drawn by hand."""

import numpy as np
import paddle

from paddle_pose.codecs.grouping import GroupingRules
from paddle_pose.skeletons import Skeleton

SIGMA = 0.9
CHAIN = Skeleton("chain", ("a", "b", "c", "d"), limbs=(("a", "b"), ("b", "c"), ("c", "d")))
LOOP = Skeleton("loop", CHAIN.joints, limbs=(*CHAIN.limbs, ("a", "d")))
LOOSE = GroupingRules(min_parts=2)


def bump(x, y, size_wh=(20, 16), height=1.0):
    across, down = (np.exp(-((np.arange(n) - at) ** 2) / 2 / SIGMA**2) for n, at in zip(size_wh, (x, y)))
    return height * down[:, None] * across


def draw(skeleton, people, size_wh=(24, 20), strength=1.0, noise=0.0):
    """Maps (1, 2L + K + 1, h, w) of people, given as (K, 2) joints in cells, NaN where unseen; thick, plain fields."""
    width, height = size_wh
    cells = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(float)
    fields = np.zeros((len(skeleton.limbs), 2, height, width))
    parts = np.zeros((len(skeleton), height, width))
    for joints in people:
        for part, (x, y) in enumerate(joints):
            if np.isfinite(x):
                parts[part] = np.maximum(parts[part], strength * bump(x, y, size_wh))
        for limb, (a, b) in enumerate(skeleton.limb_pairs):
            length = np.linalg.norm(joints[b] - joints[a])
            if np.isfinite(length) and length > 0:
                way = (joints[b] - joints[a]) / length
                along, aside = (cells - joints[a]) @ way, (cells - joints[a]) @ np.array([-way[1], way[0]])
                fields[limb][:, (np.abs(aside) <= 1) & (along >= -0.7) & (along <= length + 0.7)] = (
                    strength * way[:, None]
                )
    maps = np.concatenate([fields.reshape(-1, height, width), parts, 1 - parts.max(axis=0, keepdims=True)])
    maps += noise * np.random.default_rng(5).standard_normal(maps.shape)
    return paddle.to_tensor(maps[None].astype(np.float32))


def chain(x, y, step=4.0):
    """Four joints from left to right, the second and the fourth a little lower."""
    return np.array([(x, y), (x + step, y + 1), (x + 2 * step, y), (x + 3 * step, y + 1)], float)
