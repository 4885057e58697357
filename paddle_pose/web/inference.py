"""From the bytes of a photo to what the page shows. Knows nothing of the page."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Optional, Protocol

import numpy as np

from paddle_pose.frames import Frame, FramePoses
from paddle_pose.outputs.coco_json import RESULTS, CocoWriter
from paddle_pose.outputs.drawing import Drawing
from paddle_pose.outputs.names import OutputNames
from paddle_pose.outputs.openpose_json import FOLDER, OpenPoseWriter
from paddle_pose.outputs.writer import Writers
from paddle_pose.skeletons import Skeleton
from paddle_pose.web.limits import Limits, checked_photo

SOURCE = "photo"  # stands in the JSON where a file name would


class PosePredictor(Protocol):
    """What is needed of `paddle_pose.Predictor`."""

    skeleton: Skeleton

    def __call__(self, photo: np.ndarray) -> FramePoses:
        """(H, W, 3) uint8 RGB -> who is in it."""


@dataclass(frozen=True)
class DrawingOptions:
    """How people are drawn.

    Args:
        colors: of limbs: one for each limb, for each side of the body, or for each person.
        joint_threshold: joints of a lower score are left out of the pictures, not of the JSON.
    """

    colors: Literal["limb", "side", "person"] = "limb"
    joint_threshold: float = 0.3


@dataclass(frozen=True)
class Answer:
    """What the page shows of a photo.

    Args:
        pose: (H, W, 3) uint8 RGB, the photo with the people drawn.
        heatmaps: the same with the joints' maps over it; None where the network has none.
        fields: the same with the limbs' affinity fields; None where the network has none.
        coco: text of COCO's results.
        openpose: text of OpenPose's JSON.
        summary: one line.
    """

    pose: np.ndarray
    heatmaps: Optional[np.ndarray]
    fields: Optional[np.ndarray]
    coco: str
    openpose: str
    summary: str


def answer(content: bytes, predictor: PosePredictor, options: DrawingOptions, limits: Limits) -> Answer:
    """Finds the people of a photo.

    Args:
        content: of the photo's file, from anybody.
        predictor: finds people; its maps are shown where it keeps them.
        options: how they are drawn.
        limits: of the photo.

    Raises:
        DataError: the photo cannot be used; the message names no path.
    """
    frame = Frame(SOURCE, 0, checked_photo(content, limits))
    started = time.perf_counter()
    poses = predictor(frame.image)
    seconds = time.perf_counter() - started
    skeleton, maps = predictor.skeleton, poses.maps
    coco, openpose = _json_texts(frame, poses, skeleton)
    return Answer(
        pose=_drawn(frame, poses, skeleton, options),
        heatmaps=None if maps is None else _maps(frame, poses, skeleton, "heatmaps"),
        fields=None if maps is None or maps.fields is None else _maps(frame, poses, skeleton, "fields"),
        coco=coco,
        openpose=openpose,
        summary=_summary(frame, poses, options, seconds),
    )


def _drawn(frame: Frame, poses: FramePoses, skeleton: Skeleton, options: DrawingOptions) -> np.ndarray:
    return Drawing(skeleton, options.joint_threshold, colors=options.colors, show_ids=False)(frame, poses)


def _maps(frame: Frame, poses: FramePoses, skeleton: Skeleton, overlay: Literal["heatmaps", "fields"]) -> np.ndarray:
    """The photo with maps over it and nobody drawn over these."""
    return Drawing(skeleton, joint_threshold=np.inf, overlay=overlay, show_ids=False)(frame, poses)


def _json_texts(frame: Frame, poses: FramePoses, skeleton: Skeleton) -> tuple[str, str]:
    """What predict.py would write: COCO's results file and OpenPose's file of this picture."""
    with tempfile.TemporaryDirectory() as folder:
        coco, openpose = CocoWriter(Path(folder), skeleton), OpenPoseWriter(Path(folder), skeleton, OutputNames())
        with Writers([coco, openpose]) as writers:
            writers.add(frame, poses)
        (people,) = Path(folder, FOLDER).iterdir()
        return Path(folder, RESULTS).read_text(encoding="utf-8"), people.read_text(encoding="utf-8")


def _summary(frame: Frame, poses: FramePoses, options: DrawingOptions, seconds: float) -> str:
    height, width = frame.image.shape[:2]
    sure = int((poses.people.joint_scores >= options.joint_threshold).sum())
    found = {0: "Nobody", 1: "One person"}.get(len(poses), f"{len(poses)} people")
    joints = f", {sure} joints of score {options.joint_threshold:g} or more" if len(poses) else ""
    return f"{found} in {width} x {height} pixels{joints}; the network took {seconds:.2f} s."
