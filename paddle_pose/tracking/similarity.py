"""How alike people of two pictures are: OKS of the joints that both show, and the overlap of boxes.

Letters: P people of a picture, T people of an earlier one.
"""

import numpy as np

from paddle_pose.metrics.oks import joint_similarities
from paddle_pose.skeletons import COCO_17, Skeleton

UNIFORM_SIGMA = float(np.mean(COCO_17.oks_sigmas))  # 0.067, for skeletons that have none
FEWEST_SHARED = 3  # joints, below which OKS says too little
THINNEST = 1 / 3  # a person's box is taken to be at least this share of its long side wide: arms hang, people lie


def sigmas_of(skeleton: Skeleton) -> np.ndarray:
    """(K,) OKS constants of a skeleton; the mean of COCO's for every joint where it has none."""
    return np.asarray(skeleton.oks_sigmas or (UNIFORM_SIGMA,) * len(skeleton), np.float64)


def joint_box(joints_image: np.ndarray) -> np.ndarray:
    """(4,) left, top, width, height around the joints that are not NaN; NaN where all are.

    Args:
        joints_image: (K, 2) pixels.
    """
    seen = joints_image[np.isfinite(joints_image).all(axis=1)]
    if not len(seen):
        return np.full(4, np.nan)
    low = seen.min(axis=0)
    return np.concatenate([low, seen.max(axis=0) - low])


def area_of(box_image: np.ndarray) -> float:
    """Square pixels of a person whose joints fill a box (4,), its short side not below `THINNEST` of the long one.

    0 where the box is NaN.
    """
    if not np.isfinite(box_image).all():
        return 0.0
    short, long = np.sort(np.maximum(box_image[2:], 1.0))
    return float(long * max(short, THINNEST * long))


def oks(
    poses_image: np.ndarray, others_image: np.ndarray, areas: np.ndarray, other_areas: np.ndarray, sigmas: np.ndarray
) -> np.ndarray:
    """OKS of every pair, over the joints that neither has as NaN.

    Args:
        poses_image: (P, K, 2) pixels.
        others_image: (T, K, 2) pixels.
        areas: (P,) square pixels.
        other_areas: (T,) square pixels.
        sigmas: (K,).

    Returns:
        (P, T) in [0, 1]; NaN where fewer joints than `FEWEST_SHARED` (or all K, if that is fewer) are shared.
    """
    each = [joint_similarities(pose, others_image, area, other_areas, sigmas) for pose, area in zip(poses_image, areas)]
    each = np.reshape(each, (len(poses_image), len(others_image), poses_image.shape[1]))
    shared = np.isfinite(each)
    counts = shared.sum(axis=2)
    means = np.where(shared, each, 0).sum(axis=2) / np.maximum(counts, 1)
    return np.where(counts >= min(FEWEST_SHARED, poses_image.shape[1]), means, np.nan)


def shares_in_common(poses_image: np.ndarray, others_image: np.ndarray) -> np.ndarray:
    """Of every pair the joints that both show, as a share of those that the one with more of them shows.

    A piece of a person is like the whole person and like any other piece of it; this tells them apart.

    Args:
        poses_image: (P, K, 2) pixels.
        others_image: (T, K, 2) pixels.

    Returns:
        (P, T) in [0, 1].
    """
    seen, others_seen = np.isfinite(poses_image).all(axis=2), np.isfinite(others_image).all(axis=2)
    shared = (seen[:, None] & others_seen[None]).sum(axis=2)
    return shared / np.maximum(np.maximum(seen.sum(axis=1)[:, None], others_seen.sum(axis=1)), 1)


def overlaps(boxes_image: np.ndarray, others_image: np.ndarray) -> np.ndarray:
    """Intersection over union of every pair.

    Args:
        boxes_image: (P, 4) left, top, width, height.
        others_image: (T, 4) the same.

    Returns:
        (P, T) in [0, 1]; 0 where a box is NaN or neither has an area.
    """
    low = np.maximum(boxes_image[:, None, :2], others_image[None, :, :2])
    high = np.minimum(
        boxes_image[:, None, :2] + boxes_image[:, None, 2:], others_image[None, :, :2] + others_image[None, :, 2:]
    )
    shared = np.maximum(high - low, 0).prod(axis=2)
    union = boxes_image[:, None, 2:].prod(axis=2) + others_image[None, :, 2:].prod(axis=2) - shared
    return np.divide(shared, union, out=np.zeros(shared.shape), where=union > 0)
