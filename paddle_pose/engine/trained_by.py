"""What trained a run, for how long and on how many images: kept in its checkpoints, carried on by --resume."""

import time
from datetime import datetime, timezone
from typing import Any


class TrainedBy:
    """The facts of a run so far.

    Seconds are those between the beginning of each part of the run (again after each --resume) and the checkpoint that
    holds them, validation counted. What came after the last checkpoint of a killed part was lost and is not counted.

    Args:
        facts: name -> what holds for the whole part: versions, commit, machine, processes, seed, split.
        images_per_step: photos that one optimiser step of all processes sees.
    """

    def __init__(self, facts: dict[str, Any], images_per_step: int) -> None:
        self._facts, self._images_per_step = dict(facts), images_per_step
        self._began, self._started, self._resumed = time.monotonic(), _now(), 0
        self._seconds_before: Any = 0.0
        self._images_before: Any = 0
        self._first_step = 0

    def resume(self, before: Any, step: int) -> None:
        """Carries on from the facts `before` of a state that stands after `step` steps.

        A fact that has changed since names both, the older one first. A state of an older version says nothing:
        seconds, images and the beginning are then not known (None).
        """
        before = before if isinstance(before, dict) else {}
        for name, now in self._facts.items():
            then = before.get(name)
            if then is not None and str(now) not in str(then).split("; "):
                self._facts[name] = f"{then}; {now}"
            elif then is not None:
                self._facts[name] = then
        self._started, self._resumed = before.get("started"), before.get("resumed", 0) + 1
        self._seconds_before, self._images_before = before.get("seconds"), before.get("images")
        self._first_step = step

    def facts(self, step: int) -> dict[str, Any]:
        """All of it, as JSON has it, after `step` steps."""
        seconds, images = time.monotonic() - self._began, (step - self._first_step) * self._images_per_step
        return {
            **self._facts,
            "started": self._started,
            "saved": _now(),
            "resumed": self._resumed,
            "seconds": None if self._seconds_before is None else round(self._seconds_before + seconds, 1),
            "images": None if self._images_before is None else self._images_before + images,
        }


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
