import numpy as np
import paddle
import pytest

from paddle_pose.errors import ConfigError
from paddle_pose.losses.cpm import CPMLoss

# one crop, one joint and the background, two cells; the target of stage 1, and of later stages
TARGET = paddle.to_tensor([[[[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]]]).reshape([1, 2, 2, 1, 2])
ZEROS = paddle.zeros([1, 2, 1, 2])


def later(joint, background):
    """A stage output of (joint, background) everywhere."""
    return paddle.to_tensor([[[[joint] * 2], [[background] * 2]]])


@pytest.mark.parametrize(
    ("scale", "weight", "expected"),
    [
        ("mean", 1.0, 2 / 4 + (4 + 1 + 1 + 4) / 4),
        ("caffe", 1.0, 2 / 2 + (4 + 1 + 1 + 4) / 2),
        ("mean", 0.0, 1 / 4 + (1 + 4) / 4),
        ("caffe", 0.5, 1.5 / 2 + (2.5 + 5) / 2),
    ],
)
def test_by_hand(scale, weight, expected):
    """Stage 1 misses one cell of each map by 1; stage 2 says -1 and 2, off by 2 and 1, and by 2 and 1."""
    stages = [ZEROS, later(-1.0, 2.0)]
    loss = CPMLoss(scale)(stages, TARGET, paddle.to_tensor([[weight]]))
    assert loss.shape == []
    assert float(loss) == pytest.approx(expected)


def test_the_first_stage_has_a_target_of_its_own():
    ones = paddle.ones([1, 1])
    everyone, person = TARGET[:, 0], TARGET[:, 1]
    assert float(CPMLoss()([everyone, person, person], TARGET, ones)) == 0
    assert float(CPMLoss()([person], TARGET, ones)) == 1
    assert float(CPMLoss()([everyone, everyone, everyone], TARGET, ones)) == 2


def test_caffes_scale_is_the_mean_times_half_of_the_numbers_of_a_crop():
    paddle.seed(0)
    stages, target = [paddle.rand([3, 6, 4, 5]) for _ in range(3)], paddle.rand([3, 2, 6, 4, 5])
    weight = paddle.rand([3, 5])
    mean, caffe = (float(CPMLoss(scale)(stages, target, weight)) for scale in ("mean", "caffe"))
    assert caffe == pytest.approx(mean * 6 * 4 * 5 / 2, rel=1e-5)


def test_without_background_every_map_is_a_joint():
    target = paddle.ones([1, 2, 2, 1, 2])
    assert float(CPMLoss()([ZEROS], target, paddle.to_tensor([[1, 0]]))) == pytest.approx(0.5)


def test_no_gradient_for_a_joint_of_weight_0():
    prediction = later(-1.0, 2.0)
    prediction.stop_gradient = False
    CPMLoss()([prediction], TARGET, paddle.zeros([1, 1])).backward()
    assert prediction.grad.flatten().tolist() == [0, 0, 0.5, 1]


def test_half_precision_predictions_are_squared_in_float32():
    loss = CPMLoss()(
        [paddle.full([1, 2, 1, 2], 300.0).astype("float16")], paddle.zeros([1, 2, 2, 1, 2]), paddle.ones([1, 1])
    )
    assert loss.dtype == paddle.float32
    np.testing.assert_allclose(float(loss), 90000.0)


def test_unknown_scale_is_refused():
    with pytest.raises(ConfigError, match="known: mean, caffe"):
        CPMLoss("sum")
