"""COCO's AP and AR of keypoints as a metric: from network outputs in boxes to scored poses, then pycocotools.

The steps are those of HRNet's `lib/dataset/coco.py`: score = box score x mean joint score above 0.2; OKS-NMS photo
by photo with the areas of the padded boxes; all photos of the split are scored, those without poses too.

Differs from other code: values are percentages (pycocotools prints 0 to 1), and whose boxes were used stands
beside them: ground-truth boxes give about two points of AP more than a detector's.
"""

from typing import Literal

import numpy as np

from paddle_pose import geometry
from paddle_pose.coco_samples import CocoAnnotations, CocoPoses, CocoTruth
from paddle_pose.errors import ConfigError, DataError
from paddle_pose.metrics import coco_joints, coco_scores, oks
from paddle_pose.registry import METRICS
from paddle_pose.samples import Predictions, Report, Truth
from paddle_pose.skeletons import COCO_17, Skeleton

_SUPPRESSION = {"oks": oks.suppress, "soft_oks": oks.suppress_softly}


@METRICS.register("COCOKeypoints")
class COCOKeypoints:
    """AP, AP50, AP75, APM, APL, AR, AR50, AR75, ARM, ARL, and the AP of each joint alone in the table.

    Args:
        skeleton: of both predictions and truth; it needs `oks_sigmas`.
        input_wh: network input; its aspect is that of the areas which OKS-NMS divides by.
        nms: how double finds are suppressed: 'oks', 'soft_oks' or 'none'.
        nms_threshold: OKS above which a pose is a double find; HRNet's is 0.9.
        joint_score_above: joints of lower score do not count in a pose's score; HRNet's is 0.2.
        per_joint: whether the table has the AP of each joint.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        input_wh: tuple[int, int],
        nms: Literal["oks", "soft_oks", "none"] = "oks",
        nms_threshold: float = 0.9,
        joint_score_above: float = 0.2,
        per_joint: bool = True,
    ) -> None:
        if skeleton.oks_sigmas is None:
            raise ConfigError(
                f"COCOKeypoints: the skeleton {skeleton.name} has no OKS sigmas; set dataset.skeleton.sigmas, one for "
                "each joint, or a single number as 0.05 for all, whose AP is not comparable with that of other sigmas"
            )
        if len(skeleton.oks_sigmas) != len(skeleton):
            raise ConfigError(
                f"COCOKeypoints: the skeleton {skeleton.name} has {len(skeleton.oks_sigmas)} OKS sigmas for "
                f"{len(skeleton)} joints; give it one for each joint"
            )
        if not nms_threshold > 0:
            raise ConfigError(f"COCOKeypoints: nms_threshold={nms_threshold:g} must be above 0; HRNet's is 0.9")
        self.skeleton, self._input_wh = skeleton, tuple(input_wh)
        self._nms, self._nms_threshold, self._above = nms, nms_threshold, joint_score_above
        self._per_joint = per_joint

    def value_names(self) -> tuple[str, ...]:
        """AP to ARL."""
        return coco_scores.NAMES

    def check(self, truth: Truth) -> None:
        """DataError unless the truth has COCO's annotations, of these joints."""
        if truth.coco is None:
            raise DataError("COCOKeypoints needs annotations in COCO's format: use dataset.type=COCO or COCOPhotos")
        joints = truth.coco.annotations.keypoints_image.shape[1]
        if joints != len(self.skeleton):
            raise DataError(f"the ground truth has {joints} joints, but {self.skeleton.name} has {len(self.skeleton)}")

    def __call__(self, predictions: Predictions, truth: Truth) -> Report:
        """Values in percent, NaN for sizes that the ground truth does not have."""
        poses = self.poses(predictions, truth)
        annotations, sigmas = truth.coco.annotations, self.skeleton.oks_sigmas
        values = coco_scores.summary(annotations, poses, sigmas)
        rows = {truth.coco.box_source: dict(values)}
        if self._per_joint:
            each = coco_joints.joint_average_precisions(annotations, poses, sigmas)
            rows.update({joint: {"AP": float(value)} for joint, value in zip(self.skeleton.joints, each)})
        return Report(values, rows, self._rules(predictions, truth.coco, len(poses.scores)), truth.coco.box_source)

    def poses(self, predictions: Predictions, truth: Truth) -> CocoPoses:
        """What is scored, and what a results file holds: rescored, double finds left out, photo by photo.

        Joints that are not finite are put at (0, 0) with score 0, as COCO writes a joint that is not there.
        """
        self.check(truth)
        people, joints = len(truth.coco.image_ids), len(self.skeleton)
        if np.shape(predictions.scores) != (people, joints):
            found = " x ".join(str(length) for length in np.shape(predictions.scores))
            raise DataError(f"predictions of {found} joints, but there are {people} boxes of {joints}: wrong split?")
        poses = _finite(predictions, truth.coco)
        if truth.coco.final:
            return poses
        scores = oks.rescored(poses.scores, poses.keypoints_image[..., 2], self._above)
        poses = CocoPoses(poses.image_ids, poses.keypoints_image, scores)
        return poses if self._nms == "none" else self._suppressed(poses, truth.coco.sizes_image_wh)

    def _suppressed(self, poses: CocoPoses, sizes_image_wh: np.ndarray) -> CocoPoses:
        areas = np.array([geometry.fix_aspect(size, self._input_wh).prod() for size in sizes_image_wh])
        suppress, kept = _SUPPRESSION[self._nms], []
        order = np.argsort(poses.image_ids, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(poses.image_ids[order])) + 1):
            joints_image, scores = poses.keypoints_image[rows, :, :2], poses.scores[rows]
            some = suppress(joints_image, areas[rows], scores, self.skeleton.oks_sigmas, self._nms_threshold)
            kept.append(rows[some])
        rows = np.concatenate(kept)
        return CocoPoses(poses.image_ids[rows], poses.keypoints_image[rows], poses.scores[rows])

    def _rules(self, predictions: Predictions, truth: CocoTruth, kept: int) -> str:
        annotations, count = truth.annotations, len(truth.image_ids)
        labelled = (annotations.num_keypoints > 0) & ~annotations.crowd
        parts = [
            "AP, AR in percent by pycocotools: OKS 0.50, 0.55, ... 0.95, at most 20 poses a photo, "
            f"{len(annotations.photo_ids)} photos, {int(labelled.sum())} people with keypoints",
            truth.box_source,
            *self._sigmas(),
            *self._scoring(truth, count, kept),
        ]
        if self._per_joint:
            parts.append("rows of joints = AP of that joint alone, over the people with a label for it")
        lost = int((~_is_finite(predictions)).sum())
        if lost:
            parts.append(f"{lost} joints are not finite numbers: put at (0, 0)")
        return "; ".join([*parts, *_missing_sizes(annotations, labelled)])

    def _sigmas(self) -> list[str]:
        """How strict OKS is, where it is not as strict as on COCO."""
        sigmas = self.skeleton.oks_sigmas
        if sigmas == COCO_17.oks_sigmas:
            return []
        used = f"{sigmas[0]:g} for every joint" if len(set(sigmas)) == 1 else f"{min(sigmas):g} to {max(sigmas):g}"
        return [f"OKS sigmas of {self.skeleton.name}: {used}; AP of other sigmas is not comparable"]

    def _scoring(self, truth: CocoTruth, count: int, kept: int) -> list[str]:
        if truth.final:
            return ["scores as given, nothing left out"]
        score = f"score = box score x mean of the joint scores above {self._above:g}"
        names = {"none": "no NMS", "oks": "OKS-NMS", "soft_oks": "soft OKS-NMS"}
        if self._nms == "none":
            return [score, names[self._nms]]
        return [score, f"{names[self._nms]} at {self._nms_threshold:g}: {kept} of {count} poses kept"]


def _is_finite(predictions: Predictions) -> np.ndarray:
    """(N, K) bool: position and score of the joint are numbers."""
    return np.isfinite(predictions.joints_image).all(axis=-1) & np.isfinite(predictions.scores)


def _finite(predictions: Predictions, truth: CocoTruth) -> CocoPoses:
    # pycocotools takes a NaN for a hit: NaN is not below its threshold.
    keypoints = np.concatenate([predictions.joints_image, predictions.scores[..., None]], axis=-1, dtype=np.float64)
    keypoints = np.where(_is_finite(predictions)[..., None], keypoints, 0.0)
    return CocoPoses(truth.image_ids, keypoints, np.asarray(truth.box_scores, np.float64))


def _missing_sizes(annotations: CocoAnnotations, labelled: np.ndarray) -> list[str]:
    """Why values are missing, if they are."""
    areas = annotations.areas_image[labelled]
    if not len(areas):
        return ["the annotation file has no keypoints: nothing can be scored"]
    medium, large = coco_scores.MEDIUM_AREA, coco_scores.LARGE_AREA
    sizes = {
        "medium person (area 32^2 to 96^2 pixels): APM, ARM": (areas >= medium) & (areas <= large),
        "large person (area above 96^2 pixels): APL, ARL": areas >= large,
    }
    return [f"no {size} do not exist" for size, found in sizes.items() if not found.any()]
