"""Who was found in COCO's photos: people and poses put where the answer is known."""

import math

import numpy as np
import pytest
from report_cases import BODY, TRUE

from paddle_pose.coco_samples import CocoAnnotations, CocoPoses
from paddle_pose.metrics import coco_scores
from paddle_pose.reports.coco_pairs import best_pairs, by_match, match, pose_similarities
from paddle_pose.reports.coco_sections import joint_curves, person_oks

SIGMAS = BODY.oks_sigmas


def annotations_of(people, image_ids, crowd=None, labels=2.0) -> CocoAnnotations:
    """People (M, 4, 2) of area 10000 in boxes around them; `labels` is v, of everybody or of each joint."""
    people = np.asarray(people, np.float64)
    keypoints = np.concatenate([people, np.broadcast_to(labels, people.shape[:2])[..., None]], axis=-1)
    keypoints[keypoints[..., 2] == 0] = 0
    low, high = people.min(axis=1), people.max(axis=1)
    return CocoAnnotations(
        photo_ids=np.unique(image_ids),
        image_ids=np.asarray(image_ids),
        boxes_image=np.hstack([low, high - low]),
        areas_image=np.full(len(people), 10000.0),
        crowd=np.zeros(len(people), bool) if crowd is None else np.asarray(crowd),
        keypoints_image=keypoints,
        num_keypoints=(keypoints[..., 2] > 0).sum(axis=1),
        category_id=1,
    )


def poses_of(poses, image_ids, scores, joint_score=0.9) -> CocoPoses:
    poses = np.asarray(poses, np.float64)
    keypoints = np.concatenate([poses, np.full((*poses.shape[:2], 1), joint_score)], axis=-1)
    return CocoPoses(np.asarray(image_ids), keypoints, np.asarray(scores, np.float64))


FAR = TRUE + [400.0, 0.0]


def test_each_person_gets_the_pose_that_fits_best():
    annotations = annotations_of([TRUE, FAR, TRUE], [1, 1, 2])
    # The surest pose is a poor one of the first person; nobody is found in photo 2, and photo 1 has a pose of nobody.
    poses = poses_of([TRUE + 8, FAR, TRUE, TRUE + [0, 900]], [1, 1, 1, 1], [0.9, 0.8, 0.3, 0.2])
    matched = match(annotations, poses, SIGMAS)
    assert matched.person_of.tolist() == [-1, 1, 0, -1]
    assert matched.pose_of.tolist() == [2, 1, -1]
    assert matched.extra.tolist() == [0, 3]
    assert person_oks(matched).tolist() == [1.0, 1.0, 0.0]


def test_a_pose_on_a_crowd_or_on_somebody_without_keypoints_is_not_of_nobody():
    nobody = np.zeros((3, 4))
    nobody[0] = 2.0
    annotations = annotations_of([TRUE, FAR, TRUE + [0, 400]], [1, 1, 1], crowd=[False, True, False], labels=nobody)
    poses = poses_of([TRUE, FAR, TRUE + [0, 400], TRUE + [400, 400]], [1] * 4, [0.9, 0.8, 0.7, 0.6])
    matched = match(annotations, poses, SIGMAS)
    assert matched.person_of.tolist() == [0, -2, -2, -1]
    assert matched.people.tolist() == [0]


def test_photos_without_people_and_files_without_poses():
    annotations = annotations_of([TRUE], [1])
    assert match(annotations, poses_of([TRUE], [9], [0.5]), SIGMAS).extra.tolist() == [0]
    empty = match(annotations, poses_of(np.zeros((0, 4, 2)), np.zeros(0, int), []), SIGMAS)
    assert empty.pose_of.tolist() == [-1]
    assert person_oks(empty).tolist() == [0.0]
    pairs = by_match(annotations, poses_of(np.zeros((0, 4, 2)), np.zeros(0, int), []), empty, BODY)
    assert np.isnan(pairs.errors).all()
    assert joint_curves(pairs, (0.5,)).tolist() == [[0.0] * 4]


def test_a_21st_pose_of_a_photo_is_not_looked_at():
    poses = poses_of([TRUE + [0, 900]] * 20 + [TRUE], [1] * 21, [1.0] * 20 + [0.5])
    assert match(annotations_of([TRUE], [1]), poses, SIGMAS).person_of.tolist() == [-1] * 20 + [-2]


def test_similarity_is_that_of_pycocotools():
    annotations = annotations_of([TRUE, FAR], [1, 1], labels=np.array([[2, 1, 2, 0], [2, 2, 2, 2.0]]))
    from pycocotools.cocoeval import COCOeval

    poses = poses_of([TRUE + 5, FAR - 9], [1, 1], [0.9, 0.8])
    evaluation: COCOeval = coco_scores._evaluation(annotations, poses, SIGMAS)
    evaluation._prepare()
    expected = evaluation.computeOks(1, 1)
    found = pose_similarities(annotations, np.arange(2), poses.keypoints_image[..., :2], SIGMAS)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_best_pairs_by_hand():
    similar = np.array([[0.9, 0.8], [0.95, 0.2], [0.05, 0.7]])
    assert best_pairs(similar, 0.1).tolist() == [1, 0, -1]
    assert best_pairs(similar[:, :0], 0.1).tolist() == [-1] * 3


def test_errors_are_in_units_of_similarity():
    annotations = annotations_of([TRUE], [1], labels=np.array([[2, 2, 1, 0.0]]))
    offset = np.zeros((4, 2))
    offset[1, 0] = 10.0  # sigma 0.1, root of the area 100: unit 20, error 0.5
    poses = poses_of([TRUE + offset], [1], [0.9])
    matched = match(annotations, poses, SIGMAS)
    pairs = by_match(annotations, poses, matched, BODY)
    np.testing.assert_allclose(pairs.errors[0, :3], [0, 0.5, 0], atol=1e-9)
    assert pairs.counted[0].tolist() == [True, True, True, False]
    assert pairs.visible[0].tolist() == [True, True, False, False]
    own = math.exp(-(0.5**2) / 2)
    curve = joint_curves(pairs, (own - 1e-9, own + 1e-9))
    assert curve[:, 1].tolist() == [100.0, 0.0]
    assert np.isnan(curve[:, 3]).all()  # nobody has it
    assert person_oks(matched)[0] == pytest.approx((1 + own + 1) / 3)


def test_an_oks_of_a_half_is_correct():
    limit = 20 * math.sqrt(-2 * math.log(0.5))
    for pixels, correct in ((limit * (1 - 1e-9), True), (limit * (1 + 1e-9), False)):
        offset = np.zeros((4, 2))
        offset[1, 0] = pixels
        annotations, poses = annotations_of([TRUE], [1]), poses_of([TRUE + offset], [1], [0.9])
        assert by_match(annotations, poses, match(annotations, poses, SIGMAS), BODY).correct[0, 1] == correct


def test_a_joint_at_zero_with_score_zero_was_not_found():
    poses = poses_of([TRUE], [1], [0.9])
    poses.keypoints_image[0, 2] = 0
    annotations = annotations_of([TRUE], [1])
    pairs = by_match(annotations, poses, match(annotations, poses, SIGMAS), BODY)
    assert np.isnan(pairs.errors[0]).tolist() == [False, False, True, False]


def test_by_threshold_averages_to_ap_and_ar():
    rng = np.random.default_rng(0)
    people = np.stack([TRUE + 300 * k for k in range(6)])
    annotations = annotations_of(people, [1, 1, 1, 2, 2, 2])
    poses = poses_of(people + rng.normal(0, 9, people.shape), [1, 1, 1, 2, 2, 2], rng.random(6))
    series = coco_scores.by_threshold(annotations, poses, SIGMAS)
    summary = coco_scores.summary(annotations, poses, SIGMAS)
    assert series["AP"].mean() == pytest.approx(summary["AP"])
    assert series["AR"].mean() == pytest.approx(summary["AR"])
    assert series["AP"][0] == pytest.approx(summary["AP50"])
    assert series["AP"][5] == pytest.approx(summary["AP75"])
    assert 0 < summary["AP"] < 100
