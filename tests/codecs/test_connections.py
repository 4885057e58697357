"""Line integrals: no line depends on the others of a call."""

import numpy as np
import paddle

from paddle_pose.codecs.connections import _sample


def test_a_close_pair_does_not_lift_the_others():
    """Against a field of -0.5 a line has -0.5; one of half a cell has at least half the field's strength."""
    fields = paddle.concat([paddle.full([1, 1, 9, 9], -0.5), paddle.zeros([1, 1, 9, 9])], axis=1)
    ends = np.array([[[[-0.5, 0], [0.5, 0]], [[0, 0], [0.125, 0]]]], np.float32)  # 4 cells and half a cell long
    ways = np.array([[[1, 0], [1, 0]]], np.float32)
    close = np.array([[0, 0.5]], np.float32)
    means, passed = _sample(fields, ends, ways, close, 10, 0.05)
    np.testing.assert_allclose(means, [[-0.5, 0.25]], atol=1e-6)
    np.testing.assert_array_equal(passed, [[0, 1]])
    alone = _sample(fields, ends[:, :1], ways[:, :1], close[:, :1], 10, 0.05)
    np.testing.assert_array_equal(alone[0], means[:, :1])
