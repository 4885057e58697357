"""Learning rate as a function of the step, with warm-up.

A pure function of the global step (and, for `plateau`, of the values seen so far) has no state that a
warm-up could shift: Paddle's `LinearWarmup` starts the inner schedule only after the warm-up, so that
milestones move by its length.
"""

import math

_REMEMBERED = ("best", "bad_epochs", "cooling", "factor")


class Schedule:
    """Learning rate of each step.

    Args:
        type: `constant`, `multistep`, `cosine` or `plateau`.
        lr: rate after warm-up.
        steps_per_epoch: optimiser steps in an epoch.
        epochs: length of the run.
        milestones: epochs at which `multistep` multiplies the rate by `gamma`.
        gamma: factor of `multistep` and `plateau`.
        warmup_steps: the rate rises linearly from `warmup_ratio * lr` over so many steps, on top of the schedule.
        warmup_ratio: see above.
        min_lr: end of `cosine`, floor of `plateau`.
        patience: epochs without improvement that `plateau` accepts.
        threshold: relative improvement that counts.
        cooldown: epochs after a reduction that are not counted.
        observe: what `plateau` is to be told, which is up to the caller: `best` or `loss`.

    `plateau` is PyTorch's ReduceLROnPlateau with a relative threshold, mode "max" (of losses, tell it the negative).
    PyTorch leaves the rate where a reduction would be by less than 1e-8; here there is no such limit.
    """

    def __init__(
        self,
        type: str,  # noqa: A002 (the word of the configuration)
        lr: float,
        steps_per_epoch: int,
        epochs: int,
        milestones: tuple[int, ...] = (),
        gamma: float = 0.1,
        warmup_steps: int = 0,
        warmup_ratio: float = 0.001,
        min_lr: float = 0.0,
        patience: int = 5,
        threshold: float = 1e-4,
        cooldown: int = 0,
        observe: str = "best",
    ) -> None:
        self.observes = observe if type == "plateau" else "best"
        self._type, self._lr, self._gamma, self._min_lr = type, lr, gamma, min_lr
        self._milestones = [epoch * steps_per_epoch for epoch in milestones]
        self._total_steps = steps_per_epoch * epochs
        self._warmup_steps, self._warmup_ratio = warmup_steps, warmup_ratio
        self._patience, self._threshold, self._cooldown = patience, threshold, cooldown
        self._best, self._bad_epochs, self._cooling, self._factor = -math.inf, 0, 0, 1.0

    def lr(self, step: int) -> float:
        """Rate of step `step`, counted from 0 over the whole run."""
        rate = self._lr_after_warmup(step)
        if step < self._warmup_steps:
            share = step / max(1, self._warmup_steps - 1)
            rate *= self._warmup_ratio + (1 - self._warmup_ratio) * share
        return rate

    def _lr_after_warmup(self, step: int) -> float:
        if self._type == "multistep":
            return self._lr * self._gamma ** sum(step >= milestone for milestone in self._milestones)
        if self._type == "cosine":
            share = min(1.0, step / max(1, self._total_steps))
            return self._min_lr + (self._lr - self._min_lr) * 0.5 * (1 + math.cos(math.pi * share))
        if self._type == "plateau":
            return max(self._min_lr, self._lr * self._factor)
        return self._lr

    def observe(self, value: float) -> None:
        """Tells `plateau` the validation value (higher is better) of an epoch; others ignore it."""
        first = math.isinf(self._best)
        if value > (self._best if first else self._best + abs(self._best) * self._threshold):
            self._best, self._bad_epochs = value, 0
        elif self._cooling == 0:
            self._bad_epochs += 1
        self._cooling = max(0, self._cooling - 1)
        if self._bad_epochs > self._patience:
            self._factor *= self._gamma
            self._bad_epochs, self._cooling = 0, self._cooldown

    def state_dict(self) -> dict:
        """What `plateau` remembers."""
        return {name: getattr(self, "_" + name) for name in _REMEMBERED}

    def load_state_dict(self, state: dict) -> None:
        """Restores what `state_dict` returned."""
        for name in _REMEMBERED:
            setattr(self, "_" + name, state[name])
