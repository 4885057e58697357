"""What is read from maps at the speed of the memory is what Paddle's own operations read, to the last bit."""

import numpy as np
import paddle
import pytest

from paddle_pose.codecs.flat_maps import around, highest, host_view, on_host, take
from paddle_pose.codecs.gaussian import GaussianHeatmap


def maps_of(*shape, dtype="float32"):
    return paddle.to_tensor(np.random.default_rng(0).standard_normal(shape).astype(dtype))


def plainly_highest(maps):
    """By Paddle's own operations."""
    flat = maps.flatten(2)
    index = flat.argmax(-1, keepdim=True)
    return index.numpy(), paddle.take_along_axis(flat, index, -1).numpy()


def assert_highest(maps):
    for found in (highest(maps), on_host(highest, maps)):
        for mine, plain in zip(found, plainly_highest(maps)):
            np.testing.assert_array_equal(mine.numpy(), plain)
            assert mine.numpy().dtype == plain.dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_highest_cell(dtype):
    assert_highest(maps_of(3, 5, 12, 9, dtype=dtype))


def test_the_first_of_equally_high_cells():
    maps = paddle.floor(3 * maps_of(4, 6, 16, 16).clip(-1, 1))
    assert_highest(maps)
    assert on_host(highest, paddle.zeros([1, 1, 4, 4]))[0].item() == 0


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
    plain = paddle.take_along_axis(flat, places, -1).numpy()
    np.testing.assert_array_equal(take(flat, places).numpy(), plain)
    np.testing.assert_array_equal(take(flat.numpy(), places.numpy()), plain)


def test_cells_around_a_place_end_at_the_border():
    """Of a map of 3 rows and 4 columns, 0 to 11, at its cells (0, 0) and (3, 1)."""
    maps = np.arange(12, dtype="float32").reshape(1, 1, 3, 4).repeat(2, 1)
    x_map, y_map = np.array([[0, 3]]), np.array([[0, 1]])
    known = [[[0, 1, 0, 4, 0]], [[6, 7, 3, 11, 7]]]
    offsets = ((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0))
    np.testing.assert_array_equal(around(maps, x_map, y_map, offsets)[0], np.concatenate(known))
    tensors = (paddle.to_tensor(x) for x in (maps, x_map, y_map))
    np.testing.assert_array_equal(around(*tensors, offsets).numpy()[0], np.concatenate(known))


@pytest.mark.parametrize("refine", ["argmax", "quarter", "dark", "udp"])
def test_a_decoder_on_the_cpu_reads_the_maps_where_they_are(refine, monkeypatch):
    seen, codec = [], GaussianHeatmap(range(3), (36, 48), 4, refine=refine)
    found = codec._found
    monkeypatch.setattr(codec, "_found", lambda maps: seen.append(maps) or found(maps))
    maps = maps_of(2, 3, 12, 9)
    before = maps.numpy()
    codec.decode(maps)
    assert [type(one) for one in seen] == [np.ndarray]
    assert seen[0].ctypes.data == maps.data_ptr()
    np.testing.assert_array_equal(maps.numpy(), before)  # nor writes to them


def test_results_are_tensors_without_a_gradient_and_without_a_warning(recwarn):
    maps = paddle.full([1, 2, 8, 8], np.inf)
    maps.stop_gradient = False
    joints, scores = GaussianHeatmap(range(2), (32, 32), 4, refine="dark").decode(maps)
    assert not [one for one in recwarn if issubclass(one.category, RuntimeWarning)]
    assert joints.stop_gradient
    assert scores.stop_gradient
    assert scores.tolist() == [[np.inf] * 2]


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
