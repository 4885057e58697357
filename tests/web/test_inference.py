"""From a photo's bytes to pictures and JSON, with a predictor that finds what it is told."""

import json

import numpy as np
import pytest

from paddle_pose.errors import DataError
from paddle_pose.web.inference import DrawingOptions, answer
from paddle_pose.web.limits import Limits
from tests.web.cases import JOINTS_IMAGE, SCORES, Finding, jpeg, keypoints, picture


def test_pictures_and_json_of_one_person():
    predictor = Finding(fields=True)
    found = answer(jpeg(picture()), predictor, DrawingOptions(joint_threshold=0.35), Limits())
    (photo,) = predictor.photos
    for drawn in (found.pose, found.heatmaps, found.fields):
        assert drawn.shape == photo.shape
        assert drawn.dtype == np.uint8
    np.testing.assert_allclose(keypoints(found.coco)[0, :, :2], JOINTS_IMAGE, atol=5e-4)  # three decimals
    np.testing.assert_allclose(keypoints(found.coco)[0, :, 2], SCORES, atol=1e-6)
    (person,) = json.loads(found.openpose)["people"]
    assert person["pose_keypoints_2d"] == keypoints(found.coco).ravel().tolist()
    assert found.summary.startswith("One person in 120 x 100 pixels, 14 joints of score 0.35 or more")


def test_people_are_drawn_on_the_pose_and_nobody_on_the_maps():
    found = answer(jpeg(picture()), Finding(maps=True), DrawingOptions(joint_threshold=0.0), Limits())
    at = tuple(JOINTS_IMAGE[8].astype(int)[::-1])
    plain = answer(jpeg(picture()), Finding(people=0, maps=True), DrawingOptions(), Limits())
    assert (found.pose[at] != plain.pose[at]).any()
    np.testing.assert_array_equal(found.heatmaps, plain.heatmaps)
    assert found.heatmaps[48, 32].astype(int).sum() > found.heatmaps[10, 110].astype(int).sum()  # bright at the peak


def test_a_joint_below_the_threshold_is_in_the_json_only():
    above = answer(jpeg(picture()), Finding(), DrawingOptions(joint_threshold=0.0), Limits())
    below = answer(jpeg(picture()), Finding(), DrawingOptions(joint_threshold=0.3), Limits())
    at = tuple(JOINTS_IMAGE[0].astype(int)[::-1])  # of score 0.25
    assert (above.pose[at] != below.pose[at]).any()
    assert above.coco == below.coco


@pytest.mark.parametrize("colors", ["limb", "side", "person"])
def test_each_way_to_colour(colors):
    found = answer(jpeg(picture()), Finding(people=2), DrawingOptions(colors=colors), Limits())
    assert len(json.loads(found.coco)) == 2
    assert found.summary.startswith("2 people")


def test_a_network_without_maps():
    found = answer(jpeg(picture()), Finding(maps=False), DrawingOptions(), Limits())
    assert found.heatmaps is None
    assert found.fields is None


def test_nobody():
    found = answer(jpeg(picture()), Finding(people=0, maps=False), DrawingOptions(), Limits())
    assert json.loads(found.coco) == []
    assert json.loads(found.openpose)["people"] == []
    assert found.summary.startswith("Nobody in 120 x 100 pixels;")


def test_a_photo_over_the_limits_reaches_no_network():
    predictor = Finding()
    with pytest.raises(DataError):
        answer(jpeg(picture()), predictor, DrawingOptions(), Limits(pixels=100))
    assert predictor.photos == []
