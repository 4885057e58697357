"""Times and losses between two log lines; stops a run whose loss is not finite."""

import time
from collections import deque
from collections.abc import Iterator
from typing import Any, Optional

import numpy as np
import paddle

from paddle_pose.errors import UserError
from paddle_pose.samples import Batch

RECENT_STEPS = 50  # as many as the loss of the published curves is a mean of


class Meter:
    """Averages since the last log line.

    Losses stay on the device until the line is written, so that a GPU is not made to wait at each step, and are then
    fetched in one copy.

    Args:
        epochs: of the whole run.
        batches_per_epoch: of this process.
        accumulate: batches of one optimiser step.
        ranks: processes; rates are those of all of them.
    """

    def __init__(self, epochs: int, batches_per_epoch: int, accumulate: int, ranks: int) -> None:
        self._epochs, self._batches, self._accumulate, self._ranks = (
            epochs,
            batches_per_epoch,
            accumulate,
            ranks,
        )
        self._pending: list[tuple[Any, list[str]]] = []
        self._recent: deque[float] = deque(maxlen=RECENT_STEPS)
        self._clear()

    def start_epoch(self, progress: Any) -> None:
        """Times start anew: validation does not count as waiting for data."""
        self._clear()
        self._progress = progress

    def timed(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Passes batches on and measures how long each was waited for."""
        iterator = iter(batches)
        while True:
            started = time.perf_counter()
            batch = next(iterator, None)
            if batch is None:
                return
            self._reader_seconds += time.perf_counter() - started
            yield batch

    def add(self, loss: paddle.Tensor, image_paths: list[str]) -> None:
        """Takes in the loss of one optimiser step, and the photos that made it."""
        self._pending.append((loss, image_paths))
        self._samples += len(image_paths)

    @property
    def has_losses(self) -> bool:
        """True if steps were added since the last line."""
        return bool(self._pending)

    @property
    def recent_loss(self) -> Optional[float]:
        """Mean loss of the last steps, up to `RECENT_STEPS`, that were written; None before there are any."""
        return sum(self._recent) / len(self._recent) if self._recent else None

    def check(self) -> np.ndarray:
        """Losses since the last line, fetched from the device.

        Raises:
            UserError: one is not finite; names the step and the photos.
        """
        losses = np.zeros(0)
        if self._pending:
            losses = paddle.stack([loss for loss, _ in self._pending]).numpy().astype("float64")
        bad = np.flatnonzero(~np.isfinite(losses))
        if len(bad):
            first = int(bad[0])
            step = self._progress.step - len(losses) + first + 1
            names = self._pending[first][1]
            shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
            raise UserError(
                f"the loss is {losses[first]} at epoch {self._progress.epoch + 1}, step {step}, "
                f"with the photos {shown}. The last checkpoint is from before; "
                "lower optimizer.lr or set optimizer.clip_norm, then --resume"
            )
        return losses

    def summary(self, lr: float) -> tuple[str, dict[str, float]]:
        """The line and the numbers since the last call, and starts anew."""
        losses = self.check()
        seconds = time.perf_counter() - self._started
        steps = max(1, len(losses))
        self._recent.extend(losses.tolist())
        p = self._progress
        rate = self._samples * self._ranks / seconds
        left = (self._epochs - p.epoch) * self._batches - p.batch
        numbers = {
            "epoch": p.epoch + p.batch / self._batches,
            "loss": float(losses.mean()) if len(losses) else float("nan"),
            "lr": lr,
            "reader_seconds": self._reader_seconds / steps,
            "batch_seconds": seconds / steps,
            "images_per_second": rate,
        }
        line = (
            f"[TRAIN] epoch: {p.epoch + 1}/{self._epochs}, iter: {p.batch}/{self._batches}, "
            f"loss: {numbers['loss']:.6f}, lr: {lr:.3e}, avg_reader_cost: {numbers['reader_seconds']:.4f} sec, "
            f"avg_batch_cost: {numbers['batch_seconds']:.4f} sec, "
            f"avg_samples: {self._samples * self._ranks / steps:.1f}, "
            f"avg_ips: {rate:.1f} images/sec, eta: {_clock(seconds / steps * left / self._accumulate)}"
        )
        self._clear()
        return line, numbers

    def _clear(self) -> None:
        self._pending.clear()
        self._reader_seconds, self._samples, self._started = 0.0, 0, time.perf_counter()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:d}:{minutes:02d}:{seconds:02d}"
