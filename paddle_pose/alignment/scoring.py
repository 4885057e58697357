"""The metric rung: both sides' outputs through our codec, and both scored by our metric against one made-up truth."""

from collections.abc import Mapping
from typing import Optional

import numpy as np
import paddle

from paddle_pose.alignment.rungs import Arrays, Row, judge, relative, skipped
from paddle_pose.builder_data import build_metric
from paddle_pose.coco_samples import CocoAnnotations, CocoTruth
from paddle_pose.config import Config
from paddle_pose.errors import DataError
from paddle_pose.interfaces import Codec
from paddle_pose.samples import Predictions, Truth

SPREAD = 0.05  # of the made-up truth around the reference's joints, in input widths: some are hits, some are not


def metric_rows(ours: Arrays, theirs: Arrays, config: Config, codec: Codec, limits: Mapping[str, float]) -> list[Row]:
    """Decoded joints, and the values of the configuration's metric.

    Args:
        ours, theirs: entries of the forward rung; the last float32 output is decoded.
        config: names the metric.
        codec: for crops of the recording's size.
        limits: thresholds by precision.
    """
    last = [name for name in theirs if not name.endswith("_float64")][-1]
    here, there = _decoded(ours[last], codec), _decoded(theirs[last], codec)
    found = {"joints": relative(here.joints_image, there.joints_image)}
    count = f"{found['joints'][..., 0].size} joints decoded by {config.codec.type}"
    rows = [judge("metric", count, found, limits["float32"])]
    metric = build_metric(config)
    if len(metric.skeleton) != there.joints_image.shape[1]:
        return [*rows, skipped("metric", f"{config.metric.type} scores other joints than the network finds")]
    truth = _made_up(there.joints_image, config.input_wh[0])
    scores = [{name: float(value) for name, value in metric(side, truth).values.items()} for side in (here, there)]
    return [*rows, value_row(scores[0], scores[1], f"{config.metric.type} against a made-up truth", limits["float32"])]


def value_row(ours: Mapping[str, float], theirs: Mapping[str, float], what: str, threshold: float) -> Row:
    """A row of values in percent that both have and that exist, in percent of 100."""
    names = [name for name in theirs if name in ours and np.isfinite([ours[name], theirs[name]]).all()]
    if not names:
        raise DataError(f"metric: no value has the same name on both sides; there: {', '.join(theirs)}")
    found = {name: np.abs(np.asarray(ours[name] - theirs[name], "float64")) / 100.0 for name in names}
    shown = next((name for name in ("Mean", "AP") if name in names), names[0])
    return judge(
        "metric", f"{len(names)} values of {what}", found, threshold, f"{shown} {float(theirs[shown]):.2f} there"
    )


@paddle.no_grad()
def _decoded(output: np.ndarray, codec: Codec) -> Predictions:
    joints_crop, scores = codec.decode(paddle.to_tensor(output.astype("float32")))
    return Predictions(joints_crop.numpy().astype("float64"), scores.numpy().astype("float32"))


def _made_up(joints: np.ndarray, width: int, seed: int = 0) -> Truth:
    """A person for each crop: the reference's joints, moved at random."""
    rng = np.random.RandomState(seed)
    moved = joints + rng.standard_normal(joints.shape) * SPREAD * width
    people = len(joints)
    return Truth(
        joints_image=moved,
        labelled=np.ones(moved.shape[:2], bool),
        head_size_image=np.full(people, 2.0 * SPREAD * width),
        coco=_coco(moved, width),
    )


def _coco(joints: np.ndarray, width: int) -> Optional[CocoTruth]:
    people = len(joints)
    ids = np.arange(1, people + 1)
    size = np.full((people, 2), float(width))
    keypoints = np.concatenate([joints, np.full((*joints.shape[:2], 1), 2.0)], axis=-1)
    annotations = CocoAnnotations(
        photo_ids=ids,
        image_ids=ids,
        boxes_image=np.concatenate([np.zeros((people, 2)), size], axis=1),
        areas_image=size.prod(axis=1),
        crowd=np.zeros(people, bool),
        keypoints_image=keypoints,
        num_keypoints=np.full(people, joints.shape[1]),
        category_id=1,
    )
    return CocoTruth(annotations, ids, np.ones(people), size, "made-up boxes")
