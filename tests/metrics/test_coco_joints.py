"""AP of each joint, all joints at once, against pycocotools on files that are cut down to one joint."""

import contextlib
import copy
import io
import os

import numpy as np
import pytest
from pycocotools.coco import COCO as PycocotoolsCOCO
from pycocotools.cocoeval import COCOeval

from paddle_pose.coco_samples import CocoAnnotations, CocoPoses
from paddle_pose.data.coco import COCO
from paddle_pose.metrics.coco_joints import joint_average_precisions
from paddle_pose.skeletons import COCO_17

DATA = os.path.join(os.environ.get("PADDLE_POSE_DATA", ""), "coco")


def pycocotools_of_one_joint(annotations: CocoAnnotations, poses: CocoPoses, joint: int, sigma: float) -> float:
    """AP in percent over everybody's `joint` alone; NaN for -1."""
    rows = range(len(annotations.image_ids))
    truth = PycocotoolsCOCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": int(photo_id)} for photo_id in annotations.photo_ids],
        "categories": [{"id": 1}],
        "annotations": [
            {
                "id": row + 1,
                "image_id": int(annotations.image_ids[row]),
                "category_id": 1,
                "bbox": annotations.boxes_image[row].tolist(),
                "area": float(annotations.areas_image[row]),
                "iscrowd": int(annotations.crowd[row]),
                "keypoints": annotations.keypoints_image[row, joint].tolist(),
                "num_keypoints": int(annotations.keypoints_image[row, joint, 2] > 0),
            }
            for row in rows
        ],
    }
    entries = [
        {"image_id": int(i), "category_id": 1, "keypoints": points[joint].tolist(), "score": float(score)}
        for i, points, score in zip(poses.image_ids, poses.keypoints_image, poses.scores)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(copy.deepcopy(entries)), "keypoints")
        evaluation.params.kpt_oks_sigmas = np.array([sigma])
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float("nan") if evaluation.stats[0] < 0 else 100 * evaluation.stats[0]


def assert_equal_to_pycocotools(annotations, poses, sigmas):
    ours = joint_average_precisions(annotations, poses, sigmas)
    theirs = [pycocotools_of_one_joint(annotations, poses, joint, sigma) for joint, sigma in enumerate(sigmas)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    return ours


def crowded_photos(seed: int, whole: bool) -> tuple[CocoAnnotations, CocoPoses]:
    """Four photos: people and crowds near each other, up to 30 poses; with `whole`, positions and scores that tie."""
    rng = np.random.default_rng(seed)
    image_ids = np.sort(rng.integers(1, 4, 14))  # photo 4 is empty
    points = rng.uniform(0, 60, (14, 3, 2)) + 30 * rng.uniform(0, 1, (14, 1, 2))
    flags = rng.integers(0, 3, (14, 3))
    keypoints = np.dstack([points.round() if whole else points, flags])
    crowd = rng.random(14) < 0.2
    annotations = CocoAnnotations(
        photo_ids=np.arange(1, 5),
        image_ids=image_ids,
        boxes_image=np.hstack([rng.uniform(0, 50, (14, 2)), rng.uniform(5, 40, (14, 2))]),
        areas_image=rng.uniform(200, 3000, 14),
        crowd=crowd,
        keypoints_image=keypoints,
        num_keypoints=(flags > 0).sum(axis=1),
        category_id=1,
    )
    rows = rng.integers(0, 14, 60)
    found = points[rows] + rng.normal(0, 4, (60, 3, 2))
    scores = rng.integers(1, 6, 60) / 5 if whole else rng.random(60)
    found_ids = np.where(rng.random(60) < 0.1, 4, image_ids[rows])
    return annotations, CocoPoses(found_ids, np.dstack([found.round() if whole else found, np.ones((60, 3))]), scores)


@pytest.mark.parametrize("seed", range(12))
def test_all_joints_at_once_equal_pycocotools_on_one(seed):
    annotations, poses = crowded_photos(seed, whole=seed % 2 == 1)
    ours = assert_equal_to_pycocotools(annotations, poses, (0.05, 0.1, 0.2))
    assert (ours > 0).all()
    assert (ours < 100).all()


def test_a_joint_that_nobody_has():
    annotations, poses = crowded_photos(0, False)
    annotations.keypoints_image[:, 1, 2] = 0
    assert np.isnan(assert_equal_to_pycocotools(annotations, poses, (0.05, 0.1, 0.2))[1])


def test_poses_where_nobody_is():
    annotations, poses = crowded_photos(0, False)
    poses = CocoPoses(np.full(len(poses.scores), 4), poses.keypoints_image, poses.scores)
    assert assert_equal_to_pycocotools(annotations, poses, (0.05, 0.1, 0.2)).tolist() == [0, 0, 0]


@pytest.mark.skipif(
    "PADDLE_POSE_DATA" not in os.environ or not os.path.isdir(DATA),
    reason="needs coco: set PADDLE_POSE_DATA to the folder that holds coco/",
)
def test_the_real_photos():
    coco = COCO(DATA, "train").truth().coco
    people = np.flatnonzero(coco.annotations.num_keypoints > 0).repeat(2)
    rng = np.random.default_rng(0)
    keypoints = coco.annotations.keypoints_image[people].copy()
    keypoints[..., :2] += rng.normal(0, 4, (len(people), 17, 2))
    poses = CocoPoses(coco.annotations.image_ids[people], keypoints, rng.random(len(people)))
    assert_equal_to_pycocotools(coco.annotations, poses, COCO_17.oks_sigmas)
