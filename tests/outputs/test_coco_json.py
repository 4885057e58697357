"""COCO's results file: read again by pycocotools and by our own reader."""

import contextlib
import io
import json

import numpy as np
import pytest
from output_cases import found, frame, nobody, people
from pycocotools.coco import COCO

from paddle_pose.data.coco_results import read_poses
from paddle_pose.data.derived_joints import found_from_annotated
from paddle_pose.frames import FramePoses
from paddle_pose.outputs.coco_json import CocoWriter, ImageIds
from paddle_pose.skeletons import COCO_17, MPII_16, OPENPOSE_18


def written(folder, skeleton, *pictures, sources=()):
    """(entries, images) of the two files."""
    with CocoWriter(folder, skeleton, sources) as writer:
        for picture_frame, poses in pictures:
            writer.add(picture_frame, poses)
    return tuple(json.loads((folder / f"coco_{name}.json").read_text()) for name in ("results", "images"))


def test_an_entry_for_each_person_and_one_for_each_picture(tmp_path):
    some = people(2)
    entries, images = written(tmp_path, MPII_16, (frame("a.jpg"), FramePoses(some)), (frame("b.jpg"), nobody()))
    assert [(entry["image_id"], entry["category_id"], entry["score"]) for entry in entries] == [
        (1, 1, 0.9),
        (1, 1, 0.5),
    ]
    assert all(set(entry) == {"image_id", "category_id", "keypoints", "score"} for entry in entries)
    triples = np.array([entry["keypoints"] for entry in entries]).reshape(2, 16, 3)
    np.testing.assert_allclose(triples[..., :2], some.joints_xy, atol=0.0005 + 1e-9)
    np.testing.assert_allclose(triples[..., 2], some.joint_scores, rtol=5e-6)
    sizes = {"width": 200, "height": 100}
    assert images["images"] == [{"id": 1, "file_name": "a.jpg", **sizes}, {"id": 2, "file_name": "b.jpg", **sizes}]
    assert images["categories"][0]["keypoints"] == list(MPII_16.joints)
    assert images["categories"][0]["skeleton"][0] == [3, 2]  # right hip, right knee, from 1


def test_frames_of_a_video_say_when_and_who(tmp_path):
    poses = FramePoses(people(2), ids=np.array([4, 1]))
    pictures = [(frame("f.mp4", index, index / 30), poses) for index in (0, 1)]
    entries, images = written(tmp_path, MPII_16, *pictures)
    assert [entry["track_id"] for entry in entries] == [4, 1, 4, 1]
    assert images["images"][1] == {
        "id": 2,
        "file_name": "f.mp4",
        "width": 200,
        "height": 100,
        "frame": 1,
        "time_s": 0.033333,
    }


def test_a_joint_that_was_not_found_is_three_zeros_and_json_has_no_nan(tmp_path):
    joints = np.full((1, 16, 2), 5.0)
    joints[0, 3], joints[0, 4, 1] = np.nan, np.inf
    scores = np.full((1, 16), 0.5)
    scores[0, 5] = np.nan
    entries, _ = written(tmp_path, MPII_16, (frame(), FramePoses(found(joints, scores, [np.nan]))))
    triples = np.array(entries[0]["keypoints"]).reshape(16, 3)
    assert triples[[3, 4]].tolist() == [[0, 0, 0]] * 2
    assert triples[5].tolist() == [5, 5, 0]
    assert entries[0]["score"] == 0


@pytest.mark.parametrize("count", [0, 2])
def test_pycocotools_and_our_own_reader_read_it(tmp_path, count):
    some = people(count, COCO_17)
    written(tmp_path, COCO_17, (frame("000000000139.jpg"), FramePoses(some)))
    poses = read_poses(tmp_path / "coco_results.json", 1, 17)
    assert poses.image_ids.tolist() == [139] * count
    np.testing.assert_allclose(poses.keypoints_image[..., :2], some.joints_xy, atol=0.001)
    with contextlib.redirect_stdout(io.StringIO()):
        images = COCO(str(tmp_path / "coco_images.json"))
        assert images.getImgIds() == [139]
        if count:  # pycocotools asks the first entry what it is
            results = images.loadRes(str(tmp_path / "coco_results.json"))
            assert [entry["score"] for entry in results.loadAnns(results.getAnnIds(imgIds=[139]))] == [0.9, 0.5]


def test_openposes_parts_are_written_as_cocos_joints(tmp_path):
    some = people(2, COCO_17)
    parts = found(*found_from_annotated(OPENPOSE_18, some.joints_xy, some.joint_scores))
    entries, images = written(tmp_path, OPENPOSE_18, (frame(), FramePoses(parts)))
    triples = np.array([entry["keypoints"] for entry in entries]).reshape(2, 17, 3)
    np.testing.assert_allclose(triples[..., :2], some.joints_xy, atol=0.001)
    assert images["categories"][0]["keypoints"] == list(COCO_17.joints)


def test_ids_are_those_of_cocos_names_and_running_numbers_leave_them_out():
    sources = ["x/COCO_val2014_000000000002.jpg", "y/000000000001.jpg", "IMG_20240102030405.jpg", "z/000000000001.png"]
    ids = ImageIds(sources)
    assert [ids.next(frame(source)) for source in sources] == [2, 1, 3, 4]
    assert ids.next(frame("000000000005.mp4", 0, 0.0)) == 5  # a video: by chance
    assert ids.next(frame("000000000005.mp4", 1, 0.1)) == 6
    assert ids.next(frame("000000000006.jpg")) == 7  # not said before, and 6 is taken
    assert ids.next(frame("000000000009.jpg")) == 9
    assert [ids.next(frame("a.jpg")) for _ in range(2)] == [8, 10]
