"""Loss and validation curves of a run, from its metrics.jsonl."""

import json
from pathlib import Path


def draw_curves(numbers: Path, picture: Path, best: str) -> None:
    """Draws the training loss and the validation value over optimiser steps.

    Args:
        numbers: metrics.jsonl of a run.
        picture: PNG to write.
        best: name of the validation value.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = without_repeats([json.loads(line) for line in numbers.read_text(encoding="utf-8").splitlines()])
    loss = [(row["step"], row["train/loss"]) for row in rows if "train/loss" in row]
    valid = [(row["step"], row[f"valid/{best}"]) for row in rows if f"valid/{best}" in row]
    figure, left = pyplot.subplots(figsize=(8, 4.5))
    left.set(xlabel="optimiser step", ylabel="training loss", yscale="log")
    if loss:
        left.plot(*zip(*loss), color="tab:blue", label="training loss")
    if valid:
        right = left.twinx()
        right.plot(*zip(*valid), color="tab:orange", marker="o", label=f"validation {best}")
        percent = {} if best == "loss" else {"ylim": (0, 100)}
        right.set(ylabel=best if best == "loss" else f"{best} in percent", **percent)
    figure.legend(loc="upper center", ncol=2, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.94))  # the legend stands above the frame
    figure.savefig(picture, dpi=120)
    pyplot.close(figure)


def without_repeats(rows: list[dict]) -> list[dict]:
    """Rows with a `step`: a resumed run does steps again that came after its last checkpoint: the later rows count."""
    kept: list[dict] = []
    for row in rows:
        while kept and kept[-1]["step"] > row["step"]:
            kept.pop()
        kept.append(row)
    return kept
