"""LSP's training people with the 10,000 of its extension: what networks that are scored on LSP are trained on.

The split of deeppose_tf (README, "Dataset preparation") and of Convolutional Pose Machines (Sec. 4.2): trained on
LSPET and the first 1000 people of LSP, scored on LSP's last 1000. LSPET is labelled person-centric, a left wrist is
the person's own, so LSP is read from `joints_PC.mat`, unlike by `LSP` itself.
"""

import os
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Literal

import numpy as np

from paddle_pose.data.annotations import People, PhotoPeople
from paddle_pose.data.lsp import LSP, LSPET
from paddle_pose.registry import DATASETS
from paddle_pose.skeletons import LSP_14

_HOW_TO_GET = "unpack both releases so that each folder holds its joints file and images/"


@DATASETS.register("LSPAndLSPET")
class LSPAndLSPET(PhotoPeople):
    """Trains on LSPET and on rows of LSP, in this order; 'valid' is LSP alone.

    Args:
        root: folder with the folders of both datasets.
        split: 'train' or 'valid'.
        train_range: rows [first, stop) of LSP to train on, 0-based; LSPET is used whole.
        valid_range: rows [first, stop) of LSP to score; the release's test photos.
        padding: factor of the sides of the box of the labelled joints.
        lsp_folder: LSP in `root`.
        lspet_folder: LSPET in `root`.
        joints_file: LSP's labels; person-centric ones, as LSPET's are.
    """

    skeleton = LSP_14

    def __init__(
        self,
        root: str,
        split: Literal["train", "valid"] = "train",
        train_range: Sequence[int] = (0, 1000),
        valid_range: Sequence[int] = (1000, 2000),
        padding: float = 1.25,
        lsp_folder: str = "lsp",
        lspet_folder: str = "lspet",
        joints_file: str = "joints_PC.mat",
    ) -> None:
        lsp_root, lspet_root = os.path.join(root, lsp_folder), os.path.join(root, lspet_folder)
        lsp = LSP(lsp_root, split, train_range, valid_range, padding=padding, joints_file=joints_file)
        parts = {lsp_folder: lsp}
        if split == "train":
            parts = {lspet_folder: LSPET(lspet_root, "train", padding=padding), **parts}
        people = _joined([_in_folder(dataset.people, folder) for folder, dataset in parts.items()])
        protocol = "; ".join(dataset.protocol for dataset in parts.values())
        super().__init__(people.checked(root), root, LSP_14, protocol, _HOW_TO_GET)


def _in_folder(people: People, folder: str) -> People:
    """The same people, their photos named from the folder above the dataset's."""
    return replace(people, photo_names=np.array([f"{folder}/images/{name}" for name in people.photo_names]))


def _joined(parts: list[People]) -> People:
    names = [field.name for field in fields(People)]
    return People(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
