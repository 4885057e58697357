"""What a record of parity.py means. Imports neither framework."""

import numpy as np

NAMES = ("hourglass", "hrnet", "deeppose", "cpm")
CLAIM, CLAIMED_STEPS = 0.01, 50  # losses within 1 % at every one of the first 50 steps


def apart(a, b):
    """Relative difference of two loss curves, step by step."""
    a, b = np.asarray(a, "f8"), np.asarray(b, "f8")
    return np.abs(a - b) / np.abs(b)


def spread(record):
    """Largest difference, step by step, of PyTorch from itself after a change of 1e-7 in the initial weights."""
    losses = record["losses"]
    return apart(np.transpose(losses["perturbed"]), losses["torch"]).max(0)


def summary(record):
    """The figures of a record's row in docs/training_parity.md."""
    losses = record["losses"]
    gap, own, double = (
        apart(losses["paddle"], losses["torch"]),
        spread(record),
        apart(losses["paddle_double"], losses["torch_double"]),
    )
    beyond = np.flatnonzero(gap > CLAIM)
    return {
        "largest_1_50": float(gap[:CLAIMED_STEPS].max()),
        "largest_51_100": float(gap[CLAIMED_STEPS:].max()) if len(gap) > CLAIMED_STEPS else 0.0,
        "first_beyond": int(beyond[0]) + 1 if len(beyond) else None,
        "torch_1_50": float(own[:CLAIMED_STEPS].max()),
        "torch_51_100": float(own[CLAIMED_STEPS:].max()) if len(gap) > CLAIMED_STEPS else 0.0,
        "double": float(double.max()),
    }
