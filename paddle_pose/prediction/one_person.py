"""One person in each region of a picture: crops -> model -> joints in the picture's pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np

from paddle_pose import geometry
from paddle_pose.deployment.description import Description
from paddle_pose.frames import Frame, FramePoses, Maps
from paddle_pose.metrics.oks import rescored
from paddle_pose.prediction import cropping
from paddle_pose.prediction.cropping import Regions
from paddle_pose.prediction.pose_model import PoseModel, codec_of
from paddle_pose.samples import FoundPeople

JOINT_SCORE_ABOVE = 0.2  # where the metric of the configuration does not say


@dataclass(frozen=True)
class Seen:
    """What a model saw in the P regions of one picture, in their order.

    Args:
        joints_image: (P, K, 2) float64.
        joint_scores: (P, K) float64.
        maps: (P, C, h, w), or None.
        image_from_crop: (P, 2, 3).
    """

    joints_image: np.ndarray
    joint_scores: np.ndarray
    maps: Optional[np.ndarray]
    image_from_crop: np.ndarray


class OnePersonEstimator:
    """Runs a model of one person on the regions of pictures.

    Args:
        model: finds one person in a crop.
        batch_size: crops that the model gets at once, of several pictures together.
        keep_maps: keep the model's maps of each person.
    """

    def __init__(self, model: PoseModel, batch_size: int, keep_maps: bool) -> None:
        self._model, self._batch_size = model, batch_size
        self._map_from_crop = codec_of(model.description).map_from_crop if keep_maps else None
        self._wanted = ("joints", "scores", *(["maps"] if keep_maps else []))

    def __call__(self, frames: Sequence[Frame], regions: Sequence[Regions]) -> list[FramePoses]:
        """Somebody in each region of each frame; best person first."""
        return [self._poses(found, seen) for found, seen in zip(regions, self.look(frames, regions))]

    def look(self, frames: Sequence[Frame], regions: Sequence[Regions]) -> list[Seen]:
        """What the model sees in all regions of each frame."""
        description = self._model.description
        matrices = [cropping.crop_matrices(found, description) for found in regions]
        crops = [(frame.image, matrix) for frame, of_frame in zip(frames, matrices) for matrix in of_frame]
        outputs = list(self._outputs(crops, description))
        ends = np.cumsum([len(of_frame) for of_frame in matrices])
        joints = len(description.skeleton)
        return [_seen(outputs[end - len(of_frame) : end], of_frame, joints) for end, of_frame in zip(ends, matrices)]

    def _outputs(self, crops: list[tuple], description: Description) -> Iterator[tuple]:
        """(joints_crop, scores[, maps]) of each crop; only one batch of crops is held at a time."""
        for first in range(0, len(crops), self._batch_size):
            batch = crops[first : first + self._batch_size]
            found = self._model(np.stack([cropping.cut(image, matrix, description) for image, matrix in batch]))
            yield from zip(*(np.asarray(found[name]) for name in self._wanted))

    def _poses(self, regions: Regions, seen: Seen) -> FramePoses:
        people, order = scored_people(regions, seen, self._model.description)
        return FramePoses(people, regions.boxes_image[order], maps=self._maps(seen, order))

    def _maps(self, seen: Seen, order: np.ndarray) -> Optional[Maps]:
        if seen.maps is None:
            return None
        crop_from_map = geometry.invert(self._map_from_crop)
        image_from_map = np.array([geometry.chain(matrix, crop_from_map) for matrix in seen.image_from_crop[order]])
        joints = len(self._model.description.skeleton)  # a background's map comes after those of the joints
        return Maps(seen.maps[order, :joints], image_from_map)


def scored_people(regions: Regions, seen: Seen, description: Description) -> tuple[FoundPeople, np.ndarray]:
    """People with the scores that COCO's metric gives them, best first, and which region each is from."""
    above = description.config.get("metric", {}).get("joint_score_above", JOINT_SCORE_ABOVE)
    scores = rescored(regions.scores, seen.joint_scores, above)
    order = np.argsort(-scores, kind="stable")
    return FoundPeople(seen.joints_image[order], seen.joint_scores[order], scores[order]), order


def _seen(outputs: list[tuple], crop_from_image: np.ndarray, joints: int) -> Seen:
    joints_crop = np.array([output[0] for output in outputs], np.float64).reshape(-1, joints, 2)
    joint_scores = np.array([output[1] for output in outputs], np.float64).reshape(-1, joints)
    maps = np.stack([output[2] for output in outputs]).astype(np.float32) if outputs and len(outputs[0]) > 2 else None
    image_from_crop = geometry.invert(crop_from_image)
    return Seen(geometry.apply(image_from_crop, joints_crop), joint_scores, maps, image_from_crop)
