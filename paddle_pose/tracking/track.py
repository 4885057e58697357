"""One person through time: where the joints were, and where they should be now."""

import math
from typing import Optional

import numpy as np

from paddle_pose.tracking.one_euro import JointsFilter, OneEuro
from paddle_pose.tracking.similarity import area_of, joint_box

VELOCITY_MEMORY_S = 0.2  # time constants of running means
SIZE_MEMORY_S = PRESENCE_MEMORY_S = 0.5
COASTING_S = 0.4  # an unseen person is taken to come to rest within this time


class Track:
    """A person who was seen at least once.

    Attributes:
        id: from 1.
        joints_image: (K, 2) where each joint was seen last, moved along with the person since; NaN if not lately.
        box_image: (4,) left, top, width, height, when last seen.
        area: square pixels, a running mean; 0 while no joint was seen.
        first_s, last_s: when the person was seen first and last.
        presence: share of the last time in which the person was seen, from 0 to 1; a new one has 0.
    """

    def __init__(
        self, number: int, joints_image: np.ndarray, box_image: np.ndarray, time_s: float, smooth: Optional[OneEuro]
    ) -> None:
        self.id, self.joints_image, self.box_image = number, joints_image, box_image
        self.first_s = self.last_s = time_s
        self.area = area_of(joint_box(joints_image))
        self.presence = 0.0
        self._velocity = np.zeros(2)  # pixels a second, of the whole person
        self._joint_s = np.where(np.isfinite(joints_image).all(axis=1), time_s, -np.inf)
        self._filter = JointsFilter(smooth, len(joints_image)) if smooth else None

    def shift(self, time_s: float) -> np.ndarray:
        """(2,) pixels that the person should have moved by since it was last seen, at constant, then fading speed."""
        return self._velocity * COASTING_S * _fading(time_s - self.last_s, COASTING_S)

    def remember(self, was_seen: bool, elapsed_s: float) -> None:
        """So much time has passed since a frame in which the person was seen or not."""
        self.presence += _fading(elapsed_s, PRESENCE_MEMORY_S) * (was_seen - self.presence)

    def update(self, joints_image: np.ndarray, box_image: np.ndarray, time_s: float, memory_s: float) -> None:
        """The person was seen again.

        Args:
            joints_image: (K, 2) pixels, NaN where a joint is missing.
            box_image: (4,) left, top, width, height.
            time_s: later than before.
            memory_s: how long the place of a joint that is missing is remembered.
        """
        elapsed_s = time_s - self.last_s
        seen = np.isfinite(joints_image).all(axis=1)
        moved = (joints_image - self.joints_image)[seen & np.isfinite(self.joints_image).all(axis=1)]
        if len(moved):
            share = _fading(elapsed_s, VELOCITY_MEMORY_S) / _fading(time_s - self.first_s, VELOCITY_MEMORY_S)
            self._velocity += share * (np.median(moved, axis=0) / elapsed_s - self._velocity)
        self._joint_s[seen] = time_s
        carried = self.joints_image + self.shift(time_s)
        carried[time_s - self._joint_s > memory_s] = np.nan
        self.joints_image = np.where(seen[:, None], joints_image, carried)
        if seen.any():
            area = area_of(joint_box(joints_image))
            self.area += _fading(elapsed_s, SIZE_MEMORY_S) * (area - self.area) if self.area else area
        self.box_image, self.last_s = box_image, time_s

    def smoothed(self, joints_image: np.ndarray, time_s: float) -> np.ndarray:
        """(K, 2) the joints of this frame, filtered; as they are where no filter is wanted."""
        if self._filter is None:
            return joints_image
        return self._filter(joints_image, time_s, max(self.area, 1.0) ** 0.5)


def _fading(elapsed_s: float, memory_s: float) -> float:
    """Share of an old value that is forgotten: a running mean's weight of the new one."""
    return 1 - math.exp(-elapsed_s / memory_s)
