"""Maps lie where their cells are in the picture, and vectors point as they do in the picture."""

import colorsys

import numpy as np
import pytest

from paddle_pose.frames import Maps
from paddle_pose.outputs.overlays import lay_fields, lay_heatmaps

BLACK = np.zeros((120, 160, 3), np.uint8)


def matrix(stride, degrees, mirrored, at):
    """image_from_map that puts cell (0, 0) at `at`."""
    cos, sin = np.cos(np.radians(degrees)) * stride, np.sin(np.radians(degrees)) * stride
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-1.0 if mirrored else 1.0, 1.0])
    return np.hstack([linear, np.array(at, float)[:, None]])


MATRICES = [matrix(4, 0, False, (3.5, 1.5)), matrix(2.5, 30, False, (60, 5)), matrix(3, -70, True, (90, 80))]


def middle(picture):
    light = picture.astype(float).sum(axis=2)
    light[light < light.max() * 0.3] = 0
    y, x = np.indices(light.shape)
    return np.array([(x * light).sum(), (y * light).sum()]) / light.sum()


@pytest.mark.parametrize("image_from_map", MATRICES)
@pytest.mark.parametrize("cell", [(6, 4), (3, 9)])
def test_a_peak_lights_up_at_its_pixel(image_from_map, cell):
    joints = np.zeros((1, 3, 20, 24), np.float32)
    joints[0, 1, cell[1], cell[0]] = 1.0
    laid = lay_heatmaps(BLACK, Maps(joints, image_from_map[None]))
    wanted = image_from_map @ (*cell, 1)
    assert (wanted > 10).all()
    assert (wanted < (150, 110)).all()
    np.testing.assert_allclose(middle(laid), wanted, atol=0.25)  # warpAffine goes by 32nds of a cell
    x, y = np.round(wanted).astype(int)
    assert laid[y, x].max() > 150


def test_the_maps_of_all_inputs_and_joints_are_seen():
    joints = np.zeros((2, 3, 10, 10), np.float32)
    joints[0, 0, 5, 5] = joints[1, 2, 2, 3] = 1.0
    matrices = np.stack([matrix(4, 0, False, (0, 0)), matrix(4, 0, False, (100, 50))])
    laid = lay_heatmaps(BLACK, Maps(joints, matrices))
    assert laid[20, 20].max() > 200
    assert laid[58, 112].max() > 200
    assert laid[100, 20].max() < 10


def test_values_beyond_0_and_1_are_cut_and_the_picture_is_darkened():
    white = np.full((8, 8, 3), 255, np.uint8)
    joints = np.full((1, 1, 8, 8), -3, np.float32)
    joints[0, 0, :, 4:] = 7
    laid = lay_heatmaps(white, Maps(joints, np.eye(2, 3)[None]))
    assert np.abs(laid[:, :4].astype(int) - 128).max() < 5
    assert (laid[:, 4:] > 200).all()


def hue(pixel):
    return colorsys.rgb_to_hsv(*(pixel / 255))[0] * 360


@pytest.mark.parametrize("image_from_map", MATRICES)
@pytest.mark.parametrize("direction", [0, 90, 200])
def test_hue_is_the_direction_in_the_picture(image_from_map, direction):
    """A unit vector along a limb on the map, taken to the picture by hand."""
    vector = np.array([np.cos(np.radians(direction)), np.sin(np.radians(direction))])
    fields = np.zeros((1, 4, 20, 24), np.float32)
    fields[0, 2:, 2:9, 3:10] = vector[:, None, None]
    laid = lay_fields(BLACK, Maps(np.zeros((1, 3, 20, 24), np.float32), image_from_map[None], fields))
    x, y = np.round(image_from_map @ (6, 5, 1)).astype(int)
    turned = image_from_map[:, :2] @ vector
    wanted = np.degrees(np.arctan2(turned[1], turned[0])) % 360
    assert abs((hue(laid[y, x]) - wanted + 180) % 360 - 180) < 3  # OpenCV's hues are in steps of 2 degrees
    assert laid[y, x].max() > 250  # length 1 is full brightness
    outside = image_from_map @ (15, 15, 1)
    if (outside > 0).all() and (outside < (159, 119)).all():
        assert laid[int(outside[1]), int(outside[0])].max() == 0


def test_the_longest_vector_of_a_cell_is_seen_and_half_is_half_as_bright():
    fields = np.zeros((2, 4, 8, 8), np.float32)
    fields[0, 0], fields[0, 3] = 0.2, -0.5  # right; up and longer
    matrices = np.stack([np.eye(2, 3)] * 2)
    laid = lay_fields(BLACK[:8, :8], Maps(np.zeros((2, 1, 8, 8), np.float32), matrices, fields))
    assert abs(hue(laid[4, 4]) - 270) < 3
    assert 120 < laid[4, 4].max() < 135
    fields[1, 0] = 0.9  # another input, longer still
    laid = lay_fields(BLACK[:8, :8], Maps(np.zeros((2, 1, 8, 8), np.float32), matrices, fields))
    assert hue(laid[4, 4]) < 3
