"""Files that somebody recorded by the guide, without `setup.json`: forward_ref.npy, loss_ref.npy, fake_data.npy, ..."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from paddle_pose.alignment import reprod_files
from paddle_pose.alignment.setup import Setup
from paddle_pose.errors import DataError

ENDINGS = ("ref", "torch", "pytorch")  # the guide uses all three
RUNGS = ("forward", "metric", "loss")  # such files do not say how anything was trained


@dataclass(frozen=True)
class PlainSetup(Setup):
    """Images and target are given, not drawn.

    Args:
        data: (B, 3, H, W) of fake_data.npy.
        label: the target of every output, of fake_label.npy.
    """

    data: np.ndarray = field(default=None)
    label: np.ndarray = field(default=None)

    def images(self, purpose: int) -> np.ndarray:  # noqa: ARG002
        """The same for every purpose."""
        return self.data

    def targets(self, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
        """The same for every output."""
        if self.label is None:
            raise DataError("fake_label.npy is missing, the target of the loss; save it, or leave out the rung loss")
        return [self.label for _ in shapes]


def read_plain_setup(folder: Path) -> PlainSetup:
    """From `fake_data.npy` and, where it is there, `fake_label.npy`; DataError if they cannot be used."""
    path = folder / "fake_data.npy"
    if not path.is_file():
        raise DataError(f"{folder}: has neither setup.json (of `align record`) nor fake_data.npy (of the guide)")
    data = reprod_files.read_plain(path)
    if data.ndim != 4:
        raise DataError(f"{path}: images must be (B, 3, H, W), these are {data.shape}")
    label = folder / "fake_label.npy"
    return PlainSetup(
        reference=f"files in {folder.name}",
        shapes={},
        evaluation_shape=list(data.shape),
        training_shape=list(data.shape),
        steps=0,
        weights="--pretrained_model",
        data=data,
        label=reprod_files.read_plain(label) if label.is_file() else None,
    )


def read_recorded(folder: Path, name: str) -> dict[str, np.ndarray]:
    """Entries of NAME_ref.npy, NAME_torch.npy or NAME_pytorch.npy, the first that is there."""
    paths = [folder / f"{name}_{ending}.npy" for ending in ENDINGS]
    return reprod_files.read(next((path for path in paths if path.is_file()), paths[0]))


def by_position(recorded: dict[str, np.ndarray], ours: dict[str, np.ndarray], file: str) -> dict[str, np.ndarray]:
    """The recorded arrays under our names: in order, or a single one under the last name.

    Raises:
        DataError: there are more or fewer, and more than one.
    """
    arrays, names = list(recorded.values()), list(ours)
    if len(arrays) == 1:
        names = names[-1:]
    if len(arrays) != len(names):
        raise DataError(f"{file}: holds {len(arrays)} arrays, the network gives {len(names)} outputs")
    return dict(zip(names, arrays))
