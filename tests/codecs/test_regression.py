"""Joints as numbers: which pixel is -1, what a mirror does, what mmpose's numbers mean."""

import numpy as np
import paddle
import pytest

from paddle_pose import geometry
from paddle_pose.codecs.regression import Regression
from paddle_pose.errors import ConfigError
from paddle_pose.registry import CODECS

INPUT_WH = (64, 48)
MIRROR = (1, 0, 2)
JOINTS = np.array([[[0, 0], [63, 47], [31.5, 23.5]], [[10.25, 4], [20, 40.5], [63, 0]]], np.float32)
TARGETS = [{}, {"target": "mmpose"}, {"target": "mmpose", "shift_mirrored": True}]


def encoded(codec, joints=JOINTS, weight=None):
    weight = np.ones(joints.shape[:2]) if weight is None else weight
    target, weight = codec.encode(paddle.to_tensor(joints), paddle.to_tensor(weight))
    return target.numpy(), weight.numpy()


def flipped_photo(joints):
    """The same joints in the mirrored crop: x -> W - 1 - x, pairs swapped."""
    joints = joints[:, list(MIRROR)].copy()
    joints[..., 0] = INPUT_WH[0] - 1 - joints[..., 0]
    return joints


def test_box_ends_are_the_centres_of_the_outermost_pixels():
    target, weight = encoded(Regression(MIRROR, INPUT_WH))
    np.testing.assert_array_equal(target[0], [[-1, -1], [1, 1], [0, 0]])
    np.testing.assert_array_equal(weight, 1)
    assert target.dtype == weight.dtype == np.float32


def test_mmpose_divides_by_the_size():
    target, _ = encoded(Regression(MIRROR, INPUT_WH, "mmpose"))
    np.testing.assert_allclose(target, JOINTS / np.array(INPUT_WH, np.float32), rtol=1e-6)


@pytest.mark.parametrize("arguments", TARGETS)
def test_decoding_undoes_encoding(arguments):
    codec = Regression(MIRROR, INPUT_WH, **arguments)
    target, _ = encoded(codec)
    joints, scores = codec.decode(paddle.to_tensor(target))
    np.testing.assert_allclose(joints.numpy(), JOINTS, atol=1e-5)
    np.testing.assert_array_equal(scores.numpy(), np.ones((2, 3)))
    assert target.shape[1:] == codec.output_shape(3)


@pytest.mark.parametrize(("arguments", "right_by"), zip(TARGETS, (0.0, 1.0, 0.0)))
def test_mirroring_the_target_of_a_mirrored_crop(arguments, right_by):
    """mmpose 0.x is one pixel off; the box and mmpose 1.x are exact."""
    codec = Regression(MIRROR, INPUT_WH, **arguments)
    seen, _ = encoded(codec, flipped_photo(JOINTS))
    joints, _ = codec.decode(codec.mirror(paddle.to_tensor(seen)))
    np.testing.assert_allclose(joints.numpy() - JOINTS, np.broadcast_to([right_by, 0], JOINTS.shape), atol=1e-5)


def test_mirroring_twice_changes_nothing():
    codec = Regression(MIRROR, INPUT_WH)
    output = paddle.to_tensor(np.random.RandomState(0).standard_normal((2, 3, 4)).astype("float32"))
    np.testing.assert_array_equal(codec.mirror(codec.mirror(output)).numpy(), output.numpy())


def test_box_edges_of_a_person_are_the_ends_of_the_range():
    """With the crop's own matrix: the range is relative to the box, as in the paper."""
    codec = Regression(MIRROR, INPUT_WH)
    matrix = geometry.crop_matrix(np.array([100.0, 80.0]), 128.0, 0.0, INPUT_WH, pixel_centres=codec.pixel_centres)
    left_right_middle = np.array([[36.0, 80.0], [164.0, 80.0], [100.0, 80.0]])
    target, _ = encoded(codec, geometry.apply(matrix, left_right_middle)[None].astype("float32"))
    np.testing.assert_allclose(target[0], [[-1, 0], [1, 0], [0, 0]], atol=1e-6)
    assert not Regression(MIRROR, INPUT_WH, "mmpose").pixel_centres


def test_joints_without_label_or_outside_are_masked_and_finite():
    joints = np.array([[[np.nan, np.inf], [5, 5], [-250, 3]], [[63.5, 3], [63, 47], [3, -0.5]]], np.float32)
    target, weight = encoded(Regression(MIRROR, INPUT_WH), joints, np.array([[0, 0, 0], [1, 0.5, 1]]))
    np.testing.assert_array_equal(weight, [[0, 0, 0], [0, 0.5, 0]])
    np.testing.assert_array_equal(target[weight == 0], 0)
    assert np.isfinite(target).all()


def test_scores_and_mirror_of_an_output_with_sigmas():
    codec = Regression(MIRROR, INPUT_WH, sigma=True)
    assert codec.output_shape(3) == (3, 4)
    assert encoded(codec)[0].shape == (2, 3, 2)
    output = paddle.to_tensor([[[0.0, 0.0, 0.1, 0.3], [1, -1, 0.5, 0.5], [0.5, 0, 0.0, 1.0]]])
    joints, scores = codec.decode(output)
    np.testing.assert_allclose(scores.numpy(), [[0.8, 0.5, 0.5]], rtol=1e-6)
    np.testing.assert_allclose(joints.numpy()[0], [[31.5, 23.5], [63, 0], [47.25, 23.5]], rtol=1e-6)
    mirrored = codec.mirror(output).numpy()[0]
    np.testing.assert_allclose(mirrored, [[-1, -1, 0.5, 0.5], [0, 0, 0.1, 0.3], [-0.5, 0, 0.0, 1.0]], rtol=1e-6)


def test_half_precision_outputs_decode_in_float32():
    joints, scores = Regression(MIRROR, (256, 256)).decode(paddle.to_tensor(np.full((1, 3, 2), 0.5, np.float16)))
    assert joints.dtype == scores.dtype == paddle.float32
    np.testing.assert_array_equal(joints.numpy(), 191.25)


def test_wrong_settings():
    with pytest.raises(ConfigError, match="unknown codec target 'unit'; known: box, mmpose"):
        Regression(MIRROR, INPUT_WH, "unit")
    with pytest.raises(ConfigError, match="shift_mirrored"):
        Regression(MIRROR, INPUT_WH, shift_mirrored=True)
    with pytest.raises(ConfigError, match="too small"):
        Regression(MIRROR, (1, 48))
    with pytest.raises(ValueError, match="expected 3 joints"):
        Regression(MIRROR, INPUT_WH).mirror(paddle.zeros([1, 4, 2]))
    assert CODECS["Regression"] is Regression
