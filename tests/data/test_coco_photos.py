"""COCO photo by photo: what is a sample, who is in it, what is scored, and what is refused."""

import json
import math
import os

import cv2
import numpy as np
import pytest
from coco_cases import ARM_3, FILE, NOBODY, annotation, content, pose_entry, write_dataset, write_list

from paddle_pose.builder_data import build_dataset, build_metric, resolve_skeleton, skeleton_of
from paddle_pose.data.coco_photos import COCOPhotos
from paddle_pose.data.crops import CropMaker
from paddle_pose.data.main_people import main_people
from paddle_pose.errors import ConfigError, DataError
from paddle_pose.metrics.coco_metric import COCOKeypoints
from paddle_pose.registry import DATASETS
from paddle_pose.skeletons import COCO_17, OPENPOSE_18

DATA = os.path.join(os.environ.get("PADDLE_POSE_DATA", ""), "coco")
needs_photos = pytest.mark.skipif(
    "PADDLE_POSE_DATA" not in os.environ or not os.path.isdir(DATA),
    reason="needs coco: set PADDLE_POSE_DATA to the folder that holds coco/",
)


def photos(root, file=FILE, split="valid", **arguments):
    return COCOPhotos(str(write_dataset(root, file)), split, skeleton=ARM_3, **arguments)


def person(number, box, keypoints=5, **entries):
    """A person of photo 1 with COCO's 17 joints, the first `keypoints` of them labelled."""
    joints = [(box[0] + k, box[1] + k, 2 if k < keypoints else 0) for k in range(17)]
    return annotation(number, 1, box, joints, area=2000.0, **entries)


def many(root, people, split="train", **arguments):
    """A dataset of one photo with these people, in OpenPose's joints."""
    image = {"id": 1, "file_name": "a.jpg", "width": 400, "height": 300}
    category = {"id": 1, "name": "person", "keypoints": list(COCO_17.joints)}
    file = {"images": [image], "annotations": people, "categories": [category]}
    return COCOPhotos(str(write_dataset(root, file)), split, **arguments)


def test_the_registry_knows_it():
    assert DATASETS["COCOPhotos"] is COCOPhotos


def test_the_valid_split_has_every_photo_in_the_order_of_the_file(tmp_path):
    dataset = photos(tmp_path, samples="main_people")
    assert (len(dataset), dataset.num_images) == (3, 3)
    assert dataset.photo_ids.tolist() == [7, 3, 5]
    assert [os.path.basename(dataset.image_path(i)) for i in range(3)] == ["b.jpg", "a.jpg", "c.jpg"]
    assert [dataset.photo_size_wh(i) for i in range(3)] == [(200, 100), (300, 200), (300, 200)]
    assert "3 whole photos, 3 people with keypoints" in dataset.protocol


def test_the_first_person_is_the_samples_and_the_rest_are_others(tmp_path):
    dataset = photos(tmp_path)
    both, one, nobody = (dataset.sample(i) for i in range(3))
    assert both.joints_image.tolist() == [[10, 25], [20, 30], [30, 90]]
    assert both.others_image.tolist() == [[[110, 20], [120, 30], [130, 40]]]
    assert both.others_labelled.all()
    assert (one.labelled.tolist(), one.visible.tolist()) == ([True, True, False], [True, False, False])
    assert one.others_image.shape == (0, 3, 2)
    assert not nobody.labelled.any()
    assert not nobody.joints_image.any()
    assert (nobody.others_image.shape, nobody.others_labelled.shape) == ((0, 3, 2), (0, 3))


def test_the_region_is_the_photo_from_edge_to_edge(tmp_path):
    sample = photos(tmp_path).sample(0)
    assert sample.center_image_xy.tolist() == [99.5, 49.5]
    assert sample.size_image_wh.tolist() == [200, 100]
    assert sample.photo_wh == (200, 100)


def test_training_photos_show_somebody_with_keypoints(tmp_path):
    dataset = photos(tmp_path, split="train")
    assert dataset.photo_ids.tolist() == [7, 3]
    assert dataset.num_images == 2
    assert dataset.sample(1).center_image_xy.tolist() == [149.5, 99.5]


def test_masks_that_are_missing_are_boxes_and_the_protocol_says_so(tmp_path):
    dataset = photos(tmp_path)
    assert "2 of 2 crowds and people without keypoints have no usable mask" in dataset.protocol
    unknown = dataset.sample(0).unknown_image
    assert unknown.shape == (100, 200)
    assert unknown[10:40, 100:120].all()
    assert unknown.sum() == 20 * 30
    assert dataset.sample(2).unknown_image is None


def test_openpose_has_a_neck_of_coco(tmp_path):
    sample = many(tmp_path, [person(1, [50, 60, 80, 90], keypoints=7)]).sample(0)
    assert len(sample.labelled) == 18
    names = [joint for joint, has in zip(OPENPOSE_18.joints, sample.labelled) if has]
    assert set(names) == {*COCO_17.joints[:7], "neck"}
    np.testing.assert_array_equal(sample.joints_image[OPENPOSE_18.index("neck")], [55.5, 65.5])


def test_main_people_by_hand(tmp_path):
    """Box 100 x 200 at the left: 0.3 x 200 = 60 pixels around its centre (70, 120) take nobody else."""
    people = [
        person(1, [20, 20, 100, 200]),
        person(2, [75, 20, 100, 200]),  # 55 away: too near
        person(3, [200, 20, 60, 60], keypoints=4),  # too few keypoints
        person(4, [200, 90, 60, 60]) | {"area": 1023.0},  # too small
        person(5, [85, 20, 100, 200]),  # 65 from the first; the second does not count
        person(6, [300, 200, 40, 50]) | {"area": 1024.0},
        person(7, [300, 100, 40, 50], keypoints=0),
    ]
    dataset = many(tmp_path, people, samples="main_people")
    assert (len(dataset), dataset.num_images) == (3, 1)
    assert "3 of them main people" in dataset.protocol
    samples = [dataset.sample(i) for i in range(3)]
    assert [sample.center_image_xy.tolist() for sample in samples] == [[70, 120], [135, 120], [320, 225]]
    np.testing.assert_allclose(
        [sample.size_image_wh for sample in samples], np.array([[200] * 2] * 2 + [[50] * 2]) / 0.6
    )
    assert [sample.joints_image[0].tolist() for sample in samples] == [[20, 20], [85, 20], [300, 200]]
    assert all(sample.others_image.shape == (5, 18, 2) for sample in samples)  # those with few keypoints too
    assert [others[0].tolist() for others in samples[1].others_image] == [
        [20, 20],
        [75, 20],
        [200, 20],
        [200, 90],
        [300, 200],
    ]


def test_main_people_of_different_photos_are_never_too_near():
    boxes = np.array([[0.0, 0, 10, 100]] * 4)
    numbers, areas = np.array([0, 0, 2, 5]), np.full(4, 1024.0)
    assert main_people(numbers, boxes, areas, np.full(4, 5)).tolist() == [0, 2, 3]
    assert main_people(numbers, boxes, areas, np.array([4, 5, 5, 0])).tolist() == [1, 2]
    assert main_people(numbers[:0], boxes[:0], areas[:0], areas[:0]).tolist() == []


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


def test_a_file_without_annotations_can_be_looked_through(tmp_path):
    file = content()
    del file["annotations"]
    assert len(photos(tmp_path, file)) == 3
    with pytest.raises(DataError, match="no people with keypoints"):
        photos(tmp_path, file, split="train")


def changed(**entries):
    """The file, its first annotation changed."""
    file = content()
    file["annotations"][0].update(entries)
    return file


def sized(width, height):
    return content(images=[*FILE["images"][:2], FILE["images"][2] | {"width": width, "height": height}])


BAD_FILES = {
    "damaged": ('{"images": [', "not a readable COCO annotation file"),
    "nobody": (content(annotations=[annotation(1, 3, [0, 0, 9, 9], NOBODY)]), "holds no people with keypoints"),
    "category": (content(categories=[{"id": 1, "name": "cat"}]), "no category named 'person'"),
    "other joints": (content(categories=[{"id": 1, "name": "person", "keypoints": ["head"]}]), "dataset.skeleton"),
    "half a pixel": (sized(300.5, 200), "must be whole numbers"),
    "a huge photo": (sized(1e6, 1e6), "of 100 megapixels at most"),
    "no size": (sized(0, 200), "give its pixels"),
    "a path": (content(images=[*FILE["images"][:2], FILE["images"][2] | {"file_name": "../c.jpg"}]), "outside"),
    "box of nan": (changed(bbox=[math.nan, 0, 5, 5]), "annotation 10: bbox"),
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("split", ["train", "valid"])
def test_a_bad_file_is_refused_in_one_line(tmp_path, name, split):
    file, words = BAD_FILES[name]
    with pytest.raises(DataError, match=f"person_keypoints_{'train' if split == 'train' else 'val'}2017") as refused:
        photos(tmp_path, file, split)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_no_main_people_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no main people"):
        photos(tmp_path, split="train", samples="main_people")  # nobody has 5 keypoints


def test_missing_folders_and_photos_are_said(tmp_path):
    with pytest.raises(DataError, match="is not a folder"):
        COCOPhotos(str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="no split 'test'"):
        COCOPhotos(str(tmp_path), "test")
    dataset = photos(tmp_path)
    with pytest.raises(DataError, match="photos are missing.*0 of 3"):
        dataset.check_photos()
    dataset.check_photos(max_missing=1.0)


def test_a_photo_of_another_size_than_annotated_is_refused(tmp_path):
    dataset = photos(tmp_path)
    (tmp_path / "val2017").mkdir()
    cv2.imwrite(str(tmp_path / "val2017" / "b.jpg"), np.zeros((100, 200, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "val2017" / "a.jpg"), np.zeros((100, 150, 3), np.uint8))
    make_crop, rng = CropMaker(dataset, (32, 32), False), np.random.default_rng(0)
    assert make_crop(0, rng).unknown_crop.any()
    with pytest.raises(DataError, match=r"a\.jpg has 150 x 100 pixels, but 300 x 200 in the annotation file"):
        make_crop(1, rng)


def config_of(root, **dataset):
    from paddle_pose.config import check_config

    sections = {
        "network": {"type": "Any"},
        "codec": {"type": "Any"},
        "loss": {"type": "Any"},
        "metric": {"type": "COCOKeypoints"},
        "dataset": {"type": "COCOPhotos", "root": str(root), **dataset},
    }
    return check_config({**sections, "input_wh": [64, 64]}, "test")


def test_a_configuration_has_openposes_joints_unless_it_says_others(tmp_path):
    write_dataset(tmp_path, FILE)
    assert skeleton_of(config_of(tmp_path)) is OPENPOSE_18
    config = resolve_skeleton(config_of(tmp_path, skeleton="annotation"))
    assert skeleton_of(config).joints == ARM_3.joints
    assert len(build_dataset(config, "train")) == 2
    with pytest.raises(DataError, match="the skeleton coco_17 has 17"):
        build_dataset(config_of(tmp_path), "train")
    with pytest.raises(ConfigError, match="samples"):
        build_dataset(config_of(tmp_path, samples="everything"), "train")


def test_openposes_people_are_scored_by_cocos_joints(tmp_path):
    assert build_metric(config_of(tmp_path)).skeleton is COCO_17


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
