"""Whole photos -> the people in them, by a network of person centres: the first of two steps for several people."""

from collections.abc import Iterable, Iterator

import numpy as np
import paddle

from paddle_pose import geometry
from paddle_pose.codecs.person_centre import PersonCentreHeatmap
from paddle_pose.engine.evaluator import Evaluator
from paddle_pose.interfaces import Network
from paddle_pose.samples import Batch

MOST_PEAKS = 100  # of a photo, before doubles are removed


class PeopleFinder:
    """Finds the people of photos.

    Args:
        codec: places peaks.
        evaluator: runs the network, with its mirror test.
        threshold: lowest score of a person.
        overlap: two people whose squares have a larger intersection over union than this are one.
    """

    def __init__(
        self, codec: PersonCentreHeatmap, evaluator: Evaluator, threshold: float = 0.1, overlap: float = 0.6
    ) -> None:
        self._codec, self._evaluator = codec, evaluator
        self._threshold, self._overlap = threshold, overlap

    def find(self, network: Network, batches: Iterable[Batch]) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """(index, squares_image (F, 3), scores (F,)) of each photo.

        A square is x and y of its middle and its side, in photo pixels; the surest comes first.
        """
        network.eval()
        for batch in batches:
            found = self.look(network, batch.images, batch.crop_from_image)
            for index, (squares, scores) in zip(batch.index, found):
                yield int(index), squares, scores

    @paddle.no_grad()
    def look(
        self, network: Network, images: np.ndarray, crop_from_image: np.ndarray
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Squares and scores, as of `find`, of photos in crops (B, H, W, 3) that were cut by (B, 2, 3) matrices."""
        output = self._evaluator.output(network, images, np.ones((len(images), 3), np.float32))
        center, size, scores = (found.numpy() for found in self._codec.peaks(output, MOST_PEAKS))
        image_from_crop = geometry.invert(crop_from_image)
        center_image = geometry.apply(image_from_crop, center.astype(np.float64))
        side_image = size * np.sqrt(np.abs(np.linalg.det(image_from_crop[:, :, :2])))[:, None]
        squares = np.concatenate([center_image, side_image[..., None]], axis=-1)
        return [self._sure(*row) for row in zip(squares, scores)]

    def _sure(self, squares: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sure = scores >= self._threshold
        kept = without_doubles(squares[sure], self._overlap)
        return squares[sure][kept], scores[sure][kept]


def without_doubles(squares: np.ndarray, overlap: float) -> np.ndarray:
    """Rows of squares (F, 3), surest first, that overlap none of those kept before them by more than `overlap`."""
    kept: list[int] = []
    for row in range(len(squares)):
        if not kept or _overlaps(squares[row], squares[kept]).max() <= overlap:
            kept.append(row)
    return np.array(kept, int)


def _overlaps(square: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of one square (3,) with others (M, 3)."""
    half, halves = square[2] / 2, others[:, 2:] / 2
    low = np.maximum(square[:2] - half, others[:, :2] - halves)
    high = np.minimum(square[:2] + half, others[:, :2] + halves)
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    return shared / (square[2] ** 2 + others[:, 2] ** 2 - shared)
