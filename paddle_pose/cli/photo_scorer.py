"""Scores a bottom-up network on the whole photos of a configuration's valid split, with a progress bar."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Callable, Union

import numpy as np
import paddle

from paddle_pose.builder import Parts, build_people_estimator
from paddle_pose.builder_data import build_metric
from paddle_pose.cli.evaluation import print_report
from paddle_pose.cli.scorer import Scorer
from paddle_pose.data.coco_found import FoundPoses
from paddle_pose.data.coco_photos import COCOPhotos
from paddle_pose.data.photo_pyramid import read_pyramids
from paddle_pose.engine import distributed
from paddle_pose.engine.logger import Logger
from paddle_pose.errors import ConfigError
from paddle_pose.interfaces import Dataset
from paddle_pose.samples import FoundPeople, Predictions, Report


def make_scorer(parts: Parts, dataset: Dataset, place: tuple[int, int], logger: Logger) -> Union[Scorer, "PhotoScorer"]:
    """What scores networks: person by person, or by whole photos where the codec finds everybody."""
    if hasattr(parts.codec, "people"):
        return PhotoScorer(parts, dataset, place, logger)
    if isinstance(dataset, COCOPhotos):
        raise ConfigError(
            "dataset.type=COCOPhotos is for codecs that find everybody in a photo, as PartAffinity; "
            f"{type(parts.codec).__name__} needs a person at a time: use dataset.type=COCO"
        )
    return Scorer(parts, dataset, place, logger)


class PhotoScorer:
    """Finds everybody in the valid photos and scores them.

    Args:
        parts: codec, colour statistics and configuration.
        dataset: the photos.
        place: rank and number of processes.
        logger: gets the table.
    """

    def __init__(self, parts: Parts, dataset: COCOPhotos, place: tuple[int, int], logger: Logger) -> None:
        if not isinstance(dataset, COCOPhotos):
            raise ConfigError(
                f"{type(parts.codec).__name__} finds everybody in a photo; it is scored with dataset.type=COCOPhotos"
            )
        self._parts, self._photos, self._place, self._log = parts, dataset, place, logger
        self._metric = build_metric(parts.config)
        if parts.config.packed is not None and parts.config.packed.valid is not None:
            raise ConfigError(
                "packed.valid: people are found in whole photos, a cache holds parts of them; leave it out"
            )

    def __call__(self, network: paddle.nn.Layer, on_batch: Callable[[int], None]) -> tuple[Report, dict[str, float]]:
        """The report and further numbers for the curves, on every process; the table goes to the log."""
        people, predictions = self.predict(network, on_batch)
        report = self._metric(predictions, people.truth())
        self._log.line(self._count(people))
        print_report(report, people, self._log.line)
        return report, {"people": float(len(people))}

    def describe(self, people: FoundPoses, predictions: Predictions) -> tuple[dict[str, Any], tuple[str, ...]]:
        """What val.py says of an evaluation beside its numbers: facts for the record, and lines for people."""
        valid = self._parts.config.valid
        facts = {
            "mirror_test": valid.mirror_test,
            "test_scales": list(valid.test_scales),
            "photo_side": build_people_estimator(self._parts).pyramid.side,
            "photo_fit": valid.photo_fit,
            "count": self._count(people),
        }
        return facts, (self._count(people),)

    def predict(
        self, network: paddle.nn.Layer, on_batch: Callable[[int], None] = lambda count: None
    ) -> tuple[FoundPoses, Predictions]:
        """The dataset seen through the people found in all photos, and their joints in photo pixels."""
        rank, ranks = self._place
        mine = np.arange(rank, len(self._photos), ranks)
        found: dict[int, FoundPeople] = {}
        self._log.start_bar(len(mine), 0, "evaluating")
        try:
            for index, people in self._found(network, mine):
                found[index] = people
                self._log.advance(1)
                on_batch(1)
        finally:
            self._log.end_bar()
        rows, joints_image, joint_scores, scores = _gathered(found, len(self._photos), len(self._parts.skeleton))
        image_ids = self._photos.photo_ids[rows]
        return self._photos.with_people(image_ids, joints_image, joint_scores, scores, self._how())

    def _found(self, network: paddle.nn.Layer, indices: np.ndarray) -> Iterator[tuple[int, FoundPeople]]:
        estimator = build_people_estimator(replace(self._parts, network=network))
        files = (
            (int(index), self._photos.image_path(int(index)), self._photos.photo_size_wh(int(index)))
            for index in indices
        )
        return estimator.of_pyramids(read_pyramids(files, estimator.pyramid, self._parts.config.train.workers))

    def _how(self) -> str:
        """What must stand beside the numbers: nobody said where people are, and at which sizes was looked for them."""
        valid = self._parts.config.valid
        scales = ", ".join(f"{scale:g}" for scale in valid.test_scales)
        mirror = " with mirror" if valid.mirror_test else ""
        return f"people found bottom-up, no boxes, scale{'s' * (len(valid.test_scales) > 1)} {scales}{mirror}"

    def _count(self, people: FoundPoses) -> str:
        annotations = people.truth().coco.annotations
        annotated = int(((annotations.num_keypoints > 0) & ~annotations.crowd).sum())
        return f"found {len(people)} people in {len(self._photos)} photos; annotated with keypoints: {annotated}"


def _gathered(
    found: dict[int, FoundPeople], photos: int, joints: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What all processes found, on every process: rows of the photos (D,), joints, joint scores and scores."""
    counts = np.zeros(photos, np.int64)
    for index, people in found.items():
        counts[index] = len(people)
    distributed.wait_for_all()
    counts = distributed.sum_over_processes(counts)
    first = np.concatenate([[0], np.cumsum(counts)])
    table = np.zeros((first[-1], 3 * joints + 1))  # rows of other processes stay 0 and are summed in
    for index, people in found.items():
        keypoints = np.concatenate([people.joints_xy, people.joint_scores[..., None]], axis=-1)
        table[first[index] : first[index + 1]] = np.column_stack([keypoints.reshape(-1, 3 * joints), people.scores])
    table = distributed.sum_over_processes(table) if len(table) else table
    keypoints = table[:, :-1].reshape(-1, joints, 3)
    return np.repeat(np.arange(photos), counts), keypoints[..., :2], keypoints[..., 2], table[:, -1]
