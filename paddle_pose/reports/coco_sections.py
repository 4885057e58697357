"""Sections of the page for COCO's evaluation: AP over OKS, joints over OKS, who was found and who was not."""

import numpy as np

from paddle_pose.coco_samples import CocoAnnotations, CocoPoses
from paddle_pose.metrics import coco_scores, pck
from paddle_pose.reports import plots
from paddle_pose.reports.breakdown import quantile_bins
from paddle_pose.reports.cases import Case, file_name
from paddle_pose.reports.coco_pairs import FOUND_OKS, IGNORED_OKS, Matched
from paddle_pose.reports.page import Section, paragraph, plot, table
from paddle_pose.reports.pairs import Pairs
from paddle_pose.skeletons import Skeleton

_AXIS = "OKS threshold"


def curves(annotations: CocoAnnotations, poses: CocoPoses, pairs: Pairs) -> Section:
    """AP and AR at each threshold, by pycocotools, and the share of joints that reach each OKS."""
    skeleton, thresholds = pairs.skeleton, coco_scores.THRESHOLDS
    series = coco_scores.by_threshold(annotations, poses, skeleton.oks_sigmas)
    whole = plot(
        plots.line_plot(series, thresholds, (_AXIS, "percent"), bold=("AP",)), "AP and AR, people of all sizes."
    )
    joints = pck.group_percents(skeleton, joint_curves(pairs, thresholds))
    words = (
        "Labelled joints of all annotated people (those who were not found, too) whose own similarity, "
        "exp(-d^2 / (2 (2 sigma)^2 area)), is at least the threshold; a group is the plain mean of its joints."
    )
    return Section("Over the threshold", whole + plot(plots.line_plot(joints, thresholds, (_AXIS, "percent")), words))


def joint_curves(pairs: Pairs, thresholds: tuple[float, ...]) -> np.ndarray:
    """(T, K) percent of the counted joints whose OKS is at least each threshold; NaN for a joint that nobody has."""
    errors, counts = pairs.errors, pairs.counted.sum(axis=0)
    limits = np.sqrt(-2 * np.log(np.asarray(thresholds)))
    return np.stack([pck.percent(((errors <= limit) & pairs.counted).sum(axis=0), counts) for limit in limits])


def people(pairs: Pairs, matched: Matched) -> Section:
    """How many were found, how well, and by size."""
    oks = person_oks(matched)
    rows = [["annotated people with keypoints", len(oks)]]
    rows += [[f"a pose with OKS of {least:g} or more", int((oks >= least).sum())] for least in (FOUND_OKS, 0.5, 0.75)]
    rows += [["not found", int((oks < FOUND_OKS).sum())], ["poses of nobody", len(matched.extra)]]
    rows += [["poses not looked at", int((matched.person_of == -2).sum())]]
    note = (
        "In each photo the most similar pair of a person and a pose comes first, each taken once, down to an OKS of "
        f"{FOUND_OKS:g}. Not looked at: beyond 20 poses in a photo, or with an OKS of {IGNORED_OKS:g} or more on a "
        "crowd or on somebody without keypoints."
    )
    return Section("People", table(["", "number"], rows) + paragraph(note, "note") + _by_size(pairs, oks))


def _by_size(pairs: Pairs, oks: np.ndarray) -> str:
    number, edges = quantile_bins(pairs.size_image, 5)
    rows = []
    for b in range(len(edges) - 1):
        mine = oks[number == b]
        percents = [float(pck.percent((mine >= least).sum(), len(mine))) for least in (FOUND_OKS, 0.5, 0.75)]
        rows.append([f"{edges[b]:.0f} to {edges[b + 1]:.0f} px", len(mine), *percents])
    return table([pairs.size, "people", f"OKS {FOUND_OKS:g} %", "OKS 0.5 %", "OKS 0.75 %"], rows)


def person_oks(matched: Matched) -> np.ndarray:
    """(N,) OKS of each annotated person with its pose, 0 where nobody was found."""
    pose_of = matched.pose_of
    return np.where(pose_of >= 0, matched.oks[pose_of], 0.0) if len(matched.oks) else np.zeros(len(pose_of))


def unmatched_cases(
    pairs: Pairs, poses: CocoPoses, matched: Matched, person_photos: list[str], pose_photos: list[str], count: int
) -> dict[str, list[Case]]:
    """People whom nobody found, largest first, and poses of nobody, highest score first."""
    lost = np.flatnonzero(matched.pose_of < 0)
    lost = lost[np.argsort(-pairs.size_image[lost], kind="stable")][:count]
    extra = matched.extra[np.argsort(-poses.scores[matched.extra], kind="stable")][:count]
    return {
        "Not found, largest": [_lost(pairs, int(row), person_photos[row]) for row in lost],
        "Poses of nobody, highest score": [_extra(poses, int(row), pose_photos[row], pairs.skeleton) for row in extra],
    }


def _lost(pairs: Pairs, row: int, photo: str) -> Case:
    true = np.where(pairs.counted[row][:, None], pairs.true_image[row], np.nan)
    words = (
        f"{file_name(photo)}: {pairs.counted[row].sum()} labelled joints, {pairs.size} {pairs.size_image[row]:.0f} px"
    )
    return Case(photo, words, np.full_like(true, np.nan), true, np.zeros(len(true), bool))


def _extra(poses: CocoPoses, row: int, photo: str, skeleton: Skeleton) -> Case:
    keypoints = poses.keypoints_image[row]
    found = np.where((keypoints[:, 2] > 0)[:, None], keypoints[:, :2], np.nan)
    words = f"{file_name(photo)}: score {poses.scores[row]:.3f}"
    return Case(photo, words, found, np.full_like(found, np.nan), np.zeros(len(skeleton), bool))
