"""Where a training run stands, and what is still to change in it."""

from dataclasses import dataclass
from typing import Callable, Optional

import paddle


@dataclass
class Progress:
    """Where a run stands. Weights are those after `step` optimiser steps, `step` of them in full.

    Args:
        epoch: epochs finished and validated.
        batch: batches taken of the epoch that is under way.
        step: optimiser steps since the start.
        best: best validation value so far; None before the first.
        best_epoch: epoch (from 1) of `best`.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best: Optional[float] = None
    best_epoch: int = 0

    def __post_init__(self) -> None:
        counts = (self.epoch, self.batch, self.step, self.best_epoch)
        if not all(type(count) is int and count >= 0 for count in counts):
            raise TypeError(f"epoch, batch, step, best epoch = {counts}")


@dataclass(frozen=True)
class Thaw:
    """When and how the frozen part of a network comes to be trained.

    Args:
        epoch: the first one, from 0, in which everything is trained.
        renew: makes everything trainable; returns a new optimiser, and what the forward pass then goes through.
    """

    epoch: int
    renew: Callable[[], tuple[paddle.optimizer.Optimizer, paddle.nn.Layer]]
