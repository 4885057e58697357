"""Scores a network on the valid people of a configuration, with a progress bar."""

from typing import Any, Callable, Optional

import paddle

from paddle_pose.builder import Parts, build_test_crop_maker
from paddle_pose.builder_data import build_metric
from paddle_pose.cli.evaluation import print_report
from paddle_pose.data.crops import CropMaker
from paddle_pose.data.joint_crops import JointCrops
from paddle_pose.data.loader import Loader, evaluation_order
from paddle_pose.data.mean_pose import regions
from paddle_pose.engine.evaluator import Evaluator
from paddle_pose.engine.logger import Logger
from paddle_pose.interfaces import Dataset
from paddle_pose.metrics.spread import spread, spread_line
from paddle_pose.samples import Predictions, Report, Truth


class Scorer:
    """Scores a network on the valid people.

    Args:
        parts: codec, colour statistics and configuration.
        dataset: the people.
        place: rank and number of processes.
        logger: gets the table.
        make_crop: cuts the crops, if not as the configuration says for evaluation.
    """

    def __init__(
        self,
        parts: Parts,
        dataset: Dataset,
        place: tuple[int, int],
        logger: Logger,
        make_crop: Optional[CropMaker] = None,
    ) -> None:
        self._parts, self._dataset, self._place, self._log = parts, dataset, place, logger
        self._metric = build_metric(parts.config)
        valid = parts.config.valid
        self._evaluator = Evaluator(parts.codec, parts.normalise, valid.mirror_test, valid.test_scales)
        make_crop = make_crop or build_test_crop_maker(parts, dataset)
        self._loader = Loader(make_crop, parts.config.train.workers, 0)
        self._regions: Optional[tuple] = None

    def __call__(self, network: paddle.nn.Layer, on_batch: Callable[[int], None]) -> tuple[Report, dict[str, float]]:
        """The report and further numbers for the curves, on every process; table and spread go to the log."""
        predictions, truth = self.predict(network, on_batch)[1], self._dataset.truth()
        report, value = self._metric(predictions, truth), self.spread(predictions, truth)
        if value is not None:
            self._log.line(spread_line(value))
        print_report(report, self._dataset, self._log.line)
        return report, {} if value is None else {"spread": value}

    def spread(self, predictions: Predictions, truth: Truth) -> Optional[float]:
        """How varied predictions are, see `metrics/spread.py`; None where the truth has no joints of these people."""
        if not truth.labelled.any():
            return None
        if self._regions is None:
            joint_by_joint = isinstance(self._dataset, JointCrops)
            self._regions = regions(self._dataset.dataset if joint_by_joint else self._dataset)
        return spread(predictions.joints_image, truth, *self._regions)

    def describe(self, people: Dataset, predictions: Predictions) -> tuple[dict[str, Any], tuple[str, ...]]:
        """What val.py says of an evaluation beside its numbers: facts for the record, and lines for people."""
        valid, value = self._parts.config.valid, self.spread(predictions, people.truth())
        facts = {"mirror_test": valid.mirror_test, "test_scales": list(valid.test_scales), "spread": value}
        scales = ", ".join(f"{scale:g}" for scale in valid.test_scales)
        lines = [] if scales == "1" else [f"outputs averaged over the scales {scales}"]
        if valid.reduced_decoding:
            facts["reduced_decoding"] = True
            lines.append("photos decoded at reduced size (valid.reduced_decoding): other pixels than whole ones")
        return facts, (*lines, *([] if value is None else [spread_line(value)]))

    def predict(
        self, network: paddle.nn.Layer, on_batch: Callable[[int], None] = lambda count: None
    ) -> tuple[Dataset, Predictions]:
        """The people, whole ones also where crops are of single joints, and their joints in photo pixels."""
        valid = self._parts.config.valid
        people = max(1, valid.batch_size // len(valid.test_scales))  # a batch then holds as many crops as without
        order = evaluation_order(len(self._dataset), people, *self._place)

        def advance(count: int) -> None:
            self._log.advance(count)
            on_batch(count)

        self._log.start_bar(sum(len(batch) for batch in order), 0, "evaluating")
        try:
            predictions = self._evaluator.predict(
                network, self._loader.batches(order), len(self._dataset), len(self._parts.skeleton), advance
            )
        finally:
            self._log.end_bar()
        if isinstance(self._dataset, JointCrops):
            return self._dataset.dataset, self._dataset.whole_people(predictions)
        return self._dataset, predictions
