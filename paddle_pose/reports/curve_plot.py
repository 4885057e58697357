"""Curves of several runs, one below the other for each value."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np

from paddle_pose.atomic_files import replacing
from paddle_pose.errors import UserError
from paddle_pose.references import Curve
from paddle_pose.reports.plots import COLORS
from paddle_pose.reports.run_logs import RunLog

FORMATS = (".png", ".svg", ".pdf")
_LABELS = {"iter": "optimiser step", "epoch": "epoch", "hours": "hours of training steps"}
_FAINT = 0.3
_NOISY = ("loss", "acc_pose")  # what is averaged


def smoothed(values: np.ndarray, points: int) -> np.ndarray:
    """Mean of each value and those before it, `points` in all; of fewer at the beginning."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - points, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def draw_runs(
    picture: Path,
    runs: Sequence[RunLog],
    names: Sequence[str],
    keys: Sequence[str],
    axis: str,
    smooth: int = 1,
    beside: Optional[tuple[str, Curve]] = None,
) -> None:
    """Draws the values of runs.

    Args:
        picture: PNG, SVG or PDF to write.
        runs: the logs.
        names: of the runs, for the legend.
        keys: of values, as users say them; what a run does not have is left out of its curves.
        axis: 'iter', 'epoch' or 'hours'.
        smooth: points that the training loss is averaged over.
        beside: name of a published curve, over epochs, and the curve.

    Raises:
        UserError: the picture cannot be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, every = pyplot.subplots(len(keys), 1, sharex=True, squeeze=False, figsize=(9, 1.2 + 2.8 * len(keys)))
    for axes, key in zip(every[:, 0], keys):
        for number, (run, name) in enumerate(zip(runs, names)):
            _draw(axes, run, run.find(key), name, axis, smooth, COLORS[number % len(COLORS)])
        if beside is not None:
            _draw_published(axes, key, *beside)
        axes.set(ylabel=key, yscale="log" if key.split("/")[-1] == "loss" else "linear")
        axes.grid(alpha=0.25)
    every[-1, 0].set_xlabel(_LABELS[axis])
    lines = {line.get_label(): line for axes in every[:, 0] for line in axes.lines if line.get_label()[0] != "_"}
    figure.legend(lines.values(), lines, loc="upper center", ncol=3, frameon=False, fontsize=8)
    rows = -(-len(lines) // 3)
    figure.tight_layout(rect=(0, 0, 1, 1 - (0.1 + 0.2 * rows) / figure.get_figheight()))
    try:
        with replacing(picture) as temporary:
            figure.savefig(temporary, format=picture.suffix[1:].lower(), dpi=120)
    except OSError as error:
        raise UserError(f"cannot write {picture}: {error.strerror}; choose another --out") from None
    finally:
        pyplot.close(figure)


def _draw(axes: Any, run: RunLog, key: Optional[str], name: str, axis: str, smooth: int, color: str) -> None:
    if key is None:
        return
    x, y = run.series(key, axis)
    if key.startswith("valid/"):
        axes.plot(x, y, color=color, marker="o", markersize=3, label=f" {name}")  # a name may begin with `_`
        return
    smooth = smooth if key.rpartition("/")[2] in _NOISY else 1
    if smooth > 1:
        axes.plot(x, y, color=color, alpha=_FAINT, linewidth=0.8, label="_")
    axes.plot(x, smoothed(y, smooth), color=color, label=f" {name}")


def _draw_published(axes: Any, key: str, name: str, curve: Curve) -> None:
    values = curve.loss if key in ("loss", "train/loss") else curve.values.get(key.rpartition("/")[2], ())
    if len(values):
        axes.plot(np.arange(1, len(values) + 1), values, color="black", linestyle=":", linewidth=1.2, label=f" {name}")
