"""The training loop: train_step -> train_epoch -> fit, written once for every network.

It is handed the network, codec, loss, optimiser and schedule. One path serves full precision and AMP, one
process and many: a CPU build of Paddle turns `auto_cast` and `GradScaler` into no-ops.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict
from typing import Any, Callable, Optional

import numpy as np
import paddle

from paddle_pose import runtime
from paddle_pose.engine import distributed
from paddle_pose.engine.checkpoint import load_weights, to_arrays
from paddle_pose.engine.ema import Ema
from paddle_pose.engine.meter import Meter
from paddle_pose.engine.optimizers import load_optimizer_state, optimizer_state
from paddle_pose.engine.precision import Precision
from paddle_pose.engine.preprocess import Normaliser, network_input
from paddle_pose.engine.progress import Progress, Thaw
from paddle_pose.engine.schedule import Schedule
from paddle_pose.engine.stop import StopRequest
from paddle_pose.errors import CheckpointError
from paddle_pose.interfaces import Codec, Loss
from paddle_pose.samples import Batch


class Trainer:
    """Trains one network.

    Args:
        network: the network itself; its name space is that of checkpoints.
        parallel: what the forward pass goes through: the network, or `paddle.DataParallel` around it.
        codec, loss, optimizer, schedule, normalise: see their modules.
        accumulate: batches whose gradients make one optimiser step.
        precision: mixed precision.
        ema: running average of the weights, or None.
        frozen: prefixes of parameter names that are not trained; their batch norms keep their statistics.
        thaw: ends that; None: they are never trained.
        seed: first number of every draw.
        around_step: entered for each step, forward and backward.
    """

    def __init__(
        self,
        network: paddle.nn.Layer,
        parallel: paddle.nn.Layer,
        codec: Codec,
        loss: Loss,
        optimizer: paddle.optimizer.Optimizer,
        schedule: Schedule,
        normalise: Normaliser,
        accumulate: int = 1,
        precision: Precision = Precision(),  # noqa: B008 (it is frozen)
        ema: Optional[Ema] = None,
        frozen: tuple[str, ...] = (),
        thaw: Optional[Thaw] = None,
        seed: int = 0,
        around_step: Callable[[], AbstractContextManager] = nullcontext,
    ) -> None:
        self.network, self._parallel, self.codec, self._loss = network, parallel, codec, loss
        self.optimizer, self.schedule, self._normalise = optimizer, schedule, normalise
        self.accumulate, self._precision, self.ema = accumulate, precision, ema
        self._frozen, self._thaw, self._seed, self._around_step = frozen, thaw, seed, around_step
        self._scaler = precision.scaler()
        self.progress = Progress()
        self.stop = StopRequest()

    def train_step(self, batches: list[Batch]) -> paddle.Tensor:
        """One optimiser step over `accumulate` batches; returns the mean loss, still on the device."""
        runtime.seed_step(self._seed, self.progress.step)
        self.optimizer.set_lr(self.schedule.lr(self.progress.step))
        total = 0.0
        for k, batch in enumerate(batches):
            waits = k + 1 < len(batches) and hasattr(self._parallel, "no_sync")
            with self._parallel.no_sync() if waits else nullcontext(), self._around_step():
                loss = self.forward(batch) / len(batches)
                self._scaler.scale(loss).backward()
            total = total + loss.detach()
        self._scaler.step(self.optimizer)
        self._scaler.update()
        self.optimizer.clear_grad()
        if self.ema:
            self.ema.update()
        self.progress.step += 1
        self.progress.batch += len(batches)
        return total

    def forward(self, batch: Batch) -> paddle.Tensor:
        """Loss of one batch: normalise, draw targets, network, loss, all on the device."""
        images, target, weight = network_input(batch, self._normalise, self.codec)
        with self._precision.cast():
            stages = self._parallel(images)
        return self._loss(stages, target, weight)

    @paddle.no_grad()
    def validation_loss(self, batches: Iterator[Batch], on_batch: Callable[[int], None]) -> float:
        """Mean of the loss over samples, on every process; inside `validating`.

        Args:
            batches: this process's share of the samples.
            on_batch: called with the number of samples of each finished batch.
        """
        self.network.eval()  # an epoch begins with `train`
        total = np.zeros(2)
        for batch in batches:
            images, target, weight = network_input(batch, self._normalise, self.codec)
            loss = self._loss(self.network(images), target, weight)
            total += [float(loss) * len(batch), len(batch)]
            on_batch(len(batch))
        distributed.wait_for_all()
        total = distributed.sum_over_processes(total)
        return float(total[0] / total[1])

    @contextmanager
    def validating(self) -> Iterator[None]:
        """Around validation: averaged weights if there are any, and casts where the weights are half precision.

        With O1 the weights are whole, and validation gives what val.py will give of the saved model.
        """
        with ExitStack() as stack:
            if self.ema:
                stack.enter_context(self.ema.applied())
            if self._precision.level == "O2":
                stack.enter_context(self._precision.cast())
            # each process has seen other people: the running statistics that count are those that are saved
            distributed.copy_from_first(t for t in self.network.state_dict().values() if t.stop_gradient)
            yield

    def train_epoch(self, batches: Iterator[Batch], meter: Meter, on_step: Callable[[], None]) -> None:
        """The rest of an epoch.

        Args:
            batches: those that are still to come in this epoch.
            meter: measures times, keeps losses, stops the run at one that is not finite.
            on_step: called after each optimiser step (logging, checkpoints).

        Raises:
            Interrupted: between two steps, after a signal.
        """
        self.network.train()
        self._set_frozen_layers_to_eval()
        group: list[Batch] = []
        for batch in meter.timed(batches):
            group.append(batch)
            if len(group) == self.accumulate:
                loss = self.train_step(group)
                meter.add(loss, [path for batch in group for path in batch.image_paths])
                group = []
                on_step()
                self.stop.check_together(self.progress.step)

    def fit(
        self,
        epochs: int,
        epoch_batches: Callable[[int, int], Iterator[Batch]],
        meter: Meter,
        on_step: Callable[[], None],
        on_epoch: Callable[[], None],
    ) -> None:
        """All epochs from `progress` on.

        Args:
            epochs: number of epochs of the whole run.
            epoch_batches: `(epoch, first batch) -> batches`.
            meter, on_step: see `train_epoch`.
            on_epoch: called when the batches of an epoch are done and before it counts (validation, best model).
        """
        with self.stop.listening():
            while self.progress.epoch < epochs:
                if self._thaw and self.progress.epoch >= self._thaw.epoch:
                    self._thaw_all()
                meter.start_epoch(self.progress)
                batches = epoch_batches(self.progress.epoch, self.progress.batch)
                self.train_epoch(batches, meter, on_step)
                on_epoch()
                self.progress.epoch += 1
                self.progress.batch = 0

    def state(self, meta: dict) -> dict[str, Any]:
        """Everything that `load_state` needs to go on to the same weights, as arrays and plain containers.

        Random draws need no state of their own: data come from generators of (seed, epoch, index), and the
        device's generator is seeded with (seed, step) before each step.
        """
        return {
            "network": to_arrays(self.network.state_dict()),
            "ema": self.ema.state_dict() if self.ema else None,
            "optimizer": optimizer_state(self.optimizer, self.network),
            "scaler": _plain(self._scaler.state_dict()),
            "schedule": self.schedule.state_dict(),
            "progress": asdict(self.progress),
            "thawed": self._thaw is None,
            "random": {"seed": self._seed, "epoch": self.progress.epoch, "step": self.progress.step},
            "meta": meta,
        }

    def load_state(self, state: dict[str, Any], path: Any) -> None:
        """Restores what `state` returned; `path` is named in errors."""
        load_weights(self.network, state["network"], path)
        if self._thaw and state.get("thawed", False):
            self._thaw_all()  # the state is that of the second optimiser
        if self.ema:  # a run that kept no average so far starts one from its weights
            self.ema.load_state_dict(state["ema"] or state["network"])
        load_optimizer_state(self.optimizer, self.network, state["optimizer"])
        if state["scaler"] and self._scaler.is_enable():
            self._scaler.load_state_dict(
                {k: np.asarray(v) if isinstance(v, list) else v for k, v in state["scaler"].items()}
            )
        try:
            self.schedule.load_state_dict(state["schedule"])
            self.progress = Progress(**state["progress"])
        except (KeyError, TypeError) as error:
            raise CheckpointError(f"{path}: damaged: progress or schedule cannot be read ({error})") from None

    def observe(self, value: float) -> None:
        """Tells the schedule the validation value of an epoch (higher is better), unless a part waits to be thawed."""
        if not self._thaw:
            self.schedule.observe(value)

    @property
    def waits_to_thaw(self) -> bool:
        """True as long as a part of the network is frozen that will be trained later."""
        return self._thaw is not None

    def _thaw_all(self) -> None:
        """Everything is trained from here on, by an optimiser that remembers nothing."""
        # The old DataParallel has left hooks on its parameters. They do nothing any more, but they point to it.
        self._left_behind = self._parallel
        self.optimizer, self._parallel = self._thaw.renew()
        self._frozen, self._thaw = (), None

    def _set_frozen_layers_to_eval(self) -> None:
        for name, layer in self.network.named_sublayers():
            if is_frozen(name, self._frozen):
                layer.eval()


def is_frozen(name: str, prefixes: tuple[str, ...]) -> bool:
    """True if a parameter or layer name is one of the prefixes or lies under one."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def _plain(state: dict) -> dict:
    return {name: value.numpy() if hasattr(value, "numpy") else value for name, value in state.items()}
