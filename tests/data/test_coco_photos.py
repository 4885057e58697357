"""COCO photo by photo: what is a sample, and who is in it."""

import os

import numpy as np
import pytest
from coco_cases import ARM_3, FILE, annotation, content, write_dataset
from coco_photos_cases import photos

from paddle_pose.builder_data import build_dataset, build_metric, resolve_skeleton, skeleton_of
from paddle_pose.data.coco_photos import COCOPhotos
from paddle_pose.data.main_people import main_people
from paddle_pose.errors import ConfigError, DataError
from paddle_pose.registry import DATASETS
from paddle_pose.skeletons import COCO_17, OPENPOSE_18


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


def test_a_file_without_annotations_can_be_looked_through(tmp_path):
    file = content()
    del file["annotations"]
    assert len(photos(tmp_path, file)) == 3
    with pytest.raises(DataError, match="no people with keypoints"):
        photos(tmp_path, file, split="train")


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
