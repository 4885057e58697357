"""Draws records of parity.py: loss curves above, relative differences below.

python tests/torch_twins/plot.py results/parity/*.json --out results/parity/curves.png
"""

import argparse
import json
import sys
from pathlib import Path

TESTS = str(Path(__file__).resolve().parents[1])
sys.path[:0] = [] if TESTS in sys.path else [TESTS]

import matplotlib  # noqa: E402

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from torch_twins.report import CLAIM, CLAIMED_STEPS, apart  # noqa: E402

FLOOR, DOUBLE_FLOOR = 3e-8, 1e-16  # where equal losses are drawn: half of their last digit


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    records = [json.loads(path.read_text(encoding="utf-8")) for path in arguments.records]
    figure, axes = plt.subplots(2, len(records), figsize=(4.6 * len(records), 7), sharex=True, squeeze=False)
    for above, below, record in zip(*axes, records):
        draw_losses(above, record)
        draw_differences(below, record)
    axes[0][0].set_ylabel("loss")
    axes[1][0].set_ylabel("relative difference of the loss")
    axes[0][0].legend(fontsize=8)
    axes[1][0].legend(fontsize=8, loc="center right", bbox_to_anchor=(1, 0.36))
    figure.tight_layout()
    figure.savefig(arguments.out, dpi=80)


def draw_losses(axes, record):
    steps = np.arange(1, record["steps"] + 1)
    axes.plot(steps, record["losses"]["torch"], color="tab:orange", linewidth=3, label="PyTorch twin")
    axes.plot(steps, record["losses"]["paddle"], color="tab:blue", linewidth=1, label="paddle_pose")
    axes.set_yscale("log")
    width, height = record["data"]["crop_wh"]
    axes.set_title(f"{record['network']}, {record['parameters'] / 1e6:.2f} M, {width}x{height}", fontsize=10)


def draw_differences(axes, record):
    losses, steps = record["losses"], np.arange(1, record["steps"] + 1)
    own = np.maximum(apart(np.transpose(losses["perturbed"]), losses["torch"]), FLOOR)
    label = "PyTorch against itself, weights changed by 1e-7"
    axes.fill_between(steps, own.min(0), own.max(0), color="tab:orange", alpha=0.4, label=label)
    gap = np.maximum(apart(losses["paddle"], losses["torch"]), FLOOR)
    axes.plot(steps, gap, color="tab:blue", linewidth=1.2, label="paddle_pose against PyTorch, float32")
    double = np.maximum(apart(losses["paddle_double"], losses["torch_double"]), DOUBLE_FLOOR)
    axes.plot(steps[: len(double)], double, color="tab:green", linewidth=1, label="the same in float64")
    axes.plot([1, CLAIMED_STEPS], [CLAIM, CLAIM], color="tab:red", linewidth=1, label="1 % for 50 steps")
    axes.set_yscale("log")
    axes.set_ylim(DOUBLE_FLOOR, 10)
    axes.set_xlabel("step")


if __name__ == "__main__":
    main()
