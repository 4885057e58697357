"""Which limbs are kept, and which of a skeleton close a cycle."""

import numpy as np
from grouping_cases import CHAIN, LOOP, LOOSE, chain, draw

from paddle_pose.codecs.assembly import cycle_limbs
from paddle_pose.codecs.connections import Connections, assign_greedily, assign_optimally
from paddle_pose.codecs.grouping import Grouper
from paddle_pose.skeletons import COCO_17, OPENPOSE_18, Skeleton


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
