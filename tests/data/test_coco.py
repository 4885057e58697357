"""COCO's files: what becomes a person and its region, whose boxes, and what is refused."""

import json
import math
import os

import numpy as np
import pytest
from coco_cases import ARM_3, FILE, NOBODY, annotation, box_entry, content, pose_entry, write_dataset, write_list

from paddle_pose import geometry
from paddle_pose.coco_samples import CocoPoses
from paddle_pose.data.coco import COCO, cut_off
from paddle_pose.data.coco_results import read_poses, write_poses
from paddle_pose.errors import ConfigError, DataError
from paddle_pose.registry import DATASETS

DATA = os.path.join(os.environ.get("PADDLE_POSE_DATA", ""), "coco")
needs_photos = pytest.mark.skipif(
    "PADDLE_POSE_DATA" not in os.environ or not os.path.isdir(DATA),
    reason="needs coco: set PADDLE_POSE_DATA to the folder that holds coco/",
)


def coco(root, file=FILE, split="valid", **arguments):
    return COCO(str(write_dataset(root, file)), split, skeleton=ARM_3, **arguments)


def with_boxes(root, entries, file=FILE, **arguments):
    return coco(root, file, boxes=str(write_list(root / "boxes.json", entries)), **arguments)


def with_annotation(**entries):
    """The file, its first annotation changed; None removes a key."""
    changed = content()
    changed["annotations"][0].update(entries)
    changed["annotations"][0] = {key: value for key, value in changed["annotations"][0].items() if value is not None}
    return changed


def test_the_registry_knows_it():
    assert DATASETS["COCO"] is COCO


def test_people_photo_by_photo_without_crowds_unlabelled_and_other_categories(tmp_path):
    dataset = coco(tmp_path)
    assert len(dataset) == 3
    assert dataset.num_images == 3  # the empty photo too: it is scored
    assert [os.path.basename(dataset.sample(i).image_path) for i in range(3)] == ["b.jpg", "b.jpg", "a.jpg"]
    assert "ground-truth boxes" in dataset.protocol


def test_joints_stay_as_in_the_file_and_a_hidden_one_is_labelled(tmp_path):
    sample = coco(tmp_path).sample(2)
    assert sample.joints_image.tolist() == [[40, 35], [25, 60], [0, 0]]
    assert sample.labelled.tolist() == [True, True, False]
    assert sample.visible.tolist() == [True, False, False]


def test_regions_by_hand(tmp_path):
    """Box 20 30 51 101: spans 50 x 100, its middle 45 80. Box -10 20 60 200 in 200 x 100: 0..59, 20..99."""
    dataset = coco(tmp_path)
    whole, cut = dataset.sample(2), dataset.sample(0)
    np.testing.assert_allclose(whole.center_image_xy, [45, 80])
    np.testing.assert_allclose(whole.size_image_wh, [62.5, 125])
    np.testing.assert_allclose(cut.center_image_xy, [29.5, 59.5])
    np.testing.assert_allclose(cut.size_image_wh, [1.25 * 59, 1.25 * 79])


def test_padding_before_the_aspect_is_hrnets_aspect_before_padding(tmp_path):
    """HRNet: 50 x 100 grows to 75 x 100 for 192 x 256, then x 1.25."""
    size = geometry.fix_aspect(coco(tmp_path).sample(2).size_image_wh, (192, 256))
    np.testing.assert_allclose(size, [93.75, 125], rtol=1e-12)


def test_boxes_outside_of_the_photo_are_left_out():
    boxes = np.array([[300.0, 10, 20, 20], [10, 250, 20, 20], [290, 190, 50, 50], [5, 5, 1, 1], [5, 5, 0, 9]])
    cut, inside = cut_off(boxes, np.full((5, 2), [300.0, 200.0]))
    assert inside.tolist() == [False, False, True, True, True]
    assert cut[2].tolist() == [290, 190, 9, 9]
    assert cut[3].tolist() == [5, 5, 0, 0]


def test_a_box_of_one_column_gets_its_width_from_the_aspect(tmp_path):
    dataset = coco(tmp_path, with_annotation(bbox=[20, 30, 1, 101]))
    np.testing.assert_allclose(geometry.fix_aspect(dataset.sample(2).size_image_wh, (192, 256)), [93.75, 125])


def test_truth_has_every_annotation_of_the_category(tmp_path):
    truth = coco(tmp_path).truth()
    assert truth.labelled.sum(axis=1).tolist() == [3, 3, 2]
    assert truth.coco.box_scores.tolist() == [1, 1, 1]
    assert truth.coco.image_ids.tolist() == [7, 7, 3]
    annotations = truth.coco.annotations
    assert sorted(annotations.photo_ids.tolist()) == [3, 5, 7]
    assert annotations.image_ids.tolist() == [7, 7, 7, 3, 3]
    assert annotations.crowd.tolist() == [False, False, False, False, True]
    assert annotations.num_keypoints.tolist() == [3, 0, 3, 2, 0]


def test_detected_boxes_are_taken_as_they_are_and_have_no_joints(tmp_path):
    entries = [
        box_entry(3, [-20, 30, 40, 80], 0.9),
        box_entry(7, [1, 2, 30, 40], 0.3),
        box_entry(3, [0, 0, 9, 9], 0.29),
        box_entry(3, [0, 0, 9, 9], 0.9, category_id=2),
    ]
    dataset = with_boxes(tmp_path, entries, box_score_threshold=0.3)
    assert len(dataset) == 2
    sample, truth = dataset.sample(0), dataset.truth()
    assert sample.center_image_xy.tolist() == [0, 70]
    assert sample.size_image_wh.tolist() == [50, 100]
    assert not truth.labelled.any()
    assert truth.coco.box_scores.tolist() == [0.9, 0.3]
    assert truth.coco.image_ids.tolist() == [3, 7]
    assert "boxes of boxes.json (2 of them, score >= 0.3)" in dataset.protocol
    assert truth.coco.box_source in dataset.protocol
    assert len(truth.coco.annotations.image_ids) == 5


def test_the_train_split_has_the_boxes_of_the_ground_truth(tmp_path):
    assert len(coco(tmp_path, split="train", boxes=str(tmp_path / "not there.json"))) == 3


def test_a_file_without_annotations_serves_with_detected_boxes(tmp_path):
    file = content(categories=[{"id": 1, "name": "person"}])
    del file["annotations"]
    assert len(with_boxes(tmp_path, [box_entry(3, [1, 2, 3, 4])], file)) == 1


def test_poses_of_a_results_file_become_the_people(tmp_path):
    path = write_list(
        tmp_path / "r.json", [pose_entry(3, [(10, 10), (30, 10), (20, 50)], 0.7), pose_entry(5, [(4, 4)] * 3)]
    )
    dataset, predictions = coco(tmp_path).with_poses(path)
    assert len(dataset) == 2
    assert dataset.num_images == 3
    np.testing.assert_array_equal(predictions.joints_image[0], [(10, 10), (30, 10), (20, 50)])
    assert dataset.sample(0).center_image_xy.tolist() == [20, 30]
    assert os.path.basename(dataset.sample(1).image_path) == "c.jpg"
    truth = dataset.truth().coco
    assert truth.final
    assert truth.box_scores.tolist() == [0.7, 0.5]
    assert "poses of r.json" in dataset.protocol


def test_a_results_file_comes_back_as_it_was_written(tmp_path):
    rng = np.random.default_rng(0)
    poses = CocoPoses(np.array([3, 7]), rng.uniform(0, 300, (2, 3, 3)), rng.random(2))
    write_poses(tmp_path / "deep" / "r.json", poses, 1)
    back = read_poses(tmp_path / "deep" / "r.json", 1, 3)
    np.testing.assert_array_equal(back.keypoints_image, poses.keypoints_image)
    np.testing.assert_array_equal(back.scores, poses.scores)
    entries = json.loads((tmp_path / "deep" / "r.json").read_text())
    assert [set(entry) for entry in entries] == [{"image_id", "category_id", "keypoints", "score"}] * 2
    assert all(type(entry["image_id"]) is int and len(entry["keypoints"]) == 9 for entry in entries)


BAD_FILES = {
    "damaged": ('{"images": [', ["not a readable COCO annotation file"]),
    "a list": ("[]", ["not a readable COCO annotation file"]),
    "no images": (content(images=[]), ["lists no images"]),
    "category": (content(categories=[{"id": 1, "name": "cat"}]), ["no category named 'person'", "it has cat"]),
    "twice a category": (content(categories=FILE["categories"][:1] * 2), ["2 categories named 'person'"]),
    "other joints": (
        content(categories=[{"id": 1, "name": "person", "keypoints": ["head", "right_hand", "left_hand"]}]),
        ["keypoint 1", "'right_hand'", "'left_hand' in the skeleton arm_3"],
    ),
    "fewer joints": (
        content(categories=[{"id": 1, "name": "person", "keypoints": ["head"]}]),
        ["has 1 keypoints, the skeleton arm_3 has 3", "dataset.skeleton"],
    ),
    "no id": (content(images=[{"file_name": "a.jpg"}]), ["an entry has no 'id'"]),
    "no size": (content(images=[{"id": 3, "file_name": "a.jpg"}]), ["photo 3", "width", "finite number"]),
    "no name": (content(images=[{"id": 3, "width": 9, "height": 9}]), ["photo 3 has no file_name"]),
    "photo twice": (content(images=FILE["images"] + FILE["images"][:1]), ["photo id 7 is given twice"]),
    "annotation twice": (
        content(annotations=FILE["annotations"] + FILE["annotations"][:1]),
        ["annotation id 10 is given twice"],
    ),
    "unknown photo": (with_annotation(image_id=99), ["annotation 10 is of photo 99"]),
    "text as id": (with_annotation(image_id="three"), ["annotation 10 has image_id 'three'"]),
    "no box": (with_annotation(bbox=None), ["annotation 10: bbox should be a list of 4 finite numbers, not None"]),
    "box of nan": (with_annotation(bbox=[math.nan, 0, 5, 5]), ["annotation 10: bbox"]),
    "no keypoints": (with_annotation(keypoints=None), ["annotation 10: keypoints should be a list of 9"]),
    "too many numbers": (with_annotation(keypoints=[1] * 12), ["annotation 10 has 12 numbers of keypoints", "need 9"]),
    "text in keypoints": (with_annotation(keypoints=["x"] * 9), ["annotation 10: keypoints"]),
    "no area": (with_annotation(area=None), ["annotation 10 has no area", "0.53 x width x height"]),
    "area 0": (with_annotation(area=0), ["annotation 10 has area 0"]),
    "area 1": (with_annotation(area=1), ["annotation 10 has area 1", "every AP would be wrong"]),
    "wrong count": (
        with_annotation(num_keypoints=0),
        ["annotation 10 has num_keypoints 0, but 2 keypoints with v > 0"],
    ),
    "nobody": (content(annotations=[annotation(1, 3, [0, 0, 9, 9], NOBODY)]), ["holds no people"]),
    "a path": (
        content(images=[{"id": i, "file_name": "../../x.jpg", "width": 300, "height": 200} for i in (3, 5, 7)]),
        ["names a photo outside"],
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_annotation_file_is_refused_in_one_line(tmp_path, name):
    file, words = BAD_FILES[name]
    with pytest.raises(DataError) as refused:
        coco(tmp_path, file)
    assert "\n" not in str(refused.value)
    for word in [*words, "person_keypoints_val2017.json"]:
        assert word in str(refused.value)


GOOD = box_entry(3, [1, 2, 3, 4])
BAD_BOXES = {
    "cut off": (json.dumps([GOOD])[:-9], ["not a readable .json file"]),
    "no list": ({"boxes": []}, ["are a list of entries, this is a dict"]),
    "empty": ([], ["no entry has category_id 1, it has no entries"]),
    "other category": ([{**GOOD, "category_id": 18}], ["no entry has category_id 1, it has 18"]),
    "poses": ([pose_entry(3, [(0, 0)] * 3)], ["entry 0 has no bbox"]),
    "numbers": ([[1, 2, 3]], ["entry 0 has no keys"]),
    "other dataset": ([GOOD, box_entry(139, [0, 0, 5, 5])], ["1 of its 2 entries", "photos that", "139"]),
    "nan": ([GOOD, box_entry(3, [math.nan, 0, 5, 5])], ["entry 1 (photo 3): bbox or score is not a finite number"]),
    "nan score": ([box_entry(3, [0, 0, 5, 5], math.nan)], ["entry 0 (photo 3)", "not a finite number"]),
    "five numbers": ([box_entry(3, [0, 0, 5, 5, 1])], ["bbox has 5 numbers, 4 are needed"]),
    "null": ([box_entry(3, [0, None, 5, 5])], ["not a finite number"]),
    "no size": ([box_entry(3, [7, 7, 0, 0])], ["a box of photo 3 is [7.0, 7.0, 0.0, 0.0]"]),
    "negative": ([box_entry(3, [7, 7, -4, 5])], ["must be left, top, width, height"]),
    "text as photo": ([box_entry("a.jpg", [7, 7, 4, 5])], ["image_id 'a.jpg' must be a whole number"]),
    "low scores": ([box_entry(3, [7, 7, 4, 5], -1.0)], ["none of its 1 boxes has score >= 0"]),
}


@pytest.mark.parametrize("name", BAD_BOXES)
def test_a_bad_file_of_boxes_is_refused_in_one_line(tmp_path, name):
    entries, words = BAD_BOXES[name]
    with pytest.raises(DataError) as refused:
        with_boxes(tmp_path, entries)
    assert "\n" not in str(refused.value)
    for word in [*words, "boxes.json"]:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("entries", "word"),
    [
        ([pose_entry(3, [(0, 0)] * 2)], "keypoints has 6 numbers, 9 are needed"),
        ([pose_entry(99, [(0, 0)] * 3)], "photos that"),
        ([GOOD], "entry 0 has no keypoints"),
        ([pose_entry(3, [(0, math.inf)] * 3)], "not a finite number"),
        ("[", "not a readable .json"),
    ],
)
def test_bad_poses_are_refused_in_one_line(tmp_path, entries, word):
    with pytest.raises(DataError, match=r"r\.json") as refused:
        coco(tmp_path).with_poses(write_list(tmp_path / "r.json", entries))
    assert word in str(refused.value)


def test_a_file_of_no_poses_is_a_system_that_found_nobody(tmp_path):
    found, predictions = coco(tmp_path).with_poses(write_list(tmp_path / "r.json", []))
    assert (len(found), predictions.joints_image.shape) == (0, (0, 3, 2))
    assert found.truth().coco.final


def test_missing_files_say_what_to_get(tmp_path):
    with pytest.raises(DataError, match="is not a folder"):
        COCO(str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"train2017\.json is missing.*annotations_trainval2017\.zip"):
        COCO(str(tmp_path))
    with pytest.raises(DataError, match=r"COCO_val2017_detections_AP_H_56_person\.json.*ground truth are used"):
        coco(tmp_path, boxes=str(tmp_path / "nothing.json"))
    with pytest.raises(DataError, match="photos are missing.*train2017.zip"):
        coco(tmp_path).check_photos()
    with pytest.raises(ConfigError, match="padding=0"):
        coco(tmp_path, padding=0.0)


def test_nothing_is_printed(tmp_path, capsys):
    coco(tmp_path)
    assert capsys.readouterr().out == ""


@needs_photos
def test_the_real_photos():
    """80 photos of train2017, 86 people with keypoints; the first region by hand from its annotation."""
    dataset = COCO(DATA, "train")
    assert (dataset.num_images, len(dataset)) == (80, 86)
    dataset.check_photos()
    with open(os.path.join(DATA, "annotations", "person_keypoints_train2017.json"), encoding="utf-8") as file:
        entries = json.load(file)["annotations"]
    first = dataset.truth().coco.image_ids[0]
    x, y, width, height = next(e["bbox"] for e in entries if e["image_id"] == first and e["num_keypoints"])
    np.testing.assert_allclose(dataset.sample(0).center_image_xy, [x + (width - 1) / 2, y + (height - 1) / 2])
    np.testing.assert_allclose(dataset.sample(0).size_image_wh, [1.25 * (width - 1), 1.25 * (height - 1)])
