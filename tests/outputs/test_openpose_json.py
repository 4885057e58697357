"""OpenPose's own layout, names and order of joints."""

import json

import numpy as np
from output_cases import found, frame, nobody, people

from paddle_pose.frames import FramePoses
from paddle_pose.outputs.names import OutputNames
from paddle_pose.outputs.openpose_json import OpenPoseWriter
from paddle_pose.skeletons import COCO_17, MPII_16, OPENPOSE_18


def written(folder, skeleton, picture_frame, poses):
    with OpenPoseWriter(folder, skeleton, OutputNames()) as writer:
        writer.add(picture_frame, poses)
    (path,) = (folder / "openpose").iterdir()
    return path.name, json.loads(path.read_text())


def test_the_layout_is_openposes(tmp_path):
    name, content = written(tmp_path, MPII_16, frame("a/photo.jpg"), FramePoses(people(2)))
    assert name == "photo_keypoints.json"
    assert content["version"] == 1.3
    assert [person["person_id"] for person in content["people"]] == [[-1], [-1]]
    assert list(content["people"][0]) == [
        "person_id",
        "pose_keypoints_2d",
        "face_keypoints_2d",
        "hand_left_keypoints_2d",
        "hand_right_keypoints_2d",
        "pose_keypoints_3d",
        "face_keypoints_3d",
        "hand_left_keypoints_3d",
        "hand_right_keypoints_3d",
    ]
    triples = np.array(content["people"][1]["pose_keypoints_2d"]).reshape(16, 3)  # the skeleton's own order
    np.testing.assert_allclose(triples[:, :2], people(2).joints_xy[1], atol=0.001)
    assert content["people"][0]["face_keypoints_2d"] == []


def test_frames_have_twelve_digits_and_people_their_number(tmp_path):
    poses = FramePoses(people(1), ids=np.array([7]))
    name, content = written(tmp_path, MPII_16, frame("film.mp4", 31, 1.0), poses)
    assert name == "film_000000000031_keypoints.json"
    assert content["people"][0]["person_id"] == [7]


def test_a_picture_of_nobody_has_its_file_too(tmp_path):
    assert written(tmp_path, MPII_16, frame(), nobody()) == ("photo_keypoints.json", {"version": 1.3, "people": []})


def test_coco_is_written_as_openposes_18_with_a_neck(tmp_path):
    joints = np.arange(34, dtype=float).reshape(1, 17, 2)
    scores = np.linspace(0.1, 0.9, 17)[None]
    _, content = written(tmp_path, COCO_17, frame(), FramePoses(found(joints, scores)))
    triples = np.array(content["people"][0]["pose_keypoints_2d"]).reshape(18, 3)
    # OpenPose's documentation: nose, neck, right arm, left arm, right leg, left leg, eyes, ears (right first)
    order = [0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
    for k, coco in enumerate(order):
        if coco is not None:
            np.testing.assert_allclose(triples[k], [*joints[0, coco], scores[0, coco]], rtol=1e-5)
    np.testing.assert_allclose(triples[1], [*(joints[0, 5] + joints[0, 6]) / 2, scores[0, 5]], rtol=1e-5)
    assert OPENPOSE_18.joints[1] == "neck"


def test_no_neck_without_both_shoulders(tmp_path):
    joints = np.full((1, 17, 2), 9.0)
    joints[0, COCO_17.index("left_shoulder")] = np.nan
    _, content = written(tmp_path, COCO_17, frame(), FramePoses(found(joints)))
    triples = np.array(content["people"][0]["pose_keypoints_2d"]).reshape(18, 3)
    missing = [OPENPOSE_18.index(joint) for joint in ("neck", "left_shoulder")]
    assert triples[missing].tolist() == [[0, 0, 0]] * 2
    assert (np.delete(triples, missing, axis=0) == [9, 9, 1]).all()


def test_openposes_own_parts_are_written_as_they_are(tmp_path):
    some = people(1, OPENPOSE_18)
    _, content = written(tmp_path, OPENPOSE_18, frame(), FramePoses(some))
    triples = np.array(content["people"][0]["pose_keypoints_2d"]).reshape(18, 3)
    np.testing.assert_allclose(triples[:, :2], some.joints_xy[0], atol=0.001)
