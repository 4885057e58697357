"""PartAffinity against loops over cells and against what the released codes draw; masks, mirror, the way back."""

import numpy as np
import paddle
import pytest

from paddle_pose.builder_data import build_component
from paddle_pose.codecs.grouping import GroupingRules
from paddle_pose.codecs.part_affinity import PartAffinity
from paddle_pose.config_sections import Component
from paddle_pose.errors import ConfigError
from paddle_pose.registry import CODECS
from paddle_pose.skeletons import COCO_17, FLIC_10, LSP_14, MPII_16, OPENPOSE_18, Skeleton

# limb 1 is limb 0 in a mirror, but runs the other way; limb 2 is itself the other way round; limb 3 is itself
KITE = Skeleton(
    name="kite",
    joints=("nose", "left_hand", "right_hand", "tail"),
    limbs=(("nose", "left_hand"), ("right_hand", "nose"), ("left_hand", "right_hand"), ("nose", "tail")),
)
RELEASED = {"people": "add", "fields": "released"}
INPUT_WH, MAP_WH, STRIDE = (96, 64), (12, 8), 8


def codec(skeleton=KITE, input_wh=INPUT_WH, stride=STRIDE, **options):
    return PartAffinity(skeleton.mirror, skeleton, input_wh, stride, **options)


def draw(everybody, labelled=None, skeleton=KITE, unknown=None, **options):
    """Target (C, h, w) and weight (h, w) of one crop with (P, K, 2) joints."""
    everybody = np.asarray(everybody, "float32")
    labelled = np.ones(everybody.shape[:2]) if labelled is None else np.asarray(labelled, float)
    joints, weight = (paddle.to_tensor(part[None].astype("float32")) for part in (everybody, labelled))
    others = (joints[:, 1:], weight[:, 1:]) if len(everybody) > 1 else None
    target, known = codec(skeleton, **options).encode(joints[:, 0], weight[:, 0], others, unknown)
    assert target.dtype == known.dtype == paddle.float32
    return target.numpy()[0], known.numpy()[0, 0]


def split(target, skeleton=KITE):
    """Fields (L, 2, h, w), joints (K, h, w), background (h, w)."""
    limbs = len(skeleton.limbs)
    return target[: 2 * limbs].reshape(limbs, 2, *target.shape[1:]), target[2 * limbs : -1], target[-1]


def crowd(count, skeleton=KITE, seed=0, missing=0.2):
    """(P, K, 2) anywhere in the crop and a little outside, and which of them have labels."""
    rng = np.random.default_rng(seed)
    people = rng.uniform((-20, -20), (116, 84), (count, len(skeleton), 2))
    return people.astype("float32").astype(float), rng.random((count, len(skeleton))) >= missing


def cells():
    return [(j, i) for j in range(MAP_WH[1]) for i in range(MAP_WH[0])]


def confidence_by_loops(people, labelled, join):
    """Eq. 6 and 7, cell by cell; `join` is max, or the sum cut to 1."""
    maps = np.zeros((people.shape[1], MAP_WH[1], MAP_WH[0]))
    for joints, known in zip(people, labelled):
        for k in np.flatnonzero(known):
            for j, i in cells():
                squared = (8 * i + 3.5 - joints[k, 0]) ** 2 + (8 * j + 3.5 - joints[k, 1]) ** 2
                value = np.exp(-squared / (2 * 7.0**2)) if squared / (2 * 7.0**2) <= 4.6052 else 0.0
                maps[k, j, i] = max(maps[k, j, i], value) if join == "max" else min(1, maps[k, j, i] + value)
    return maps


def fields_by_loops(people, labelled, skeleton, width, ends):
    """Eq. 8 and 9, cell by cell, with fields that go on for `ends` pixels."""
    fields = np.zeros((len(skeleton.limbs), 2, MAP_WH[1], MAP_WH[0]))
    for limb, (a, b) in enumerate(skeleton.limb_pairs):
        for j, i in cells():
            found = []
            for joints, known in zip(people, labelled):
                if known[a] and known[b]:
                    along = joints[b] - joints[a]
                    length = np.sqrt(along @ along)
                    v = along / length
                    offset = np.array([8 * i + 3.5, 8 * j + 3.5]) - joints[a]
                    if -ends <= v @ offset <= length + ends and abs(v[0] * offset[1] - v[1] * offset[0]) <= width:
                        found.append(v)
            fields[limb, :, j, i] = np.mean(found, 0) if found else 0
    return fields


def released_fields(people, labelled, skeleton, average):
    """What the released codes draw: in cells, in an upright box; the Caffe code keeps the last, tensorboy averages."""
    fields = np.zeros((len(skeleton.limbs), 2, MAP_WH[1], MAP_WH[0]))
    for limb, (a, b) in enumerate(skeleton.limb_pairs):
        drawn = np.zeros((MAP_WH[1], MAP_WH[0]), int)
        for joints, known in zip(people, labelled):
            if not (known[a] and known[b]):
                continue
            start, stop = joints[a] / 8, joints[b] / 8
            unit = (stop - start) / np.hypot(*(stop - start))
            low = [max(round(min(start[axis], stop[axis]) - 1), 0) for axis in (0, 1)]
            high = [min(round(max(start[axis], stop[axis]) + 1), MAP_WH[axis]) for axis in (0, 1)]
            for j in range(low[1], high[1]):
                for i in range(low[0], high[0]):
                    if abs((i - start[0]) * unit[1] - (j - start[1]) * unit[0]) <= 1:
                        n = drawn[j, i] if average else 0
                        fields[limb, :, j, i] = (fields[limb, :, j, i] * n + unit) / (n + 1)
                        drawn[j, i] += 1
    return fields


class TestEncode:
    def test_one_limb_by_hand(self):
        """From (27.5, 27.5) to (51.5, 27.5): row 3 and, 8 pixels away, rows 2 and 4; columns 3 to 6 are at the ends."""
        tail = [[27.5, 27.5], [0, 0], [0, 0], [51.5, 27.5]]
        fields, maps, background = split(draw([tail], [[1, 0, 0, 1]], limb_ends_crop=0.0)[0])
        expected = np.zeros((8, 12))
        expected[2:5, 3:7] = 1
        np.testing.assert_array_equal(fields[3, 0], expected)
        assert not fields[3, 1].any()
        assert not fields[:3].any()
        assert maps[0, 3, 3] == maps[3, 3, 6] == 1
        assert not maps[1:3].any()
        np.testing.assert_allclose(background, 1 - maps.max(0), atol=1e-6)

        longer = split(draw([tail], [[1, 0, 0, 1]], limb_ends_crop=8.0)[0])[0]
        expected[2:5, 2:8] = 1
        np.testing.assert_array_equal(longer[3, 0], expected)

    @pytest.mark.parametrize(("join", "ends"), [("max", 0.0), ("add", None)])
    @pytest.mark.parametrize("skeleton", [KITE, LSP_14], ids=lambda skeleton: skeleton.name)
    def test_against_loops_over_cells(self, skeleton, join, ends):
        people, labelled = crowd(7, skeleton)
        target, _ = draw(people, labelled, skeleton, people=join, limb_width_crop=6.5, limb_ends_crop=ends)
        fields, maps, background = split(target, skeleton)
        expected = confidence_by_loops(people, labelled, join)
        np.testing.assert_allclose(maps, expected, atol=1e-5)
        np.testing.assert_allclose(background, 1 - expected.max(0), atol=1e-5)
        np.testing.assert_allclose(
            fields, fields_by_loops(people, labelled, skeleton, 6.5, 4 if ends is None else ends), atol=1e-5
        )

    @pytest.mark.parametrize("average", [False, True], ids=["caffe", "tensorboy"])
    def test_the_released_maps(self, average):
        people, labelled = crowd(6, seed=1)
        if not average:
            people, labelled = people[:1], np.ones((1, 4), bool)  # nobody overlaps, nothing to average
        fields, maps, _ = split(draw(people, labelled, **RELEASED)[0])
        np.testing.assert_allclose(maps, confidence_by_loops(people, labelled, "add"), atol=1e-5)
        np.testing.assert_allclose(fields, released_fields(people, labelled, KITE, average), atol=1e-5)

    def test_the_caffe_code_keeps_the_last_person_where_we_average(self):
        people, labelled = crowd(6, seed=1)
        ours = split(draw(people, labelled, **RELEASED)[0])[0]
        caffe = released_fields(people, labelled, KITE, average=False)
        differs = np.abs(ours - caffe).max(1) > 1e-4
        assert differs.any()
        np.testing.assert_array_equal(np.abs(ours).max(1) > 0, np.abs(caffe).max(1) > 0)  # the same cells are limbs

    def test_opposite_limbs_of_two_people_cancel_out(self):
        left_to_right, right_to_left = [[27.5, 27.5]] * 4, [[59.5, 27.5]] * 4
        people = np.array([left_to_right, right_to_left])
        people[:, 3] = people[::-1, 0]
        fields = split(draw(people, [[1, 0, 0, 1]] * 2)[0])[0]
        assert np.abs(fields).max() < 1e-6

    def test_who_is_the_first_person_does_not_matter(self):
        people, labelled = crowd(5)
        for options in ({}, RELEASED):
            one, other = (
                draw(people[order], labelled[order], **options)[0] for order in ([0, 1, 2, 3, 4], [3, 4, 0, 2, 1])
            )
            np.testing.assert_allclose(one, other, atol=1e-6)

    def test_crops_of_a_batch_do_not_meet(self):
        people, labelled = crowd(6)
        joints, weight = paddle.to_tensor(people.astype("float32")), paddle.to_tensor(labelled)
        batch, _ = codec().encode(joints[:3], weight[:3], (joints[3:].unsqueeze(1), weight[3:].unsqueeze(1)))
        for crop in range(3):
            alone, _ = draw(people[[crop, crop + 3]], labelled[[crop, crop + 3]])
            np.testing.assert_allclose(batch[crop].numpy(), alone, atol=1e-6)

    @pytest.mark.parametrize("options", [{}, RELEASED], ids=["paper", "released"])
    def test_a_photo_without_people_is_background(self, options):
        target, weight = draw(np.full((2, 4, 2), np.nan), np.zeros((2, 4)), **options)
        assert not target[:-1].any()
        assert (target[-1] == 1).all()
        assert (weight == 1).all()

    @pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
    @pytest.mark.parametrize("options", [{}, RELEASED], ids=["paper", "released"])
    def test_coordinates_without_label_do_not_matter(self, bad, options):
        people, labelled = crowd(4)
        clean = draw(people, labelled, **options)[0]
        people[~labelled] = bad
        np.testing.assert_array_equal(draw(people, labelled, **options)[0], clean)

    @pytest.mark.parametrize("options", [{}, RELEASED], ids=["paper", "released"])
    def test_a_limb_without_length_is_not_drawn(self, options):
        fields, maps, _ = split(
            draw([[[40.0, 30.0]] * 4, [[40.0, 30.0], [70.0, 30.0], [20.0, 30.0], [40.0, 30.0]]], **options)[0]
        )
        assert np.isfinite(fields).all()
        assert not fields[3].any()  # both people's
        assert fields[0, 0].max() == pytest.approx(1)  # the first person has no part in the average
        assert maps.max() > 0.9

    def test_joints_outside_are_drawn_as_far_as_they_reach(self):
        target, _ = draw([[[-4.0, 3.5], [5000.0, 3.5], [0, 0], [0, 0]]], [[1, 1, 0, 0]])
        fields, maps, _ = split(target)
        assert maps[0, 0, 0] == pytest.approx(np.exp(-(7.5**2) / 98), rel=1e-5)
        assert not maps[1].any()
        np.testing.assert_array_equal(fields[0, 0, :2], np.ones((2, 12)))  # straight through the crop
        assert not fields[0, 0, 2:].any()

    def test_half_a_cell_beyond_its_joints_every_limb_has_a_cell(self):
        """Short limbs pass between the cells by the paper's rule."""
        rng = np.random.default_rng(0)
        start, turn, length = rng.uniform(20, 50, (300, 2)), rng.uniform(0, 2 * np.pi, 300), rng.uniform(1, 6, 300)
        people = np.zeros((300, 4, 2), "float32")
        people[:, 0], people[:, 3] = start, start + length[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
        joints, weight = paddle.to_tensor(people), paddle.to_tensor([[1, 0, 0, 1]] * 300)
        empty = [
            sum(not limb.any() for limb in codec(limb_ends_crop=ends).encode(joints, weight)[0].numpy()[:, 6:8])
            for ends in (0.0, None)
        ]
        assert empty[0] > 50
        assert empty[1] == 0

    def test_other_strides(self):
        people, labelled = crowd(1)
        target, weight = draw(people, labelled, input_wh=(96, 64), stride=4)
        assert target.shape == (13, 16, 24)
        assert weight.shape == (16, 24)
        finer, _ = draw(people, labelled, input_wh=(96, 64), stride=1)  # every pixel is a cell
        between = finer[8:12].reshape(4, 16, 4, 24, 4)[:, :, 1:3, :, 1:3].mean((2, 4))  # a cell lies at 4 i + 1.5
        np.testing.assert_allclose(target[8:12], between, atol=0.01)


class TestUnknown:
    def test_a_cell_weighs_as_much_as_is_known_of_it(self):
        unknown = np.zeros((1, 64, 96), "uint8")
        unknown[0, 8:16, 16:24] = 255  # all of cell (1, 2)
        unknown[0, 24:26, 40:44] = 1  # 8 of the 64 pixels of cell (3, 5)
        unknown[0, 63, 95] = 1
        expected = np.ones((8, 12))
        expected[1, 2], expected[3, 5], expected[7, 11] = 0, 1 - 8 / 64, 1 - 1 / 64
        people, labelled = crowd(2)
        target, weight = draw(people, labelled, unknown=paddle.to_tensor(unknown))
        np.testing.assert_allclose(weight, expected, atol=1e-6)
        np.testing.assert_array_equal(target, draw(people, labelled)[0])  # the target itself takes no notice


class TestMirror:
    @pytest.mark.parametrize("join", ["max", "add"])
    @pytest.mark.parametrize("skeleton", [KITE, OPENPOSE_18], ids=lambda skeleton: skeleton.name)
    def test_maps_of_mirrored_people_are_mirrored_maps(self, skeleton, join):
        people, labelled = crowd(6, skeleton)
        swap = list(skeleton.mirror)
        mirrored = (people * [-1, 1] + [95, 0])[:, swap]
        target, turned = (
            draw(joints, known, skeleton, people=join)[0]
            for joints, known in ((people, labelled), (mirrored, labelled[:, swap]))
        )
        assert np.abs(target - turned).max() > 0.5
        back = codec(skeleton).mirror(paddle.to_tensor(turned[None]))[0].numpy()
        np.testing.assert_allclose(back, target, atol=1e-4)

    def test_twice_is_nothing_and_any_size_will_do(self):
        paddle.seed(0)
        maps = paddle.randn([2, 57, 5, 7])
        once = codec(OPENPOSE_18).mirror(maps)
        assert not np.array_equal(once.numpy(), maps.numpy())
        np.testing.assert_array_equal(codec(OPENPOSE_18).mirror(once).numpy(), maps.numpy())

    @pytest.mark.parametrize("skeleton", [COCO_17, FLIC_10, LSP_14, MPII_16, OPENPOSE_18], ids=lambda s: s.name)
    def test_every_skeleton_of_ours_has_its_mirror_images(self, skeleton):
        codec(skeleton)

    def test_other_numbers_of_maps_are_refused(self):
        with pytest.raises(ValueError, match="expected 13 maps to mirror, but got 12"):
            codec().mirror(paddle.zeros([1, 12, 8, 12]))


class TestDecode:
    def test_joints_come_back(self):
        rng = np.random.default_rng(0)
        people = rng.uniform((12, 12), (84, 52), (20, 4, 2)).astype("float32")
        joints = paddle.to_tensor(people)
        target, _ = codec().encode(joints, paddle.ones([20, 4]))
        found, scores = codec().decode(target)
        np.testing.assert_allclose(found.numpy(), people, atol=0.02)
        assert (scores.numpy() > 0.7).all()

    def test_background_and_fields_are_not_looked_at(self):
        target, _ = codec().encode(paddle.to_tensor([[[30.0, 30.0]] * 4]), paddle.ones([1, 4]))
        target[:, :8], target[:, -1] = 9.0, 9.0
        np.testing.assert_allclose(codec().decode(target)[0].numpy(), 30.0, atol=0.02)

    def test_people_come_back_in_crop_pixels(self):
        """Two people side by side on maps that are larger than the crop of training."""
        kite = np.array([[30.0, 14.0], [48.0, 30.0], [12.0, 30.0], [30.0, 52.0]])
        people = np.stack([kite, kite + [60.0, 3.0]])
        target, _ = draw(people, input_wh=(128, 72))
        (found,) = codec().people(paddle.to_tensor(target[None]))
        assert len(found) == 2
        order = np.argsort(found.joints_xy[:, 0, 0])
        np.testing.assert_allclose(found.joints_xy[order], people, atol=0.1)

    def test_nobody(self):
        target, _ = draw(np.zeros((1, 4, 2)), np.zeros((1, 4)))
        (found,) = codec().people(paddle.to_tensor(target[None]))
        assert found.joints_xy.shape == (0, 4, 2)


class TestSettings:
    def test_shapes_and_frames(self):
        assert codec(OPENPOSE_18).output_shape(18) == (57, 8, 12)
        np.testing.assert_allclose(codec().map_from_crop @ [3.5, 11.5, 1], [0, 1])
        assert codec().pixel_centres is False

    def test_grouping_is_set_in_the_configuration(self):
        derived = {"mirror": KITE.mirror, "skeleton": KITE, "input_wh": INPUT_WH, "stride": STRIDE}

        def build(**grouping):
            section = Component(type="PartAffinity", sigma_crop=6.0, grouping=grouping)
            return build_component(CODECS, section, "codec", derived)

        assert build(peak_threshold=0.3)._group.rules == GroupingRules(peak_threshold=0.3)
        with pytest.raises(ConfigError, match=r"codec\.grouping\.peak_treshold"):
            build(peak_treshold=0.3)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"input_wh": (100, 64)}, "not a multiple of the stride 8"),
            ({"sigma_crop": 0.0}, "sigma_crop must be positive, but is 0.0"),
            ({"limb_width_crop": float("nan")}, "limb_width_crop must be positive, but is nan"),
            ({"limb_ends_crop": -1.0}, "limb_ends_crop must not be negative, but is -1.0"),
            ({"people": "sum"}, "unknown codec people 'sum'; known: max, add"),
            ({"fields": "caffe"}, "unknown codec fields 'caffe'; known: paper, released"),
            ({"skeleton": Skeleton("dots", ("left_a", "right_a"))}, "dots has no limbs"),
        ],
    )
    def test_impossible_settings_are_refused(self, options, message):
        with pytest.raises(ConfigError, match=message):
            codec(**options)

    def test_a_limb_without_a_mirror_image_is_refused(self):
        lame = Skeleton("lame", ("nose", "left_hand", "right_hand"), (("nose", "left_hand"),))
        message = r"skeleton lame: limb \['nose', 'left_hand'\] is \['nose', 'right_hand'\] in a mirror.*; add"
        with pytest.raises(ConfigError, match=message):
            codec(lame)
