"""Everybody in a picture, by a bottom-up model: the pyramid and the grouping of engine/people_estimator.py."""

from collections.abc import Sequence

import numpy as np
import paddle

from paddle_pose.builder import photo_side
from paddle_pose.config import check_config
from paddle_pose.data.photo_pyramid import PhotoPyramid
from paddle_pose.engine.people_estimator import PeopleInMaps
from paddle_pose.frames import Frame, FramePoses, Maps
from paddle_pose.prediction.pose_model import PoseModel, codec_of


class EverybodyEstimator:
    """Finds the people of pictures by the maps of a model, as `valid` of its configuration says.

    Args:
        model: gives the maps of whole photos.
        batch_size: squares of `valid.photo_side` that the model gets at once.
        keep_maps: keep the maps of each picture.
    """

    def __init__(self, model: PoseModel, batch_size: int, keep_maps: bool) -> None:
        self._model, self._keep_maps = model, keep_maps
        description = model.description
        config = check_config(description.config, "deploy.yaml")
        valid = config.valid
        pyramid = PhotoPyramid(
            photo_side(config), valid.photo_fit, valid.test_scales, description.stride, description.border
        )
        self._estimator = PeopleInMaps(self._maps_of, codec_of(description), pyramid, batch_size)

    def __call__(self, frames: Sequence[Frame]) -> list[FramePoses]:
        """Everybody in each frame, best person first."""
        if self._keep_maps:
            return [self._with_maps(frame) for frame in frames]
        found = dict(self._estimator.many(frame.image for frame in frames))
        return [FramePoses(found[index]) for index in range(len(frames))]

    def _maps_of(self, images: np.ndarray) -> paddle.Tensor:
        return paddle.to_tensor(self._model(images)["maps"])

    def _with_maps(self, frame: Frame) -> FramePoses:
        people, maps, image_from_map = self._estimator.with_maps(frame.image)
        skeleton = self._model.description.skeleton
        fields, joints = np.split(maps[: 2 * len(skeleton.limbs) + len(skeleton)], [2 * len(skeleton.limbs)])
        return FramePoses(people, maps=Maps(joints[None], image_from_map[None], fields[None]))
