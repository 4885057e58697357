"""Draws against the published definitions, by their statistics.

Tolerances: a share p of n draws has standard error sqrt(p (1 - p) / n), at most 0.005 for n = 10000; checks
allow 4 of them (0.02). Draws are seeded, so a passing test stays one.
"""

from math import erf, exp, pi, sqrt

import numpy as np
import pytest

from paddle_pose.data.augment import AUGMENTATIONS, HalfBody, HRNetAugmentation, MMPoseAugmentation, plain_view
from paddle_pose.errors import ConfigError
from paddle_pose.samples import Sample
from paddle_pose.skeletons import COCO_17, LSP_14, MPII_16

DRAWS = 10_000
SHARE = 0.02
BOTH = [HRNetAugmentation, MMPoseAugmentation]


def normal_cdf(x: float) -> float:
    return 0.5 * (1 + erf(x / sqrt(2)))


def person(labelled=None, skeleton=MPII_16, joints_image=None) -> Sample:
    k = len(skeleton)
    labelled = np.ones(k, bool) if labelled is None else np.asarray(labelled, bool)
    if joints_image is None:
        joints_image = np.stack([np.arange(k) * 7.0 % 50, np.arange(k) * 13.0 % 90], 1)
    return Sample(0, "x.jpg", joints_image, labelled, labelled, np.array([40.0, 60.0]), np.array([100.0, 200.0]))


def draws(augmentation, count=DRAWS, sample=None, skeleton=MPII_16):
    rng = np.random.default_rng(11)
    sample = sample or person(skeleton=skeleton)
    return [augmentation.draw(rng, sample, skeleton) for _ in range(count)]


def share(values) -> float:
    return float(np.mean(list(values)))


class TestHRNet:
    def test_scale_is_a_clipped_normal(self):
        views = draws(HRNetAugmentation(scale=0.25))
        factors = np.array([view.size_image_wh / (100, 200) for view in views])
        np.testing.assert_allclose(factors[:, 0], factors[:, 1], rtol=1e-12)
        factors = factors[:, 0]
        assert (factors.min(), factors.max()) == (0.75, 1.25)
        # both clips are one standard deviation out
        tail = 1 - normal_cdf(1)
        assert share(factors == 0.75) == pytest.approx(tail, abs=SHARE)
        assert share(factors == 1.25) == pytest.approx(tail, abs=SHARE)
        # inside it is a normal of spread 0.25: half a spread above the middle
        assert share(factors < 1.125) == pytest.approx(normal_cdf(0.5), abs=SHARE)
        np.testing.assert_array_equal([v.center_image_xy for v in views[:50]], [[40.0, 60.0]] * 50)

    def test_rotation_is_a_clipped_normal_in_six_cases_of_ten(self):
        angles = np.array([view.angle_deg for view in draws(HRNetAugmentation(rotation_deg=30.0))])
        assert share(angles != 0) == pytest.approx(0.6, abs=SHARE)
        assert (angles.min(), angles.max()) == (-60.0, 60.0)
        assert share(angles == 60.0) == pytest.approx(0.6 * (1 - normal_cdf(2)), abs=0.005)
        assert share(angles[angles != 0] < 30.0) == pytest.approx(normal_cdf(1), abs=SHARE)
        assert share(angles[angles != 0] < 0) == pytest.approx(0.5, abs=0.026)

    def test_the_gate_of_half_bodies_is_more_than_eight_joints(self):
        augmentation = HRNetAugmentation(scale=0.0, half_body_probability=1.0)
        for count in (8, 9):
            labelled = np.arange(16) < count
            view = augmentation.draw(np.random.default_rng(0), person(labelled), MPII_16)
            assert (tuple(view.size_image_wh) != (100, 200)) == (count == 9)

    def test_upper_halves_come_in_69_cases_of_100(self):
        """P(N(0, 1) < 0.5): the reference compares a normal draw with a half."""
        augmentation = HRNetAugmentation(scale=0.0, half_body_probability=1.0)
        sample = person()
        upper = np.asarray(sample.joints_image)[list(MPII_16.upper_body_ids)].mean(0)
        is_upper = [abs(view.center_image_xy - upper).max() < 1e-9 for view in draws(augmentation, sample=sample)]
        assert share(is_upper) == pytest.approx(normal_cdf(0.5), abs=SHARE)

    def test_half_bodies_are_off_unless_asked_for(self):
        assert all(tuple(v.center_image_xy) == (40, 60) for v in draws(HRNetAugmentation(), 500))


class TestMMPose:
    def test_scale_is_a_truncated_normal_over_the_range(self):
        views = draws(MMPoseAugmentation(scale_range=(0.5, 1.5)))
        unit = (np.array([view.size_image_wh[0] / 100 for view in views]) - 1.0) / 0.5
        assert -1 <= unit.min() < -0.99
        assert 0.99 < unit.max() <= 1
        # Var of N(0, 1) cut to [-1, 1] = 1 - 2 phi(1) / (2 Phi(1) - 1) = 0.2911, its root 0.5396
        variance = 1 - 2 * exp(-0.5) / sqrt(2 * pi) / (2 * normal_cdf(1) - 1)
        assert sqrt(variance) == pytest.approx(0.5396, abs=1e-4)
        assert unit.std() == pytest.approx(sqrt(variance), abs=0.012)
        assert unit.mean() == pytest.approx(0, abs=0.022)  # 4 x 0.5396 / sqrt(10000)

    def test_a_range_that_is_not_centred_on_one(self):
        factors = np.array([v.size_image_wh[1] / 200 for v in draws(MMPoseAugmentation(scale_range=(0.6, 1.0)), 4000)])
        assert 0.6 <= factors.min() < 0.605
        assert 0.995 < factors.max() <= 1.0

    def test_rotation(self):
        angles = np.array([view.angle_deg for view in draws(MMPoseAugmentation(rotation_deg=80.0))])
        assert share(angles != 0) == pytest.approx(0.6, abs=SHARE)
        assert 79 < np.abs(angles).max() <= 80
        assert angles[angles != 0].std() == pytest.approx(80 * 0.5396, abs=80 * 0.015)

    def test_shift_is_a_share_of_the_box_before_it_is_scaled(self):
        views = draws(MMPoseAugmentation(shift=0.16, shift_probability=0.3))
        shifts = (np.array([v.center_image_xy for v in views]) - (40, 60)) / (100, 200)
        shifted = (shifts != 0).any(1)
        assert share(shifted) == pytest.approx(0.3, abs=SHARE)
        assert (shifts[shifted] != 0).all()  # x and y go together
        assert np.abs(shifts).max(0).min() > 0.155
        assert np.abs(shifts).max() <= 0.16
        assert shifts[shifted].std() == pytest.approx(0.16 * 0.5396, abs=0.16 * 0.02)
        assert abs(np.corrcoef(shifts[shifted].T)[0, 1]) < 0.075  # 4 / sqrt(3000): but drawn apart

    def test_upper_halves_come_in_7_cases_of_10(self):
        augmentation = MMPoseAugmentation(scale_range=(1, 1), shift=0.0, half_body_probability=1.0)
        sample = person()
        upper = np.asarray(sample.joints_image)[list(MPII_16.upper_body_ids)].mean(0)
        is_upper = [abs(v.center_image_xy - upper).max() < 1e-9 for v in draws(augmentation, sample=sample)]
        assert share(is_upper) == pytest.approx(0.7, abs=SHARE)

    def test_half_bodies_come_as_often_as_asked_for(self):
        augmentation = MMPoseAugmentation(scale_range=(1, 1), shift=0.0, half_body_probability=0.3)
        cut = [tuple(v.center_image_xy) != (40, 60) for v in draws(augmentation)]
        assert share(cut) == pytest.approx(0.3, abs=SHARE)


def pick(upper: int, lower: int, skeleton=MPII_16) -> np.ndarray:
    """(K,) bool with so many joints of each half."""
    uppers = list(skeleton.upper_body_ids)
    lowers = [k for k in range(len(skeleton)) if k not in uppers]
    labelled = np.zeros(len(skeleton), bool)
    labelled[uppers[:upper] + lowers[:lower]] = True
    return labelled


class TestHalfBody:
    RULE = HalfBody(1.0, min_joints=1, min_upper=2, min_lower=3, upper_probability=0.5)

    def test_box_and_centre_by_hand(self):
        """Upper joints of LSP at x 10, 30, y 20, 20, 50: mean (50/3, 30), box 20 x 30, grown by 1.5."""
        labelled = np.zeros(14, bool)
        joints_image = np.full((14, 2), np.nan)
        for name, at in {"neck": (10, 20), "head_top": (10, 20), "left_wrist": (30, 50)}.items():
            labelled[LSP_14.index(name)] = True
            joints_image[LSP_14.index(name)] = at
        view = self.RULE.draw(np.random.default_rng(0), person(labelled, LSP_14, joints_image), LSP_14)
        np.testing.assert_allclose(view.center_image_xy, (50 / 3, 30))
        np.testing.assert_allclose(view.size_image_wh, (30, 45))

    @pytest.mark.parametrize("elsewhere", [np.nan, -250.0, 1e9])
    def test_an_unlabelled_joint_has_no_say(self, elsewhere):
        labelled = pick(5, 5)
        joints_image = np.where(labelled[:, None], person().joints_image, elsewhere)
        for seed in range(30):
            given = self.RULE.draw(np.random.default_rng(seed), person(labelled, joints_image=joints_image), MPII_16)
            clean = self.RULE.draw(np.random.default_rng(seed), person(labelled), MPII_16)
            np.testing.assert_array_equal(given.center_image_xy, clean.center_image_xy)
            np.testing.assert_array_equal(given.size_image_wh, clean.size_image_wh)
            assert (given.size_image_wh < 300).all()

    def test_only_the_half_with_enough_joints_is_shown(self):
        for labelled, shown in ((pick(2, 2), slice(0, 2)), (pick(1, 3), slice(1, 4))):
            ids = [*np.flatnonzero(labelled & np.isin(np.arange(16), MPII_16.upper_body_ids))]
            ids += [*np.flatnonzero(labelled & ~np.isin(np.arange(16), MPII_16.upper_body_ids))]
            middle = np.asarray(person().joints_image)[ids[shown]].mean(0)
            for seed in range(20):
                view = self.RULE.draw(np.random.default_rng(seed), person(labelled), MPII_16)
                np.testing.assert_allclose(view.center_image_xy, middle)

    def test_neither_half_has_enough(self):
        assert self.RULE.draw(np.random.default_rng(0), person(pick(1, 2)), MPII_16) is None

    def test_joints_in_one_place_still_give_a_box(self):
        sample = person(joints_image=np.full((16, 2), 8.0))
        view = self.RULE.draw(np.random.default_rng(0), sample, MPII_16)
        assert (view.size_image_wh > 0).all()

    @pytest.mark.parametrize("skeleton", [MPII_16, LSP_14, COCO_17], ids=lambda s: s.name)
    def test_every_skeleton_has_two_halves(self, skeleton):
        centres = {
            tuple(self.RULE.draw(np.random.default_rng(seed), person(skeleton=skeleton), skeleton).center_image_xy)
            for seed in range(30)
        }
        assert len(centres) == 2


@pytest.mark.parametrize(
    ("flavour", "upper", "lower", "views"),
    [  # MPII has 9 upper and 7 lower joints; views: the whole body, a half, or either half
        (MMPoseAugmentation, 5, 3, {"whole"}),  # 8 in all
        (MMPoseAugmentation, 6, 3, {"upper", "lower"}),
        (MMPoseAugmentation, 7, 2, {"upper"}),
        (MMPoseAugmentation, 2, 7, {"upper", "lower"}),
        (HRNetAugmentation, 5, 3, {"whole"}),
        (HRNetAugmentation, 6, 3, {"upper", "lower"}),
        (HRNetAugmentation, 7, 2, {"upper"}),
        (HRNetAugmentation, 2, 7, {"lower"}),
        (HRNetAugmentation, 3, 7, {"upper", "lower"}),
    ],
)
def test_the_gates_of_half_bodies(flavour, upper, lower, views):
    no_shift = {"shift": 0.0} if flavour is MMPoseAugmentation else {}
    sample = person(pick(upper, lower))
    is_upper = np.isin(np.arange(16), MPII_16.upper_body_ids)
    names = {(40.0, 60.0): "whole"}
    for name, half in (("upper", sample.labelled & is_upper), ("lower", sample.labelled & ~is_upper)):
        names[tuple(np.asarray(sample.joints_image)[half].mean(0))] = name
    drawn = draws(flavour(half_body_probability=1.0, **no_shift), 60, sample)
    assert {names[tuple(view.center_image_xy)] for view in drawn} == views


@pytest.mark.parametrize("flavour", BOTH)
class TestBoth:
    def test_the_same_generator_state_gives_the_same_view(self, flavour):
        augmentation = flavour(half_body_probability=0.5, color_gain=(0.6, 1.4))
        views = [augmentation.draw(np.random.default_rng((5, 1, k)), person(), MPII_16) for k in (3, 3, 4)]
        assert repr(views[0]) == repr(views[1])
        assert repr(views[0]) != repr(views[2])

    def test_global_generators_are_not_touched(self, flavour):
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        draws(flavour(half_body_probability=0.5, color_gain=(0.6, 1.4)), 20)
        np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002

    def test_mirror_share(self, flavour):
        assert share(v.mirrored for v in draws(flavour())) == pytest.approx(0.5, abs=SHARE)
        assert not any(v.mirrored for v in draws(flavour(mirror_probability=0.0), 200))
        assert all(v.mirrored for v in draws(flavour(mirror_probability=1.0), 200))

    def test_color_gains(self, flavour):
        gains = np.array([v.color_gain for v in draws(flavour(color_gain=(0.6, 1.4)), 10_000)])
        assert 0.6 <= gains.min() < 0.602
        assert 1.398 < gains.max() <= 1.4
        assert gains.std(0) == pytest.approx(0.8 / sqrt(12), rel=0.03)  # uniform
        assert np.abs(np.corrcoef(gains.T) - np.eye(3)).max() < 0.05  # each channel by itself
        assert {v.color_gain for v in draws(flavour(), 20)} == {(1.0, 1.0, 1.0)}

    def test_the_sample_is_not_changed(self, flavour):
        sample = person()
        before = repr(sample)
        draws(flavour(half_body_probability=0.5), 50, sample)
        assert repr(sample) == before

    def test_no_rotation_where_none_is_asked_for(self, flavour):
        assert {v.angle_deg for v in draws(flavour(rotation_probability=0.0), 200)} == {0.0}


def test_a_plain_view_is_the_annotated_one():
    view = plain_view(person())
    assert (tuple(view.center_image_xy), tuple(view.size_image_wh)) == ((40, 60), (100, 200))
    assert (view.angle_deg, view.mirrored, view.color_gain) == (0.0, False, (1.0, 1.0, 1.0))


def test_names():
    assert AUGMENTATIONS.names() == ["HRNet", "MMPose", "OpenPose", "WholePhoto"]
    with pytest.raises(ConfigError, match="did you mean 'HRNet'"):
        AUGMENTATIONS["HRnet"]
