"""Joints that nobody has annotated, made from those that somebody has, and back to them for the evaluation.

OpenPose's 18 parts are COCO's 17 joints and a neck (Cao et al., CVPR 2017, released code): the middle of the
shoulders, labelled only where both shoulders are, visible only where both are visible.

Differs from tensorboy's code: the neck is not rounded to whole pixels.
"""

import numpy as np

from paddle_pose.skeletons import Skeleton

MIDDLES = {"neck": ("left_shoulder", "right_shoulder")}


def from_annotated(
    skeleton: Skeleton, joints_image: np.ndarray, labelled: np.ndarray, visible: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Annotated people in the joints of `skeleton`; as they are, if these are annotated.

    Args:
        skeleton: says by `annotated_as` which joints the arrays have.
        joints_image: (N, A, 2).
        labelled: (N, A) bool.
        visible: (N, A) bool.

    Returns:
        The same for the K joints of `skeleton`: (N, K, 2), (N, K), (N, K).
    """
    if skeleton.annotated_as is None:
        return joints_image, labelled, visible
    first, second = _sources(skeleton)
    middles = (joints_image[:, first] + joints_image[:, second]) / 2
    return middles, labelled[:, first] & labelled[:, second], visible[:, first] & visible[:, second]


def to_annotated(skeleton: Skeleton, joints_image: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Found people (P, K, 2) with scores (P, K) in the annotated joints (P, A, 2), (P, A); derived ones are dropped."""
    if skeleton.annotated_as is None:
        return joints_image, scores
    order = [skeleton.index(joint) for joint in skeleton.annotated_as.joints]
    return joints_image[:, order], scores[:, order]


def found_from_annotated(
    skeleton: Skeleton, joints_image: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Found people in the annotated joints (P, A, 2) with scores (P, A) in those of `skeleton`: (P, K, 2), (P, K).

    A derived joint is as sure as the less sure of the two that it lies between, and not found (NaN) without both.
    """
    if skeleton.annotated_as is None:
        return joints_image, scores
    first, second = _sources(skeleton)
    return (joints_image[:, first] + joints_image[:, second]) / 2, np.minimum(scores[:, first], scores[:, second])


def _sources(skeleton: Skeleton) -> tuple[list[int], list[int]]:
    """(K,), (K,) annotated joints in whose middle each joint lies; twice the same for one that is annotated."""
    annotated = skeleton.annotated_as
    ends = [(joint, joint) if joint in annotated.joints else MIDDLES[joint] for joint in skeleton.joints]
    return [annotated.index(a) for a, _ in ends], [annotated.index(b) for _, b in ends]
