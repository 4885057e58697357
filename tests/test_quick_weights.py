import numpy as np
import paddle
import pytest
from paddle import nn
from quick_weights import BLOCK, quick_weights

KINDS = [nn.initializer.Normal(0.5, 2.0), nn.initializer.Uniform(-1.0, 3.0), nn.initializer.TruncatedNormal(1.0, 2.0)]
KINDS += [nn.initializer.KaimingNormal(), nn.initializer.XavierUniform()]


def weight_of(kind):
    return nn.Linear(300, 500, weight_attr=paddle.ParamAttr(initializer=kind)).weight.numpy()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
def test_large_weights_repeat_a_block_of_the_right_spread(kind):
    with quick_weights():
        weight = weight_of(kind)
    flat = weight.ravel()
    np.testing.assert_array_equal(flat[: flat.size - BLOCK], flat[BLOCK:])
    assert not (weight[0] == weight[1]).any()
    wanted = weight_of(kind)
    assert not np.array_equal(wanted.ravel()[:BLOCK], wanted.ravel()[BLOCK : 2 * BLOCK])  # as before, out of the block
    assert weight.std() == pytest.approx(wanted.std(), rel=0.02)
    assert abs(weight.mean() - wanted.mean()) < 5 * wanted.std() * (BLOCK**-0.5 + wanted.size**-0.5)


def test_small_weights_are_drawn_as_ever():
    paddle.seed(0)
    wanted = nn.Linear(30, 50).weight.numpy()
    paddle.seed(0)
    with quick_weights():
        np.testing.assert_array_equal(nn.Linear(30, 50).weight.numpy(), wanted)
