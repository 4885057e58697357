"""The expectation of a joint's place, and what it does in a mirror."""

import numpy as np
import paddle
import pytest

from paddle_pose.codecs.regression import Regression
from paddle_pose.errors import ConfigError
from paddle_pose.networks.integral import IntegralRegression

INPUT_WH = (48, 32)


def network_with(maps) -> IntegralRegression:
    network = IntegralRegression(maps.shape[1], INPUT_WH, channels=(4, 6))
    network.trunk.forward = lambda images: paddle.to_tensor(maps.astype("float32"))
    network.to_maps.forward = lambda features: features
    return network


def joints_crop(maps) -> np.ndarray:
    codec = Regression(tuple(range(maps.shape[1])), INPUT_WH)
    output = network_with(maps)(paddle.zeros([len(maps), 3, INPUT_WH[1], INPUT_WH[0]]))
    return codec.decode(output[-1])[0].numpy()


def test_a_sharp_peak_is_the_middle_of_its_cell():
    maps = np.full((1, 2, 8, 12), -50.0)
    maps[0, 0, 0, 0] = maps[0, 1, 5, 7] = 50.0
    np.testing.assert_allclose(joints_crop(maps)[0], [[1.5, 1.5], [29.5, 21.5]], atol=1e-4)


def test_two_peaks_and_flat_maps_are_their_mean_place():
    maps = np.full((1, 2, 8, 12), -50.0)
    maps[0, 0, 2, [3, 6]] = np.log([1.0, 3.0]) + 40
    maps[0, 1] = 7.0
    np.testing.assert_allclose(joints_crop(maps)[0], [[22.5, 9.5], [23.5, 15.5]], atol=1e-4)


def test_mirrored_maps_give_the_codecs_mirror():
    maps = np.random.default_rng(0).normal(size=(2, 3, 8, 12))
    images = paddle.zeros([2, 3, INPUT_WH[1], INPUT_WH[0]])
    plain, mirrored = (network_with(m)(images)[-1] for m in (maps, maps[..., ::-1]))
    unmirrored = Regression((0, 1, 2), INPUT_WH).mirror(mirrored)
    np.testing.assert_allclose(unmirrored.numpy(), plain.numpy(), atol=1e-6)


def test_it_starts_near_the_middle_and_learns_where_a_dot_is():
    paddle.seed(0)
    rng = np.random.default_rng(0)
    network = IntegralRegression(1, INPUT_WH, channels=(8, 16))
    optimizer = paddle.optimizer.Adam(0.01, parameters=network.parameters())
    errors = []
    for _ in range(40):
        at = rng.uniform((6, 6), (41, 25), (16, 2))
        y, x = np.mgrid[: INPUT_WH[1], : INPUT_WH[0]]
        dots = np.exp(-((x - at[:, :1, None]) ** 2 + (y - at[:, 1:, None]) ** 2) / 18)
        target = 2 * at / (np.array(INPUT_WH) - 1) - 1
        images = paddle.to_tensor(np.repeat(dots[:, None], 3, axis=1).astype("float32"))
        (output,) = network(images)
        distance = (output[:, 0] - paddle.to_tensor(target.astype("float32"))).abs().mean()
        distance.backward()
        optimizer.step()
        optimizer.clear_grad()
        errors.append(float(distance))
        if len(errors) == 1:
            assert float(output.abs().max()) < 0.2
    assert np.mean(errors[-5:]) < 0.25 * np.mean(errors[:2])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"input_wh": (50, 48)}, "multiples of 4"),
        ({"input_wh": (4, 48)}, "at least 8"),
        ({"input_wh": INPUT_WH, "channels": (8,)}, "two positive numbers"),
        ({"input_wh": INPUT_WH, "channels": (8, 0)}, "two positive numbers"),
    ],
)
def test_sizes_that_make_no_network(arguments, words):
    with pytest.raises(ConfigError, match=words):
        IntegralRegression(14, **arguments)


def test_another_input_size_than_it_was_built_for():
    with pytest.raises(ConfigError, match="input of 48x48.*built for 48x32"):
        IntegralRegression(14, INPUT_WH)(paddle.zeros([1, 3, 48, 48]))
