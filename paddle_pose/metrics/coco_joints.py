"""AP of each joint alone: pycocotools' keypoint evaluation on files cut down to one joint, all joints at once.

So OKS is exp(-d^2 / (2 (2 sigma)^2 area)) of one joint, people without a label for it are neither hit nor missed
(a guess within twice their box is taken by them), and poses keep their scores. pycocotools itself would run K
times, minutes on COCO's val2017; the rules here are its `COCOeval`'s, and tests hold both against each other.

Letters: T thresholds, K joints, G people and D poses of one photo, E poses of all photos.
"""

from collections.abc import Sequence

import numpy as np

from paddle_pose.coco_samples import CocoAnnotations, CocoPoses

MOST_POSES = 20  # of a photo
_THRESHOLDS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0, 1, 101)
_ALMOST_ONE = 1 - 1e-10


def joint_average_precisions(annotations: CocoAnnotations, poses: CocoPoses, sigmas: Sequence[float]) -> np.ndarray:
    """(K,) AP in percent; NaN for a joint that nobody has.

    Args:
        annotations: the ground truth.
        poses: what was found; without any, every AP is 0.
        sigmas: K constants of the joints.
    """
    ignored, nobody = _ignored(annotations), np.zeros(0, np.int64)
    if not len(poses.scores):
        return np.where(ignored.all(axis=0), np.nan, 0.0)
    people_of, poses_of = rows_by_photo(annotations.image_ids), rows_by_photo(poses.image_ids)
    scores, hits, misses = [], [], []
    for photo_id in np.unique(poses.image_ids):
        rows = poses_of[photo_id]
        rows = rows[np.argsort(-poses.scores[rows], kind="stable")][:MOST_POSES]
        people = people_of.get(photo_id, nobody)
        similar = joint_similarities(annotations, people, poses.keypoints_image[rows, :, :2], np.asarray(sigmas))
        hit, hit_ignored = _match(similar, ignored[people], annotations.crowd[people])
        scores.append(poses.scores[rows])
        hits.append(hit)
        misses.append(~hit & ~hit_ignored)
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hits, misses = np.concatenate(hits)[order], np.concatenate(misses)[order]
    curves = zip(hits.transpose(2, 1, 0), misses.transpose(2, 1, 0), (~ignored).sum(axis=0))
    return np.array([100 * _average_precision(hit, miss, count) for hit, miss, count in curves])


def rows_by_photo(image_ids: np.ndarray) -> dict[int, np.ndarray]:
    """Photo id -> its rows, in order."""
    order = np.argsort(image_ids, kind="stable")
    ids, first = np.unique(image_ids[order], return_index=True)
    return dict(zip(ids, np.split(order, first[1:])))


def _ignored(annotations: CocoAnnotations) -> np.ndarray:
    """(M, K) bool: neither hit nor missed."""
    return (annotations.keypoints_image[..., 2] <= 0) | annotations.crowd[:, None]


def joint_similarities(
    annotations: CocoAnnotations, people: np.ndarray, joints_image: np.ndarray, sigmas: np.ndarray
) -> np.ndarray:
    """(D, G, K) similarity; with a joint that has no label, of the distance to twice the box."""
    keypoints = annotations.keypoints_image[people]
    boxes = annotations.boxes_image[people][:, None]
    first, last = boxes[..., :2] - boxes[..., 2:], boxes[..., :2] + 2 * boxes[..., 2:]
    found = joints_image[:, None]
    outside = np.maximum(first - found, 0) + np.maximum(found - last, 0)
    offsets = np.where(keypoints[..., 2:] > 0, found - keypoints[..., :2], outside)
    areas = annotations.areas_image[people][:, None] + np.spacing(1)
    return np.exp(-(offsets[..., 0] ** 2 + offsets[..., 1] ** 2) / (2 * sigmas) ** 2 / areas / 2)


def _match(similar: np.ndarray, ignored: np.ndarray, crowd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poses, best first, take the nearest free person: one that counts before one that is ignored.

    Args:
        similar: (D, G, K).
        ignored: (G, K) bool.
        crowd: (G,) bool; a crowd takes any number of poses.

    Returns:
        (D, T, K) bool, the pose hit a person that counts; and the same, it hit one that is ignored.
    """
    poses, people, joints = similar.shape
    hits = np.zeros((poses, len(_THRESHOLDS), joints), bool)
    ignores = np.zeros_like(hits)
    if not people:
        return hits, ignores
    thresholds = np.minimum(_THRESHOLDS, _ALMOST_ONE)[:, None, None]
    counts, free = ~ignored.T, np.ones((len(_THRESHOLDS), joints, people), bool)
    for pose, near in enumerate(similar.transpose(0, 2, 1)):
        possible = (near >= thresholds) & free
        hits[pose] = (possible & counts).any(axis=-1)
        possible &= counts == hits[pose][..., None]
        ignores[pose] = possible.any(axis=-1) & ~hits[pose]
        # The last one of the nearest, as in pycocotools.
        nearest = people - 1 - np.argmax(np.where(possible, near, -1.0)[..., ::-1], axis=-1)
        taken = (np.arange(people) == nearest[..., None]) & possible
        free &= ~taken | crowd
    return hits, ignores


def _average_precision(hits: np.ndarray, misses: np.ndarray, people: int) -> float:
    """Mean over thresholds and 101 recalls of the best precision from that recall on.

    Args:
        hits: (T, E) bool, poses from the best score to the worst.
        misses: (T, E) bool.
        people: number of those that count.
    """
    if not people:
        return float("nan")
    hits, misses = np.cumsum(hits, axis=1, dtype=np.float64), np.cumsum(misses, axis=1, dtype=np.float64)
    precisions = hits / (hits + misses + np.spacing(1))
    best = np.maximum.accumulate(precisions[:, ::-1], axis=1)[:, ::-1]
    total = [_at_recalls(recalls, best[t]) for t, recalls in enumerate(hits / people)]
    return float(np.mean(total))


def _at_recalls(recalls: np.ndarray, precisions: np.ndarray) -> np.ndarray:
    """(101,) precision at each recall; 0 at one that is never reached."""
    at = np.searchsorted(recalls, _RECALLS, side="left")
    return np.where(at < len(precisions), precisions[np.minimum(at, len(precisions) - 1)], 0.0)
