"""One person in each region of a picture: crops -> model -> joints in the picture's pixels."""

from collections.abc import Iterator, Sequence

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


class OnePersonEstimator:
    """Runs a model of one person on the regions of pictures.

    Args:
        model: finds one person in a crop.
        batch_size: crops that the model gets at once, of several pictures together.
        keep_maps: keep the model's maps of each person.
    """

    def __init__(self, model: PoseModel, batch_size: int, keep_maps: bool) -> None:
        self._model, self._batch_size = model, batch_size
        description = model.description
        self._map_from_crop = codec_of(description).map_from_crop if keep_maps else None
        metric = description.config.get("metric", {})
        self._above = metric.get("joint_score_above", JOINT_SCORE_ABOVE)

    def __call__(self, frames: Sequence[Frame], regions: Sequence[Regions]) -> list[FramePoses]:
        """Somebody in each region of each frame; best person first."""
        description = self._model.description
        matrices = [cropping.crop_matrices(found, description) for found in regions]
        crops = [(frame.image, matrix) for frame, of_frame in zip(frames, matrices) for matrix in of_frame]
        outputs = list(self._outputs(crops, description))
        poses, first = [], 0
        for found, of_frame in zip(regions, matrices):
            poses.append(self._poses(found, of_frame, outputs[first : first + len(found)]))
            first += len(found)
        return poses

    def _outputs(self, crops: list[tuple], description: Description) -> Iterator[tuple]:
        """(joints_crop, scores[, maps]) of each crop; only one batch of crops is held at a time."""
        wanted = ("joints", "scores", *(["maps"] if self._map_from_crop is not None else []))
        for first in range(0, len(crops), self._batch_size):
            batch = crops[first : first + self._batch_size]
            found = self._model(np.stack([cropping.cut(image, matrix, description) for image, matrix in batch]))
            yield from zip(*(np.asarray(found[name]) for name in wanted))

    def _poses(self, regions: Regions, crop_from_image: np.ndarray, outputs: list[tuple]) -> FramePoses:
        joints = len(self._model.description.skeleton)
        joints_crop = np.array([output[0] for output in outputs], np.float64).reshape(-1, joints, 2)
        joint_scores = np.array([output[1] for output in outputs], np.float64).reshape(-1, joints)
        image_from_crop = geometry.invert(crop_from_image)
        joints_image = geometry.apply(image_from_crop, joints_crop)
        scores = rescored(regions.scores, joint_scores, self._above)
        order = np.argsort(-scores, kind="stable")
        people = FoundPeople(joints_image[order], joint_scores[order], scores[order])
        maps = self._maps([outputs[row][2] for row in order], image_from_crop[order]) if self._keeps(outputs) else None
        return FramePoses(people, regions.boxes_image[order], maps=maps)

    def _keeps(self, outputs: list[tuple]) -> bool:
        return self._map_from_crop is not None and len(outputs) > 0

    def _maps(self, maps: list[np.ndarray], image_from_crop: np.ndarray) -> Maps:
        crop_from_map = geometry.invert(self._map_from_crop)
        image_from_map = np.array([geometry.chain(matrix, crop_from_map) for matrix in image_from_crop])
        joints = len(self._model.description.skeleton)  # a background's map comes after those of the joints
        return Maps(np.stack(maps)[:, :joints].astype(np.float32), image_from_map)
