"""What a recording was made with: `setup.json` beside its arrays. Needs numpy only."""

import dataclasses
import json
import math
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from paddle_pose.alignment import rules
from paddle_pose.atomic_files import written_beside
from paddle_pose.errors import DataError

SETUP_FILE, WEIGHTS_FILE = "setup.json", "weights.npz"
RULE, OWN = "rule", "own"  # where weights come from; any other word is a checkpoint
MEAN_SQUARE = "mse"  # the loss: sum over outputs of the mean squared error
OPTIMIZERS = ("Adam", "SGD", "Momentum")
NUDGES = {"float32": 1e-7, "float64": 1e-14}  # a rounding or so


@dataclass(frozen=True)
class Setup:
    """Everything but the network.

    Args:
        reference: in words, whose network it is and which version.
        shapes: of all weights and statistics, by the reference's names.
        evaluation_shape, training_shape: (B, 3, H, W) of the images.
        seed: of weights, images and targets.
        dtype: of loss, gradients and training, float32 or float64; the forward pass is always compared in float32.
        weights: RULE, or WEIGHTS_FILE beside the setup.
        loss: MEAN_SQUARE or the name of a function.
        optimizer, lr, momentum: as in section `optimizer` of a configuration, its other numbers at their defaults.
        steps: of training.
        nudge: relative change of the weights with which the reference was trained a second time.
        dropout: layers that were switched off.
        versions: of what made the recording.
    """

    reference: str
    shapes: dict[str, list[int]]
    evaluation_shape: list[int]
    training_shape: list[int]
    seed: int = 0
    dtype: str = "float32"
    weights: str = RULE
    loss: str = MEAN_SQUARE
    optimizer: str = "Adam"
    lr: float = 1e-4
    momentum: float = 0.9
    steps: int = 10
    nudge: float = NUDGES["float32"]
    dropout: int = 0
    versions: dict[str, str] = field(default_factory=dict)

    def images(self, purpose: int) -> np.ndarray:
        """Images of `rules.EVALUATION` or `rules.TRAINING`, float64."""
        shape = self.evaluation_shape if purpose == rules.EVALUATION else self.training_shape
        return rules.images(shape, self.seed, purpose)

    def targets(self, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
        """A target for each output, float64."""
        return rules.targets(shapes, self.seed)

    def state(self, folder: Path) -> dict[str, np.ndarray]:
        """Weights and statistics by the reference's names, float32 if they follow from the rule."""
        if self.weights == RULE:
            return rules.weights(self.shapes, self.seed)
        return read_weights(folder / self.weights)


def write_json(path: Path, content: Any) -> None:
    """Writes the whole file or none; CheckpointError if it cannot be written."""
    with written_beside(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict:
    """The object in a JSON file; DataError if it is missing or no JSON object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON: {error}") from None
    if not isinstance(content, dict):
        raise DataError(f"{path}: holds a {type(content).__name__}, not an object")
    return content


def write_setup(folder: Path, setup: Setup) -> None:
    """Writes `setup.json` into a folder."""
    write_json(folder / SETUP_FILE, dataclasses.asdict(setup))


def read_setup(folder: Path) -> Setup:
    """Reads `setup.json`; DataError names the entry that cannot be used."""
    path = folder / SETUP_FILE
    content = read_json(path)
    fields = {entry.name: entry for entry in dataclasses.fields(Setup)}
    for name in content:
        if name not in fields:
            raise DataError(f"{path}: unknown entry {name!r}; was it written by another version?")
    for name, entry in fields.items():
        if name not in content and entry.default is entry.default_factory:  # both MISSING
            raise DataError(f"{path}: entry {name!r} is missing")
    _check(content, path)
    return Setup(**content)


def _check(content: dict, path: Path) -> None:
    def is_shape(value: Any) -> bool:
        return isinstance(value, list) and all(type(n) is int and n >= 0 for n in value)

    def is_number(value: Any) -> bool:
        return type(value) in (int, float) and math.isfinite(value)

    wanted = {
        "shapes": lambda value: isinstance(value, dict) and all(map(is_shape, value.values())),
        "evaluation_shape": lambda value: is_shape(value) and len(value) == 4,
        "training_shape": lambda value: is_shape(value) and len(value) == 4,
        "seed": lambda value: type(value) is int and 0 <= value < 2**31,
        "dtype": lambda value: value in NUDGES,
        "weights": lambda value: value in (RULE, WEIGHTS_FILE),
        "optimizer": lambda value: value in OPTIMIZERS,
        "steps": lambda value: type(value) is int and value >= 0,
        "lr": lambda value: is_number(value) and value > 0,
        **dict.fromkeys(("momentum", "nudge"), is_number),
        **dict.fromkeys(("reference", "loss"), lambda value: isinstance(value, str)),
    }
    for name, is_right in wanted.items():
        if name in content and not is_right(content[name]):
            raise DataError(f"{path}: {name}={str(content[name])[:60]} cannot be used")


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Name -> array of an .npz of numeric arrays; DataError if it is something else."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not an .npz of arrays: {error}") from None
