"""Confidence maps and affinity fields of whole photos -> people.

Peaks of the part maps (peaks.py), line integrals of all candidate limbs of all photos at once and their assignment
(connections.py), assembly into people (assembly.py). Everything works on the network's own maps; nothing is ever
enlarged to the photo's size.

Source: Cao et al., CVPR 2017, section 2.4, and the released code's thresholds where the paper gives none.

Differs from the references
    Peaks are found on the low-resolution maps and placed between the cells by a parabola through the logarithms; the
    released code enlarges all maps eightfold, by bicubic interpolation.
    The fields are read by bilinear interpolation; the released code rounds to the nearest pixel of the enlarged map.
    Between peaks less than a cell apart the field's length counts too (connections.py).
    The assignment is optimal by default; released codes are greedy.
    Parts are joined by union-find, the redundant limbs after all others; the references walk through the limbs in
    a fixed order and can hand one part to two people.
    A person's score counts what was not found as 0 (assembly.py).
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from paddle import Tensor

from paddle_pose.codecs import assembly
from paddle_pose.codecs.connections import Connections, all_pairs, assign_greedily, assign_optimally, integrate
from paddle_pose.codecs.peaks import Peaks, find_peaks
from paddle_pose.errors import ConfigError
from paddle_pose.samples import FoundPeople
from paddle_pose.skeletons import Skeleton

ASSIGNMENTS = {"greedy": assign_greedily, "optimal": assign_optimally}
MOST_SAMPLES = 100  # more would only cost memory: a map has about as many cells in a row


@dataclass(frozen=True)
class GroupingRules:
    """Thresholds of the grouping, by default those of the released Python demo where nothing else is said.

    Args:
        peak_threshold: a joint's map is higher than this.
        most_peaks: of one part in one photo; the highest are kept. 127 as in the OpenPose library.
        samples: points on the line between two joints at which the field is read, both ends included; 2 to 100.
        sample_threshold: a sample passes if the field along the line is above this.
        sample_ratio: more than this share of the samples must pass.
        longest_limb: in heights of the map; a longer one's score is lowered by 1 - longest_limb * height / length.
        assignment: `optimal`, the highest sum of scores, or `greedy`, best pair first, as released.
        min_parts: a person has at least as many joints.
        min_score: a person's joints and connections sum up to at least this for each joint.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    peak_threshold: float = 0.1
    most_peaks: int = 127
    samples: int = 10
    sample_threshold: float = 0.05
    sample_ratio: float = 0.8
    longest_limb: float = 0.5
    assignment: Literal["greedy", "optimal"] = "optimal"
    min_parts: int = 3
    min_score: float = 0.2

    def __post_init__(self) -> None:
        for name in ("peak_threshold", "longest_limb"):
            _require(getattr(self, name) > 0, name, getattr(self, name), "must be above 0")
        for name in ("most_peaks", "min_parts"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "must be at least 1")
        for name in ("peak_threshold", "sample_threshold", "longest_limb", "min_score"):
            _require(math.isfinite(getattr(self, name)), name, getattr(self, name), "must be a finite number")
        _require(2 <= self.samples <= MOST_SAMPLES, "samples", self.samples, f"must be from 2 to {MOST_SAMPLES}")
        _require(0 <= self.sample_ratio < 1, "sample_ratio", self.sample_ratio, "must be at least 0 and below 1")
        _require(self.assignment in ASSIGNMENTS, "assignment", self.assignment, f"is one of {', '.join(ASSIGNMENTS)}")


def _require(fulfilled: bool, name: str, value: object, rule: str) -> None:
    if not fulfilled:
        raise ConfigError(f"codec.grouping.{name}={value} is wrong: it {rule}")


class Grouper:
    """Finds the people in the maps of whole photos.

    Args:
        skeleton: its limbs, in the order of the affinity channels, and its parts.
        rules: thresholds.
    """

    def __init__(self, skeleton: Skeleton, rules: GroupingRules) -> None:
        if not skeleton.limbs:
            raise ConfigError(f"{skeleton.name} has no limbs, so nothing joins its joints to people; name some")
        _require(rules.min_parts <= len(skeleton), "min_parts", rules.min_parts, f"is at most {len(skeleton)} joints")
        self.rules = rules
        self._num_parts = len(skeleton)
        self._limbs = np.array(skeleton.limb_pairs)
        self._late = assembly.cycle_limbs(skeleton)

    def __call__(self, maps: Tensor) -> list[FoundPeople]:
        """Everybody.

        Args:
            maps: (B, 2L + K + 1, h, w) of any size and floating type: x and y of each limb, the parts, and the
                background, which is not used. Where they are NaN there is nothing.

        Returns:
            the people of each of the B photos, best first, in cells of the map.
        """
        channels = 2 * len(self._limbs)
        if maps.ndim != 4 or maps.shape[1] != channels + self._num_parts + 1:
            raise ValueError(f"expected (B, {channels + self._num_parts + 1}, h, w) maps, but got {tuple(maps.shape)}")
        if 0 in maps.shape:
            return [_nobody(self._num_parts)] * maps.shape[0]
        maps = maps.detach().astype("float32")
        parts = maps[:, channels : channels + self._num_parts]
        peaks = find_peaks(parts, self.rules.peak_threshold, self.rules.most_peaks)
        return self.assemble(peaks, self.connections(maps[:, :channels], peaks))

    def connections(self, fields: Tensor, peaks: Peaks) -> Connections:
        """The limbs of all photos, one to one within each type, best first; `fields` are (B, 2L, h, w) float32."""
        types, first, second = pairs = all_pairs(peaks, self._limbs)
        if not len(types):
            return Connections(types, first, second, np.zeros(0))
        rules, (height, width) = self.rules, fields.shape[2:]
        means, passed = integrate(
            fields.reshape([-1, 2, height, width]), peaks, pairs, rules.samples, rules.sample_threshold
        )
        length = np.linalg.norm(peaks.xy_map[second] - peaks.xy_map[first], axis=1)
        scores = means + np.minimum(rules.longest_limb * height / np.maximum(length, 1e-9) - 1, 0)
        likely = (passed > rules.sample_ratio + 1e-6) & (scores > 0)
        return ASSIGNMENTS[rules.assignment](Connections(types, first, second, scores)[likely])

    def assemble(self, peaks: Peaks, connections: Connections) -> list[FoundPeople]:
        """The people of each photo, best first, from what `connections` gives."""
        num_limbs = len(self._limbs)
        groups = assembly.groups_of(peaks, connections, self._late[connections.types % num_limbs])
        return assembly.people_of(peaks, connections, groups, num_limbs, self.rules.min_parts, self.rules.min_score)


def _nobody(num_parts: int) -> FoundPeople:
    return FoundPeople(np.zeros((0, num_parts, 2)), np.zeros((0, num_parts)), np.zeros(0))
