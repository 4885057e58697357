"""What passes between the parts of a prediction: a picture, and who was found in it.

Way: source -> Frame -> [crops -> model] -> FramePoses -> tracker -> writers. Letters and frames of coordinates as in
samples.py; M is the number of inputs that a model saw of a picture: one for each person, or one for everybody.
"""

from dataclasses import dataclass
from typing import Optional

import numpy as np

from paddle_pose.samples import FoundPeople
from paddle_pose.shapes import check_shape


@dataclass(frozen=True)
class Frame:
    """One picture of a source.

    Args:
        source: what the user named: the path of a photo or of a video, or `camera 0`.
        index: number of the picture in its source, from 0; 0 for a photo.
        image: (H, W, 3) uint8, RGB, as a person sees it: turned by its orientation tag.
        time_s: seconds since the source began; None for a photo.
    """

    source: str
    index: int
    image: np.ndarray
    time_s: Optional[float] = None

    def __post_init__(self) -> None:
        check_shape(self.image, ("H", "W", 3), "image")


@dataclass(frozen=True)
class Maps:
    """What a network of maps said, for pictures of it.

    Args:
        joints: (M, K, h, w) float32, one map for each joint.
        fields: (M, 2 L, h, w) float32, x and y of each limb's affinity; None where the network has none.
        image_from_map: (M, 2, 3) float64, from cells to photo pixels.
    """

    joints: np.ndarray
    image_from_map: np.ndarray
    fields: Optional[np.ndarray] = None

    def __post_init__(self) -> None:
        check_shape(self.joints, ("M", "K", "h", "w"), "joints")
        check_shape(self.image_from_map, (len(self.joints), 2, 3), "image_from_map")


@dataclass(frozen=True)
class FramePoses:
    """Who was found in one picture.

    Args:
        people: joints in the picture's pixels, best person first.
        boxes_image: (P, 4) left, top, width, height in which each person was looked for; None where everybody was
            looked for at once.
        ids: (P,) int64, who is who from picture to picture, from 1; None without a tracker.
        maps: kept on request only.
    """

    people: FoundPeople
    boxes_image: Optional[np.ndarray] = None
    ids: Optional[np.ndarray] = None
    maps: Optional[Maps] = None

    def __post_init__(self) -> None:
        if self.boxes_image is not None:
            check_shape(self.boxes_image, (len(self.people), 4), "boxes_image")
        if self.ids is not None:
            check_shape(self.ids, (len(self.people),), "ids")

    def __len__(self) -> int:
        return len(self.people)
