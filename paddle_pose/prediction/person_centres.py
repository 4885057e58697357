"""People found by a network of person centres (dataset PersonCentres): the first of CPM's two steps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np

from paddle_pose.builder import Parts, load_parts
from paddle_pose.deployment.description import PADDING, Description, describe
from paddle_pose.engine.evaluator import Evaluator
from paddle_pose.engine.people_finder import PeopleFinder
from paddle_pose.errors import ConfigError
from paddle_pose.frames import Frame
from paddle_pose.prediction import cropping
from paddle_pose.prediction.cropping import Regions

THRESHOLD = 0.1  # lowest score of a person, as of scripts/find_people.py


class PersonCentreFinder:
    """Square boxes of people, by a checkpoint.

    Args:
        path: a model of dataset PersonCentres.
        threshold: lowest score of a person, from 0 to 1.

    Raises:
        CheckpointError: the file is damaged or of nobody knows which network.
        ConfigError: it is a model of another kind.
    """

    def __init__(self, path: Union[str, Path], threshold: Optional[float] = None) -> None:
        self._parts = load_parts(str(path))
        check_finds_people(self._parts, path)
        self._description: Description = describe(self._parts, (), mirror_test=False)
        self._padding = padding_of(self._parts)
        evaluator = Evaluator(self._parts.codec, self._parts.normalise, self._parts.config.valid.mirror_test)
        self._finder = PeopleFinder(self._parts.codec, evaluator, THRESHOLD if threshold is None else threshold)

    def __call__(self, frames: Sequence[Frame]) -> list[Regions]:
        """The people of each frame, surest first."""
        whole = [cropping.whole_photo(frame.image) for frame in frames]
        matrices = np.concatenate([cropping.crop_matrices(region, self._description) for region in whole])
        images = np.stack([cropping.cut(f.image, m, self._description) for f, m in zip(frames, matrices)])
        found = self._finder.look(self._parts.network, images, matrices)
        return [Regions(boxes_of(squares, self._padding), scores.astype(np.float64)) for squares, scores in found]


def check_finds_people(parts: Parts, path: Union[str, Path]) -> None:
    """ConfigError unless this is a network of person centres."""
    if parts.config.dataset.type != "PersonCentres":
        raise ConfigError(f"{path} is not a model of dataset PersonCentres; train one, see docs/methods/cpm.md")


def padding_of(parts: Parts) -> float:
    """Factor of the people's boxes that the squares which it was trained on hold."""
    return parts.config.dataset.arguments.get("of", {}).get("padding", PADDING)


def boxes_of(squares_image: np.ndarray, padding: float) -> np.ndarray:
    """Padded squares (F, 3), middle and side, -> boxes (F, 4) left, top, width, height without their padding."""
    sides = squares_image[:, [2, 2]] / padding
    return np.hstack([squares_image[:, :2] - sides / 2, sides])
