"""pycocotools' keypoint evaluation on arrays.

Source: pycocotools `COCOeval(..., "keypoints")`: OKS thresholds 0.50, 0.55, ... 0.95, recall at 101 points, at
most 20 poses a photo; medium people have an area of 32^2 to 96^2 pixels, large ones more. Small people and
annotations without keypoints are neither hit nor missed.

Annotations are numbered from 1 here: pycocotools takes a match with the annotation of id 0 for no match.
"""

import contextlib
import io
from collections.abc import Sequence

import numpy as np

from paddle_pose.coco_samples import CocoAnnotations, CocoPoses

NAMES = ("AP", "AP50", "AP75", "APM", "APL", "AR", "AR50", "AR75", "ARM", "ARL")
THRESHOLDS = tuple(percent / 100 for percent in range(50, 100, 5))  # of OKS
MEDIUM_AREA, LARGE_AREA = 32**2, 96**2


def summary(annotations: CocoAnnotations, poses: CocoPoses, sigmas: Sequence[float]) -> dict[str, float]:
    """Percentages by `NAMES`; NaN where pycocotools says -1: the ground truth has nobody of that size.

    Args:
        annotations: the ground truth.
        poses: what was found; without any, every score is 0.
        sigmas: K constants of the joints.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = _evaluation(annotations, poses, sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {name: _percent(value) for name, value in zip(NAMES, evaluation.stats)}


def by_threshold(annotations: CocoAnnotations, poses: CocoPoses, sigmas: Sequence[float]) -> dict[str, np.ndarray]:
    """AP and AR at each OKS threshold of `THRESHOLDS`, (10,) percent each, people of all sizes; their means are AP, AR.

    Arguments as `summary`.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = _evaluation(annotations, poses, sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
    precision, recall = evaluation.eval["precision"][:, :, 0, 0, 0], evaluation.eval["recall"][:, 0, 0, 0]
    series = {"AP": precision.mean(axis=1), "AR": recall}
    return {name: np.where(values > -1, 100.0 * values, np.nan) for name, values in series.items()}


def _percent(value: float) -> float:
    return 100.0 * float(value) if value > -1 else float("nan")


def _evaluation(annotations: CocoAnnotations, poses: CocoPoses, sigmas: Sequence[float]):
    """A COCOeval, not yet run."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": int(photo_id)} for photo_id in annotations.photo_ids],
        "categories": [{"id": annotations.category_id}],
        "annotations": _truth_entries(annotations),
    }
    truth.createIndex()
    found = truth.loadRes(_found_entries(poses, annotations.category_id)) if len(poses.scores) else _nothing(truth)
    evaluation = COCOeval(truth, found, "keypoints")
    evaluation.params.kpt_oks_sigmas = np.asarray(sigmas, np.float64)
    return evaluation


def _nothing(truth):
    """Results without an entry, which `loadRes` does not take."""
    from pycocotools.coco import COCO

    found = COCO()
    found.dataset = {**truth.dataset, "annotations": []}
    found.createIndex()
    return found


def _truth_entries(annotations: CocoAnnotations) -> list[dict]:
    return [
        {
            "id": number + 1,
            "image_id": int(annotations.image_ids[number]),
            "category_id": annotations.category_id,
            "bbox": annotations.boxes_image[number].tolist(),
            "area": float(annotations.areas_image[number]),
            "iscrowd": int(annotations.crowd[number]),
            "keypoints": annotations.keypoints_image[number].ravel().tolist(),
            "num_keypoints": int(annotations.num_keypoints[number]),
        }
        for number in range(len(annotations.image_ids))
    ]


def _found_entries(poses: CocoPoses, category_id: int) -> list[dict]:
    keypoints = poses.keypoints_image.reshape(len(poses.scores), -1).tolist()
    return [
        {"image_id": image_id, "category_id": category_id, "keypoints": flat, "score": score}
        for image_id, flat, score in zip(poses.image_ids.tolist(), keypoints, poses.scores.tolist())
    ]
