"""Frozen, self-checking records of what COCO's evaluation is about: annotations, poses, and how they were come by.

Letters: P photos, M annotations, N boxes, D poses, K joints. `_image` is photo pixels, 0-based.
"""

from dataclasses import dataclass

import numpy as np

from paddle_pose.shapes import check_bool, check_shape

# The boxes of people in val2017 that HRNet's authors publish; other detectors' boxes are worth more or less.
DETECTOR_56 = "COCO_val2017_detections_AP_H_56_person.json"


@dataclass(frozen=True)
class CocoAnnotations:
    """All M annotations of one category in P photos, as pycocotools evaluates them. A few arrays, no dicts.

    Args:
        photo_ids: (P,) int64, the photos of the split, those without people too.
        image_ids: (M,) int64, the photo of each annotation.
        boxes_image: (M, 4) float64 left, top, width, height.
        areas_image: (M,) float64 square pixels of the person (not of the box).
        crowd: (M,) bool, a group: neither hit nor missed.
        keypoints_image: (M, K, 3) float64 x, y in 0-based photo pixels, and 0 not labelled, 1 hidden, 2 visible.
        num_keypoints: (M,) int64; an annotation with 0 is neither hit nor missed.
        category_id: of the category, in results files.
    """

    photo_ids: np.ndarray
    image_ids: np.ndarray
    boxes_image: np.ndarray
    areas_image: np.ndarray
    crowd: np.ndarray
    keypoints_image: np.ndarray
    num_keypoints: np.ndarray
    category_id: int

    def __post_init__(self) -> None:
        check_shape(self.keypoints_image, ("M", "K", 3), "keypoints_image")
        check_shape(self.boxes_image, (len(self.image_ids), 4), "boxes_image")
        check_bool(self.crowd, "crowd")
        for name in ("image_ids", "areas_image", "crowd", "num_keypoints"):
            check_shape(getattr(self, name), (len(self.keypoints_image),), name)


@dataclass(frozen=True)
class CocoTruth:
    """What the poses of N boxes are scored against by OKS: which box found which person is up to the evaluation.

    Args:
        annotations: of all photos of the split.
        image_ids: (N,) int64, the photo of each box.
        box_scores: (N,) float64; 1 for a ground-truth box.
        sizes_image_wh: (N, 2) float64 box, padding included, aspect not yet fixed.
        box_source: in words, to stand beside every number: "ground-truth boxes" or the detector's file.
        final: the poses are another system's results: `box_scores` are their scores, nothing is left out.
    """

    annotations: CocoAnnotations
    image_ids: np.ndarray
    box_scores: np.ndarray
    sizes_image_wh: np.ndarray
    box_source: str
    final: bool = False

    def __post_init__(self) -> None:
        check_shape(self.image_ids, ("N",), "image_ids")
        check_shape(self.box_scores, (len(self.image_ids),), "box_scores")
        check_shape(self.sizes_image_wh, (len(self.image_ids), 2), "sizes_image_wh")


@dataclass(frozen=True)
class CocoPoses:
    """D scored poses, as a COCO results file holds them.

    Args:
        image_ids: (D,) int64, the photo of each pose.
        keypoints_image: (D, K, 3) float64 x, y in 0-based photo pixels, and the joint's score; finite.
        scores: (D,) float64 of the whole pose; finite.
    """

    image_ids: np.ndarray
    keypoints_image: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        check_shape(self.keypoints_image, ("D", "K", 3), "keypoints_image")
        check_shape(self.image_ids, (len(self.keypoints_image),), "image_ids")
        check_shape(self.scores, (len(self.keypoints_image),), "scores")
