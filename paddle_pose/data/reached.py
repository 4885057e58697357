"""Which part of a photo the views of a person can reach: what a packed cache must hold."""

import numpy as np

from paddle_pose import geometry
from paddle_pose.data.augment import Reach, View, half_view, plain_view
from paddle_pose.samples import Sample
from paddle_pose.skeletons import Skeleton

_SPARE = 2  # pixels around a part: bilinear interpolation looks one pixel further
_FEWEST_JOINTS = 2  # no published half-body view shows fewer


def base_views(sample: Sample, skeleton: Skeleton, reach: Reach) -> list[View]:
    """The person, and with half-body views the upper and the lower half, before anything random."""
    views = [plain_view(sample)]
    if reach.half_body:
        is_upper = np.isin(np.arange(len(skeleton)), skeleton.upper_body_ids)
        halves = (sample.labelled & is_upper, sample.labelled & ~is_upper)
        views += [half_view(sample, half) for half in halves if half.sum() >= _FEWEST_JOINTS]
    return views


def reached_box(views: list[View], reach: Reach, input_wh: tuple[int, int]) -> np.ndarray:
    """(4,) x0, y0, x1, y1 in the photo: what these views cover under every factor, angle and shift in reach."""
    boxes = []
    for view in views:
        size_wh = _crop_size(view, input_wh) * reach.largest
        half_wh = turned_size(size_wh, reach.angle_deg) / 2 + reach.shift * view.size_image_wh
        boxes.append(np.concatenate([view.center_image_xy - half_wh, view.center_image_xy + half_wh]))
    return np.concatenate([np.min(boxes, axis=0)[:2], np.max(boxes, axis=0)[2:]])


def _crop_size(view: View, input_wh: tuple[int, int]) -> np.ndarray:
    """Photo pixels that a crop spans under either rule of `geometry.crop_matrix`; UDP's is a little taller."""
    width, height = geometry.fix_aspect(view.size_image_wh, input_wh)
    return np.array([width, max(height, width * (input_wh[1] - 1) / max(input_wh[0] - 1, 1))])


def turned_size(size_wh: np.ndarray, angle_deg: float) -> np.ndarray:
    """Width and height of the box around a rectangle that turns by up to `angle_deg` either way."""
    limit = np.deg2rad(angle_deg)
    width, height = size_wh

    def longest(along: float, across: float) -> float:
        angle = min(limit, np.arctan2(across, along))  # there its diagonal lies along the axis
        return along * np.cos(angle) + across * np.sin(angle)

    return np.array([longest(width, height), longest(height, width)])


def reduction(views: list[View], reach: Reach, input_wh: tuple[int, int]) -> int:
    """Photo pixels for each crop pixel in the smallest view, rounded down, at least 1."""
    widths = [geometry.fix_aspect(view.size_image_wh, input_wh)[0] for view in views]
    return max(1, int(min(widths) * reach.smallest / input_wh[0]))


def whole_pixels(box_image: np.ndarray, size_wh: tuple[int, int], step: int) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 (the last two excluded): the box with its spare pixels in the photo, one pixel at least."""
    width, height = size_wh
    low = np.floor(box_image[:2]) - _SPARE * step
    high = np.ceil(box_image[2:]) + _SPARE * step + 1
    x0, y0 = (int(v) for v in np.clip(low, 0, (width - 1, height - 1)))
    x1, y1 = (int(v) for v in np.clip(high, (x0 + 1, y0 + 1), size_wh))
    return x0, y0, x1, y1


def shared_boxes(boxes: list[tuple], reductions: list[int]) -> list[tuple[tuple, int, list[int]]]:
    """(box, reduction, members): people share a box where that takes no more pixels than boxes of their own."""
    groups: list[list] = []
    for member, (box, step) in enumerate(zip(boxes, reductions)):
        for group in groups:
            both = (*np.minimum(group[0][:2], box[:2]).tolist(), *np.maximum(group[0][2:], box[2:]).tolist())
            if group[1] == step and _area(both) <= _area(group[0]) + _area(box):
                group[0] = both
                group[2].append(member)
                break
        else:
            groups.append([box, step, [member]])
    return [tuple(group) for group in groups]


def _area(box: tuple) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
