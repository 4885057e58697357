"""Rows as a table for people, as JSON, and as the table of docs/alignment.md. Needs numpy only."""

import dataclasses
import math
import re
from pathlib import Path
from typing import Any, Optional

from paddle_pose.alignment.rungs import FAIL, OPEN, PASS, Row
from paddle_pose.alignment.setup import Setup, read_json
from paddle_pose.alignment.thresholds import RUNGS
from paddle_pose.errors import DataError

BEGIN, END = "<!-- alignment table: begin -->", "<!-- alignment table: end -->"
_HEAD = ("rung", "what is compared", "largest difference", "mean difference", "threshold", "verdict")
_COLUMNS = ("reference", "here", "input", *RUNGS, "verdict")


def format_rows(rows: list[Row]) -> str:
    """The table on the screen; notes stand at the end of their lines."""
    lines = [_HEAD, *((r.rung, r.compared, *map(_number, (r.largest, r.mean, r.threshold)), r.verdict) for r in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_HEAD))]
    notes = ["", *(row.note for row in rows)]
    texts = []
    for line, note in zip(lines, notes):
        cells = [c.rjust(w) if 2 <= i <= 4 else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths))]
        texts.append("  ".join([*cells, note]).rstrip())
    return "\n".join(texts)


def failed(rows: list[Row]) -> list[str]:
    """Rungs with a row that failed, in order."""
    return list(dict.fromkeys(row.rung for row in rows if row.verdict == FAIL))


def summary(rows: list[Row]) -> str:
    """The verdict on all rows."""
    if failed(rows):
        return f"FAIL: {', '.join(failed(rows))}"
    return "pass, as far as it was judged" if any(row.verdict == OPEN for row in rows) else PASS


def payload(rows: list[Row], setup: Setup, network: str, made_by: dict[str, str]) -> dict[str, Any]:
    """What the JSON file holds.

    Args:
        rows: the table.
        setup: of the recording; its shapes of weights are left out.
        network: the configuration or network that was compared.
        made_by: what compared: versions, commit, machine (paddle_pose/environment.py).
    """
    facts = {key: getattr(setup, key) for key in ("reference", "evaluation_shape", "training_shape", "seed", "dtype")}
    training = {key: getattr(setup, key) for key in ("weights", "loss", "optimizer", "lr", "steps", "nudge", "dropout")}
    return {
        "network": network,
        "setup": {**facts, **training, "recorded_by": setup.versions},
        "made_by": made_by,
        "failed": failed(rows),
        "rows": [{key: _json(value) for key, value in dataclasses.asdict(row).items()} for row in rows],
    }


def _json(value: Any) -> Any:
    """Null in place of what is no number (outputs that are not finite): JSON has none."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def docs_table(paths: list[Path]) -> str:
    """One line of Markdown for each JSON file, in the order of the paths."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + "---|" * len(_COLUMNS)]
    lines += ["| " + " | ".join(_docs_cells(path)) + " |" for path in paths]
    return "\n".join(lines)


def put_between_markers(text: str, table: str, where: str) -> str:
    """`text` with the table between its two markers; DataError without markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise DataError(f"{where}: has no lines {BEGIN} and {END}; write them where the table is to stand")
    return f"{before}{begin}\n{table}\n{end}{after}"


def _docs_cells(path: Path) -> list[str]:
    content = read_json(path)
    try:
        rows = [Row(**row) for row in content["rows"]]
        setup, network = content["setup"], content["network"]
        size = _sizes(setup["evaluation_shape"], setup["training_shape"])
        return [setup["reference"], f"`{network}`", size, *(_rung_cell(rows, rung) for rung in RUNGS), summary(rows)]
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: not an alignment.json of this command: {error}") from None


def _rung_cell(rows: list[Row], rung: str) -> str:
    """Largest differences; in brackets what was not judged, bold what failed."""
    forms = {PASS: "{}", FAIL: "**{}**", OPEN: "({})"}
    shown = [row for row in rows if row.rung == rung and row.verdict in forms]
    return ", ".join(forms[row.verdict].format(_number(row.largest) + _since(row)) for row in shown) or "-"


def _since(row: Row) -> str:
    """From which step on losses were not judged."""
    found = re.match(r"losses of steps? (\d+)", row.compared)
    return f" from step {found[1]}" if found and row.verdict == OPEN else ""


def _sizes(evaluation: list[int], training: list[int]) -> str:
    first, second = (f"{shape[3]}x{shape[2]}" for shape in (evaluation, training))
    return first if first == second else f"{first}, training {second}"


def _number(value: Optional[float]) -> str:
    return "-" if value is None else "0" if value == 0 else f"{value:.1e}"
