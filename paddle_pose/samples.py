"""Frozen, self-checking records that pass between the stages of the pipeline.

Letters: N people, P other people of a photo, B batch, K joints, H W crop, h w map. Frames: `_image` photo pixels,
`_crop` network input pixels, `_map` output cells. Integer coordinate = pixel centre. See docs/coordinates.md.
"""

from dataclasses import dataclass
from typing import Optional

import numpy as np

from paddle_pose.coco_samples import CocoTruth
from paddle_pose.shapes import check_bool, check_shape


@dataclass(frozen=True)
class Sample:
    """One annotated person in one photo.

    Args:
        index: position in the dataset; predictions are written back in this order.
        image_path: file of the photo.
        joints_image: (K, 2) x, y in 0-based photo pixels; anything where not labelled.
        labelled: (K,) bool, True where the annotation gives the joint (the loss may see it).
        visible: (K,) bool, True where it is labelled and not occluded.
        center_image_xy: (2,) centre of the part of the photo to be cropped.
        size_image_wh: (2,) width and height of that part, the dataset's padding included, aspect not yet fixed.
        others_image: (P, K, 2) the joints of the other annotated people in the photo; None: not known.
        others_labelled: (P, K) bool, which of them the annotation gives.
        unknown_image: (H, W) uint8, above 0 on the photo's pixels of people of whom nobody says where their joints
            are (crowds, and people without keypoints); None: there are none, or it is not known.
        photo_wh: width and height of the photo by the annotations; a file of another size is refused. None: unknown.
    """

    index: int
    image_path: str
    joints_image: np.ndarray
    labelled: np.ndarray
    visible: np.ndarray
    center_image_xy: np.ndarray
    size_image_wh: np.ndarray
    others_image: Optional[np.ndarray] = None
    others_labelled: Optional[np.ndarray] = None
    unknown_image: Optional[np.ndarray] = None
    photo_wh: Optional[tuple[int, int]] = None

    def __post_init__(self) -> None:
        check_shape(self.joints_image, ("K", 2), "joints_image")
        check_shape(self.labelled, (len(self.joints_image),), "labelled")
        check_shape(self.visible, (len(self.joints_image),), "visible")
        check_bool(self.labelled, "labelled")
        check_bool(self.visible, "visible")
        check_shape(self.center_image_xy, (2,), "center_image_xy")
        check_shape(self.size_image_wh, (2,), "size_image_wh")
        if self.others_image is not None:
            check_shape(self.others_image, ("P", len(self.joints_image), 2), "others_image")
            check_shape(self.others_labelled, np.shape(self.others_image)[:2], "others_labelled")
            check_bool(self.others_labelled, "others_labelled")
        if self.unknown_image is not None:
            check_shape(self.unknown_image, ("H", "W"), "unknown_image")


@dataclass(frozen=True)
class Crop:
    """A network input and how it was cut from its photo.

    Args:
        image: (H, W, 3) uint8, RGB.
        joints_crop: (K, 2) float32, x, y in crop pixels.
        weight: (K,) float32, 0 for a joint that the loss must not see.
        crop_from_image: (2, 3) float64 affine matrix, mirror included.
        color_gain: (3,) float32 factor of each colour channel, 1 where colours are not jittered.
        others_crop: (P, K, 2) float32, the joints of the other people of the photo, many of them outside the crop;
            None: not known.
        others_weight: (P, K) float32, 0 for a joint without label.
        unknown_crop: (H, W) uint8, the sample's `unknown_image` in the crop; None: nothing is unknown.
        image_path: the photo file, for messages.
    """

    image: np.ndarray
    joints_crop: np.ndarray
    weight: np.ndarray
    crop_from_image: np.ndarray
    color_gain: np.ndarray
    others_crop: Optional[np.ndarray] = None
    others_weight: Optional[np.ndarray] = None
    unknown_crop: Optional[np.ndarray] = None
    image_path: str = ""

    def __post_init__(self) -> None:
        check_shape(self.image, ("H", "W", 3), "image")
        check_shape(self.joints_crop, ("K", 2), "joints_crop")
        check_shape(self.weight, (len(self.joints_crop),), "weight")
        check_shape(self.crop_from_image, (2, 3), "crop_from_image")
        check_shape(self.color_gain, (3,), "color_gain")
        if self.others_crop is not None:
            check_shape(self.others_crop, ("P", len(self.joints_crop), 2), "others_crop")
            check_shape(self.others_weight, np.shape(self.others_crop)[:2], "others_weight")
        if self.unknown_crop is not None:
            check_shape(self.unknown_crop, self.image.shape[:2], "unknown_crop")


@dataclass(frozen=True)
class Batch:
    """Crops stacked, as workers hand them to the device.

    Args:
        images: (B, H, W, 3) uint8, RGB; engine/prefetch.py makes it a tensor on the GPU.
        joints_crop: (B, K, 2) float32.
        weight: (B, K) float32.
        crop_from_image: (B, 2, 3) float64.
        color_gain: (B, 3) float32.
        index: (B,) int64 position of each sample in its dataset.
        image_paths: the B photo files, for messages.
        others_crop: (B, P, K, 2) float32, other people, P as many as the fullest photo of the batch has, or None.
        others_weight: (B, P, K) float32, 0 for joints without label and for people that only fill up.
        unknown_crop: (B, H, W) uint8, see `Crop`; None: nothing is unknown.
    """

    images: np.ndarray
    joints_crop: np.ndarray
    weight: np.ndarray
    crop_from_image: np.ndarray
    color_gain: np.ndarray
    index: np.ndarray
    image_paths: tuple[str, ...]
    others_crop: Optional[np.ndarray] = None
    others_weight: Optional[np.ndarray] = None
    unknown_crop: Optional[np.ndarray] = None

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class Predictions:
    """What a system says of the N people of a dataset, in the dataset's order.

    Args:
        joints_image: (N, K, 2) float64, x, y in 0-based photo pixels.
        scores: (N, K) float32 confidence.
    """

    joints_image: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        check_shape(self.joints_image, ("N", "K", 2), "joints_image")
        check_shape(self.scores, np.shape(self.joints_image)[:2], "scores")


@dataclass(frozen=True)
class FoundPeople:
    """The P people that a system found in one photo, best first.

    Args:
        joints_xy: (P, K, 2) float64 x, y; NaN for a joint that was not found. In crop pixels as a codec gives them, in
            photo pixels (`_image`) as an estimator does.
        joint_scores: (P, K) float64, 0 for a joint that was not found.
        scores: (P,) float64 of the whole person.
    """

    joints_xy: np.ndarray
    joint_scores: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        check_shape(self.joints_xy, ("P", "K", 2), "joints_xy")
        check_shape(self.joint_scores, np.shape(self.joints_xy)[:2], "joint_scores")
        check_shape(self.scores, (len(self.joints_xy),), "scores")

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True)
class Truth:
    """What the N people of a dataset are scored against.

    Args:
        joints_image: (N, K, 2) float64, x, y in 0-based photo pixels.
        labelled: (N, K) bool, False where a joint must not be scored; everywhere, if the boxes are a detector's.
        head_size_image: (N,) length that PCKh divides by, in photo pixels; None where the dataset has none.
        coco: what AP is computed from; None where the dataset has no such annotations.
        everybody: for each of the N photos the (P, K, 2) joints of all its people; None where a row is a person.
    """

    joints_image: np.ndarray
    labelled: np.ndarray
    head_size_image: Optional[np.ndarray] = None
    coco: Optional[CocoTruth] = None
    everybody: Optional[tuple[np.ndarray, ...]] = None

    def __post_init__(self) -> None:
        check_shape(self.joints_image, ("N", "K", 2), "joints_image")
        check_shape(self.labelled, np.shape(self.joints_image)[:2], "labelled")
        check_bool(self.labelled, "labelled")
        if self.head_size_image is not None:
            check_shape(self.head_size_image, (len(self.joints_image),), "head_size_image")
        if self.coco is not None:
            check_shape(self.coco.image_ids, (len(self.joints_image),), "coco.image_ids")


@dataclass(frozen=True)
class Report:
    """A metric's result.

    Args:
        values: name -> percentage, as in the `[EVAL]` line.
        rows: table for people: row name -> {column name -> percentage}.
        rules: one line that defines the number: threshold, inequality, mean rule, normalising length.
        condition: what must stand beside each number where it is compared, e.g. whose boxes; may be empty.
    """

    values: dict[str, float]
    rows: dict[str, dict[str, float]]
    rules: str
    condition: str = ""
