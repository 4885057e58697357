"""Limbs into people.

Two groups of parts that a connection joins become one if they have no part in common. For a skeleton whose limbs are
a tree nothing else can happen: each connection is the only one of its type at both of its ends, so what hangs
together has each part once, whatever the order. A limb that closes a cycle has its say only when the tree is built.
"""

import numpy as np

from paddle_pose.codecs.connections import Connections
from paddle_pose.codecs.peaks import Peaks
from paddle_pose.samples import FoundPeople
from paddle_pose.skeletons import Skeleton


def cycle_limbs(skeleton: Skeleton) -> np.ndarray:
    """(L,) bool: the skeleton's redundant limbs, and of the others, in their order, those that close a cycle."""
    parent = list(range(len(skeleton)))
    closes = np.array([limb in skeleton.redundant_limbs for limb in skeleton.limbs], bool)
    for row, (a, b) in enumerate(skeleton.limb_pairs):
        if not closes[row]:
            root_a, root_b = _root(parent, a), _root(parent, b)
            closes[row] = root_a == root_b
            parent[root_a] = root_b
    return closes


def groups_of(peaks: Peaks, connections: Connections, late: np.ndarray) -> np.ndarray:
    """(N,) a number for each peak, the same for those of one person.

    Args:
        peaks: N of them.
        connections: one to one within each type, best first.
        late: which of the connections wait for all others.
    """
    parts = np.repeat(np.arange(peaks.counts.size) % peaks.counts.shape[1], peaks.counts.ravel())
    holds = [1 << part for part in parts.tolist()]  # bit sets
    parent = list(range(len(holds)))
    order = np.argsort(late, kind="stable")
    for a, b in zip(connections.first[order].tolist(), connections.second[order].tolist()):
        root_a, root_b = _root(parent, a), _root(parent, b)
        if root_a != root_b and not holds[root_a] & holds[root_b]:
            parent[root_a] = root_b
            holds[root_b] |= holds[root_a]
    return np.array([_root(parent, row) for row in range(len(parent))], np.int64)


def _root(parent: list[int], at: int) -> int:
    """The representative of a group; shortens the way there."""
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at


def people_of(
    peaks: Peaks, connections: Connections, groups: np.ndarray, num_limbs: int, min_parts: int, min_score: float
) -> list[FoundPeople]:
    """The people of each photo, best first.

    A person's score is the sum of the scores of its joints and of the connections between them, divided by the
    number K + L of all joints and limbs: what was not found counts 0, so that a person who is half seen or only half
    believed ranks below one who is neither.

    Args:
        peaks: of B photos.
        connections: all, also those that joined nothing.
        groups: (N,) the group of each peak.
        num_limbs: L of the skeleton.
        min_parts: groups of fewer parts are dropped,
        min_score: and those whose sum is less than this for each of their parts.
    """
    photos, num_parts = peaks.counts.shape
    counts = np.bincount(groups, minlength=len(groups))
    sums = np.bincount(groups, peaks.scores, len(groups))
    inner = groups[connections.first] == groups[connections.second]
    sums += np.bincount(groups[connections.first[inner]], connections.scores[inner], len(groups))
    kept = np.flatnonzero((counts >= min_parts) & (sums >= min_score * counts))
    kept = kept[np.argsort(-sums[kept], kind="stable")]
    row_of = np.full(len(groups), -1)
    row_of[kept] = np.arange(len(kept))
    members = np.flatnonzero(row_of[groups] >= 0)
    slots = np.repeat(np.arange(peaks.counts.size), peaks.counts.ravel())  # photo * K + part
    joints = np.full((len(kept), num_parts, 2), np.nan)
    joint_scores = np.zeros((len(kept), num_parts))
    at = row_of[groups[members]], slots[members] % num_parts
    joints[at], joint_scores[at] = peaks.xy_map[members], peaks.scores[members]
    photo_of, scores = slots[kept] // num_parts, sums[kept] / (num_parts + num_limbs)
    return [
        FoundPeople(joints[photo_of == photo], joint_scores[photo_of == photo], scores[photo_of == photo])
        for photo in range(photos)
    ]
