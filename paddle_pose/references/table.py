"""All published rows as Markdown: `python -m paddle_pose.references`. docs/references.md holds its output."""

from paddle_pose.references import Row, rows

_HEAD = "| id | whose | published | measured by | others, and notes |\n|---|---|---|---|---|"
# Words for `mean_rule` and `boxes` of a row; what is not in them goes without saying.
MEANS = {"unweighted": "unweighted mean", "all_joints": "mean with pelvis and thorax", "own": "own mean"}
BOXES = {
    "ground truth": "ground-truth boxes",
    "detector AP 56.4": "detector AP 56.4",
    "none": "no boxes",
    "own": "own boxes",
}


def references_table() -> str:
    """One line for each row, under a heading for each dataset and split."""
    sections: dict[str, list[str]] = {}
    for name, row in rows().items():
        cells = (f"`{name}`", row.who, published(row), measured(row), _others(row))
        sections.setdefault(f"{row.dataset}, {row.split}", []).append(f"| {' | '.join(cells)} |")
    blocks = [f"### {title}\n\n{_HEAD}\n" + "\n".join(lines) for title, lines in sorted(sections.items())]
    return "\n\n".join(blocks)


def published(row: Row) -> str:
    """`Mean 88.9, Mean@0.1 31.7 (@0.11: 36.1)`; `*` marks what nobody has checked, `~` what the source says about."""
    about = "~" if row.approximate else ""
    parts = []
    for name, value in row.values.items():
        at = " at 0.11" if name == "Mean@0.1" and row.threshold == 0.11 else ""
        parts.append(f"{name} {about}{value:g}{at}{'*' if name in row.recalled else ''}")
    return ", ".join(parts) + (f" (@0.11: {row.at_0_11:g})" if row.at_0_11 is not None else "")


def measured(row: Row) -> str:
    """The rules that are known."""
    mirror = {True: "mirror", False: "no mirror", None: ""}[row.mirror_test]
    if row.mirror_test and row.shift is not None:
        mirror += " with shift" if row.shift else " without shift"
    size = "" if row.gmacs is None else f"{row.gmacs:g} G multiply-adds of {row.gmacs_unit}"
    parts = (
        MEANS.get(row.mean_rule or "", ""),
        f"`{row.comparison}`" if row.comparison else "",
        BOXES.get(row.boxes or "", ""),
        mirror,
        f"scales {row.test_scales}" if row.test_scales not in ("", "1") else "",
        row.decode or "",
        row.labels or "",
        f"chosen: {row.selection}" if row.selection else "",
        f"from {row.start}" if row.start else "",
        "" if row.params_m is None else f"{row.params_m:g} M parameters",
        size,
    )
    return ", ".join(part for part in parts if part)


def _others(row: Row) -> str:
    parts = (
        f"**not comparable**: {row.not_comparable}" if row.not_comparable else "",
        f"reproduced: {row.reproduced}" if row.reproduced else "",
        f"cost: {row.cost}" if row.cost else "",
        row.note,
    )
    return "; ".join(part for part in parts if part)
