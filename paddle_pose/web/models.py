"""The networks that a visitor can choose among: by name, opened when first used, used one at a time."""

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np

from paddle_pose.errors import ConfigError, UserError
from paddle_pose.media.shown_photos import read_shown_photo
from paddle_pose.web.inference import PosePredictor


@dataclass(frozen=True)
class Choice:
    """A network on the page.

    Args:
        name: shown to visitors, so no path.
        open: makes its predictor; UserError where it cannot be used.
        example: a photo that it can be shown on.
    """

    name: str
    open: Callable[[], PosePredictor]
    example: Path


class Models:
    """Predictors by the names of `choices`, of which there is at least one; opened ones are kept."""

    def __init__(self, choices: Sequence[Choice]) -> None:
        self._choices = {choice.name: choice for choice in choices}
        self._opened: dict[str, PosePredictor] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """In the order in which they were given."""
        return tuple(self._choices)

    def __getitem__(self, name: str) -> PosePredictor:
        """The predictor of a name; UserError, which may name a path of the server, where it cannot be opened."""
        with self._lock:
            if name not in self._choices:
                raise UserError(f"there is no network {name!r}; choose from {', '.join(self._choices)}")
            if name not in self._opened:
                self._opened[name] = self._choices[name].open()
            return self._opened[name]

    def example(self, name: str) -> np.ndarray:
        """(H, W, 3) uint8 RGB, for visitors who have no photo at hand."""
        return read_shown_photo(str(self._choices[name].example))


def choices(
    model: Optional[str], model_dir: Optional[str], device: str = "auto", threads: Optional[int] = None
) -> list[Choice]:
    """What is given on the command line, then what the zoo has on disk.

    Args:
        model: a model file, or a name of the zoo.
        model_dir: a folder that export.py wrote.
        device: auto, cpu, gpu or gpu:i.
        threads: of the CPU; None: all cores.
    """
    from paddle_pose import zoo

    given = [(model, {"model": model}), (model_dir, {"model_dir": model_dir})]
    on_disk = [(name, {"model": name}) for name in zoo.names() if _on_disk(name)]
    found: dict[str, Choice] = {}
    for text, arguments in [pair for pair in given if pair[0] is not None] + on_disk:
        opening = functools.partial(_open, device=device, threads=threads, **arguments)
        choice = Choice(_shown(text), opening, zoo.default_photo(text))
        found.setdefault(choice.name, choice)
    return list(found.values())


def _on_disk(name: str) -> bool:
    """Whether a model of the zoo needs no download: visitors do not start any."""
    from paddle_pose import zoo

    return isinstance(zoo.find(name), zoo.Bundled) or zoo.cached_model(name) is not None


def _shown(text: str) -> str:
    """The last part of a path: visitors need not know where it lies."""
    return text.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or "model"


def _open(**arguments) -> PosePredictor:
    """A predictor that keeps its maps, if the network has any that can be had."""
    from paddle_pose.prediction.predictor import Predictor

    try:
        return Predictor(keep_maps=True, **arguments)
    except ConfigError:  # coordinates, not maps; any other fault is there without maps too
        return Predictor(**arguments)
