"""CPMHeatmap against hand arithmetic: drawing, other people, background, round trip, mirror, refusals."""

import cv2
import numpy as np
import paddle
import pytest

from paddle_pose.codecs.cpm import CPMHeatmap
from paddle_pose.codecs.refine import parabola_step, peak
from paddle_pose.errors import ConfigError


def codec(mirror=(0,), input_wh=(96, 64), **options):
    return CPMHeatmap(mirror, input_wh, 8, **options)


def draw(joints_crop, weight=None, others=None, **options):
    """Maps (2, C, h, w) and weights (K,) of one crop."""
    joints = paddle.to_tensor([joints_crop], dtype="float32")
    weight = paddle.ones(joints.shape[:2]) if weight is None else paddle.to_tensor([weight])
    if others is not None:
        others = tuple(paddle.to_tensor([part], dtype="float32") for part in others)
    maps, weight = codec(tuple(range(joints.shape[1])), **options).encode(joints, weight, others)
    return maps.numpy()[0], weight.numpy()[0]


def put_gaussian(width, height, points, sigma=7.0, stride=8):
    """The released rule, cell by cell: added, then cut to 1."""
    maps = np.zeros((height // stride, width // stride))
    for x, y in points:
        for j in range(maps.shape[0]):
            for i in range(maps.shape[1]):
                squared = (stride * i + stride / 2 - 0.5 - x) ** 2 + (stride * j + stride / 2 - 0.5 - y) ** 2
                exponent = squared / 2 / sigma / sigma
                if exponent <= 4.6052:
                    maps[j, i] = min(1, maps[j, i] + np.exp(-exponent))
    return maps


def random_joints(seed=0, count=40, shape=(1,)):
    return np.random.default_rng(seed).uniform((12, 12), (84, 52), (*shape, count, 2)).astype("float32")


class TestEncode:
    def test_a_bump_by_hand(self):
        """Cell 5 lies at 43.5, cell 3 at 27.5: exp(-64 / 98) one cell away, exp(-128 / 98) on the diagonal."""
        maps, weight = draw([[43.5, 27.5]])
        person = maps[1, 0]
        np.testing.assert_allclose(person[3, 4:7], [0.520450, 1, 0.520450], rtol=1e-5)
        assert person[4, 6] == pytest.approx(0.270868, rel=1e-5)
        assert person[3, 7] == pytest.approx(np.exp(-256 / 98), rel=1e-5)
        assert person[3, 8] == 0  # exponent 576 / 98 = 5.9 is beyond 1 %
        assert person[4, 7] == pytest.approx(np.exp(-320 / 98), rel=1e-5)
        assert person[5, 7] == 0  # a circle, not a square: 512 / 98 = 5.2
        assert weight.tolist() == [1]

    def test_background_is_what_is_left_by_the_largest(self):
        maps, _ = draw([[43.5, 27.5], [51.5, 27.5]])
        assert maps.shape == (2, 3, 8, 12)
        np.testing.assert_allclose(maps[:, 2], 1 - maps[:, :2].max(1), atol=1e-6)
        assert maps[1, 2, 3, 5] == 0
        assert maps[1, 2, 7, 11] == 1

    def test_stage_1_has_everyone_and_later_stages_the_person(self):
        own, other = [[43.5, 27.5], [20.0, 40.0]], [[[47.0, 30.0], [0, 0]], [[43.5, 20.0], [60.0, 40.0]]]
        maps, weight = draw(own, others=(other, [[1, 0], [1, 1]]))
        everyone = [
            put_gaussian(96, 64, points) for points in ([own[0], other[0][0], other[1][0]], [own[1], other[1][1]])
        ]
        np.testing.assert_allclose(maps[0, :2], everyone, atol=1e-5)
        np.testing.assert_allclose(maps[1, :2], [put_gaussian(96, 64, [point]) for point in own], atol=1e-5)
        assert maps[0, 0].max() == 1  # added and cut
        np.testing.assert_allclose(maps[:, 2], 1 - maps[:, :2].max(1), atol=1e-6)
        assert weight.tolist() == [1, 1]

        alone, _ = draw(own, others=(other, [[1, 0], [1, 1]]), all_people_stage1=False)
        np.testing.assert_array_equal(alone, np.stack([maps[1], maps[1]]))

    def test_nobody_else_is_the_person_twice(self):
        maps, _ = draw([[43.5, 27.5]])
        np.testing.assert_array_equal(maps[0], maps[1])

    @pytest.mark.parametrize("junk", [float("nan"), float("inf"), -250, 1e30])
    def test_junk_in_an_unlabelled_joint_harms_nothing(self, junk):
        others = ([[[junk, junk], [junk, 3.0]]], [[0, 0]])
        maps, weight = draw([[junk, junk], [43.5, 27.5]], [0.0, 1.0], others)
        assert weight.tolist() == [0, 1]
        assert not maps[:, 0].any()
        np.testing.assert_array_equal(maps[:, 1], draw([[43.5, 27.5]])[0][:, 0])

    def test_an_absent_joint_is_an_empty_map_that_counts(self):
        maps, weight = draw([[1.0, 1.0], [43.5, 27.5]], [0.0, 1.5], unlabelled="absent")
        assert weight.tolist() == [1, 1.5]
        assert not maps[:, 0].any()

    def test_a_joint_outside_the_crop_counts_too(self):
        maps, weight = draw([[-100.0, 20.0]])
        assert weight.tolist() == [1]
        assert not maps[:, 0].any()

    def test_without_background(self):
        maps, _ = draw([[43.5, 27.5]], background=False)
        assert maps.shape == (2, 1, 8, 12)
        assert codec(background=False).output_shape(14) == (14, 8, 12)
        assert codec().output_shape(14) == (15, 8, 12)


class TestDecode:
    def test_parabola_inverts_the_drawing(self):
        """A Gaussian's logarithm is a parabola, so not even the rounding to cells is lost."""
        joints = random_joints()
        one = codec(tuple(range(40)))
        maps, _ = one.encode(paddle.to_tensor(joints), paddle.ones([1, 40]))
        found, scores = one.decode(maps[:, 1])
        np.testing.assert_allclose(found.numpy(), joints, atol=1e-3)
        np.testing.assert_allclose(scores.numpy()[0], maps.numpy()[0, 1, :40].max((1, 2)))

    def test_bicubic_is_the_released_rule(self):
        """Argmax of OpenCV's resize by 8, for each map."""
        maps = np.random.default_rng(1).uniform(0, 1, (2, 4, 8, 12)).astype("float32")
        found, scores = codec((0, 1, 2), refine="bicubic").decode(paddle.to_tensor(maps))
        for person in range(2):
            for joint in range(3):
                large = cv2.resize(maps[person, joint], None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
                y, x = np.unravel_index(large.argmax(), large.shape)
                assert found[person, joint].tolist() == [x, y]
                assert float(scores[person, joint]) == pytest.approx(large.max(), rel=1e-5)

    def test_bicubic_finds_bumps_to_a_pixel(self):
        joints = random_joints()
        one = codec(tuple(range(40)), refine="bicubic")
        maps, _ = one.encode(paddle.to_tensor(joints), paddle.ones([1, 40]))
        error = np.abs(one.decode(maps[:, 1])[0].numpy() - joints)
        assert error.max() < 1
        assert error.mean() < 0.5

    def test_background_and_negative_maps(self):
        """The background is not looked at; the highest cell counts even below 0."""
        maps = np.full((1, 2, 8, 12), -0.5, "float32")
        maps[0, 0, 2, 3], maps[0, 1, 6, 6] = -0.1, 9
        found, scores = codec().decode(paddle.to_tensor(maps))
        assert found.numpy().tolist() == [[[27.5, 19.5]]]
        assert scores.numpy()[0] == pytest.approx(-0.1)

    def test_half_precision(self):
        maps = codec().encode(paddle.to_tensor([[[41.0, 30.0]]]), paddle.ones([1, 1]))[0][:, 1]
        found, _ = codec().decode(maps.astype("float16"))
        np.testing.assert_allclose(found.numpy(), [[[41.0, 30.0]]], atol=0.05)

    def test_steps_are_at_most_half_a_cell_and_0_on_the_border(self):
        maps = paddle.to_tensor(np.random.default_rng(2).uniform(-0.2, 1, (50, 3, 4, 5)).astype("float32"))
        x, y, _ = peak(maps)
        step = parabola_step(maps, x, y).numpy()
        assert np.abs(step).max() <= 0.5 + 1e-6
        on_border = np.stack([(x == 0) | (x == 4), (y == 0) | (y == 3)], -1)
        assert on_border.any()
        assert not step[on_border].any()
        assert parabola_step(paddle.ones([1, 1, 3, 3]), *(paddle.ones([1, 1], dtype="int64"),) * 2).numpy().any() == 0


class TestMirror:
    def test_a_mirrored_crop_decodes_to_the_same_joints(self):
        """x -> W - 1 - x with sides swapped, drawn, and undone: cells lie symmetrically, nothing is left over."""
        joints = random_joints(count=3)
        one = codec((0, 2, 1))
        mirrored = joints[:, [0, 2, 1]] * [-1, 1] + [95, 0]
        ones = paddle.ones([1, 3])
        straight, _ = one.encode(paddle.to_tensor(joints), ones)
        turned, _ = one.encode(paddle.to_tensor(mirrored.astype("float32")), ones)
        np.testing.assert_allclose(one.mirror(turned[:, 1]).numpy(), straight[:, 1].numpy(), atol=1e-5)

    def test_background_keeps_its_place_and_counts_are_checked(self):
        maps = paddle.to_tensor(np.arange(4, dtype="float32").reshape([1, 4, 1, 1]).repeat(2, 3))
        assert codec((0, 2, 1)).mirror(maps)[0, :, 0, 0].tolist() == [0, 2, 1, 3]
        with pytest.raises(ValueError, match="expected 3 maps to mirror, but got 4"):
            codec((0, 2, 1), background=False).mirror(maps)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"input_wh": (100, 96)}, "not a multiple of the stride 8"),
        ({"sigma_crop": 0}, "sigma_crop must be positive"),
        ({"refine": "dark"}, "known: parabola, bicubic"),
        ({"unlabelled": "no"}, "known: unknown, absent"),
    ],
)
def test_wrong_options_are_refused_in_one_line(options, words):
    with pytest.raises(ConfigError, match=words) as caught:
        codec(**options)
    assert "\n" not in str(caught.value)
