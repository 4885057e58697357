"""Markdown tables of results: one line for each network, joint by joint, and beside published rows."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Optional

from paddle_pose.cli.result_records import ResultRecord
from paddle_pose.references.table import BOXES, MEANS

_CHINESE = {
    "network": "网络",
    "data": "数据",
    "PCK, PCKh or AP": "PCK、PCKh 或 AP",
    "record": "记录",
    "published": "公布的结果",
    "configuration": "配置",
    "here": "本仓库",
    "not run": "未运行",
    "rules that differ": "不同的规则数",
}
_MEAN_ROW = "Mean, 14 joints by count"  # how the row of `table` begins that is `Mean` of `values`


class Tables:
    """Makes the tables of one document.

    Args:
        records: in their order.
        to_root: what leads from the document to the folder of results/ and configs/: '' or '../'.
        chinese: headers, and what the records have in it, in Chinese.
    """

    def __init__(self, records: Sequence[ResultRecord], to_root: str, chinese: bool) -> None:
        self._records, self._to_root, self._chinese = list(records), to_root, chinese

    def rows(self) -> list[str]:
        """A line for each title and note, with the values of all its tests."""
        lines = self._head("network", "data", "PCK, PCKh or AP", "record")
        for place, group in groupby(self._records, key=lambda record: record.words(self._chinese)[:2]):
            lines.append(self._row(*place, list(group)))
        return lines

    def joints(self, names: Iterable[str]) -> list[str]:
        """Values of the named records, then the same at the second threshold, or the AP of each joint."""
        chosen = [next(record for record in self._records if record.name == name) for name in names]
        columns = list(dict.fromkeys(name for record in chosen for name in record.values))
        lines = self._head(chosen[0].metric, *columns, "record")
        for record in chosen:
            cells = [_number(record.values.get(name)) for name in columns]
            lines.append(_line(record.full_title, *cells, self._link(record)))
        return [*lines, "", *(_at_second_threshold(chosen) if columns[-1] == "Mean@0.1" else _by_joint(chosen))]

    def published(self, pairs: Iterable[tuple[str, Any, list[Path]]]) -> list[str]:
        """Published rows beside ours.

        Args:
            pairs: id of a published row, the row (paddle_pose/references), the configurations that name it.
        """
        lines = self._head("published", "configuration", "PCK, PCKh or AP", "here")
        for name, row, configs in pairs:
            ours = [self._here(record) for record in self._records if record.reference == name]
            links = ", ".join(f"[{path.stem}]({self._to_root}{path.as_posix()})" for path in configs)
            here = "; ".join(ours) or self._word("not run")
            lines.append(_line(_cell(row.title), links, published_values(row), here))
        return lines

    def _row(self, title: str, note: str, records: list[ResultRecord]) -> str:
        name = records[0].metric if records[0].headline == "AP" else f"{records[0].metric} Mean"
        values = []
        for record in records:
            test = record.words(self._chinese)[2]
            values.append(_number(record.values[record.headline]) + (f" ({test})" if test else ""))
        links = ", ".join(self._link(record) for record in records)
        return _line(title, note, f"{name} {'; '.join(values)}", links)

    def _here(self, record: ResultRecord) -> str:
        values = [f"{name} {_number(record.values[name])}" for name in _SHOWN if name in record.values]
        count = len(record.differences)
        differs = f" ({self._word('rules that differ')}: {count})" if count else ""
        return f"{', '.join(values)}{differs} {self._link(record)}"

    def _link(self, record: ResultRecord) -> str:
        return f"[json]({self._to_root}results/{record.name}.json)"

    def _head(self, *names: str) -> list[str]:
        return [_line(*map(self._word, names)), "|" + "---|" * len(names)]

    def _word(self, word: str) -> str:
        return _CHINESE.get(word, word) if self._chinese else word


_SHOWN = ("Mean", "Mean@0.1", "AP")


def published_values(row: Any) -> str:
    """The values of a published row that are compared, and what they must not be read without."""
    names = [name for name in _SHOWN if name in row.values] or list(row.values)[-1:]
    values = [f"{name} {_published(row.values[name])}" for name in names]
    said = [
        f"at {row.threshold}" if row.threshold not in (None, 0.1) else "",
        MEANS.get(row.mean_rule or "", "") if "Mean" in names else "",
        BOXES.get(row.boxes or "", ""),
        "others got less" if row.disputed else "",
        "about" if row.approximate else "",
        "not checked" if row.recalled else "",
    ]
    said = [words for words in said if words]
    return ", ".join(values) + (f" ({'; '.join(said)})" if said else "")


def _published(value: float) -> str:
    """All digits of the source, and one after the point at least."""
    text = f"{value:.10g}"
    return text if "." in text else f"{text}.0"


def _at_second_threshold(records: list[ResultRecord]) -> list[str]:
    """PCK at the second threshold of the table, joint by joint."""
    column = list(next(iter(records[0].table.values())))[1]
    joints = [name for name in records[0].values if not name.startswith("Mean")]
    kind = records[0].metric.partition("@")[0]
    lines = [_line(f"{kind}{column}", *joints, "Mean"), "|" + "---|" * (len(joints) + 2)]
    for record in records:
        mean = next((columns for name, columns in record.table.items() if name.startswith(_MEAN_ROW)), {})
        cells = [record.table.get(name, {}).get(column) for name in joints] + [mean.get(column)]
        lines.append(_line(record.full_title, *map(_number, cells)))
    return lines


def _by_joint(records: list[ResultRecord]) -> list[str]:
    """AP of each joint alone, a column for each record."""
    joints = [name for name, columns in records[0].table.items() if list(columns) == ["AP"]]
    lines = [_line("AP of a joint alone", *(_cell(r.full_title) for r in records)), "|" + "---|" * (len(records) + 1)]
    for joint in joints:
        lines.append(_line(joint, *(_number(record.table.get(joint, {}).get("AP")) for record in records)))
    return lines


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())


def _number(value: Optional[float]) -> str:
    return "" if value is None else f"{value:.2f}"
