"""What records of parity.py mean, and the tables of docs/training_parity.md. Imports neither framework.

python tests/torch_twins/report.py results/parity/*.json
"""

import json
import sys
from pathlib import Path

import numpy as np

NAMES = ("hourglass", "hrnet", "deeppose", "cpm")
CLAIM, CLAIMED_STEPS = 0.01, 50  # losses within 1 % at every one of the first 50 steps
RECIPES = {"config": "its file's", "published": "published"}


def apart(a, b):
    """Relative difference of two loss curves, step by step."""
    a, b = np.asarray(a, "f8"), np.asarray(b, "f8")
    return np.abs(a - b) / np.abs(b)


def spread(record):
    """Largest difference, step by step, of PyTorch from itself after a change of 1e-7 in the initial weights."""
    losses = record["losses"]
    return apart(np.transpose(losses["perturbed"]), losses["torch"]).max(0)


def summary(record):
    """The figures of a record: relative differences of losses, and the first step with more than 1 %, from 1."""
    losses = record["losses"]
    gap, own = apart(losses["paddle"], losses["torch"]), spread(record)
    beyond = np.flatnonzero(gap > CLAIM)
    early, late = slice(0, CLAIMED_STEPS), slice(CLAIMED_STEPS, None)
    return {
        "largest_1_50": float(gap[early].max()),
        "largest_51_100": float(gap[late].max(initial=0)),
        "first_beyond": int(beyond[0]) + 1 if len(beyond) else None,
        "torch_1_50": float(own[early].max()),
        "torch_51_100": float(own[late].max(initial=0)),
        "double": float(apart(losses["paddle_double"], losses["torch_double"]).max()),
    }


def row(record):
    """network | parameters | batch | rate of the last step | loss, first and last | differences."""
    figures, losses = summary(record), record["losses"]["paddle"]
    width, height = record["data"]["crop_wh"]
    cells = [
        f"{record['network']}, {width}x{height}",
        f"{record['parameters']:,}",
        record["batch"],
        f"{record['lr'][0]:.1e} to {record['lr'][-1]:.1e} ({RECIPES[record['recipe']]})",
        f"{losses[0]:.4f}, {losses[-1]:.4f}",
        *[f"{figures[key]:.1e}" for key in ("largest_1_50", "largest_51_100")],
        figures["first_beyond"] or "none",
        f"{figures['torch_1_50']:.1e}, {figures['torch_51_100']:.1e}",
        f"{figures['double']:.0e} ({len(record['losses']['paddle_double'])} steps)",
    ]
    return _line(cells)


def held_out_row(record):
    """network | losses of ours, PyTorch, its copies, PyTorch with Paddle's variances | pixels apart."""
    found = record["held_out"]
    losses, pixels = found["losses"], found["pixels_apart"]
    copies = [key for key in losses if key.startswith("perturbed")]
    cells = [
        record["network"],
        f"{found['numbers_of_a_channel'][0]:,} to {found['numbers_of_a_channel'][1]:,}",
        f"{losses['paddle']:.5f}",
        f"{losses['torch']:.5f}",
        ", ".join(f"{losses[key]:.5f}" for key in copies),
        f"{losses['torch_variance_as_paddle']:.5f}",
        f"{pixels['paddle']:.2f}",
        ", ".join(f"{pixels[key]:.2f}" for key in copies),
        f"{pixels['torch_variance_as_paddle']:.2f}",
        f"{pixels['torch_with_paddles_weights']:.0e}",
    ]
    return _line(cells)


def _line(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


if __name__ == "__main__":
    records = [json.loads(Path(path).read_text(encoding="utf-8")) for path in sys.argv[1:]]
    print("\n".join([row(record) for record in records] + [held_out_row(record) for record in records]))
