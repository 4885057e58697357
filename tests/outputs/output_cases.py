"""People and pictures for the tests of outputs."""

import numpy as np

from paddle_pose.frames import Frame, FramePoses
from paddle_pose.samples import FoundPeople
from paddle_pose.skeletons import MPII_16


def found(joints_image, joint_scores=None, scores=None) -> FoundPeople:
    """People at (P, K, 2) joints; sure of everything that is not said."""
    joints_image = np.asarray(joints_image, float)
    joint_scores = np.ones(joints_image.shape[:2]) if joint_scores is None else np.asarray(joint_scores, float)
    scores = np.linspace(0.9, 0.5, len(joints_image)) if scores is None else np.asarray(scores, float)
    return FoundPeople(joints_image, joint_scores, scores)


def people(count=2, skeleton=MPII_16, seed=0) -> FoundPeople:
    """Random people in a picture of 200 x 100."""
    rng = np.random.default_rng(seed)
    return found(
        rng.uniform((0, 0), (200, 100), (count, len(skeleton), 2)), rng.uniform(0.3, 1, (count, len(skeleton)))
    )


def frame(source="photo.jpg", index=0, time_s=None, hw=(100, 200)) -> Frame:
    return Frame(source, index, np.zeros((*hw, 3), np.uint8), time_s)


def nobody(skeleton=MPII_16) -> FramePoses:
    return FramePoses(found(np.empty((0, len(skeleton), 2))))
