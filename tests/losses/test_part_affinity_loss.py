"""PartAffinityLoss against numpy transcriptions of the paper's and the released codes' sums."""

import numpy as np
import paddle
import pytest

from paddle_pose.errors import ConfigError
from paddle_pose.losses.part_affinity import PartAffinityLoss
from paddle_pose.skeletons import OPENPOSE_18, Skeleton

PAIR = Skeleton("pair", ("a", "b"), (("a", "b"),), mirror_pairs=())  # 2 fields, 2 joints, background


def case(seed=0, crops=3, channels=5, cells_hw=(4, 6), stages=3, soft=False):
    """Stage outputs, target and weight as float64 arrays."""
    rng = np.random.default_rng(seed)
    shape = (crops, channels, *cells_hw)
    weight = rng.random((crops, 1, *cells_hw))
    return list(rng.normal(size=(stages, *shape))), rng.normal(size=shape), weight if soft else np.round(weight)


def loss_of(stages, target, weight, skeleton=PAIR, **options):
    tensors = [paddle.to_tensor(part.astype("float32")) for part in (*stages, target, weight)]
    loss = PartAffinityLoss(skeleton, **options)(tensors[:-2], *tensors[-2:])
    assert loss.shape == []
    assert loss.dtype == paddle.float32
    return float(loss)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("scale", ["mean", "caffe"])
def test_by_loops(scale, soft):
    """Eq. 5 cell by cell; Caffe's mask stands on prediction and target, inside the square."""
    stages, target, weight = case(soft=soft)
    total = 0.0
    for output in stages:
        for b, c, y, x in np.ndindex(*target.shape):
            w, error = weight[b, 0, y, x], output[b, c, y, x] - target[b, c, y, x]
            numbers = 3 * (2 if c < 2 else 3) * 4 * 6
            total += w * error**2 / numbers if scale == "mean" else (w * error) ** 2 / (2 * 3)
    assert loss_of(stages, target, weight, scale=scale) == pytest.approx(total, rel=1e-5)


def test_without_mask_it_is_the_loss_of_the_source_document():
    """Twelve outputs, each against its target by the mean of squares, added up."""
    stages, target, weight = case(seed=1, crops=2, channels=57, cells_hw=(5, 5), stages=6)
    outputs = [branch for stage in stages for branch in (stage[:, :38], stage[:, 38:])]
    targets = [target[:, :38], target[:, 38:]] * 6
    expected = sum(np.mean((output - truth) ** 2) for output, truth in zip(outputs, targets))
    for mask in (weight, np.zeros_like(weight)):
        assert loss_of(stages, target, mask, OPENPOSE_18, masked=False) == pytest.approx(expected, rel=1e-6)
    ones = np.ones_like(weight)
    assert loss_of(stages, target, ones, OPENPOSE_18) == pytest.approx(expected, rel=1e-6)


def test_a_rate_of_1_on_the_mean_in_caffes_measure():
    """46x46 cells: fields alone, then the other maps alone."""
    for channels, factor in ((slice(0, 38), 40204), (slice(38, 57), 20102)):
        target = np.zeros((1, 57, 46, 46))
        target[:, channels] = 1.0
        zeros, ones = [np.zeros_like(target)], np.ones((1, 1, 46, 46))
        mean, caffe = (loss_of(zeros, target, ones, OPENPOSE_18, scale=scale) for scale in ("mean", "caffe"))
        assert mean == pytest.approx(1.0)
        assert caffe == pytest.approx(factor, rel=1e-5)


@pytest.mark.parametrize("scale", ["mean", "caffe"])
def test_no_gradient_where_nobody_knows(scale):
    stages, target, weight = case(stages=1)
    output = paddle.to_tensor(stages[0].astype("float32"), stop_gradient=False)
    target, mask = (paddle.to_tensor(part.astype("float32")) for part in (target, weight))
    PartAffinityLoss(PAIR, scale)([output], target, mask).backward()
    moved = output.grad.numpy() != 0
    np.testing.assert_array_equal(moved, np.broadcast_to(weight > 0, moved.shape))
    if scale == "caffe":
        expected = weight * (stages[0] - target.numpy()) / 3
        np.testing.assert_allclose(output.grad.numpy(), expected, rtol=1e-4, atol=1e-6)


def test_everything_unknown_is_no_loss():
    stages, target, weight = case()
    assert loss_of(stages, target, np.zeros_like(weight)) == 0


def test_half_precision_predictions_are_squared_in_float32():
    output, target = paddle.full([1, 5, 1, 2], 300.0).astype("float16"), paddle.zeros([1, 5, 1, 2])
    loss = PartAffinityLoss(PAIR)([output], target, paddle.ones([1, 1, 1, 2]))
    assert loss.dtype == paddle.float32
    assert float(loss) == pytest.approx(2 * 90000.0)


def test_a_network_without_fields_is_refused():
    message = r"compares maps \(3, 5, 4, 6\), but the network gives \(3, 1, 4, 6\)"
    stages, target, weight = case()
    with pytest.raises(ConfigError, match=message):
        loss_of([stages[0][:, :1]], target, weight)


def test_unknown_scale_is_refused():
    with pytest.raises(ConfigError, match="known: mean, caffe"):
        PartAffinityLoss(PAIR, "sum")


@pytest.mark.parametrize("scale", ["mean", "caffe"])
def test_foreground_weighs_what_an_empty_photo_does_not_have(scale):
    """An empty photo: fields and joints 0, background 1. Errors of 1 everywhere, so that the loss counts weights."""
    target = np.zeros((1, 5, 1, 4))
    target[0, 4] = 1
    target[0, 0, 0, 0], target[0, 2, 0, 1], target[0, 4, 0, 1] = -0.5, 0.8, 0.2  # one cell of a field, one of a joint
    weight = np.ones((1, 1, 1, 4))
    plain, emphasised = (loss_of([target + 1], target, weight, scale=scale, foreground=f) for f in (1.0, 10.0))
    fields, maps = (8 + 9 * 1, 12 + 9 * 2) if scale == "caffe" else ((8 + 9) / 8, (12 + 9 * 2) / 12)
    assert plain == pytest.approx(20 / 2 if scale == "caffe" else 2.0)
    assert emphasised == pytest.approx((fields + maps) / (2 if scale == "caffe" else 1))


def test_foreground_must_be_positive():
    with pytest.raises(ConfigError, match=r"loss\.foreground=0 must be above 0"):
        PartAffinityLoss(PAIR, foreground=0)
