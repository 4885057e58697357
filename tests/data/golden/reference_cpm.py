"""The public Convolutional Pose Machine in PyTorch, for record.py: name -> (checkout -> network)."""

import pathlib

from stand_ins import load_file, stand_in_for_mmcv
from torch import nn


def mmpose(checkout: pathlib.Path) -> nn.Module:
    """open-mmlab/mmpose at 759b39c: its file runs on stand-ins for what it takes from mmcv and mmengine."""
    stand_in_for_mmcv()
    folder = checkout / "mmpose/models/backbones"
    for name in ("base_backbone", "cpm"):
        module = load_file(f"mmpose.models.backbones.{name}", folder / f"{name}.py")
    network = nn.Module()
    network.backbone = module.CPM(3, 16)
    network.forward = network.backbone.forward
    return network


NETWORKS = {"mmpose_cpm_mpii": mmpose}
