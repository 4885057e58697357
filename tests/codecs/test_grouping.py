"""People from maps that are drawn by hand, and what must not break the grouping."""

import time
import warnings

import numpy as np
import paddle
import pytest
from grouping_cases import CHAIN, LOOP, LOOSE, chain, draw

from paddle_pose.builder_data import build_component
from paddle_pose.codecs.grouping import Grouper, GroupingRules
from paddle_pose.codecs.peaks import find_peaks
from paddle_pose.config_sections import Component
from paddle_pose.errors import ConfigError
from paddle_pose.registry import CODECS
from paddle_pose.skeletons import OPENPOSE_18, Skeleton


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
