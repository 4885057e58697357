"""GaussianHeatmap against hand arithmetic: drawing, round trip, mirror, refusals."""

import numpy as np
import paddle
import pytest

from paddle_pose.codecs.gaussian import GaussianHeatmap
from paddle_pose.errors import ConfigError

PAIRS = [("msra", "quarter"), ("unbiased", "dark"), ("udp", "udp")]
TARGETS = [target for target, _ in PAIRS]


def codec(target="msra", refine="quarter", mirror=(0,), input_wh=(192, 256), **options):
    return GaussianHeatmap(mirror, input_wh, 4, target=target, refine=refine, **options)


def draw(joints_crop, weight=None, **options):
    """Maps (K, h, w) and weights (K,) of one sample."""
    joints = paddle.to_tensor([joints_crop], dtype="float32")
    weight = paddle.ones(joints.shape[:2]) if weight is None else paddle.to_tensor([weight])
    maps, weight = codec(**options).encode(joints, weight)
    return maps.numpy()[0], weight.numpy()[0]


def interior_joints(count=200):
    """(1, count, 2) crop pixels at least 13 cells from the border: 3 sigma + 1 + half of the blur of 11."""
    rng = np.random.default_rng(0)
    return rng.uniform((52, 52), (192 - 56, 256 - 56), (1, count, 2)).astype("float32")


def round_trip(joints_crop, **options):
    one = codec(**options)
    joints = paddle.to_tensor(joints_crop)
    return one.decode(one.encode(joints, paddle.ones(joints.shape[:2]))[0])[0].numpy()


def test_shapes_and_geometry_follow_from_the_crop():
    assert codec().map_wh == (48, 64)
    assert codec().output_shape(17) == (17, 64, 48)
    assert [codec(target).pixel_centres for target in TARGETS] == [False, False, True]


@pytest.mark.parametrize(("sigma", "kernel"), [(1, 3), (1.5, 7), (2, 11), (3, 17)])
def test_blur_kernel_follows_from_sigma(sigma, kernel):
    """The table of mmpose's MSRAHeatmap."""
    assert codec(sigma_map=sigma).blur_kernel == kernel


class TestEncode:
    @pytest.mark.parametrize("target", TARGETS)
    def test_aligned_bump_by_hand(self, target):
        """Sigma 2: exp(-1/8) one cell away, exp(-4/8) two, exp(-36/8) six, exp(-2/8) on the diagonal."""
        cell = (191 / 47, 255 / 63) if target == "udp" else (4, 4)
        maps, _ = draw([[20 * cell[0], 30 * cell[1]]], target=target)
        cross = [maps[0, 30, 20 + i] for i in (0, 1, -2, 6)] + [maps[0, 31, 20], maps[0, 29, 19]]
        expected = [1, 0.882497, 0.606531, 0.011109, 0.882497, 0.778801]
        np.testing.assert_allclose(cross, expected, atol=2e-6)
        beyond = np.exp(-49 / 8) if target == "unbiased" else 0
        np.testing.assert_allclose([maps[0, 30, 27], maps[0, 23, 20]], beyond, atol=1e-7)

    def test_msra_rounds_half_up_to_a_cell(self):
        """x / 4 + 0.5 cut: 81.9 px -> cell 20, 82 px -> 21."""
        maps, _ = draw([[81.9, 120], [82, 120]])
        assert [np.unravel_index(m.argmax(), m.shape) for m in maps] == [(30, 20), (30, 21)]
        assert maps.max((1, 2)).tolist() == [1, 1]

    def test_unbiased_keeps_the_fraction(self):
        """A joint at cell 20.25: 1/4 cell from cell 20, 3/4 from cell 21."""
        maps, _ = draw([[81, 120]], target="unbiased")
        expected = np.exp([-(0.25**2) / 8, -(0.75**2) / 8])
        np.testing.assert_allclose(maps[0, 30, 20:22], expected, rtol=1e-5)

    @pytest.mark.parametrize("target", TARGETS)
    def test_sides_are_not_swapped(self, target):
        """x runs along the last axis: a joint near the right border of an upright map."""
        maps, weight = draw([[180, 20]], target=target)
        assert maps.shape == (1, 64, 48)
        assert np.unravel_index(maps[0].argmax(), (64, 48)) == (
            5,
            44 if target == "udp" else 45,
        )  # 180 * 47 / 191 = 44.3
        assert weight.tolist() == [1]

    @pytest.mark.parametrize(
        ("x", "weight", "peak"),
        # Cell c draws c - 6 ... c + 6 and counts while c - 6 < 48 and c + 7 >= 0; -6.5 is cut to -6.
        [
            (4 * 53, 1, np.exp(-36 / 8)),  # cell 53: its first column is the map's last
            (4 * 54, 0, 0),
            (-4 * 7, 1, np.exp(-36 / 8)),  # cell -6: its last column is the map's first
            (-4 * 8, 1, 0),  # cell -7: nothing to draw, but it still counts
            (-4 * 9, 0, 0),
        ],
    )
    def test_weight_is_0_only_when_the_whole_patch_is_outside(self, x, weight, peak):
        maps, got = draw([[x, 120]])
        assert got.tolist() == [weight]
        assert maps.max() == pytest.approx(peak, rel=1e-6)

    @pytest.mark.parametrize("target", TARGETS)
    @pytest.mark.parametrize("junk", [float("nan"), float("inf"), -250, 1e30])
    def test_junk_in_an_unlabelled_joint_harms_nothing(self, junk, target):
        maps, weight = draw([[junk, junk], [80, 120], [80, junk]], [0.0, 1.0, 0.0], target=target)
        assert weight.tolist() == [0, 1, 0]
        assert (maps[[0, 2]] == 0).all()
        np.testing.assert_array_equal(maps[1], draw([[80, 120]], target=target)[0][0])

    def test_an_unlabelled_joint_on_the_map_is_not_drawn(self):
        maps, weight = draw([[80, 120]], [0.0])
        assert (maps.max(), weight.tolist()) == (0, [0])

    def test_weights_other_than_1_pass_through(self):
        assert draw([[80, 120], [80, 120]], [1.5, 0.3])[1].tolist() == pytest.approx([1.5, 0.3])


class TestRoundTrip:
    def test_msra_quarter_loses_the_rounding_and_nothing_else(self):
        """The drawn bump is symmetric about its cell, so the quarter offset is 0: half a cell, 2 px."""
        joints = interior_joints()
        found = round_trip(joints)
        np.testing.assert_array_equal(found, 4 * np.floor(joints / 4 + 0.5))
        assert np.abs(found - joints).max() <= 2

    def test_unbiased_quarter_halves_it(self):
        """The peak is within half a cell, the quarter goes towards the joint: a quarter cell, 1 px."""
        joints = interior_joints()
        assert np.abs(round_trip(joints, target="unbiased") - joints).max() <= 1 + 1e-4

    @pytest.mark.parametrize("pair", PAIRS[1:])
    def test_dark_and_udp_come_back_within_a_hundredth_of_a_cell(self, pair):
        """The logarithm of a Gaussian is a parabola; what is lost is the cut of blur and patch."""
        joints = interior_joints()
        assert np.abs(round_trip(joints, target=pair[0], refine=pair[1]) - joints).max() < 0.01 * 4

    @pytest.mark.parametrize(("target", "refine"), PAIRS)
    def test_peaks_in_the_corners_stay_on_the_map(self, target, refine):
        far = [191, 255] if target == "udp" else [188, 252]
        joints = np.array([[[0, 0], [far[0], 0], [0, far[1]], far]], "float32")
        # No step at the border for quarter and DARK; UDP repeats border cells, which pulls it by half a cell.
        found = round_trip(joints, target=target, refine=refine)
        np.testing.assert_allclose(found, joints, atol=0.5 * 4 * 1.02 if refine == "udp" else 0)

    @pytest.mark.parametrize("refine", ["argmax", "quarter", "dark", "udp"])
    def test_half_precision_maps_are_cast_first(self, refine):
        one = codec("unbiased", refine)
        joints = paddle.to_tensor(interior_joints())
        maps = one.encode(joints, paddle.ones(joints.shape[:2]))[0].astype("float16")
        joints_half, scores_half = one.decode(maps)
        joints_full, scores_full = one.decode(maps.astype("float32"))
        assert (joints_half.dtype, scores_half.dtype) == (paddle.float32, paddle.float32)
        np.testing.assert_array_equal(joints_half.numpy(), joints_full.numpy())
        np.testing.assert_array_equal(scores_half.numpy(), scores_full.numpy())


class TestMirror:
    @pytest.mark.parametrize(
        ("pair", "shifted", "off_px"),
        # Cell i holds crop x = 4 i, the mirrored crop holds x at 191 - x. Columns reversed back:
        # 47 - (191 - x) / 4 = x / 4 - 0.75. UDP: 47 - (191 - x) 47 / 191 = x 47 / 191.
        [(PAIRS[1], False, -0.75 * 4), (PAIRS[1], True, 0.25 * 4), (PAIRS[2], False, 0.0)],
    )
    def test_misalignment_is_as_derived(self, pair, shifted, off_px):
        one = codec(*pair, mirror=(1, 0, 2), shift_mirrored=shifted)
        joints = interior_joints(300).reshape(100, 3, 2)
        mirrored = joints[:, [1, 0, 2]].copy()
        mirrored[..., 0] = 191 - mirrored[..., 0]
        maps, _ = one.encode(paddle.to_tensor(mirrored), paddle.ones([100, 3]))
        found = one.decode(one.mirror(maps))[0].numpy()
        np.testing.assert_allclose(found[..., 0] - joints[..., 0], off_px, atol=0.01 * 4)
        np.testing.assert_allclose(found[..., 1], joints[..., 1], atol=0.01 * 4)

    def test_cells_by_hand(self):
        """Joint 0 holds 0 ... 3, joint 1 holds 10 ... 13; they are each other's mirror."""
        maps = paddle.to_tensor([[[[0.0, 1, 2, 3]], [[10, 11, 12, 13]]]])
        plain = codec(mirror=(1, 0)).mirror(maps).numpy()[0, :, 0]
        assert plain.tolist() == [[13, 12, 11, 10], [3, 2, 1, 0]]
        shifted = codec(mirror=(1, 0), shift_mirrored=True).mirror(maps).numpy()[0, :, 0]
        assert shifted.tolist() == [[13, 13, 12, 11], [3, 3, 2, 1]]

    def test_wrong_number_of_maps_is_refused(self):
        with pytest.raises(ValueError, match="3 maps to mirror, but got 2"):
            codec(mirror=(0, 1, 2)).mirror(paddle.zeros([1, 2, 4, 4]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"input_wh": (190, 256)}, "not a multiple of the stride 4"),
        ({"input_wh": (4, 256)}, "too few cells"),
        ({"target": "mrsa"}, "known: msra, unbiased, udp"),
        ({"refine": "darc"}, "known: argmax, quarter, dark, udp"),
        ({"sigma_map": 0}, "sigma_map must be positive"),
        ({"blur_kernel": 10}, "blur_kernel must be odd"),
        ({"target": "udp", "shift_mirrored": True}, "shift_mirrored"),
    ],
)
def test_wrong_options_are_refused_in_one_line(options, words):
    with pytest.raises(ConfigError, match=words) as caught:
        codec(**options)
    assert "\n" not in str(caught.value)
