"""COCO's annotated people and the poses that found them: matched by OKS, for looking at, not for scoring.

AP takes poses in the order of their scores and asks for more and more similarity. Here each pose goes, once and for
all, to the person that it fits best: in each photo the most similar pair first, down to an OKS of `FOUND_OKS`. So a
pose that is poor but of somebody is seen as a poor pose, and not as a missed person and a pose of nobody.

Letters: D poses, M annotations, G annotations of one photo, K joints.
"""

from dataclasses import dataclass

import numpy as np

from paddle_pose.coco_samples import CocoAnnotations, CocoPoses
from paddle_pose.metrics.coco_joints import MOST_POSES, joint_similarities, rows_by_photo
from paddle_pose.reports.pairs import Pairs
from paddle_pose.skeletons import Skeleton

FOUND_OKS = 0.1  # a pose below it is of nobody
IGNORED_OKS = 0.5  # a pose of nobody that lies this well on a crowd, or on somebody without keypoints, is not held
# against a system
CORRECT_OKS = 0.5  # of one joint
CORRECT_ERROR = float(np.sqrt(-2 * np.log(CORRECT_OKS)))  # the same as an error: OKS = exp(-error^2 / 2)
_ALMOST = 1e-12


@dataclass(frozen=True)
class Matched:
    """Who was found.

    Args:
        person_of: (D,) row of the annotation that each pose is of; -1 for nobody, -2 for one that is not looked at
            (more than 20 in a photo, or on people without keypoints).
        oks: (D,) with that person; 0 where there is none.
        people: (N,) rows of the annotated people: with keypoints, no crowds.
    """

    person_of: np.ndarray
    oks: np.ndarray
    people: np.ndarray

    @property
    def extra(self) -> np.ndarray:
        """Rows of the poses of nobody."""
        return np.flatnonzero(self.person_of == -1)

    @property
    def pose_of(self) -> np.ndarray:
        """(N,) row of the pose of each annotated person, -1 where nobody was found."""
        poses = np.flatnonzero(self.person_of >= 0)
        found = dict(zip(self.person_of[poses].tolist(), poses.tolist()))
        return np.array([found.get(int(person), -1) for person in self.people], np.int64)


def match(annotations: CocoAnnotations, poses: CocoPoses, sigmas: tuple[float, ...]) -> Matched:
    """Which pose is of whom, photo by photo."""
    counts = (annotations.num_keypoints > 0) & ~annotations.crowd
    person_of, oks = np.full(len(poses.scores), -2), np.zeros(len(poses.scores))
    people_of, nobody = rows_by_photo(annotations.image_ids), np.zeros(0, np.int64)
    for photo_id, rows in rows_by_photo(poses.image_ids).items() if len(poses.scores) else ():
        rows = rows[np.argsort(-poses.scores[rows], kind="stable")][:MOST_POSES]
        people = people_of.get(photo_id, nobody)
        similar = pose_similarities(annotations, people, poses.keypoints_image[rows, :, :2], sigmas)
        taken = best_pairs(np.where(counts[people], similar, 0.0), FOUND_OKS)
        ignored = (similar[:, ~counts[people]] >= IGNORED_OKS).any(axis=1)
        person_of[rows] = np.where(taken >= 0, people[taken] if len(people) else -1, np.where(ignored, -2, -1))
        oks[rows] = np.where(taken >= 0, similar[np.arange(len(rows)), taken] if len(people) else 0.0, 0.0)
    return Matched(person_of, oks, np.flatnonzero(counts))


def pose_similarities(
    annotations: CocoAnnotations, people: np.ndarray, joints_image: np.ndarray, sigmas: tuple[float, ...]
) -> np.ndarray:
    """(D, G) OKS as pycocotools': mean over the labelled joints; without any, over the distances to twice the box."""
    if not len(people):
        return np.zeros((len(joints_image), 0))
    each = joint_similarities(annotations, people, joints_image, np.asarray(sigmas, np.float64))
    labelled = annotations.keypoints_image[people][..., 2] > 0
    weight = np.where(labelled.any(axis=1, keepdims=True), labelled, True)
    return (each * weight).sum(axis=-1) / weight.sum(axis=-1)


def best_pairs(similar: np.ndarray, least: float) -> np.ndarray:
    """(D,) column that each row takes, -1 for none: greedily, the largest similarity first, each column once.

    Args:
        similar: (D, G); of equal ones the first row, then the first column, comes first.
        least: smallest similarity of a pair.
    """
    taken, free = np.full(len(similar), -1), np.ones(similar.shape[1], bool)
    for flat in np.argsort(-similar, axis=None, kind="stable"):
        row, column = divmod(int(flat), similar.shape[1])
        if similar[row, column] < least:
            break
        if taken[row] < 0 and free[column]:
            taken[row], free[column] = column, False
    return taken


def by_match(annotations: CocoAnnotations, poses: CocoPoses, matched: Matched, skeleton: Skeleton) -> Pairs:
    """Annotated people and their poses; errors in units in which OKS is exp(-error^2 / 2) for each joint alone."""
    people, pose_of = matched.people, matched.pose_of
    keypoints, has_pose = annotations.keypoints_image[people], pose_of >= 0
    found = np.full((len(people), len(skeleton), 3), np.nan)
    found[has_pose] = poses.keypoints_image[pose_of[has_pose]]
    absent = (found[..., 2] <= 0) & (found[..., :2] == 0).all(axis=-1)  # how COCO writes a joint that was not found
    found[absent] = np.nan
    areas = annotations.areas_image[people]
    return Pairs(
        skeleton=skeleton,
        found_image=found[..., :2],
        true_image=keypoints[..., :2],
        counted=keypoints[..., 2] > 0,
        unit_image=2 * np.asarray(skeleton.oks_sigmas)[None] * np.sqrt(areas + np.spacing(1))[:, None],
        threshold=CORRECT_ERROR + _ALMOST,
        unit="(2 sigma of the joint x root of the person's area)",
        size_image=np.sqrt(areas),
        size="root of the person's area",
        scores=found[..., 2],
        visible=keypoints[..., 2] > 1 if (keypoints[..., 2] == 1).any() else None,
    )
