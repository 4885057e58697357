"""Targets of PartAffinity against loops over cells and against what the released codes draw."""

import numpy as np
import paddle
import pytest
from part_affinity_cases import (
    KITE,
    RELEASED,
    codec,
    confidence_by_loops,
    crowd,
    draw,
    fields_by_loops,
    released_fields,
    split,
)

from paddle_pose.skeletons import LSP_14


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
