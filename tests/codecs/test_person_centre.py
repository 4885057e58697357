"""Everybody of a photo goes into the maps and comes out again."""

import numpy as np
import paddle
import pytest

from paddle_pose.codecs.person_centre import PersonCentreHeatmap
from paddle_pose.errors import ConfigError

INPUT_WH = (128, 96)


def make_codec(**options):
    return PersonCentreHeatmap((0, 1), INPUT_WH, 8, **options)


def joints_of(people):
    """(P, 2, 2) from rows of centre x, centre y, size, turned by any angle."""
    people = np.asarray(people, np.float32)
    angle = np.arange(len(people))
    edge = people[:, :2] + people[:, 2:] / 2 * np.stack([np.sin(angle), -np.cos(angle)], axis=1)
    return np.stack([people[:, :2], edge], axis=1).astype(np.float32)


def encode(codec, *photos):
    """Target maps of photos that are given as lists of people."""
    most = max(len(people) for people in photos) - 1
    joints = np.zeros((len(photos), 1 + most, 2, 2), np.float32)
    weight = np.zeros((len(photos), 1 + most, 2), np.float32)
    for row, people in enumerate(photos):
        joints[row, : len(people)], weight[row, : len(people)] = joints_of(people), 1
    joints, weight = paddle.to_tensor(joints), paddle.to_tensor(weight)
    others = (joints[:, 1:], weight[:, 1:]) if most else None
    return codec.encode(joints[:, 0], weight[:, 0], others)


class TestEncode:
    def test_a_person_on_a_cell_of_a_size(self):
        target, weight = encode(make_codec(), [(8 * 5 + 3.5, 8 * 4 + 3.5, 80.0)])  # the second of 160, 113, 80
        assert target.shape == [1, 2, 7, 12, 16]
        assert weight.numpy().tolist() == [[1.0] * 6]
        maps = target[0, 0].numpy()
        np.testing.assert_array_equal(maps, target[0, 1].numpy())
        assert maps[2, 4, 5] == pytest.approx(1.0, abs=1e-5)
        assert maps[2, 4, 6] == pytest.approx(np.exp(-0.5), abs=1e-5)  # one cell
        assert maps[3, 4, 5] == pytest.approx(np.exp(-0.5), abs=1e-5)  # one size
        np.testing.assert_allclose(maps[6], 1 - maps[:6].max(axis=0), atol=1e-6)

    def test_photos_with_fewer_people_hold_nobody_else(self):
        one, two = [(40.0, 40.0, 70.0)], [(40.0, 40.0, 70.0), (100.0, 60.0, 40.0)]
        target, _ = encode(make_codec(), one, two)
        alone, _ = encode(make_codec(), one)
        np.testing.assert_allclose(target[0].numpy(), alone[0].numpy(), atol=1e-6)
        assert float((target[1] - target[0]).abs().max()) > 0.5

    def test_sizes_beyond_the_series_go_to_its_ends(self):
        target, _ = encode(make_codec(), [(59.5, 43.5, 1000.0)], [(59.5, 43.5, 2.0)])
        peaks = target[:, 0, :6].amax(axis=[2, 3]).numpy()
        assert peaks.argmax(axis=1).tolist() == [0, 5]
        np.testing.assert_allclose(peaks.max(axis=1), 1, atol=1e-5)


class TestPeople:
    def test_they_come_out_where_they_went_in(self):
        rng = np.random.default_rng(0)
        codec = make_codec()
        for _ in range(20):
            people = np.column_stack(
                [[20, 64, 105] + rng.uniform(-5, 5, 3), rng.uniform(20, 75, 3), rng.uniform(36, 110, 3)]
            )
            center, size, scores = codec.peaks(encode(codec, people)[0][:, 1], 5)
            order = np.argsort(center[0, :3, 0].numpy())
            np.testing.assert_allclose(center[0].numpy()[order], people[:, :2], atol=0.8)  # a tenth of a cell
            np.testing.assert_allclose(size[0].numpy()[order] / people[:, 2], 1, atol=0.05)
            assert scores[0, 2] > 0.6
            assert scores[0, 3] < scores[0, 2]

    def test_empty_maps_have_nobody(self):
        _, _, scores = make_codec().peaks(paddle.zeros([2, 7, 12, 16]), 4)
        assert not scores.numpy().any()
        assert bool(paddle.isfinite(make_codec().decode(paddle.zeros([2, 7, 12, 16]))[0]).all())

    def test_no_more_peaks_than_cells_are_returned(self):
        center, size, scores = make_codec(sizes=2).peaks(paddle.rand([1, 3, 12, 16]), 10_000)
        assert center.shape[1] == size.shape[1] == scores.shape[1] == 2 * 12 * 16

    def test_decode_gives_the_surest_as_it_was_given(self):
        codec = make_codec()
        joints, scores = codec.decode(encode(codec, [(70.0, 50.0, 64.0)])[0][:, 1])
        np.testing.assert_allclose(joints.numpy(), [[[70, 50], [70, 18]]], atol=0.8)
        assert scores.shape == [1, 2]

    def test_a_mirrored_crop(self):
        codec = make_codec()
        people = [(30.0, 40.0, 64.0), (100.0, 60.0, 40.0)]
        mirrored = [(INPUT_WH[0] - 1 - x, y, size) for x, y, size in people]
        ours = codec.mirror(encode(codec, mirrored)[0][:, 0])
        np.testing.assert_allclose(ours.numpy(), encode(codec, people)[0][:, 0].numpy(), atol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"sizes": 1}, "sizes >= 2"), ({"factor": 1.0}, "factor > 1"), ({"stride": 7}, "multiple of the stride 7")],
)
def test_impossible_settings(options, message):
    with pytest.raises(ConfigError, match=message):
        PersonCentreHeatmap(**{"mirror": (0, 1), "input_wh": INPUT_WH, "stride": 8, **options})


def test_it_is_for_person_centres_alone():
    with pytest.raises(ConfigError, match="not for 16 joints"):
        PersonCentreHeatmap(tuple(range(16)), INPUT_WH, 8)
