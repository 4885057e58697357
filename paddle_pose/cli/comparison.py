"""A score beside the published row that its configuration names, and where the rules of the two differ.

Imports no paddle.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional, Union

from paddle_pose import references
from paddle_pose.config import Config
from paddle_pose.config_sections import Reference
from paddle_pose.data.prediction_files import digest
from paddle_pose.interfaces import Dataset
from paddle_pose.references.rules import Circumstances, caveats, differences, incomparable
from paddle_pose.samples import Predictions, Report

_SCORED_ON = {"COCOPhotos": "COCO", "LSPAndLSPET": "LSP"}  # `dataset.type` -> whose people rows are of


@dataclass(frozen=True)
class Compared:
    """One published value; `here` is None where this evaluation has none of that meaning."""

    name: str
    published: float
    here: Optional[float]


def circumstances(config: Config, dataset: Dataset, codec: Any = None) -> Circumstances:
    """How a network of a configuration is evaluated on people; decoding and shift as its codec says."""
    kind, valid = config.dataset.type, config.valid
    on_coco = config.metric.type == "COCOKeypoints"
    return Circumstances(
        dataset=_SCORED_ON.get(kind, kind),
        metric=config.metric.type,
        people=len(dataset),
        photos=dataset.num_images if on_coco else None,
        network=config.network.model_dump(),
        input_wh=config.input_wh,
        boxes=_boxes(config),
        mirror_test=valid.mirror_test,
        shift=getattr(codec, "shift_mirrored", None),
        decode=getattr(codec, "refine", None),
        test_scales=", ".join(f"{scale:g}" for scale in valid.test_scales),
        labels=_labels(dataset.protocol),
    )


def of_predictions(config: Config, dataset: Dataset) -> Circumstances:
    """The same for joints that any system found: nobody knows how."""
    unknown = ("network", "input_wh", "boxes", "mirror_test", "test_scales")
    return replace(circumstances(config, dataset), **dict.fromkeys(unknown))


def whose_predictions(predictions: Predictions) -> tuple[Optional[str], tuple[str, ...]]:
    """Id of the row that was published with these predictions, and a line that says so; None and no line else."""
    mark = digest(predictions)
    for name, row in references.rows().items():
        if mark in row.predictions:
            return name, (f"these are the published predictions of {row.title}",)
    return None, ()


def _boxes(config: Config) -> Optional[str]:
    kind, boxes = config.dataset.type, config.dataset.arguments.get("boxes")
    if kind == "COCO":
        return Path(boxes).name if boxes else "ground truth"
    return {"COCOPhotos": "none", "PersonCentres": None}.get(kind, "annotation")


def _labels(protocol: str) -> Optional[str]:
    marks = {"_PC.mat": "person-centric", "_OC.mat": "observer-centric", "observer-centric": "observer-centric"}
    return next((words for mark, words in marks.items() if mark in protocol), None)


def compared(reference: Union[references.Row, Reference], report: Report) -> list[Compared]:
    """Each published value beside ours of the same meaning."""
    if isinstance(reference, Reference):
        return [Compared(name, value, report.values.get(name)) for name, value in reference.values.items()]
    found = [
        Compared(_meant(reference, name), value, _here(reference, name, report))
        for name, value in reference.values.items()
    ]
    if reference.at_0_11 is not None:
        found.append(Compared("Mean@0.11", reference.at_0_11, _mean(reference, report).get("@0.11")))
    return found


def _meant(row: references.Row, name: str) -> str:
    """The name of a value with what it means there, if that is not what it means here."""
    rules = {"unweighted": "unweighted", "all_joints": "with pelvis and thorax"}
    notes = [rules[row.mean_rule]] if name in ("Mean", "Mean@0.1") and row.mean_rule in rules else []
    notes += ["at 0.11"] if name == "Mean@0.1" and row.threshold == 0.11 else []
    return f"{name} ({', '.join(notes)})" if notes else name


def _here(row: references.Row, name: str, report: Report) -> Optional[float]:
    if name == "Mean@0.1" and row.threshold == 0.11:
        return _mean(row, report).get("@0.11")
    if name not in ("Mean", "Mean@0.1") or row.mean_rule in (None, "count"):
        return report.values.get(name)
    columns = _mean(row, report)
    return columns.get("@0.1") if name == "Mean@0.1" else next(iter(columns.values()), None)


def _mean(row: references.Row, report: Report) -> dict[str, float]:
    """The table's row of the mean by this rule: {column: percent}, empty where there is none."""
    marks = {None: "by count", "count": "by count", "unweighted": "unweighted", "all_joints": "(princeton)"}
    mark = marks.get(row.mean_rule)
    rows = (columns for name, columns in report.rows.items() if name.startswith("Mean,") and mark and mark in name)
    return next(rows, {})


def report_lines(reference: Union[str, Reference], report: Report, here: Circumstances) -> list[str]:
    """The published row, one line for each of its values with the difference, one for each rule that differs."""
    if isinstance(reference, Reference):
        note = f" ({reference.note})" if reference.note else ""
        return [f"published: {reference.source}{note}", *_value_lines(compared(reference, report), report)]
    row = references.find(reference)
    why = incomparable(row, here)
    head = [headline("published", reference, row), f"  source: {row.where}"]
    if why:
        values = ", ".join(f"{name} {value:.3f}" for name, value in row.values.items())
        return [*head, f"  {values}", *warnings([f"not comparable: {why}"], row)]
    return [*head, *_value_lines(compared(row, report), report), *warnings(differences(row, here), row)]


def _value_lines(values: list[Compared], report: Report) -> list[str]:
    condition = f" ({report.condition})" if report.condition else ""
    return [
        f"  {value.name}: published {value.published:.3f}, here {value.here:.3f}{condition}, "
        f"difference {round(value.here - value.published, 3) + 0.0:+.3f}"  # + 0.0: no -0.000
        for value in values
        if value.here is not None
    ]


def headline(verb: str, name: str, row: references.Row) -> str:
    """Whose row it is, its id, what its training began with, and its note."""
    return f"{verb}: {row.title} ({'; '.join(part for part in (name, row.start, row.note) if part)})"


def warnings(words: list[str], row: references.Row) -> list[str]:
    """A line for each of some words, for each doubt about the row, and for what others got."""
    others = [f"  reproduced: {row.reproduced}"] if row.reproduced and not row.disputed else []
    return [*(f"  warning: {line}" for line in (*words, *caveats(row))), *others]
