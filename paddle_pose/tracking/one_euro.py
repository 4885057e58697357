"""The One-Euro filter: steady joints that follow quick movements.

Casiez, Roussel & Vogel, "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems"
(CHI 2012). A low-pass filter of first order whose cutoff frequency grows with the speed: little trembling at rest,
little lag in motion. Their equations, with X the measurement, hats for what is filtered and T the time between two:

    (1, 2)  X^_i = alpha X_i + (1 - alpha) X^_(i-1),  alpha = 1 / (1 + tau / T)
    (3)     tau = 1 / (2 pi f_c)
    (4)     f_c = f_cmin + beta |X'^|, X'^ the speed, filtered by (1) with the constant cutoff `speed_cutoff_hz`

What is ours: T is the true time since this joint was last seen. Speed is the length of the joint's velocity in sizes
of the person a second, so that people near and far are smoothed alike and x and y together. It is taken between
measurements (their Algorithm 1 subtracts the last filtered value): then it does not depend on the frame rate.
"""

from dataclasses import dataclass

import numpy as np

SHORTEST_S = 1e-6  # between two frames


@dataclass(frozen=True)
class OneEuro:
    """Settings of the filter. A person's size is the square root of its area, about half the standing height.

    Args:
        min_cutoff_hz: f_cmin: lower is steadier at rest.
        beta: Hz per (size / s): higher lags less. In steady motion a joint lags by less than 1 / (2 pi beta) sizes.
        speed_cutoff_hz: how quickly the speed is believed.
        longest_gap_s: a joint that was away for longer begins anew.
    """

    min_cutoff_hz: float = 1.0
    beta: float = 8.0
    speed_cutoff_hz: float = 1.0
    longest_gap_s: float = 0.5


class JointsFilter:
    """The filter's state for the K joints of one person."""

    def __init__(self, settings: OneEuro, num_joints: int) -> None:
        self._settings = settings
        self._measured = np.full((num_joints, 2), np.nan)
        self._filtered = np.full((num_joints, 2), np.nan)
        self._velocity = np.zeros((num_joints, 2))
        self._seen_s = np.full(num_joints, -np.inf)

    def __call__(self, joints_image: np.ndarray, time_s: float, size_image: float) -> np.ndarray:
        """Filters the joints of one frame.

        Args:
            joints_image: (K, 2) pixels; NaN where a joint is missing: it stays so, and the others do not care.
            time_s: later than before.
            size_image: the person's size in pixels.

        Returns:
            (K, 2) pixels.
        """
        settings = self._settings
        seen = np.isfinite(joints_image).all(axis=1)
        elapsed_s = np.maximum(time_s - self._seen_s, SHORTEST_S)
        old = seen & (elapsed_s <= settings.longest_gap_s)
        new = seen & ~old
        self._filtered[new], self._velocity[new] = joints_image[new], 0

        step_s = elapsed_s[old, None]
        velocity = (joints_image[old] - self._measured[old]) / step_s / size_image
        self._velocity[old] += _alpha(settings.speed_cutoff_hz, step_s) * (velocity - self._velocity[old])
        speed = np.linalg.norm(self._velocity[old], axis=1, keepdims=True)
        weight = _alpha(settings.min_cutoff_hz + settings.beta * speed, step_s)
        self._filtered[old] += weight * (joints_image[old] - self._filtered[old])

        self._measured[seen], self._seen_s[seen] = joints_image[seen], time_s
        return np.where(seen[:, None], self._filtered, np.nan)


def _alpha(cutoff_hz: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    """Equations (2) and (3): how much of a measurement is believed."""
    return 1 / (1 + 1 / (2 * np.pi * cutoff_hz * step_s))
