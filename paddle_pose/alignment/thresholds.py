"""How much may differ, rung by rung, each with its reason. Needs numpy only."""

from collections.abc import Mapping

import numpy as np

from paddle_pose.errors import UserError

RUNGS = ("forward", "metric", "loss", "backward", "training")
THRESHOLDS: dict[str, dict[str, float]] = {  # rung -> of numbers computed in float32, in float64
    # A sum of thousands of products in another order differs by some 1e-7 of it; a hundred layers make 1e-5 of that.
    # In float64 the same is 1e-13, and a constant that Paddle keeps in float32 may differ by 1e-8 of itself.
    "forward": {"float32": 1e-4, "float64": 1e-8},
    # Joints move with the maps. Values are counts of hits: one joint more or less is whole tenths of a point.
    "metric": {"float32": 1e-4, "float64": 1e-4},
    # A mean over many numbers loses nothing more.
    "loss": {"float32": 1e-4, "float64": 1e-8},
    # Batch statistics of few cells cancel most of a gradient, and with it its first digits.
    "backward": {"float32": 1e-2, "float64": 1e-6},
    # Adam divides small gradients by themselves, so that their rounding comes back at full size.
    "training": {"float32": 1e-2, "float64": 1e-3},
}
# A bias before batch normalisation has no gradient: what is computed is rounding, and differs. A gradient's difference
# is relative to its own norm or to this share of the largest norm, whichever is more.
GRADIENT_FLOOR = {"float32": 1e-4, "float64": 1e-8}
# The reference was trained twice, from weights that differ by a rounding. A step counts as long as that changed its
# loss by less than the threshold over this margin: Paddle's rounding is another one, of unlike size.
MARGIN = 10.0


def thresholds(overrides: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """THRESHOLDS with those of the user, for both precisions; UserError for an unknown rung."""
    for rung, value in overrides.items():
        if rung not in RUNGS or not 0 < value < np.inf:
            raise UserError(f"--threshold {rung}={value:g}: write RUNG=NUMBER, RUNG one of {', '.join(RUNGS)}")
    return {
        rung: dict.fromkeys(both, overrides[rung]) if rung in overrides else both for rung, both in THRESHOLDS.items()
    }
