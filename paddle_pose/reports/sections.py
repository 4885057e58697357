"""Sections of the page that say where joints are right and wrong: the same for every metric."""

import numpy as np

from paddle_pose.metrics import pck
from paddle_pose.reports import plots, worst
from paddle_pose.reports.breakdown import Share, by_joint, by_size, by_visibility, calibration
from paddle_pose.reports.cases import Case, file_name
from paddle_pose.reports.confusion import Swaps, confusion, lies_on, swaps
from paddle_pose.reports.page import Section, heading, paragraph, plot, table
from paddle_pose.reports.pairs import Pairs


def joint_sections(pairs: Pairs) -> list[Section]:
    """By joint, size, visibility, left and right, confidence."""
    if not pairs.counted.any():
        return []
    return [_by_joint(pairs), _by_size(pairs), _by_visibility(pairs), _confusion(pairs), _calibration(pairs)]


def _correct(pairs: Pairs) -> str:
    return f"Correct: error at most {pairs.threshold:.3g}"


def _by_joint(pairs: Pairs) -> Section:
    shares = by_joint(pairs)
    words = (
        f"An error is the distance to the true joint / {pairs.unit}. Dashed line: {pairs.threshold:.3g}, the largest"
    )
    body = plot(plots.box_plot(shares, pairs.unit, pairs.threshold), f"{words} error of a correct joint.")
    return Section("Error by joint", body + _table("joint", shares))


def _table(first: str, shares: list[Share]) -> str:
    has_people = any(share.people is not None for share in shares)
    head = [
        first,
        *(["people"] if has_people else []),
        "joints",
        "correct %",
        "median error",
        "95 % below",
        "not found",
    ]
    rows = [
        [
            share.name,
            *([share.people] if has_people else []),
            share.joints,
            share.correct,
            share.median,
            float(share.quantiles[4]),
            share.not_found,
        ]
        for share in shares
    ]
    return table(head, rows)


def _by_size(pairs: Pairs) -> Section:
    shares = by_size(pairs)
    words = f"People in {len(shares)} bins of about equal number, by {pairs.size}, in photo pixels. {_correct(pairs)}."
    body = plot(plots.bar_plot({"correct joints": shares}, "correct joints in percent"), words)
    return Section("By person size", body + _table("size", shares))


def _by_visibility(pairs: Pairs) -> Section:
    found = by_visibility(pairs)
    if not found:
        body = paragraph("The annotations do not say which joints are hidden: all that are labelled count alike.")
        return Section("By visibility", body)
    words = f"Labelled joints that the annotations call visible, and hidden. {_correct(pairs)}."
    body = plot(plots.bar_plot(found, "correct joints in percent"), words)
    return Section(
        "By visibility", body + "".join(heading(name.capitalize()) + _table("", found[name]) for name in found)
    )


def _confusion(pairs: Pairs) -> Section:
    on = lies_on(pairs)
    counts = confusion(pairs, on)
    percents = pck.percent(counts, counts.sum(axis=1, keepdims=True))
    joints = [joint.replace("_", " ") for joint in pairs.skeleton.joints]
    words = (
        "Row: predicted joint. Column: the joint of the same person whose true place is nearest, if within "
        f"{pairs.threshold:.3g} x {pairs.unit}; else none. In percent of the row; on the diagonal it is its own."
    )
    figure = plot(plots.matrix_plot(percents, joints, [*joints, "none"], ("lies on", "predicted joint")), words)
    return Section("Left and right, and other joints", _swaps(swaps(pairs, on)) + figure)


def _swaps(found: list[Swaps]) -> str:
    if not found:
        return paragraph("This skeleton has no mirror pairs.")
    head = ["pair", "people with both", "swapped %", "first on second", "second on first", "changed places"]
    rows = [[" / ".join(s.pair), s.people, s.percent, s.first, s.second, s.both] for s in found]
    people, lying = sum(s.people for s in found), sum(s.first + s.second for s in found)
    every = ["all pairs", people, float(pck.percent(lying, 2 * people)), "", "", sum(s.both for s in found)]
    note = (
        "A joint is swapped where it lies on its mirror partner (as in the matrix below); in percent of the joints of "
        "people who have both labelled. Changed places: both lie on each other."
    )
    return table(head, [*rows, every]) + paragraph(note, "note")


def _calibration(pairs: Pairs) -> Section:
    found = calibration(pairs)
    if found is None:
        return Section("Confidence", paragraph("These predictions have no scores, or the same score everywhere."))
    words = "Found joints in bins of about equal number by score. A score need not be a probability; it should rise."
    said = (
        "All of them are correct, or none is."
        if np.isnan(found.order)
        else f"A correct joint has a higher score than a wrong one in {found.order:.1f} % of all such pairs "
        "(50 %: the score says nothing)."
    )
    return Section("Confidence", plot(plots.calibration_plot(found), words) + paragraph(said))


def worst_cases(pairs: Pairs, photos: list[str], count: int) -> dict[str, list[Case]]:
    """People to show, by title.

    Args:
        pairs: the people.
        photos: (N,) paths.
        count: of each kind.
    """
    by_error = worst.worst_by_error(pairs, count)
    by_misses = worst.worst_by_misses(pairs, count, but=by_error)
    titles = {"Largest mean error": by_error, "Most joints missed, of the others": by_misses}
    return {title: [_case(pairs, int(row), photos[row]) for row in rows] for title, rows in titles.items()}


def _case(pairs: Pairs, row: int, photo: str) -> Case:
    counted, errors = pairs.counted[row], pairs.errors[row]
    wrong = counted & ~pairs.correct[row]
    words = f"{file_name(photo)}, person {row}: mean error {worst.mean_errors(pairs)[row]:.2f}"
    words += f"; {wrong.sum()} of {counted.sum()} missed"
    known = np.where(counted & ~np.isnan(errors), errors, -1.0)
    worst_joint = int(np.argmax(known))
    words += f"; {pairs.skeleton.joints[worst_joint]} {known[worst_joint]:.2f}"
    true = np.where(counted[:, None], pairs.true_image[row], np.nan)
    return Case(photo, words, pairs.found_image[row], true, wrong)
