"""The mean loss over the valid split, for runs that choose their best model or their learning rate by it."""

from paddle_pose.builder import Parts, build_crop_maker
from paddle_pose.config import Config
from paddle_pose.data.loader import Loader, evaluation_order
from paddle_pose.engine.logger import Logger
from paddle_pose.engine.trainer import Trainer
from paddle_pose.interfaces import Dataset


def goes_by_loss(config: Config) -> bool:
    """True if a run needs the validation loss: it costs a pass over the valid split."""
    observed = config.schedule.type == "plateau" and config.schedule.observe == "loss"
    return observed or config.valid.best == "loss"


class ValidationLoss:
    """Mean of the training loss over the samples of the valid split, each cut out plainly, without augmentation.

    Args:
        parts: codec, colour statistics and configuration.
        dataset: the valid split.
        place: rank and number of processes.
        logger: shows the progress.
    """

    def __init__(self, parts: Parts, dataset: Dataset, place: tuple[int, int], logger: Logger) -> None:
        config = parts.config
        # batches as in training: a pass with gradients has fitted into the memory with it
        self._order = evaluation_order(len(dataset), config.train.batch_size, *place)
        self._loader = Loader(build_crop_maker(parts, dataset, training=False), config.train.workers, config.seed)
        self._log = logger

    def __call__(self, trainer: Trainer) -> float:
        """The loss of a trainer's network as it is now, on every process."""

        def advance(count: int) -> None:
            self._log.advance(count)
            trainer.stop.check(count)

        self._log.start_bar(sum(len(batch) for batch in self._order), 0, "validation loss")
        try:
            return trainer.validation_loss(self._loader.batches(self._order), advance)
        finally:
            self._log.end_bar()
