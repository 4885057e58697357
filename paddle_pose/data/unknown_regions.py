"""Where photos show people of whom nobody says where their joints are: crowds, and people without keypoints.

A bottom-up network is not punished for what it finds there (`mask_miss` of Cao et al., CVPR 2017). As in the released
code a crowd's region does not cover the people with keypoints in it. Masks are COCO's: polygons, or lengths of runs.
Letters: M annotations, P photos.
"""

from array import array
from typing import Any, Optional

import numpy as np

_FARTHEST = 10  # photo sizes that a polygon may lie away; pycocotools traces every edge pixel by pixel


class UnknownRegions:
    """The masks of a split, one for each photo that needs one: run lengths as COCO writes them, in one array.

    Args:
        entries: the M annotations as in the file, photo by photo.
        photos: (M,) row of the photo of each.
        boxes_image: (M, 4) left, top, width, height: what a person without a usable mask is taken for.
        known: (M,) bool, people with keypoints.
        crowd: (M,) bool.
        sizes_wh: (P, 2) int, photo sizes, which are those of the masks.
    """

    def __init__(
        self,
        entries: list[dict[str, Any]],
        photos: np.ndarray,
        boxes_image: np.ndarray,
        known: np.ndarray,
        crowd: np.ndarray,
        sizes_wh: np.ndarray,
    ) -> None:
        self._sizes_wh, self.regions, self.boxes = sizes_wh, int((~known).sum()), 0
        first = np.searchsorted(photos, np.arange(len(sizes_wh) + 1))
        codes = [b""] * len(sizes_wh)
        for photo in np.unique(photos[~known]):
            rows = np.arange(first[photo], first[photo + 1])
            unknown = [self._code(entries[row], boxes_image[row], photo) for row in rows[~known[rows] & ~crowd[rows]]]
            crowds = [self._code(entries[row], boxes_image[row], photo) for row in rows[crowd[rows]]]
            people = [entries[row] for row in rows[known[rows]]] if crowds else []
            outlined = [run_lengths(entry.get("segmentation"), *sizes_wh[photo]) for entry in people]
            codes[photo] = _without(unknown, crowds, [code for code in outlined if code is not None])
        self._starts = np.cumsum([0, *(len(code) for code in codes)])
        self._codes = np.frombuffer(b"".join(codes), np.uint8)

    def mask(self, photo: int) -> Optional[np.ndarray]:
        """(H, W) uint8, 1 where a photo's people are unknown; None if there are none."""
        from pycocotools import mask

        code = self._codes[self._starts[photo] : self._starts[photo + 1]].tobytes()
        width, height = self._sizes_wh[photo].tolist()
        return np.ascontiguousarray(mask.decode({"size": [height, width], "counts": code})) if code else None

    def _code(self, entry: dict[str, Any], box_image: np.ndarray, photo: int) -> dict:
        """Run lengths of a person's mask, or else of its box, which is counted."""
        width, height = self._sizes_wh[photo].tolist()
        code = run_lengths(entry.get("segmentation"), width, height)
        if code is not None:
            return code
        self.boxes += 1
        (x0, y0), (x1, y1) = np.clip([box_image[:2], box_image[:2] + box_image[2:]], 0, (width, height)).round()
        return run_lengths([[x0, y0, x1, y0, x1, y1, x0, y1]], width, height)


def run_lengths(segmentation: Any, width: int, height: int) -> Optional[dict]:
    """COCO's mask of a person as pycocotools' run lengths; None if there is none, or if it is damaged.

    What pycocotools is given is checked first: it trusts its input and would write beyond its arrays.
    """
    from pycocotools import mask

    if isinstance(segmentation, dict):
        counts = _counts(segmentation, width, height)
        return counts and mask.frPyObjects({"size": [height, width], "counts": counts}, height, width)
    polygons = _polygons(segmentation, _FARTHEST * max(width, height))
    return polygons and mask.merge(mask.frPyObjects(polygons, height, width))


def _polygons(segmentation: Any, farthest: int) -> Optional[list[list[float]]]:
    """Lists x0, y0, x1, y1, ... of three points at least; None unless all are that."""
    if not isinstance(segmentation, list) or not segmentation:
        return None
    polygons = [_finite(points) for points in segmentation]
    for points in polygons:
        if points is None or len(points) < 6 or len(points) % 2 or np.abs(points).max() > farthest:
            return None
    return [points.tolist() for points in polygons]


def _counts(segmentation: dict[str, Any], width: int, height: int) -> Optional[list[int]]:
    """Lengths of runs that fill the photo; None unless they do."""
    counts = segmentation.get("counts")
    if isinstance(counts, (str, bytes)):
        counts = _decoded(counts.encode() if isinstance(counts, str) else counts)
    counts = _finite(counts)
    if counts is None or segmentation.get("size") != [height, width]:
        return None
    fills = (counts >= 0).all() and (counts == np.floor(counts)).all() and counts.sum() == width * height
    return counts.astype(np.int64).tolist() if fills else None


def _finite(values: Any) -> Optional[np.ndarray]:
    """A list or array of numbers as float64, or None."""
    try:
        numbers = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers if isinstance(values, (list, array)) and numbers.ndim == 1 and np.isfinite(numbers).all() else None


def _decoded(text: bytes) -> list[int]:
    """The lengths in a text of pycocotools: 5 bits a letter; from the fourth on, less the length before last."""
    counts, value, shift = [], 0, 0
    for letter in text:
        bits = letter - 48
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (1 << shift) if bits & 16 else 0
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
        elif shift > 60:
            return []  # no length of a run
    return counts


def _without(unknown: list[dict], crowds: list[dict], people: list[dict]) -> bytes:
    """Run lengths of people without keypoints, and of crowds but for the people in them; b"" if nothing is left."""
    from pycocotools import mask

    code = mask.merge(unknown + crowds)
    if crowds and people:
        left = mask.decode(mask.merge(crowds)) & ~mask.decode(mask.merge(people)) & 1
        if unknown:
            left |= mask.decode(mask.merge(unknown))
        code = mask.encode(np.asfortranarray(left))
    return bytes(code["counts"]) if mask.area(code) else b""
