"""What is read from maps at the speed of the memory is what Paddle's own operations read, to the last bit."""

import numpy as np
import paddle
import pytest

from paddle_pose.codecs import refine
from paddle_pose.codecs.flat_maps import highest, host_view, take
from paddle_pose.codecs.gaussian import GaussianHeatmap


def maps_of(*shape, dtype="float32"):
    return paddle.to_tensor(np.random.default_rng(0).standard_normal(shape).astype(dtype))


def plainly_highest(maps):
    """By Paddle's own operations."""
    flat = maps.flatten(2)
    index = flat.argmax(-1, keepdim=True)
    return index.numpy(), paddle.take_along_axis(flat, index, -1).numpy()


def assert_highest(maps):
    for mine, plain in zip(highest(maps), plainly_highest(maps)):
        np.testing.assert_array_equal(mine.numpy(), plain)
        assert mine.numpy().dtype == plain.dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_highest_cell(dtype):
    assert_highest(maps_of(3, 5, 12, 9, dtype=dtype))


def test_the_first_of_equally_high_cells():
    maps = paddle.floor(3 * maps_of(4, 6, 16, 16).clip(-1, 1))
    assert_highest(maps)
    assert highest(paddle.zeros([1, 1, 4, 4]))[0].item() == 0


@pytest.mark.parametrize(
    "view",
    [
        lambda maps: maps.transpose([0, 1, 3, 2]),
        lambda maps: maps[:, 2:4, :, 1:-2],
        lambda maps: maps[1:],
        lambda maps: maps[1:2, 3:],
    ],
)
def test_parts_of_other_maps(view):
    assert_highest(view(maps_of(3, 5, 12, 9)))


def test_maps_with_nan():
    """NumPy takes NaN for the highest, Paddle passes it by."""
    maps = maps_of(2, 3, 8, 8).numpy()
    maps[0, 0, 3, 3], maps[0, 1, 0, 0], maps[1, 2] = np.nan, np.nan, np.nan
    assert_highest(paddle.to_tensor(maps))


def test_maps_that_take_part_in_a_gradient():
    maps = maps_of(2, 3, 8, 8)
    maps.stop_gradient = False
    assert_highest(maps)


def test_taking_cells():
    flat = maps_of(3, 4, 30)
    places = paddle.to_tensor(np.random.default_rng(1).integers(0, 30, (3, 4, 7)))
    np.testing.assert_array_equal(take(flat, places).numpy(), paddle.take_along_axis(flat, places, -1).numpy())


def test_a_view_is_the_memory_and_keeps_it():
    maps = maps_of(2, 3)
    seen, same = host_view(maps), maps.numpy()
    assert seen.ctypes.data == maps.data_ptr()
    del maps
    np.testing.assert_array_equal(seen, same)


def test_no_view_of_other_types_and_of_nothing():
    maps = maps_of(2, 3)
    assert host_view(maps[:0]) is None
    assert host_view(maps.astype("bfloat16")) is None
    assert host_view(paddle.arange(3)) is None


@pytest.mark.parametrize("target", ["msra", "unbiased", "udp"])
def test_targets_are_the_products_of_their_profiles_whatever_makes_them(target, monkeypatch):
    codec = GaussianHeatmap(range(16), (192, 256), 4, target=target)
    joints, weight = 150 + 90 * maps_of(4, 16, 2), paddle.ones([4, 16])
    by_matmul = codec.encode(joints, weight)[0].numpy()
    monkeypatch.setattr("paddle_pose.codecs.gaussian._outer", lambda down, across: down[..., None] * across[:, :, None])
    np.testing.assert_array_equal(by_matmul, codec.encode(joints, weight)[0].numpy())


@pytest.mark.parametrize("step", [refine.dark, refine.udp])
def test_a_blur_in_parts_is_the_blur_of_all(step, monkeypatch):
    maps = maps_of(7, 3, 16, 12).abs() + 0.1
    x_map, y_map, _ = refine.peak(maps)
    at_once = step(maps, x_map, y_map, 11).numpy()
    monkeypatch.setattr(refine, "_CELLS_AT_ONCE", 2 * 3 * 16 * 12)
    np.testing.assert_array_equal(step(maps, x_map, y_map, 11).numpy(), at_once)
