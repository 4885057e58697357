"""COCO photo by photo: what is scored."""

import json
import os

import numpy as np
import pytest
from coco_cases import ARM_3, pose_entry, write_list
from coco_photos_cases import photos

from paddle_pose.data.coco_photos import COCOPhotos
from paddle_pose.errors import DataError
from paddle_pose.metrics.coco_metric import COCOKeypoints
from paddle_pose.skeletons import COCO_17

DATA = os.path.join(os.environ.get("PADDLE_POSE_DATA", ""), "coco")

needs_photos = pytest.mark.skipif(
    "PADDLE_POSE_DATA" not in os.environ or not os.path.isdir(DATA),
    reason="needs coco: set PADDLE_POSE_DATA to the folder that holds coco/",
)


def test_truth_has_the_annotations_and_no_poses(tmp_path):
    truth = photos(tmp_path).truth()
    assert truth.joints_image.shape == (0, 3, 2)
    assert truth.coco.annotations.image_ids.tolist() == [7, 7, 7, 3, 3]
    metric = COCOKeypoints(ARM_3, (64, 64))
    metric.check(truth)


def as_found(dataset):
    """The annotated people as a network that makes no mistakes finds them, unlabelled joints not found."""
    samples = [dataset.sample(i) for i in range(len(dataset))]
    joints = [np.concatenate([s.joints_image[None], s.others_image]) for s in samples]
    labelled = [np.concatenate([s.labelled[None], s.others_labelled]) for s in samples]
    ids = np.repeat(dataset.photo_ids, [len(people) for people in joints])
    joints, labelled = np.concatenate(joints), np.concatenate(labelled)
    somebody = labelled.any(axis=1)
    joints = np.where(labelled[..., None], joints, np.nan)[somebody]
    return ids[somebody], joints, labelled[somebody].astype(float), np.linspace(0.9, 0.1, somebody.sum())


def test_found_people_are_scored_in_the_annotated_joints(synthetic_coco):
    dataset = COCOPhotos(str(synthetic_coco), "valid")
    metric = COCOKeypoints(COCO_17, (64, 64))
    everybody = as_found(dataset)
    found, predictions = dataset.with_people(*everybody)
    report = metric(predictions, found.truth())
    assert found.skeleton is COCO_17
    assert predictions.joints_image.shape == (len(everybody[0]), 17, 2)
    assert report.values["AP"] == pytest.approx(100.0)
    assert "people found in whole photos" in report.rules
    half, predictions = dataset.with_people(*(part[::2] for part in everybody))
    assert 0 < metric(predictions, half.truth()).values["AP"] < 90


def test_a_joint_that_was_not_found_is_at_the_origin_with_score_0(tmp_path):
    dataset = photos(tmp_path)
    joints = np.array([[[4.0, 5], [np.nan, np.nan], [8, 9]]])
    found, predictions = dataset.with_people(np.array([3]), joints, np.full((1, 3), 0.5), np.array([0.7]))
    assert predictions.joints_image.tolist() == [[[4, 5], [0, 0], [8, 9]]]
    assert predictions.scores.tolist() == [[0.5, 0, 0.5]]
    assert found.truth().coco.box_scores.tolist() == [0.7]
    assert found.truth().coco.final


def test_nobody_found_is_an_ap_of_0(tmp_path):
    dataset = photos(tmp_path)
    nobody = np.zeros(0, int), np.zeros((0, 3, 2)), np.zeros((0, 3)), np.zeros(0)
    found, predictions = dataset.with_people(*nobody)
    metric = COCOKeypoints(ARM_3, (64, 64))
    report = metric(predictions, found.truth())
    assert report.values["AP"] == report.values["AR"] == 0.0
    assert [report.rows[joint]["AP"] for joint in ARM_3.joints] == [0.0] * 3
    assert len(metric.poses(predictions, found.truth()).scores) == 0
    assert len(found) == 0


def test_poses_of_a_results_file_are_scored_too(tmp_path):
    path = write_list(tmp_path / "r.json", [pose_entry(3, [(10, 10), (30, 10), (20, 50)], 0.7)])
    found, predictions = photos(tmp_path).with_poses(path)
    assert found.truth().coco.box_source == "poses of r.json"
    assert predictions.joints_image[0].tolist() == [[10, 10], [30, 10], [20, 50]]
    with pytest.raises(DataError, match="does not list"):
        photos(tmp_path).with_poses(write_list(tmp_path / "r.json", [pose_entry(99, [(1, 2)] * 3)]))


@needs_photos
def test_the_real_photos():
    name = "annotations/person_keypoints_train2017.json"
    everybody = COCOPhotos(DATA, "valid", valid_annotations=name, valid_photos="train2017")
    assert (len(everybody), everybody.num_images) == (80, 80)
    assert "86 people with keypoints" in everybody.protocol
    everybody.check_photos()
    found, predictions = everybody.with_people(*as_found(everybody))
    assert len(found) == 86
    assert COCOKeypoints(COCO_17, (368, 368))(predictions, found.truth()).values["AP"] == pytest.approx(100.0)
    shown, main = COCOPhotos(DATA, "train"), COCOPhotos(DATA, "train", samples="main_people")
    assert (len(shown), shown.num_images) == (28, 28)
    assert (len(main), main.num_images) == (65, 25)
    with open(os.path.join(DATA, name), encoding="utf-8") as file:
        entries = json.load(file)["annotations"]
    assert {int(i) for i in shown.photo_ids} == {entry["image_id"] for entry in entries if entry["num_keypoints"]}
