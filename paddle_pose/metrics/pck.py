"""Percentage of Correct Keypoints: the arithmetic, as pure functions on arrays.

Paper: Yang & Ramanan, "Articulated Human Detection with Flexible Mixtures of Parts" (TPAMI 2013);
Andriluka et al., "2D Human Pose Estimation: New Benchmark" (CVPR 2014), for the head-normalised PCKh.

A joint is correct when its distance to the truth, divided by a length of the person, is <= the threshold
(inclusive, as in HRNet's lib/dataset/mpii.py). Percentages are 100 * hits / counts of whole numbers.
Thresholds are hundredths, written as index / 100 and never added up, so that 0.10 is 0.10.
"""

from dataclasses import dataclass

import numpy as np

from paddle_pose.errors import DataError
from paddle_pose.samples import Predictions, Truth
from paddle_pose.skeletons import Skeleton


@dataclass(frozen=True)
class Yardstick:
    """What errors are measured in, and how large a correct one may be.

    Args:
        length_image: (N,) photo pixels, by which the distances of each person are divided.
        counted: (N,) bool, whether the person is scored.
        threshold: largest error of a correct joint, inclusive.
        words: what the length is.
    """

    length_image: np.ndarray
    counted: np.ndarray
    threshold: float
    words: str


def check_people(predictions: Predictions, truth: Truth, skeleton: Skeleton) -> None:
    """Raises DataError unless both hold the same number of people, with the skeleton's joints."""
    found, (people, joints) = np.shape(predictions.joints_image)[:2], np.shape(truth.joints_image)[:2]
    if joints != len(skeleton):
        raise DataError(f"the ground truth has {joints} joints, but {skeleton.name} has {len(skeleton)}")
    if found[0] != people:
        raise DataError(f"{found[0]} predictions, but the ground truth has {people} people: wrong split?")
    if found[1] != joints:
        raise DataError(f"predictions of {found[1]} joints, but {skeleton.name} has {joints}: wrong dataset?")
    lost = np.asarray(truth.labelled, bool) & ~np.isfinite(truth.joints_image).all(axis=-1)
    if lost.any():
        person, joint = np.argwhere(lost)[0]
        raise DataError(f"person {person}: {skeleton.joints[joint]} is labelled, but has no finite coordinates")


def check_labels(truth: Truth) -> None:
    """Raises DataError where nobody has a labelled joint, as with a detector's boxes."""
    if not np.any(truth.labelled):
        raise DataError("no joint of the ground truth is labelled: score ground-truth boxes, or use COCOKeypoints")


def distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Euclidean distance over the last axis; NaN or infinite where a coordinate is."""
    with np.errstate(invalid="ignore", over="ignore"):
        offset = np.asarray(points, np.float64) - np.asarray(others, np.float64)
        return np.linalg.norm(offset, axis=-1)


def normalised_errors(predicted: np.ndarray, truth: np.ndarray, length_image: np.ndarray) -> np.ndarray:
    """Distance of each joint to the truth in units of a length of its person.

    Args:
        predicted: (N, K, 2) photo pixels.
        truth: (N, K, 2) photo pixels.
        length_image: (N,) photo pixels.

    Returns:
        (N, K); NaN, which is a miss at every threshold, where the prediction is NaN or the length is not > 0.
    """
    length = np.asarray(length_image, np.float64)
    length = np.where(length > 0, length, np.nan)[:, None]
    with np.errstate(invalid="ignore"):
        return distances(predicted, truth) / length


def hit_curve(errors: np.ndarray, labelled: np.ndarray, last_percent: int) -> np.ndarray:
    """Number of labelled joints with error <= 0.00, 0.01, ..., last_percent / 100.

    Args:
        errors: (N, K) normalised errors.
        labelled: (N, K) bool, False where a joint is not counted.
        last_percent: the last threshold, in hundredths.

    Returns:
        (last_percent + 1, K) int; row t belongs to the threshold t / 100.
    """
    thresholds = np.arange(last_percent + 1) / 100
    return np.stack([((errors <= threshold) & labelled).sum(axis=0) for threshold in thresholds])


def percent(hits: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """100 * hits / counts, NaN where there is nothing to count; shapes broadcast."""
    hits, counts = np.broadcast_arrays(np.asarray(hits, np.float64), counts)
    return np.divide(100.0 * hits, counts, out=np.full(hits.shape, np.nan), where=counts > 0)


def plain_mean(values: np.ndarray) -> np.ndarray:
    """Unweighted mean over the last axis, leaving out NaN; NaN where nothing is left."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=-1)
    counts = known.sum(axis=-1)
    return np.divide(total, counts, out=np.full(total.shape, np.nan), where=counts > 0)


def pooled_percent(hits: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean of joint percentages weighted by their counts, which is the percentage of all joints together.

    Args:
        hits: (..., K) int.
        counts: (K,) int.
    """
    return percent(np.sum(hits, axis=-1), np.sum(counts))


def group_percents(skeleton: Skeleton, joint_percents: np.ndarray) -> dict[str, np.ndarray]:
    """Name of each group -> plain mean of its joints' percentages (left and right weigh the same).

    Args:
        skeleton: names the groups.
        joint_percents: (..., K).
    """
    return {
        group: plain_mean(joint_percents[..., [skeleton.index(joint) for joint in joints]])
        for group, joints in skeleton.groups.items()
    }
