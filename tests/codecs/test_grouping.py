"""Peaks, limbs and people from maps that are drawn by hand, and what must not break the grouping."""

import time
import warnings

import numpy as np
import paddle
import pytest

from paddle_pose.builder_data import build_component
from paddle_pose.codecs.assembly import cycle_limbs
from paddle_pose.codecs.connections import Connections, assign_greedily, assign_optimally
from paddle_pose.codecs.grouping import Grouper, GroupingRules
from paddle_pose.codecs.peaks import find_peaks
from paddle_pose.config_sections import Component
from paddle_pose.errors import ConfigError
from paddle_pose.registry import CODECS
from paddle_pose.skeletons import COCO_17, OPENPOSE_18, Skeleton

SIGMA = 0.9
CHAIN = Skeleton("chain", ("a", "b", "c", "d"), limbs=(("a", "b"), ("b", "c"), ("c", "d")))
LOOP = Skeleton("loop", CHAIN.joints, limbs=(*CHAIN.limbs, ("a", "d")))
LOOSE = GroupingRules(min_parts=2)


def bump(x, y, size_wh=(20, 16), height=1.0):
    across, down = (np.exp(-((np.arange(n) - at) ** 2) / 2 / SIGMA**2) for n, at in zip(size_wh, (x, y)))
    return height * down[:, None] * across


def peaks_of(*maps, threshold=0.1, most=50):
    """Peaks of maps (h, w) of as many parts of one photo."""
    return find_peaks(paddle.to_tensor(np.stack(maps)[None].astype(np.float32)), threshold, most)


def draw(skeleton, people, size_wh=(24, 20), strength=1.0, noise=0.0):
    """Maps (1, 2L + K + 1, h, w) of people, given as (K, 2) joints in cells, NaN where unseen; thick, plain fields."""
    width, height = size_wh
    cells = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(float)
    fields = np.zeros((len(skeleton.limbs), 2, height, width))
    parts = np.zeros((len(skeleton), height, width))
    for joints in people:
        for part, (x, y) in enumerate(joints):
            if np.isfinite(x):
                parts[part] = np.maximum(parts[part], strength * bump(x, y, size_wh))
        for limb, (a, b) in enumerate(skeleton.limb_pairs):
            length = np.linalg.norm(joints[b] - joints[a])
            if np.isfinite(length) and length > 0:
                way = (joints[b] - joints[a]) / length
                along, aside = (cells - joints[a]) @ way, (cells - joints[a]) @ np.array([-way[1], way[0]])
                fields[limb][:, (np.abs(aside) <= 1) & (along >= -0.7) & (along <= length + 0.7)] = (
                    strength * way[:, None]
                )
    maps = np.concatenate([fields.reshape(-1, height, width), parts, 1 - parts.max(axis=0, keepdims=True)])
    maps += noise * np.random.default_rng(5).standard_normal(maps.shape)
    return paddle.to_tensor(maps[None].astype(np.float32))


def chain(x, y, step=4.0):
    """Four joints from left to right, the second and the fourth a little lower."""
    return np.array([(x, y), (x + step, y + 1), (x + 2 * step, y), (x + 3 * step, y + 1)], float)


class TestPeaks:
    def test_a_gaussian_is_placed_between_the_cells_exactly(self):
        rng = np.random.default_rng(0)
        for x, y in rng.uniform(2, 13, (20, 2)):
            peaks = peaks_of(bump(x, y))
            np.testing.assert_allclose(peaks.xy_map, [[x, y]], atol=1e-4)
            np.testing.assert_allclose(peaks.scores, 1.0, atol=1e-4)  # also when no cell is as high

    def test_peaks_are_in_the_order_of_photos_parts_and_heights(self):
        one = np.stack([bump(3, 4, height=0.4) + bump(15, 9), bump(7, 7), np.zeros((16, 20))])
        two = np.stack([np.zeros((16, 20)), bump(5, 3), bump(12, 12, height=0.3) + bump(3, 3)])
        peaks = find_peaks(paddle.to_tensor(np.stack([one, two]).astype(np.float32)), 0.1, 50)
        assert peaks.counts.tolist() == [[2, 1, 0], [0, 1, 2]]
        assert peaks.starts.tolist() == [[0, 2, 3], [3, 3, 4]]
        assert peaks.xy_map.round(2).tolist() == [[15, 9], [3, 4], [7, 7], [5, 3], [3, 3], [12, 12]]

    @pytest.mark.parametrize("cells", [[(5, 5), (5, 6)], [(5, 5), (6, 5)], [(5, 5), (5, 6), (6, 5), (6, 6)]])
    def test_equal_neighbours_are_one_peak(self, cells):
        plain = np.full((16, 20), 0.02)
        for y, x in cells:
            plain[y, x] = 0.8
        peaks = peaks_of(plain)
        assert len(peaks.scores) == 1
        np.testing.assert_allclose(peaks.xy_map[0], np.mean(cells, axis=0)[::-1], atol=1e-6)

    @pytest.mark.parametrize("cells", [[(5, 5), (6, 6), (7, 7)], [(5, 7), (6, 6), (7, 5)], [(5, 6), (6, 5), (6, 7)]])
    def test_equal_cells_that_touch_by_corners_are_one_peak(self, cells):
        plain = np.zeros((16, 20))
        plain[tuple(np.transpose(cells))] = 0.8
        assert len(peaks_of(plain).scores) == 1

    def test_a_cell_beside_a_higher_one_does_not_hide_its_equal_neighbour(self):
        plain = np.zeros((16, 20))
        plain[5, 4:9] = 0.5, 1.0, 0.85, 0.85, 0.2  # two people, at 5 and at 6.5
        peaks = peaks_of(plain)
        assert len(peaks.scores) == 2
        assert peaks.xy_map[1].tolist() == [6.5, 5.0]

    def test_flat_maps_have_one_peak_and_maps_below_the_threshold_none(self):
        assert len(peaks_of(np.full((16, 20), 0.5)).scores) == 1
        assert len(peaks_of(np.full((16, 20), 0.1)).scores) == 0

    def test_no_neighbour_beyond_the_border_of_a_map(self):
        """The end of one row or map is not beside the start of the next."""
        first, second = np.zeros((2, 16, 20))
        first[4, 19], first[5, 0], first[15, 19], second[0, 0] = 0.5, 0.9, 0.5, 0.9
        peaks = peaks_of(first, second)
        assert peaks.counts.tolist() == [[3, 1]]
        assert sorted(peaks.xy_map[:3].tolist()) == [[0, 5], [19, 4], [19, 15]]

    def test_nan_and_infinity_are_no_peaks(self):
        plain = bump(5, 5) + bump(14, 11)
        plain[5, 6], plain[2, 2] = np.nan, np.inf
        peaks = peaks_of(plain, np.full((16, 20), np.nan))
        assert peaks.counts.tolist() == [[2, 0]]
        np.testing.assert_allclose(sorted(peaks.xy_map.tolist()), [[5, 5], [14, 11]], atol=1e-4)

    def test_only_the_highest_are_kept_and_a_warning_tells(self):
        maps = np.random.default_rng(1).random((2, 30, 30))
        with pytest.warns(UserWarning, match="more than most_peaks=10 peaks"):
            peaks = peaks_of(*maps, most=10)
        assert peaks.counts.tolist() == [[10, 10]]
        everything = peaks_of(*maps, most=1000)
        np.testing.assert_array_equal(peaks.scores[:10], everything.scores[:10])
        np.testing.assert_array_equal(peaks.scores[10:], everything.scores[everything.starts[0, 1] :][:10])


class TestAssignment:
    # 0 and 1 each like both 5 and 6. Greedy takes the best (0, 5), which leaves (1, 6).
    CANDIDATES = Connections(
        np.zeros(4, int), np.array([0, 0, 1, 1]), np.array([5, 6, 5, 6]), np.array([0.9, 0.8, 0.85, 0.1])
    )

    def test_greedy_takes_the_best_first(self):
        kept = assign_greedily(self.CANDIDATES)
        assert list(zip(kept.first, kept.second)) == [(0, 5), (1, 6)]

    def test_optimal_has_the_highest_sum(self):
        kept = assign_optimally(self.CANDIDATES)
        assert list(zip(kept.first, kept.second)) == [(1, 5), (0, 6)]
        assert kept.scores.tolist() == [0.85, 0.8]

    def test_types_do_not_compete_and_nothing_is_nothing(self):
        two_types = Connections(np.array([0, 1]), np.array([0, 0]), np.array([5, 5]), np.array([0.3, 0.6]))
        nothing = two_types[np.zeros(0, int)]
        for assign in (assign_greedily, assign_optimally):
            assert assign(two_types).scores.tolist() == [0.6, 0.3]
            assert len(assign(nothing).types) == 0

    def test_optimal_never_makes_a_pair_that_is_no_candidate(self):
        kept = assign_optimally(self.CANDIDATES[np.array([0, 2])])  # both want 5
        assert list(zip(kept.first, kept.second)) == [(0, 5)]


class TestCycleLimbs:
    def test_the_skeleton_says(self):
        assert [OPENPOSE_18.limbs[row] for row in np.flatnonzero(cycle_limbs(OPENPOSE_18))] == [
            ("right_shoulder", "right_ear"),
            ("left_shoulder", "left_ear"),
        ]

    def test_where_it_says_nothing_the_later_ones_close_cycles(self):
        assert not cycle_limbs(CHAIN).any()
        assert cycle_limbs(LOOP).tolist() == [False, False, False, True]
        rest = [limb for limb, closes in zip(COCO_17.limbs, cycle_limbs(COCO_17)) if not closes]
        assert len(rest) == 16  # a tree of 17 joints

    def test_a_forest_stays_one(self):
        pairs = Skeleton("pairs", CHAIN.joints, limbs=(("a", "b"), ("c", "d")))
        people = Grouper(pairs, LOOSE)(draw(pairs, [chain(3, 8)]))[0]
        assert np.isfinite(people.joints_xy).all(axis=-1).sum(axis=1).tolist() == [2, 2]


class TestPeople:
    def test_two_people_with_all_their_joints(self):
        truth = [chain(3, 4), chain(5, 12)]
        people = Grouper(CHAIN, GroupingRules())(draw(CHAIN, truth))[0]
        assert len(people) == 2
        found = sorted(people.joints_xy.tolist(), key=lambda joints: joints[0])
        np.testing.assert_allclose(found, truth, atol=0.02)
        np.testing.assert_allclose(people.joint_scores, 1, atol=0.01)
        np.testing.assert_allclose(people.scores, 1, atol=0.02)

    def test_people_who_cross(self):
        """The first ends where the second begins, at the same height: fields decide, not distances."""
        truth = [np.array([(3, 3), (8, 7), (13, 11), (18, 15)], float), np.array([(3, 15), (8, 11), (13, 7), (18, 3)])]
        people = Grouper(CHAIN, GroupingRules())(draw(CHAIN, truth))[0]
        found = sorted(people.joints_xy.tolist(), key=lambda joints: joints[0][1])
        np.testing.assert_allclose(found, truth, atol=0.05)

    def test_who_shares_a_joint_gets_it_once(self):
        """Two people touch in the very same place: both are found, one of them without that joint."""
        one, two = chain(2, 6), chain(2, 14)
        one[3] = two[3] = (14, 10)
        people = Grouper(CHAIN, GroupingRules())(draw(CHAIN, [one, two]))[0]
        assert np.isfinite(people.joints_xy).all(axis=-1).sum(axis=1).tolist() == [4, 3]

    def test_joints_in_nearly_the_same_place_need_no_direction(self):
        """Eye and nose of a small face: found the wrong way round, or in one place, they still belong together."""
        truth = np.array([(5, 8), (9, 8), (9.4, 8), (14, 8)])
        maps, group = draw(CHAIN, [truth]), Grouper(CHAIN, GroupingRules())
        for x in (9.0, 8.8):
            found = truth.copy()
            found[2, 0] = x
            maps[:, 6:10] = draw(CHAIN, [found])[:, 6:10]  # peaks; the fields stay
            np.testing.assert_allclose(group(maps)[0].joints_xy, [found], atol=0.05)
        found[2, 0] = 7.5  # too far for an error of the place
        maps[:, 6:10] = draw(CHAIN, [found])[:, 6:10]
        assert len(group(maps)[0]) == 0

    def test_unseen_joints_are_nan_and_score_0(self):
        joints = chain(3, 8)
        joints[3] = np.nan
        people = Grouper(CHAIN, GroupingRules())(draw(CHAIN, [joints]))[0]
        assert np.isnan(people.joints_xy[0, 3]).all()
        assert people.joint_scores[0, 3] == 0
        np.testing.assert_allclose(people.scores, 5 / 7, atol=0.02)  # three joints, two limbs of four and three

    def test_a_limb_that_closes_a_cycle_bridges_a_gap(self):
        """`b` and `c` are unseen; only the limb a-d says that these two belong together."""
        joints = chain(3, 8)
        joints[1] = np.nan
        joints[2] = np.nan
        maps = draw(LOOP, [joints])
        people = Grouper(LOOP, LOOSE)(maps)[0]
        np.testing.assert_allclose(people.joints_xy[0, [0, 3]], joints[[0, 3]], atol=0.02)

    def test_a_limb_that_closes_a_cycle_never_joins_whole_people(self):
        """Its field is wrong and leads from one person's `a` to the other's `d`, more strongly than any other."""
        one, two = chain(3, 4, step=3.0), chain(3, 12, step=3.0)
        maps = draw(LOOP, [one, two], strength=0.6)
        wrong = draw(LOOP, [np.array([one[0], (np.nan, 0), (np.nan, 0), two[3]])])
        maps[:, 6:8] = wrong[:, 6:8]
        people = Grouper(LOOP, GroupingRules())(maps)[0]
        found = sorted(people.joints_xy.tolist(), key=lambda joints: joints[0][1])
        np.testing.assert_allclose(found, [one, two], atol=0.05)

    def test_ranking_and_thresholds(self):
        """Whole and sure, whole and unsure, half seen, half seen and unsure; then too little to be somebody."""
        half = chain(3, 24)
        half[3] = np.nan
        rows = [(chain(3, 4), 1.0), (chain(3, 14), 0.8), (half, 1.0), (half + (0, 10), 0.5), (half[:2] + (0, 20), 0.9)]
        rows[-1] = np.concatenate([rows[-1][0], np.full((2, 2), np.nan)]), 0.9
        maps = sum(draw(CHAIN, [joints], (20, 50), strength) for joints, strength in rows)
        people = Grouper(CHAIN, GroupingRules())(maps)[0]
        np.testing.assert_allclose(people.joints_xy[:, 0, 1], [4, 14, 24, 34], atol=0.05)
        assert (np.diff(people.scores) < -0.05).all()
        assert len(Grouper(CHAIN, GroupingRules(min_parts=2))(maps)[0]) == 5
        assert len(Grouper(CHAIN, GroupingRules(min_parts=4))(maps)[0]) == 2
        assert len(Grouper(CHAIN, GroupingRules(min_score=1.5))(maps)[0]) == 2  # per joint, joints and limbs added up
        assert len(Grouper(CHAIN, GroupingRules(peak_threshold=0.6))(maps)[0]) == 3

    def test_long_limbs_lose(self):
        """Three limbs 7.07 cells long, of 3 cells that are free: each loses 0.58."""
        group = Grouper(CHAIN, GroupingRules(longest_limb=0.3))
        joints = chain(2, 3, step=7.0)
        maps = draw(CHAIN, [joints], (26, 10))
        np.testing.assert_allclose(Grouper(CHAIN, GroupingRules(longest_limb=0.8))(maps)[0].scores, 1, atol=0.02)
        np.testing.assert_allclose(group(maps)[0].scores, (4 + 3 * 0.42) / 7, atol=0.02)
        assert len(group(maps * 0.5)[0]) == 0


class TestWhatMayCome:
    def test_photos_of_a_batch_do_not_mix(self):
        photos = [[chain(3, 4), chain(5, 12)], [], [chain(8, 9)]]
        maps = paddle.concat([draw(CHAIN, people) for people in photos])
        group = Grouper(CHAIN, GroupingRules())
        together = group(maps)
        assert [len(people) for people in together] == [2, 0, 1]
        for row, people in enumerate(together):
            alone = group(maps[row : row + 1])[0]
            np.testing.assert_allclose(people.joints_xy, alone.joints_xy, atol=1e-6)
            np.testing.assert_allclose(people.scores, alone.scores, atol=1e-6)

    @pytest.mark.parametrize("shape", [(2, 11, 20, 24), (1, 11, 1, 1), (1, 11, 1, 9), (2, 11, 0, 5)])
    def test_empty_maps_hold_nobody(self, shape):
        for people in Grouper(CHAIN, GroupingRules())(paddle.zeros(shape)):
            assert people.joints_xy.shape == (0, 4, 2)
            assert people.scores.shape == (0,)
        assert Grouper(CHAIN, GroupingRules())(paddle.zeros([0, 11, 5, 5])) == []

    def test_half_precision(self):
        people = Grouper(CHAIN, GroupingRules())(draw(CHAIN, [chain(3.3, 8.6)]).astype("float16"))[0]
        np.testing.assert_allclose(people.joints_xy, [chain(3.3, 8.6)], atol=0.02)

    def test_nan_is_nothing(self):
        group = Grouper(CHAIN, GroupingRules())
        maps = draw(CHAIN, [chain(3, 4), chain(5, 12)])
        assert len(group(paddle.full_like(maps, float("nan")))[0]) == 0
        maps[:, :, :8] = float("nan")  # the upper one is gone
        np.testing.assert_allclose(group(maps)[0].joints_xy, [chain(5, 12)], atol=0.05)
        fields = draw(CHAIN, [chain(3, 4)])
        fields[:, 2:4] = float("nan")  # without b-c nobody has three joints
        assert len(group(fields)[0]) == 0

    def test_gradients_do_not_disturb(self):
        maps = draw(CHAIN, [chain(3, 8)])
        maps.stop_gradient = False
        assert len(Grouper(CHAIN, GroupingRules())(maps * 1)[0]) == 1

    def test_other_channels_are_refused(self):
        with pytest.raises(ValueError, match=r"expected \(B, 11, h, w\) maps, but got \(1, 12, 4, 4\)"):
            Grouper(CHAIN, GroupingRules())(paddle.zeros([1, 12, 4, 4]))

    @pytest.mark.parametrize("assignment", ["greedy", "optimal"])
    def test_20000_spurious_peaks_end_soon(self, assignment):
        maps = paddle.to_tensor(np.random.default_rng(2).random((1, 57, 100, 100)).astype(np.float32))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert len(find_peaks(maps[:, 38:56], 0.1, 10**6).scores) > 19_500
            started = time.process_time()
            people = Grouper(OPENPOSE_18, GroupingRules(assignment=assignment))(maps)[0]
        assert time.process_time() - started < 20  # about 0.5 s; without a bound it is hours
        assert len(people) < 127 * 18


class TestRules:
    def build(self, grouping):
        derived = {"mirror": OPENPOSE_18.mirror, "skeleton": OPENPOSE_18, "input_wh": (96, 96), "stride": 8}
        return build_component(CODECS, Component(type="PartAffinity", grouping=grouping), "codec", derived)

    def test_they_come_from_a_configuration(self):
        codec = self.build({"peak_threshold": 0.3, "min_parts": 2})
        joints = paddle.zeros([1, 18, 2])
        joints[:, 1], joints[:, 2] = paddle.to_tensor([30.0, 30.0]), paddle.to_tensor([60.0, 30.0])
        weight = paddle.zeros([1, 18])
        weight[:, 1:3] = 1.0
        maps = codec.encode(joints, weight)[0]
        assert [len(codec.people(maps * strength)[0]) for strength in (1.0, 0.25)] == [1, 0]

    @pytest.mark.parametrize(
        ("grouping", "message"),
        [
            ({"peak_treshold": 0.1}, r"codec\.grouping\.peak_treshold: .*did you mean 'peak_threshold'"),
            ({"peak_threshold": "high"}, r"codec\.grouping\.peak_threshold='high' is wrong"),
            ({"peak_threshold": 0}, r"codec\.grouping\.peak_threshold=0.0 is wrong: it must be above 0"),
            ({"assignment": "best"}, r"codec\.grouping\.assignment='best' is wrong: input should be 'greedy' or"),
            ({"samples": 1}, r"codec\.grouping\.samples=1 is wrong: it must be from 2 to 100"),
            ({"sample_ratio": 1.0}, r"codec\.grouping\.sample_ratio=1.0 is wrong"),
            ({"most_peaks": 0}, r"codec\.grouping\.most_peaks=0 is wrong"),
            (7, r"codec\.grouping=7 is wrong"),
        ],
    )
    def test_what_cannot_be_is_one_clear_line(self, grouping, message):
        with pytest.raises(ConfigError, match=message) as caught:
            self.build(grouping)
        assert "\n" not in str(caught.value)

    def test_a_skeleton_needs_limbs(self):
        with pytest.raises(ConfigError, match="bare has no limbs"):
            Grouper(Skeleton("bare", ("a", "b")), GroupingRules())
