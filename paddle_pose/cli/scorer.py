"""Scores a network on the valid people of a configuration, with a progress bar."""

from typing import Callable

import paddle

from paddle_pose.builder import Parts, build_crop_maker
from paddle_pose.builder_data import build_metric
from paddle_pose.cli.evaluation import print_report
from paddle_pose.data.loader import Loader, evaluation_order
from paddle_pose.engine.evaluator import Evaluator
from paddle_pose.engine.logger import Logger
from paddle_pose.interfaces import Dataset
from paddle_pose.samples import Predictions, Report


class Scorer:
    """Scores a network on the valid people.

    Args:
        parts: codec, colour statistics and configuration.
        dataset: the people.
        place: rank and number of processes.
        logger: gets the table.
    """

    def __init__(self, parts: Parts, dataset: Dataset, place: tuple[int, int], logger: Logger) -> None:
        self._parts, self._dataset, self._place, self._log = parts, dataset, place, logger
        self._metric = build_metric(parts.config)
        self._evaluator = Evaluator(parts.codec, parts.normalise, parts.config.valid.mirror_test)
        self._loader = Loader(build_crop_maker(parts, dataset, training=False), parts.config.train.workers, 0)

    def __call__(self, network: paddle.nn.Layer, on_batch: Callable[[int], None]) -> Report:
        """The report, on every process; the table goes to the log."""
        predictions = self.predict(network, on_batch)
        report = self._metric(predictions, self._dataset.truth())
        print_report(report, self._dataset, self._parts.config, self._log.line)
        return report

    def predict(self, network: paddle.nn.Layer, on_batch: Callable[[int], None] = lambda count: None) -> Predictions:
        """Joints of all people in photo pixels."""
        order = evaluation_order(len(self._dataset), self._parts.config.valid.batch_size, *self._place)

        def advance(count: int) -> None:
            self._log.advance(count)
            on_batch(count)

        self._log.start_bar(sum(len(batch) for batch in order), 0, "evaluating")
        try:
            return self._evaluator.predict(
                network, self._loader.batches(order), len(self._dataset), len(self._parts.skeleton), advance
            )
        finally:
            self._log.end_bar()
