"""results/*.json as the tables of results need them, checked."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from paddle_pose.errors import DataError

FORM = 2  # what val.py --save_record writes
_WORDS = ("title", "note", "test")


@dataclass(frozen=True)
class ResultRecord:
    """One record.

    Args:
        name: of the file, without .json.
        order: place among the lines; None: after those that have one.
        title: what was evaluated; with `note` the line of the table that shows it.
        note: on which data.
        test: tells records of one line apart; may be empty.
        chinese: title, note and test for readers of Chinese; None: the same words.
        metric: e.g. 'PCK@0.2' or 'AP'.
        values: name -> percentage, None where it does not exist.
        table: row name -> {column name -> percentage}.
        reference: id of the published row that it stands beside.
        differences: rules in which that row differs, in words.
    """

    name: str
    order: Optional[float]
    title: str
    note: str
    test: str
    chinese: Optional[tuple[str, str, str]]
    metric: str
    values: dict[str, Optional[float]]
    table: dict[str, dict[str, Optional[float]]]
    reference: Optional[str]
    differences: tuple[str, ...]

    @property
    def headline(self) -> str:
        """Name of the value that stands for all."""
        return "Mean" if "Mean" in self.values else "AP"

    def words(self, chinese: bool) -> tuple[str, str, str]:
        """Title, note and test."""
        return self.chinese if chinese and self.chinese else (self.title, self.note, self.test)

    @property
    def full_title(self) -> str:
        """Title and test."""
        return f"{self.title}, {self.test}" if self.test else self.title


def read_records(folder: Path) -> list[ResultRecord]:
    """All records of a folder, in the order of the table.

    Raises:
        DataError: one cannot be used, or two have one place in the table.
    """
    records = [_read(path) for path in sorted(folder.glob("*.json"))]
    places: dict[tuple, str] = {}
    for record in records:
        place = (record.title, record.note, record.test)
        if place in places:
            raise DataError(
                f"{folder / record.name}.json: has the title, note and test of {places[place]}.json "
                f"({', '.join(filter(None, place))}); change one in its `row`"
            )
        places[place] = record.name
    return sorted(records, key=lambda record: (record.order is None, record.order or 0, record.name))


def _read(path: Path) -> ResultRecord:
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is no JSON ({error}); write it anew with val.py --save_record") from None
    if not isinstance(content, dict) or content.get("form") != FORM:
        raise DataError(f"{path}: is no record of this version (no `form: {FORM}`); make it anew by --save_record")
    try:
        return _checked(path, content)
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error) or "a field is of another kind"
        raise DataError(f"{path}: a damaged record: {what}; make it anew by --save_record") from None


def _checked(path: Path, content: dict[str, Any]) -> ResultRecord:
    row = content["row"]
    values, table = _percentages(content["values"]), {name: _percentages(c) for name, c in content["table"].items()}
    if not {"Mean", "AP"} & set(values):
        raise ValueError("it has neither Mean nor AP")
    words = {key: _text(row, key) for key in _WORDS}
    chinese = tuple(_text(row["chinese"], key) for key in _WORDS) if row.get("chinese") else None
    reference, order = content["reference"], row["order"]
    if order is not None and (isinstance(order, bool) or not isinstance(order, (int, float))):
        raise ValueError(f"row.order is {order!r}, not a number")
    if reference is not None and not isinstance(reference, str):
        raise ValueError(f"reference is {reference!r}, not the id of a published row")
    kind = _text(content, "rules").partition(":")[0]
    column = next(iter(next(iter(table.values()))))
    metric = f"{kind}{column}" if column.startswith("@") else "AP"
    facts = {"chinese": chinese, "metric": metric, "values": values, "table": table, "reference": reference}
    differences = content["differences"]
    if not isinstance(differences, list) or not all(map(_is_line, differences)):
        raise ValueError(f"differences is {differences!r}, not a list of lines of text without |")
    facts["differences"] = tuple(differences)
    return ResultRecord(path.stem, order, **words, **facts)


def _text(content: dict[str, Any], key: str) -> str:
    if not _is_line(content[key]):
        raise ValueError(f"{key} is {content[key]!r}, not one line of text without |")
    return content[key]


def _is_line(text: Any) -> bool:
    """Whether it can stand in a cell of a table, between the comments that mark where it is."""
    return isinstance(text, str) and not any(sign in text for sign in ("|", "\n", "<!--"))


def _percentages(numbers: dict[str, Any]) -> dict[str, Optional[float]]:
    for name, number in numbers.items():
        is_number = isinstance(number, (int, float)) and not isinstance(number, bool)
        if number is not None and not (is_number and math.isfinite(number) and 0 <= number <= 100):
            raise ValueError(f"{name} is {number!r}, not a percentage")
    return numbers


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it has {name}, which is no number")
