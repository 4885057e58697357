"""A training run with its files: when to log, save, validate, and which model is the best."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

import numpy as np

from paddle_pose.engine.checkpoint import load_training_state, save_atomically, save_model, to_arrays
from paddle_pose.engine.logger import Logger
from paddle_pose.engine.meter import Meter
from paddle_pose.engine.stop import Interrupted
from paddle_pose.engine.trained_by import TrainedBy
from paddle_pose.engine.trainer import Trainer
from paddle_pose.errors import CheckpointError, UserError
from paddle_pose.samples import Report


@dataclass(frozen=True)
class RunFiles:
    """Where a run keeps its files, in `save_dir`; `size_name` is `256` or `192x256`."""

    save_dir: Path
    size_name: str

    @property
    def folder(self) -> Path:
        """Logs, the configuration and the training state."""
        return self.save_dir / f"{self.size_name}_training"

    @property
    def training_state(self) -> Path:
        """What --resume reads."""
        return self.folder / "training.pdstate"

    @property
    def best_model(self) -> Path:
        """The model with the best validation value."""
        return self.save_dir / f"{self.size_name}_best_model" / "model.pdparams"


@dataclass(frozen=True)
class RunSettings:
    """How often things happen, and the value that selects the best model: highest, but of `loss` the lowest."""

    epochs: int
    log_steps: int
    checkpoint_steps: int
    validate_epochs: int
    best: str


class Run:
    """Drives a trainer.

    Args:
        trainer: the loop.
        meter: its meter.
        evaluate: scores the network as it is now, and gives further numbers for the curves, `loss` among them if
            it is to be gone by; on every process.
        previews: name -> picture of what the network sees and says, for VisualDL.
        logger: of this process.
        files: where things go.
        settings: how often.
        meta: JSON-able facts stored in every checkpoint: configuration, skeleton.
        trained_by: what trains, stored in every checkpoint too.
        writes: True on the one process that writes files.
        standing: epoch from 1, its report, mean loss of the last steps -> where the run stands beside others; a line.
    """

    def __init__(
        self,
        trainer: Trainer,
        meter: Meter,
        evaluate: Callable[[], tuple[Report, dict[str, float]]],
        previews: Callable[[], dict[str, np.ndarray]],
        logger: Logger,
        files: RunFiles,
        settings: RunSettings,
        meta: dict[str, Any],
        trained_by: TrainedBy,
        writes: bool = True,
        standing: Callable[[int, Report, Optional[float]], Optional[str]] = lambda epoch, report, loss: None,
    ) -> None:
        self.trainer, self._meter, self._evaluate, self._previews = trainer, meter, evaluate, previews
        self._standing = standing
        self._log, self.files, self._settings, self._meta, self._writes = (
            logger,
            files,
            settings,
            meta,
            writes,
        )
        self._trained_by = trained_by

    def resume(self) -> None:
        """Goes on from the training state of this folder; CheckpointError if it is of another network or skeleton."""
        path = self.files.training_state
        if self._writes:
            for half_written in path.parent.glob(f".{path.name}.*.tmp"):  # of a process killed while it saved
                half_written.unlink()
        state = load_training_state(path)
        saved = state["meta"].get("skeleton")
        if saved != self._meta["skeleton"]:
            raise CheckpointError(f"{path}: trained on skeleton {saved}, the dataset has {self._meta['skeleton']}")
        self.trainer.load_state(state, path)
        self._trained_by.resume(state["meta"].get("trained_by"), self.trainer.progress.step)
        changed = _differences(state["meta"].get("config", {}), self._meta["config"])
        if changed:
            self._log.line(f"resuming with other settings than before: {', '.join(changed)}")
        p = self.trainer.progress
        if p.epoch >= self._settings.epochs:
            self._log.line(f"{path}: this run has finished its {p.epoch} epochs; nothing is left to do")
        else:
            self._log.line(f"resumed {path}: epoch {p.epoch + 1}, iter {p.batch}, step {p.step}, best {p.best}")

    def go(self, epoch_batches: Callable, batches_per_epoch: int) -> None:
        """Trains to the end.

        Raises:
            Interrupted: after a signal; the training state is then written.
        """
        self._batches_per_epoch = batches_per_epoch
        self._waits_to_thaw = self.trainer.waits_to_thaw
        try:
            self.trainer.fit(
                self._settings.epochs,
                self._with_bar(epoch_batches),
                self._meter,
                self._on_step,
                self._on_epoch,
            )
            self.save_training_state()
        except Interrupted:
            self._meter.check()
            self.save_training_state()
            raise
        finally:
            self._log.end_bar()

    def save_training_state(self) -> None:
        """Writes what --resume needs."""
        if not self._writes:
            return
        state = self.trainer.state(self._facts())
        broken = next((name for name, array in state["network"].items() if not np.isfinite(array).all()), None)
        if broken is not None:  # the loss was still finite, but what follows cannot be
            raise UserError(
                f"the weights {broken} are not finite after step {self.trainer.progress.step}. The last checkpoint is "
                "from before; lower optimizer.lr or set optimizer.clip_norm, then --resume"
            )
        save_atomically(state, self.files.training_state)

    def _facts(self) -> dict[str, Any]:
        """Of a checkpoint that is written now."""
        return {**self._meta, "trained_by": self._trained_by.facts(self.trainer.progress.step)}

    def _with_bar(self, epoch_batches: Callable) -> Callable:
        def batches(epoch: int, first: int):
            if self._waits_to_thaw and not self.trainer.waits_to_thaw:
                self._log.line(f"epoch {epoch + 1}: what was frozen is trained from here on, all by a new optimiser")
                self._waits_to_thaw = False
            self._log.start_bar(self._batches_per_epoch, first, f"epoch {epoch + 1}/{self._settings.epochs}")
            return epoch_batches(epoch, first)

        return batches

    def _on_step(self) -> None:
        step = self.trainer.progress.step
        self._log.advance(self.trainer.accumulate)
        if step % self._settings.log_steps == 0:
            self._write_numbers()
        if step % self._settings.checkpoint_steps == 0:
            self._meter.check()  # a broken state must not replace a good one
            self.save_training_state()

    def _write_numbers(self) -> None:
        step = self.trainer.progress.step
        line, numbers = self._meter.summary(self.trainer.schedule.lr(max(0, step - 1)))
        self._log.line(line, screen=not self._log.has_bar)
        self._log.advance(0, f"loss {numbers['loss']:.6f}, {numbers['images_per_second']:.1f} images/s")
        self._log.numbers(step, {f"train/{name}": value for name, value in numbers.items()})

    def _on_epoch(self) -> None:
        if self._meter.has_losses:  # of the steps after the last line
            self._write_numbers()
        self._log.end_bar()
        self.save_training_state()
        epoch = self.trainer.progress.epoch + 1
        if epoch % self._settings.validate_epochs == 0 or epoch == self._settings.epochs:
            with self.trainer.validating():
                self._validate(epoch)

    def _validate(self, epoch: int) -> None:
        report, further = self._evaluate()
        progress, name = self.trainer.progress, self._settings.best
        value = report.values[name] if name != "loss" else further["loss"]
        sign = -1 if name == "loss" else 1
        self.trainer.observe(-further["loss"] if self.trainer.schedule.observes == "loss" else sign * value)
        is_best = np.isfinite(value) and (progress.best is None or sign * value > sign * progress.best)
        if is_best:
            progress.best, progress.best_epoch = float(value), epoch
            if self._writes:
                meta = {**self._facts(), "epoch": epoch, "values": report.values, "rules": report.rules}
                save_model(self.files.best_model, to_arrays(self.trainer.network.state_dict()), meta)
        numbers = {**report.values, **further}
        self._log.numbers(progress.step, {f"valid/{key}": number for key, number in numbers.items()})
        mark = "new best model" if is_best else f"best {progress.best} at epoch {progress.best_epoch}"
        said = f"{value:.6g}" if name == "loss" else f"{value:.4f}"
        said += f" ({report.condition})" if report.condition and name != "loss" else ""
        loss = f"loss: {further['loss']:.6g}, " if "loss" in further and name != "loss" else ""
        self._log.line(f"[VALID] epoch: {epoch}, {name}: {said}, {loss}{mark}")
        beside = self._standing(epoch, report, self._meter.recent_loss)
        if beside is not None:
            self._log.line(beside)
        if self._log.shows_pictures:
            for title, picture in self._previews().items():
                self._log.picture(progress.step, title, picture)


def _differences(old: Any, new: Any, where: str = "") -> list[str]:
    """Dotted names of the settings that differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(set(old) | set(new))
        return [d for k in keys for d in _differences(old.get(k), new.get(k), f"{where}.{k}" if where else k)]
    same = list(old) == list(new) if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)) else old == new
    return [] if same else [f"{where} ({old} -> {new})"]
