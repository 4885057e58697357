"""Predictions, truth and numbers -> the page."""

from pathlib import Path
from typing import Any, Optional

import numpy as np

from paddle_pose.atomic_files import replacing
from paddle_pose.data.photos import photo_path, read_photo
from paddle_pose.errors import DataError, UserError
from paddle_pose.interfaces import Dataset, Metric
from paddle_pose.metrics.coco_metric import COCOKeypoints
from paddle_pose.metrics.pck_metrics import PCK
from paddle_pose.metrics.pcp import PCP
from paddle_pose.outputs.writer import check_writable
from paddle_pose.reports import coco_pairs, coco_sections, plots
from paddle_pose.reports.cases import Case, draw_case
from paddle_pose.reports.circumstances import Circumstances, facts, numbers
from paddle_pose.reports.page import Section, bullets, heading, page, paragraph, pictures, plot
from paddle_pose.reports.pairs import by_row
from paddle_pose.reports.sections import joint_sections, worst_cases
from paddle_pose.samples import Predictions, Report
from paddle_pose.skeletons import Skeleton

FILE = "report.html"
WORST = 8  # people of each kind that are shown
_LAST_PERCENT = 50  # of the curves


def check_folder(folder: Path) -> None:
    """UserError unless the page can be written there; the folder is made."""
    check_writable(folder, "--report")
    if (folder / FILE).is_dir():
        raise UserError(f"{folder / FILE} is a folder; choose another --report")


def write_report(
    folder: Path,
    dataset: Dataset,
    predictions: Predictions,
    metric: Metric,
    report: Report,
    circumstances: Circumstances,
) -> Path:
    """Writes the page and returns its path; the file appears whole or not at all.

    Raises:
        UserError: the folder cannot be written.
    """
    skeleton = getattr(metric, "skeleton", dataset.skeleton)
    found, cases = _analysis(dataset, predictions, metric, skeleton)
    sections = [numbers(report, circumstances), *found, _worst(cases, skeleton), facts(circumstances)]
    text = page(circumstances.title, dataset.protocol, [section for section in sections if section is not None])
    try:
        with replacing(folder / FILE) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {folder / FILE}: {error.strerror}; choose another --report") from None
    return folder / FILE


def _analysis(
    dataset: Dataset, predictions: Predictions, metric: Metric, skeleton: Skeleton
) -> tuple[list[Section], dict[str, list[Case]]]:
    if isinstance(metric, COCOKeypoints):
        return _of_coco(dataset, predictions, metric)
    ruler = PCK(skeleton) if isinstance(metric, PCP) else metric
    if not hasattr(ruler, "yardstick"):
        return [], {}
    truth = dataset.truth()
    groups, means = metric.curves(predictions, truth, _LAST_PERCENT)
    first = next(iter(means))
    yardstick = ruler.yardstick(truth)
    pairs = by_row(predictions, truth, skeleton, yardstick, told_visible(dataset))
    mean = first.partition(" (")[0]  # without whose it is
    series, x = {**groups, mean: means[first]}, np.arange(_LAST_PERCENT + 1) / 100
    unit, mark = ("true stick", 0.5) if isinstance(metric, PCP) else (yardstick.words, yardstick.threshold)
    labels = (f"threshold / {unit}", "percent correct")
    words = f"By the same functions as the numbers above, at 0.00, 0.01, ... Dotted line: {mark:g}, the threshold."
    body = plot(plots.line_plot(series, x, labels, bold=(mean,), mark=mark), words)
    photos = [_path(dataset, row) for row in range(len(pairs))]
    return [Section("Over the threshold", body), *joint_sections(pairs)], worst_cases(pairs, photos, WORST)


def told_visible(dataset: Dataset) -> Optional[np.ndarray]:
    """(N, K) bool, labelled and not hidden; None where the annotations call no labelled joint hidden."""
    people = getattr(dataset, "people", None)
    if people is None or not (people.labelled & ~people.visible).any():
        return None
    return people.visible


def _path(dataset: Dataset, row: int) -> str:
    """Of the photo; '' where the annotations name none."""
    try:
        return photo_path(dataset.photo_folder, str(dataset.people.photo_names[row]))
    except (DataError, AttributeError):
        return ""


def _of_coco(
    dataset: Any, predictions: Predictions, metric: COCOKeypoints
) -> tuple[list[Section], dict[str, list[Case]]]:
    truth = dataset.truth()
    poses, annotations = metric.poses(predictions, truth), truth.coco.annotations
    matched = coco_pairs.match(annotations, poses, metric.skeleton.oks_sigmas)
    if not len(matched.people):
        return [], {}
    pairs = coco_pairs.by_match(annotations, poses, matched, metric.skeleton)
    sections = [coco_sections.curves(annotations, poses, pairs), coco_sections.people(pairs, matched)]
    paths = [photo_path(dataset.photo_folder, str(name)) for name in dataset.photos.names]
    of_people = [paths[row] for row in dataset.photos.rows(annotations.image_ids[matched.people])]
    of_poses = [paths[row] for row in dataset.photos.rows(poses.image_ids)]
    unmatched = coco_sections.unmatched_cases(pairs, poses, matched, of_people, of_poses, WORST)
    return [*sections, *joint_sections(pairs)], {**worst_cases(pairs, of_people, WORST), **unmatched}


def _worst(cases: dict[str, list[Case]], skeleton: Skeleton) -> Optional[Section]:
    """Pictures of some people; where photos are not there, words about them."""
    if not any(cases.values()):
        return None
    body = paragraph(
        "Found joints in colour (orange: the right ones, blue: the left), true ones in thin white dashes; red lines "
        "join what is wrong with its truth. Errors in the units of the plots above."
    )
    lost = 0
    for title, some in cases.items():
        drawn, words = [], []
        for case in some:
            try:
                drawn.append((draw_case(read_photo(case.photo), case, skeleton), case.words))
            except (DataError, UserError):
                words.append(case.words)
        lost += len(words)
        body += heading(title) if some else ""
        body += (pictures(drawn) if drawn else "") + (bullets(words) if words else "")
    if lost:
        body += paragraph(
            f"{lost} of {sum(map(len, cases.values()))} photos could not be read where this page was made: their "
            "pictures are left out.",
            "warning",
        )
    return Section("Worst cases", body)
