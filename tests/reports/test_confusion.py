"""Joints that lie on others: exactly those that were put there."""

import numpy as np
import pytest
from report_cases import BODY, FOOT, HEAD, LEFT, RIGHT, TRUE, moved, pairs_of, swapped

from paddle_pose.reports.confusion import NONE, confusion, lies_on, swaps


def of(found, **changes):
    pairs = pairs_of(found, **changes)
    on = lies_on(pairs)
    return pairs, on, confusion(pairs, on)


def test_the_truth_lies_on_itself():
    pairs, on, table = of(np.concatenate([moved()] * 3))
    assert on.tolist() == [[HEAD, LEFT, RIGHT, FOOT]] * 3
    np.testing.assert_array_equal(table, np.hstack([3 * np.eye(4, dtype=int), np.zeros((4, 1), int)]))
    assert [s.percent for s in swaps(pairs, on)] == [0.0]


def test_swapped_hands_are_seen_and_nothing_else():
    pairs, on, table = of(np.concatenate([swapped(), moved(), moved(), moved()]))
    assert on[0].tolist() == [HEAD, RIGHT, LEFT, FOOT]
    assert table[LEFT].tolist() == [0, 3, 1, 0, 0]
    assert table[RIGHT].tolist() == [0, 1, 3, 0, 0]
    assert table[HEAD].tolist() == [4, 0, 0, 0, 0]
    (hands,) = swaps(pairs, on)
    assert (hands.pair, hands.people, hands.first, hands.second, hands.both) == (
        ("left_hand", "right_hand"),
        4,
        1,
        1,
        1,
    )
    assert hands.percent == 25.0


def test_both_hands_on_the_left_one_is_one_swap():
    found = moved()
    found[0, RIGHT] = TRUE[LEFT]
    pairs, on, _ = of(found)
    (hands,) = swaps(pairs, on)
    assert (hands.first, hands.second, hands.both) == (0, 1, 0)


def test_too_far_from_everything_lies_on_none_and_so_does_what_was_not_found():
    found = moved((HEAD, 5.01))
    found[0, FOOT] = np.nan
    _, on, table = of(found)
    assert on[0].tolist() == [NONE, LEFT, RIGHT, NONE]
    assert table[HEAD].tolist() == [0, 0, 0, 0, 1]
    assert of(moved((HEAD, 5.0)))[1][0, HEAD] == HEAD  # on the threshold


def test_a_partner_without_label_cannot_be_lain_on():
    pairs, on, table = of(swapped(), counted=[[True, True, False, True]])
    assert on[0].tolist() == [HEAD, NONE, NONE, FOOT]
    assert table.sum() == 3  # of labelled joints only
    assert swaps(pairs, on)[0].people == 0
    assert np.isnan(swaps(pairs, on)[0].percent)


def test_at_equal_distances_it_is_its_own():
    true = TRUE.copy()
    true[FOOT] = true[HEAD]
    _, on, _ = of(true[None], true_image=true[None])
    assert on[0].tolist() == [HEAD, LEFT, RIGHT, FOOT]


def test_within_the_threshold_of_its_own_but_nearer_to_another():
    true = TRUE.copy()
    true[FOOT] = true[HEAD] + [6.0, 0.0]
    _, on, _ = of(np.where(np.arange(4)[:, None] == HEAD, true + [4.0, 0.0], true)[None], true_image=true[None])
    assert on[0, HEAD] == FOOT


def test_the_unit_is_that_of_the_joint_lain_on():
    found = moved()
    found[0, LEFT] = TRUE[RIGHT] + [4.0, 0.0]
    units = np.full((1, 4), 10.0)
    assert of(found, unit_image=units)[1][0, LEFT] == RIGHT
    units[0, RIGHT] = 7.9  # 4 / 7.9 is above 0.5
    assert of(found, unit_image=units)[1][0, LEFT] == NONE


def test_a_skeleton_without_sides_has_no_swaps():
    from dataclasses import replace

    plain = replace(BODY, mirror_pairs=())
    pairs, on, _ = of(moved(), skeleton=plain)
    assert swaps(pairs, on) == []


@pytest.mark.parametrize("people", [0, 1])
def test_of_nobody(people):
    _, on, table = of(np.zeros((people, 4, 2)), counted=np.zeros((people, 4), bool))
    assert on.shape == (people, 4)
    assert table.sum() == 0
