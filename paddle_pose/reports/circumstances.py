"""What stands around the analysis: the numbers, beside a published row, and how they were made."""

from dataclasses import dataclass, field
from typing import Optional

from paddle_pose.reports.page import Section, heading, paragraph, table, tiles
from paddle_pose.samples import Report


@dataclass(frozen=True)
class Beside:
    """A published row.

    Args:
        title: whose.
        source: where it was published.
        values: name, published, ours; None where this evaluation has none of that meaning.
        warnings: rules that differ, and doubts, as val.py prints them.
    """

    title: str
    source: str
    values: list[tuple[str, float, Optional[float]]]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Circumstances:
    """What the page says beside the numbers.

    Args:
        title: what was scored.
        facts: name -> words, for the end of the page.
        notes: how it was scored, lines.
        beside: None where no published row is named.
    """

    title: str
    facts: dict[str, str]
    notes: tuple[str, ...] = ()
    beside: Optional[Beside] = None


def numbers(report: Report, circumstances: Circumstances) -> Section:
    """The numbers, the published row, the table, the rules."""
    body = tiles(report.values) + "".join(paragraph(note, "note") for note in circumstances.notes)
    body += _beside(circumstances.beside)
    columns = list(dict.fromkeys(column for row in report.rows.values() for column in row))
    rows = [[name, *(row.get(column, "") for column in columns)] for name, row in report.rows.items()]
    return Section(
        "Numbers", body + heading("The table") + table(["", *columns], rows) + paragraph(report.rules, "note")
    )


def facts(circumstances: Circumstances) -> Section:
    """What was scored, by which programs."""
    return Section("How it was made", table(["", ""], [list(pair) for pair in circumstances.facts.items()]))


def _beside(beside: Optional[Beside]) -> str:
    if beside is None:
        return paragraph("No published row is named to stand beside these numbers (reference, or --reference).", "note")
    body = heading("Beside the published row") + paragraph(beside.title)
    body += paragraph(beside.source, "note") if beside.source else ""
    rows = [[name, theirs, ours, None if ours is None else ours - theirs] for name, theirs, ours in beside.values]
    body += table(["", "published", "here", "difference"], rows, decimals=3)
    for words in map(str.strip, beside.warnings):
        body += paragraph(words, "warning" if words.startswith("warning") else "note")
    return body
