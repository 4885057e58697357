"""Peaks of maps that are drawn by hand."""

import numpy as np
import paddle
import pytest
from grouping_cases import bump

from paddle_pose.codecs.peaks import find_peaks


def peaks_of(*maps, threshold=0.1, most=50):
    """Peaks of maps (h, w) of as many parts of one photo."""
    return find_peaks(paddle.to_tensor(np.stack(maps)[None].astype(np.float32)), threshold, most)


def test_a_gaussian_is_placed_between_the_cells_exactly():
    rng = np.random.default_rng(0)
    for x, y in rng.uniform(2, 13, (20, 2)):
        peaks = peaks_of(bump(x, y))
        np.testing.assert_allclose(peaks.xy_map, [[x, y]], atol=1e-4)
        np.testing.assert_allclose(peaks.scores, 1.0, atol=1e-4)  # also when no cell is as high


def test_peaks_are_in_the_order_of_photos_parts_and_heights():
    one = np.stack([bump(3, 4, height=0.4) + bump(15, 9), bump(7, 7), np.zeros((16, 20))])
    two = np.stack([np.zeros((16, 20)), bump(5, 3), bump(12, 12, height=0.3) + bump(3, 3)])
    peaks = find_peaks(paddle.to_tensor(np.stack([one, two]).astype(np.float32)), 0.1, 50)
    assert peaks.counts.tolist() == [[2, 1, 0], [0, 1, 2]]
    assert peaks.starts.tolist() == [[0, 2, 3], [3, 3, 4]]
    assert peaks.xy_map.round(2).tolist() == [[15, 9], [3, 4], [7, 7], [5, 3], [3, 3], [12, 12]]


@pytest.mark.parametrize("cells", [[(5, 5), (5, 6)], [(5, 5), (6, 5)], [(5, 5), (5, 6), (6, 5), (6, 6)]])
def test_equal_neighbours_are_one_peak(cells):
    plain = np.full((16, 20), 0.02)
    for y, x in cells:
        plain[y, x] = 0.8
    peaks = peaks_of(plain)
    assert len(peaks.scores) == 1
    np.testing.assert_allclose(peaks.xy_map[0], np.mean(cells, axis=0)[::-1], atol=1e-6)


@pytest.mark.parametrize("cells", [[(5, 5), (6, 6), (7, 7)], [(5, 7), (6, 6), (7, 5)], [(5, 6), (6, 5), (6, 7)]])
def test_equal_cells_that_touch_by_corners_are_one_peak(cells):
    plain = np.zeros((16, 20))
    plain[tuple(np.transpose(cells))] = 0.8
    assert len(peaks_of(plain).scores) == 1


def test_a_cell_beside_a_higher_one_does_not_hide_its_equal_neighbour():
    plain = np.zeros((16, 20))
    plain[5, 4:9] = 0.5, 1.0, 0.85, 0.85, 0.2  # two people, at 5 and at 6.5
    peaks = peaks_of(plain)
    assert len(peaks.scores) == 2
    assert peaks.xy_map[1].tolist() == [6.5, 5.0]


def test_flat_maps_have_one_peak_and_maps_below_the_threshold_none():
    assert len(peaks_of(np.full((16, 20), 0.5)).scores) == 1
    assert len(peaks_of(np.full((16, 20), 0.1)).scores) == 0


def test_no_neighbour_beyond_the_border_of_a_map():
    """The end of one row or map is not beside the start of the next."""
    first, second = np.zeros((2, 16, 20))
    first[4, 19], first[5, 0], first[15, 19], second[0, 0] = 0.5, 0.9, 0.5, 0.9
    peaks = peaks_of(first, second)
    assert peaks.counts.tolist() == [[3, 1]]
    assert sorted(peaks.xy_map[:3].tolist()) == [[0, 5], [19, 4], [19, 15]]


def test_nan_and_infinity_are_no_peaks():
    plain = bump(5, 5) + bump(14, 11)
    plain[5, 6], plain[2, 2] = np.nan, np.inf
    peaks = peaks_of(plain, np.full((16, 20), np.nan))
    assert peaks.counts.tolist() == [[2, 0]]
    np.testing.assert_allclose(sorted(peaks.xy_map.tolist()), [[5, 5], [14, 11]], atol=1e-4)


def test_only_the_highest_are_kept_and_a_warning_tells():
    maps = np.random.default_rng(1).random((2, 30, 30))
    with pytest.warns(UserWarning, match="more than most_peaks=10 peaks"):
        peaks = peaks_of(*maps, most=10)
    assert peaks.counts.tolist() == [[10, 10]]
    everything = peaks_of(*maps, most=1000)
    np.testing.assert_array_equal(peaks.scores[:10], everything.scores[:10])
    np.testing.assert_array_equal(peaks.scores[10:], everything.scores[everything.starts[0, 1] :][:10])
