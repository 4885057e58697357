"""What a network gets of a user's photos: the inputs by which an int8 model is calibrated.

They are those of `Predictor`, to the byte, as it makes them itself: only its model is one that writes down what it is
shown and finds nobody.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Union

import numpy as np

from paddle_pose.builder import Parts
from paddle_pose.prediction.pose_model import EagerModel
from paddle_pose.prediction.predictor import Predictor

MOST = 200  # photos, and inputs: more make the export longer, not the model better


class _Recorder:
    """A model that keeps its inputs, each (1, H, W, 3) uint8 RGB, in `seen`."""

    def __init__(self, parts: Parts) -> None:
        self.description = EagerModel(parts).description
        self.seen: list[np.ndarray] = []
        self._channels = parts.codec.output_shape(len(parts.skeleton))[0]

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        self.seen += np.split(images, len(images))
        count, joints, stride = len(images), len(self.description.skeleton), self.description.stride
        if self.description.finds == "everybody":
            height, width = (side // stride for side in images.shape[1:3])
            return {"maps": np.zeros((count, self._channels, height, width), np.float32)}
        return {"joints": np.zeros((count, joints, 2), np.float32), "scores": np.zeros((count, joints), np.float32)}


def network_inputs(
    parts: Parts, photos: Sequence[str], boxes: Union[str, Path, None] = None, most: int = MOST
) -> list[np.ndarray]:
    """The inputs that prediction makes of photos.

    Args:
        parts: network, codec and configuration.
        photos: files; of many, some are taken, evenly spread.
        boxes: a COCO results file with the people in them; None: one person in the whole photo, or everybody.
        most: photos, and inputs.

    Returns:
        Up to `most` arrays (1, H, W, 3) uint8 RGB; crops of `input_wh`, or photos of everybody.

    Raises:
        DataError: a photo cannot be read, or the boxes.
        ConfigError: boxes, for a network that finds everybody.
    """
    recorder = _Recorder(parts)
    predictor = Predictor(recorder, boxes=boxes, batch_size=1)
    for photo in _spread(photos, most):
        predictor(photo)
    return _spread(recorder.seen, most)


def _spread(items: Sequence, most: int) -> list:
    count = min(len(items), most)
    return [items[number * len(items) // count] for number in range(count)]
