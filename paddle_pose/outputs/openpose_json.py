"""OpenPose's JSON: one file for each picture, with OpenPose's own names and layout.

Format: OpenPose's documentation, doc/02_output.md, version 1.3. `openpose/<stem>_keypoints.json` for a photo,
`openpose/<stem>_000000000000_keypoints.json` for the frames of a video, counted from 0. Each person has x, y, score of
every joint, 0, 0, 0 for one that was not found; lists of what is not looked for (face, hands, 3D) are empty.
"""

import json
from pathlib import Path
from typing import Any, Optional

import numpy as np

from paddle_pose.atomic_files import written_beside
from paddle_pose.data.derived_joints import found_from_annotated
from paddle_pose.frames import Frame, FramePoses
from paddle_pose.outputs.names import OutputNames
from paddle_pose.outputs.numbers import triples
from paddle_pose.outputs.writer import PoseWriter
from paddle_pose.skeletons import COCO_17, OPENPOSE_18, Skeleton

FOLDER = "openpose"
_VERSION = 1.3
_NOT_LOOKED_FOR = {
    f"{part}_keypoints_{form}": []
    for form in ("2d", "3d")
    for part in ("pose", "face", "hand_left", "hand_right")
    if (part, form) != ("pose", "2d")
}


class OpenPoseWriter(PoseWriter):
    """Writes a file for each picture, also for one without people.

    COCO's 17 joints are written as OpenPose's 18 of its COCO model, whose neck is the middle of the shoulders; other
    skeletons in their own order.

    Args:
        save_dir: folder in which the folder `openpose` is made.
        skeleton: of the people to come.
        names: of the run's outputs.
    """

    def __init__(self, save_dir: Path, skeleton: Skeleton, names: OutputNames) -> None:
        self._folder, self._names = save_dir / FOLDER, names
        self._add_neck = skeleton.joints == COCO_17.joints

    def add(self, frame: Frame, poses: FramePoses) -> None:
        """Writes the picture's file."""
        joints_image, scores = poses.people.joints_xy, poses.people.joint_scores
        if self._add_neck:
            joints_image, scores = found_from_annotated(OPENPOSE_18, joints_image, scores)
        ids = [None] * len(poses) if poses.ids is None else poses.ids.tolist()
        people = [_person(*person) for person in zip(joints_image, scores, ids)]
        number = "" if frame.time_s is None else f"_{frame.index:012d}"
        path = self._folder / f"{self._names.stem(frame.source)}{number}_keypoints.json"
        with written_beside(path) as beside:
            beside.write_text(json.dumps({"version": _VERSION, "people": people}, allow_nan=False), encoding="utf-8")


def _person(joints_image: np.ndarray, scores: np.ndarray, person_id: Optional[int]) -> dict[str, Any]:
    number = -1 if person_id is None else person_id  # OpenPose's own for somebody who is not tracked
    return {"person_id": [number], "pose_keypoints_2d": triples(joints_image, scores), **_NOT_LOOKED_FOR}
