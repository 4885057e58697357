"""Who is who from frame to frame: people are dealt out to the known ones by likeness."""

from dataclasses import replace
from typing import Optional

import numpy as np

from paddle_pose.frames import FramePoses
from paddle_pose.skeletons import Skeleton
from paddle_pose.tracking.one_euro import OneEuro
from paddle_pose.tracking.similarity import area_of, joint_box, oks, overlaps, shares_in_common, sigmas_of
from paddle_pose.tracking.track import Track

LEAST_OKS, LEAST_OVERLAP = 0.1, 0.2  # below these two people are not taken for one
KNOWN_BONUS = 0.3  # of likeness, for who was there all the time: it comes before a double find of it
DRIFT = 0.5  # sizes a second: how the place of somebody unseen becomes uncertain; it adds to the sigmas


class PeopleTracker:
    """Gives people numbers that stay, and steadies their joints.

    Each frame's people are matched with those known, whose joints have moved on at constant velocity since they were
    last seen: first by OKS, with sigmas that grow with the time unseen, then those left over by the overlap of boxes;
    each time the assignment of the greatest sum. Who is left over gets the next number, from 1; none is given twice.
    It knows poses only, no looks: who comes back after `max_gap_s` is somebody new. Equal input gives equal output.

    Args:
        skeleton: whose sigmas OKS uses; the mean of COCO's where it has none.
        joint_threshold: joints of a lower score do not count in matching (unless a person has no better ones).
        max_gap_s: seconds that a person is remembered without being found; never less than one frame.
        smooth: how joints are steadied; None: they are given back as they are.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        joint_threshold: float = 0.05,
        max_gap_s: float = 1.0,
        smooth: Optional[OneEuro] = OneEuro(),  # noqa: B008 (it is frozen)
    ) -> None:
        self._sigmas, self._joint_threshold = sigmas_of(skeleton), joint_threshold
        self._max_gap_s, self._smooth = max_gap_s, smooth
        self._tracks: list[Track] = []
        self._given, self._last_s = 0, -np.inf

    def __call__(self, poses: FramePoses, time_s: float) -> FramePoses:
        """The same people in the same order, with `ids`, and with their joints smoothed.

        Args:
            poses: of the next frame.
            time_s: its time. If it is not later than the last frame's, another video has begun: nobody is known.
        """
        self._forget(time_s)
        joints_image = self._counted(poses)
        boxes_image = poses.boxes_image
        if boxes_image is None:
            boxes_image = np.reshape([joint_box(joints) for joints in joints_image], (-1, 4))
        found = self._matched(joints_image, boxes_image, time_s)
        tracks = [self._seen(found.get(i), joints_image[i], boxes_image[i], time_s) for i in range(len(poses))]
        smoothed = [track.smoothed(joints, time_s) for track, joints in zip(tracks, poses.people.joints_xy)]
        joints_xy = np.reshape(smoothed, poses.people.joints_xy.shape)
        ids = np.array([track.id for track in tracks], np.int64)
        return replace(poses, people=replace(poses.people, joints_xy=joints_xy), ids=ids)

    def _forget(self, time_s: float) -> None:
        """Leaves those who can still be known at this time."""
        if time_s <= self._last_s:
            self._tracks = []
        self._tracks = [t for t in self._tracks if t.last_s == self._last_s or time_s - t.last_s <= self._max_gap_s]
        for track in self._tracks:
            track.remember(track.last_s == self._last_s, time_s - self._last_s)
        self._last_s = time_s

    def _counted(self, poses: FramePoses) -> np.ndarray:
        """(P, K, 2) joints that count in matching; NaN for the others."""
        people = poses.people
        there = np.isfinite(people.joints_xy).all(axis=2)
        good = there & (people.joint_scores >= self._joint_threshold)
        counted = np.where(good.any(axis=1, keepdims=True), good, there)
        return np.where(counted[..., None], people.joints_xy, np.nan)

    def _matched(self, joints_image: np.ndarray, boxes_image: np.ndarray, time_s: float) -> dict[int, Track]:
        """Person -> who it is, for those who are known."""
        if not len(joints_image) or not self._tracks:
            return {}
        tracks = self._tracks
        shifts = np.array([track.shift(time_s) for track in tracks])
        gaps_s = np.array([time_s - track.last_s for track in tracks])
        known = np.array([track.joints_image for track in tracks]) + shifts[:, None]
        areas = np.array([area_of(joint_box(joints)) for joints in joints_image])
        sigmas = np.hypot(self._sigmas, DRIFT * gaps_s[:, None])
        likeness = oks(joints_image, known, areas, np.array([track.area for track in tracks]), sigmas)
        bonus = KNOWN_BONUS * np.array([track.presence for track in tracks])
        pairs = _assigned(likeness, LEAST_OKS, shares_in_common(joints_image, known), bonus)
        boxes = np.array([np.concatenate([t.box_image[:2] + move, t.box_image[2:]]) for t, move in zip(tracks, shifts)])
        overlap = overlaps(boxes_image, boxes)
        overlap[list(pairs)], overlap[:, list(pairs.values())] = 0, 0
        pairs.update(_assigned(overlap, LEAST_OVERLAP, np.ones(overlap.shape), bonus))
        return {person: tracks[number] for person, number in pairs.items()}

    def _seen(self, track: Optional[Track], joints_image: np.ndarray, box_image: np.ndarray, time_s: float) -> Track:
        if track is None:
            self._given += 1
            track = Track(self._given, joints_image, box_image, time_s, self._smooth)
            self._tracks.append(track)
        else:
            track.update(joints_image, box_image, time_s, self._max_gap_s)
        return track


def _assigned(likeness: np.ndarray, least: float, weight: np.ndarray, bonus: np.ndarray) -> dict[int, int]:
    """Row -> column of the assignment with the greatest weighted sum, without pairs below `least` (or NaN)."""
    from scipy.optimize import linear_sum_assignment

    allowed = likeness >= least
    rows, columns = linear_sum_assignment(np.where(allowed, likeness * weight + bonus, 0.0), maximize=True)
    return {int(row): int(column) for row, column in zip(rows, columns) if allowed[row, column]}
