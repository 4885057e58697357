"""A Report as text: a table for people and one line for scripts."""

import math

from paddle_pose.samples import Report


def _cell(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def format_table(report: Report) -> str:
    """Aligned rows and columns, two decimals, `-` where nobody is labelled; the rules in the last line."""
    columns = list(dict.fromkeys(column for row in report.rows.values() for column in row))
    lines = [["", *columns]]
    for name, row in report.rows.items():
        lines.append([name, *(_cell(row[column]) if column in row else "" for column in columns)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns) + 1)]
    texts = [
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))])
        for line in lines
    ]
    return "\n".join([*(text.rstrip() for text in texts), report.rules])


def eval_line(report: Report) -> str:
    """`[EVAL] Ankle=79.87761299600484 Elbow=...`: keys in alphabetical order, percent, all digits."""
    return " ".join(["[EVAL]", *(f"{name}={float(report.values[name])!r}" for name in sorted(report.values))])
