"""What a synthetic dataset is asked to be."""

from dataclasses import dataclass

from paddle_pose.errors import DataError
from paddle_pose.synthetic.difficulty import BY_NAME, FULL


@dataclass(frozen=True)
class Recipe:
    """All that a dataset's files depend on, apart from the format.

    Args:
        train: photos to train on.
        valid: photos to evaluate on, with other people.
        seed: same seed, same files.
        image_size: longer side of a photo, in pixels.
        difficulty: name of what difficulty.py describes, "full", "calm" or "group".

    Raises:
        DataError: no difficulty has this name.
    """

    train: int
    valid: int
    seed: int = 0
    image_size: int = 256
    difficulty: str = FULL.name

    def __post_init__(self):
        if self.difficulty not in BY_NAME:
            raise DataError(f"no difficulty is called {self.difficulty!r}; choose one of {', '.join(BY_NAME)}")

    @property
    def splits(self) -> tuple[range, range]:
        """Indices of the photos to train on and of those to evaluate on."""
        return range(self.train), range(self.train, self.train + self.valid)
