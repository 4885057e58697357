"""Object Keypoint Similarity between found poses, and the suppression of double finds: pure functions.

Ronchi & Perona, "Benchmarking and Error Diagnosis in Multi-Instance Pose Estimation" (ICCV 2017) for OKS;
the rules for found poses are those of HRNet's `lib/nms/nms.py` and `lib/dataset/coco.py`.

About that code: `oks_iou` can leave out joints of low score, by `list(a) and list(b)`, which is just `list(b)`: it
would look at one of the two poses only. HRNet's evaluation never asks for it (`in_vis_thre` stays None), so there
is no such filter here: every joint counts.
"""

from collections.abc import Sequence

import numpy as np

SOFT_LIMIT = 20  # poses that soft suppression keeps of a photo, as HRNet's `max_dets`


def similarity(
    pose_image: np.ndarray, others_image: np.ndarray, area: float, other_areas: np.ndarray, sigmas: Sequence[float]
) -> np.ndarray:
    """OKS of a pose with others: mean over joints of exp(-d^2 / (2 (2 sigma)^2 area)), area the mean of the two.

    Args:
        pose_image: (K, 2) photo pixels.
        others_image: (D, K, 2) photo pixels.
        area: square pixels of the pose's box, padding and aspect included.
        other_areas: (D,) the same of the others.
        sigmas: K constants of the joints.

    Returns:
        (D,) in [0, 1].
    """
    return joint_similarities(pose_image, others_image, area, other_areas, sigmas).mean(axis=1)


def joint_similarities(
    pose_image: np.ndarray, others_image: np.ndarray, area: float, other_areas: np.ndarray, sigmas: Sequence[float]
) -> np.ndarray:
    """What `similarity` is the mean of: (D, K) in [0, 1], NaN where a joint of either pose is."""
    squares = ((others_image - pose_image) ** 2).sum(axis=-1)
    variances = (2 * np.asarray(sigmas, np.float64)) ** 2
    areas = (area + other_areas) / 2 + np.spacing(1)
    return np.exp(-squares / (2 * variances) / areas[:, None])


def suppress(
    poses_image: np.ndarray, areas: np.ndarray, scores: np.ndarray, sigmas: Sequence[float], threshold: float
) -> np.ndarray:
    """Greedy OKS-NMS of one photo: best score first, a pose stays if its OKS with all that stay is <= threshold.

    Args:
        poses_image: (D, K, 2) photo pixels.
        areas: (D,) as in `similarity`.
        scores: (D,) of the whole poses.
        sigmas: K constants of the joints.
        threshold: HRNet's is 0.9.

    Returns:
        Indices of those that stay, best first.
    """
    order = np.argsort(-scores, kind="stable")
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        overlaps = similarity(poses_image[best], poses_image[order], areas[best], areas[order], sigmas)
        order = order[overlaps <= threshold]
    return np.array(kept, np.int64)


def suppress_softly(
    poses_image: np.ndarray, areas: np.ndarray, scores: np.ndarray, sigmas: Sequence[float], threshold: float
) -> np.ndarray:
    """Soft OKS-NMS: poses are taken best first while the others' scores sink by exp(-OKS^2 / threshold).

    Arguments and result as `suppress`. As in HRNet nothing is removed but what comes after the first
    `SOFT_LIMIT`, and the sunken scores decide on the order alone: the poses keep their own.
    """
    scores, left = scores.astype(np.float64), np.arange(len(scores))
    kept = []
    while len(left) and len(kept) < SOFT_LIMIT:
        best = left[np.argmax(scores[left])]
        kept.append(best)
        left = left[left != best]
        overlaps = similarity(poses_image[best], poses_image[left], areas[best], areas[left], sigmas)
        scores[left] *= np.exp(-(overlaps**2) / threshold)
    return np.array(kept, np.int64)


def rescored(box_scores: np.ndarray, joint_scores: np.ndarray, above: float) -> np.ndarray:
    """Score of each pose: its box's score x the mean of its joints' scores that exceed `above`; 0 if none does.

    Args:
        box_scores: (N,).
        joint_scores: (N, K).
        above: HRNet's `IN_VIS_THRE`, 0.2.
    """
    counted = joint_scores > above
    sums, counts = np.where(counted, joint_scores, 0).sum(axis=1), counted.sum(axis=1)
    return box_scores * np.divide(sums, counts, out=np.zeros(len(sums)), where=counts > 0)
