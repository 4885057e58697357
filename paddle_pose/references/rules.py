"""Where a published row was measured by other rules than an evaluation of ours, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

from paddle_pose.coco_samples import DETECTOR_56
from paddle_pose.references import Row


@dataclass(frozen=True)
class Circumstances:
    """How an evaluation of ours is done; None where that is not known, as of a file of predictions.

    Args:
        dataset: `dataset.type`, COCOPhotos counted as COCO.
        metric: `metric.type`.
        people: how many are scored.
        photos: of COCO's annotation file, all of which are scored.
        network: section `network`.
        input_wh: of the network.
        boxes: in the words of `Row.boxes`, or the name of a file.
        mirror_test: whether mirrored crops are averaged in.
        shift: whether the codec then moves their maps.
        decode: from maps to joints.
        test_scales: sizes of the person that are averaged.
        labels: whose left is left.
    """

    dataset: str
    metric: str
    people: int
    photos: Optional[int] = None
    network: Optional[dict[str, Any]] = None
    input_wh: Optional[tuple[int, int]] = None
    boxes: Optional[str] = None
    mirror_test: Optional[bool] = None
    shift: Optional[bool] = None
    decode: Optional[str] = None
    test_scales: Optional[str] = None
    labels: Optional[str] = None


def incomparable(row: Row, here: Circumstances) -> str:
    """Why no difference of numbers means anything; empty where it does."""
    if row.not_comparable:
        return row.not_comparable
    if row.dataset != here.dataset:
        return f"the reference is of {row.dataset}, here it is {here.dataset}"
    if row.metric != here.metric:
        return f"the reference's numbers are {row.metric}, here they are {here.metric}"
    return ""


def differences(row: Row, here: Circumstances) -> list[str]:
    """One line for each rule that differs, none where nothing does or it is not known."""
    found = (check(row, here) for check in _CHECKS)
    return [words for words in found if words]


def caveats(row: Row) -> list[str]:
    """One line for each doubt about the row itself."""
    lines = []
    if row.recalled:
        lines.append(f"from the literature, not checked: {', '.join(row.recalled)}")
    if row.approximate:
        lines.append("its source says `about`")
    if row.disputed:
        lines.append(f"reproduced: {row.reproduced}")
    return lines


def holds(wanted: dict[str, Any], section: dict[str, Any]) -> bool:
    """Whether a section says what is wanted, or nothing else about it; a switch that is not given is off."""
    return all(section.get(key, False if isinstance(value, bool) else value) == value for key, value in wanted.items())


def _people(row: Row, here: Circumstances) -> str:
    if row.photos and here.photos and row.photos != here.photos:
        return f"the reference is of {row.photos} photos ({row.split}), here are {here.photos}: not the same split"
    if row.people and row.people != here.people:
        return f"the reference is of {row.people} people ({row.split}), here are {here.people}: not the same split"
    return ""


def _network(row: Row, here: Circumstances) -> str:
    if here.network is None or (row.ours is not None and holds(row.ours, here.network)):
        return ""
    return f"another network: the reference's is {row.network}"


def _input_size(row: Row, here: Circumstances) -> str:
    return _unlike("input", *(_size(size) for size in (row.input_wh, here.input_wh)))


def _boxes(row: Row, here: Circumstances) -> str:
    if None in (row.boxes, here.boxes) or row.boxes == here.boxes:
        return ""
    if row.boxes == "detector AP 56.4" and here.boxes == DETECTOR_56:
        return ""
    words = f"boxes: the reference's {row.boxes}, here {here.boxes}"
    if "ground truth" in (row.boxes, here.boxes) and "none" not in (row.boxes, here.boxes):
        words += "; those of the ground truth are worth about 2 AP more than a detector's"
    return words


def _mirror(row: Row, here: Circumstances) -> str:
    return _unlike("mirror test", *(_yes(value) for value in (row.mirror_test, here.mirror_test)))


def _shift(row: Row, here: Circumstances) -> str:
    if not (row.mirror_test and here.mirror_test):
        return ""
    return _unlike("shift of the mirrored output", *(_yes(value) for value in (row.shift, here.shift)))


def _scales(row: Row, here: Circumstances) -> str:
    if row.test_scales == "several" and here.test_scales != "1":
        return ""
    return _unlike("test scales", row.test_scales, here.test_scales)


def _decode(row: Row, here: Circumstances) -> str:
    return _unlike("decoding", row.decode, here.decode)


def _labels(row: Row, here: Circumstances) -> str:
    return _unlike("labels", row.labels, here.labels)


def _threshold(row: Row, here: Circumstances) -> str:
    if row.threshold != 0.11:
        return ""
    return f"the reference used 0.11: its Mean@0.1 of {row.values['Mean@0.1']:g} is compared with our column @0.11"


def _mean(row: Row, here: Circumstances) -> str:
    if row.mean_rule == "unweighted" and "Mean" in row.values:
        return "the reference's Mean is the plain mean of the joints: it is compared with that row of the table"
    if row.mean_rule == "all_joints":
        return "the reference's Mean has pelvis and thorax in it: it is compared with that row of the table"
    return "the reference's Mean is its own: see the note" if row.mean_rule == "own" else ""


def _comparison(row: Row, here: Circumstances) -> str:
    if row.comparison != "<":
        return ""
    return "the reference counts errors below the threshold (<), here those equal to it too (<=)"


def _unlike(what: str, theirs: Optional[str], ours: Optional[str]) -> str:
    return f"{what}: the reference's {theirs}, here {ours}" if theirs and ours and theirs != ours else ""


def _size(input_wh: Optional[Sequence[int]]) -> Optional[str]:
    return input_wh and f"{input_wh[0]}x{input_wh[1]}"


def _yes(value: Optional[bool]) -> Optional[str]:
    return None if value is None else ("yes" if value else "no")


_CHECKS = (
    _network,
    _people,
    _input_size,
    _boxes,
    _labels,
    _mirror,
    _shift,
    _scales,
    _decode,
    _threshold,
    _mean,
    _comparison,
)
