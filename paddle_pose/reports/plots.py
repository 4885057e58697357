"""Plots of a report as SVG that stands in a page: text in the page's own colour, nothing behind it.

Colours of series are told apart on white and on black, and by people who see no red or green (Okabe & Ito).
"""

import io
from collections.abc import Sequence
from typing import Any, Callable, Optional

import numpy as np

from paddle_pose.reports.breakdown import QUANTILES, Calibration, Share

_INK = "#010203"  # stands for the page's text colour, which an SVG in a page can use
COLORS = ("#e69f00", "#56b4e9", "#009e73", "#d55e00", "#0072b2", "#cc79a7", "#b8a800", "#999999")
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "paddle_pose",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.15,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    **{
        f"{key}color": _INK
        for key in ("axes.edge", "axes.label", "xtick.", "ytick.", "grid.", "text.", "axes.title", "legend.label")
    },
}


def svg(draw: Callable[[Any], None], width: float, height: float) -> str:
    """An `<svg>` element of what `draw(figure)` draws, `width` x `height` inches at most."""
    import matplotlib

    words = {key: False for key in ("text.parse_math",) if key in matplotlib.rcParams}  # a joint may be named `$x$`
    with matplotlib.rc_context({**_STYLE, **words}):
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, height))
        FigureCanvasSVG(figure)
        draw(figure)
        file = io.StringIO()
        figure.savefig(
            file, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    text = file.getvalue()
    return text[text.index("<svg") :].replace(_INK, "currentColor")


def line_plot(
    series: dict[str, np.ndarray],
    x: Sequence[float],
    labels: tuple[str, str],
    bold: Sequence[str] = (),
    mark: Optional[float] = None,
    reverse: bool = False,
) -> str:
    """Curves of percentages over one axis.

    Args:
        series: name -> (T,) percent, NaN where there is nothing.
        x: (T,) thresholds.
        labels: of both axes.
        bold: names of the series that sum the others up.
        mark: where the metric's threshold lies.
        reverse: largest x on the left.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for number, (name, values) in enumerate(series.items()):
            color = _INK if name in bold else COLORS[number % len(COLORS)]
            dashes = "--" if name not in bold and number >= len(COLORS) else "-"
            axes.plot(x, values, dashes, color=color, linewidth=2.4 if name in bold else 1.4, label=name)
        if mark is not None:
            axes.axvline(mark, color=_INK, linewidth=0.8, linestyle=":")
        low, high = min(x), max(x)
        axes.set(xlabel=labels[0], ylabel=labels[1], ylim=(0, 102), xlim=(high, low) if reverse else (low, high))
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)

    return svg(draw, 7.2, 3.8)


def box_plot(shares: Sequence[Share], unit: str, threshold: float) -> str:
    """Errors of each: 5 to 95 percent as a line, 25 to 75 as a box, the median across it; log axis."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        some = [share for share in shares if not np.isnan(share.median)]
        y = np.arange(len(some))
        low, first, middle, third, high = np.maximum([share.quantiles for share in some], 1e-3).reshape(-1, 5).T
        axes.hlines(y, low, high, color=_INK, linewidth=0.9)
        axes.barh(y, third - first, 0.6, left=first, color=COLORS[1], edgecolor=_INK, linewidth=0.8)
        axes.vlines(middle, y - 0.3, y + 0.3, color=_INK, linewidth=2)
        axes.set_yticks(y, [share.name for share in some])
        axes.axvline(threshold, color=COLORS[3], linewidth=1.2, linestyle="--")
        axes.set(xscale="log", xlabel=f"error / {unit}; whiskers: {QUANTILES[0]} to {QUANTILES[-1]} % of the joints")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.invert_yaxis()

    return svg(draw, 7.2, 0.8 + 0.24 * max(3, len(shares)))


def bar_plot(groups: dict[str, Sequence[Share]], ylabel: str) -> str:
    """Percent correct of like-named shares side by side, a colour for each group."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        width = 0.8 / len(groups)
        for number, (name, shares) in enumerate(groups.items()):
            x = np.arange(len(shares)) + (number - (len(groups) - 1) / 2) * width
            heights = np.array([share.correct for share in shares])
            bars = axes.bar(x, np.nan_to_num(heights), width * 0.94, color=COLORS[number + 1], label=name)
            texts = ["" if np.isnan(height) else f"{height:.0f}" for height in heights]
            axes.bar_label(bars, texts, fontsize=7, padding=1)
        some = next(iter(groups.values()))
        axes.set_xticks(np.arange(len(some)), [share.name for share in some])
        axes.set(ylabel=ylabel, ylim=(0, 108))
        axes.grid(axis="x", visible=False)
        if len(groups) > 1:
            axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)

    return svg(draw, 7.2, 2.8)


def matrix_plot(percents: np.ndarray, rows: Sequence[str], columns: Sequence[str], labels: tuple[str, str]) -> str:
    """A table of percentages as shades; the diagonal in another colour, values of 0.5 and more written out."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for (row, column), value in np.ndenumerate(np.nan_to_num(percents)):
            color = COLORS[2] if row == column else COLORS[7] if column == percents.shape[1] - 1 else COLORS[3]
            corner = (column - 0.5, row - 0.5)
            axes.add_patch(_square(corner, color, min(1.0, value / 100 if row == column else value / 25)))
            if value >= 0.5:
                axes.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=7)
        axes.set_xticks(range(len(columns)), columns, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(rows)), rows)
        axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5), aspect="equal")
        axes.set(xlabel=labels[0], ylabel=labels[1])
        axes.grid(visible=False)

    side = 1.6 + 0.27 * len(columns)
    return svg(draw, max(4.0, side + 0.6), max(3.4, side))


def _square(corner: tuple[float, float], color: str, strength: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, 1, 1, facecolor=color, alpha=strength, linewidth=0)


def calibration_plot(found: Calibration) -> str:
    """Percent of correct joints over their score."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.plot(found.scores, found.correct, color=COLORS[1], marker="o", linewidth=1.6)
        axes.set(xlabel="mean score of the bin", ylabel="correct joints in percent", ylim=(0, 102))

    return svg(draw, 5.2, 3.0)
