"""mmpose's ResNet regression in PyTorch, for record.py: name -> (checkout -> network)."""

import pathlib

from stand_ins import load_file, stand_in_for_mmcv
from torch import nn


def mmpose(checkout: pathlib.Path, depth: int) -> nn.Module:
    """open-mmlab/mmpose at 759b39c: its trunk, and its one-line neck and head."""
    stand_in_for_mmcv()
    folder = checkout / "mmpose/models/backbones"
    for name in ("base_backbone", "resnet"):
        module = load_file(f"mmpose.models.backbones.{name}", folder / f"{name}.py")
    network = nn.Module()
    network.backbone = module.ResNet(depth)
    network.head = nn.Module()
    network.head.fc = nn.Linear(2048, 16 * 2)
    network.forward = lambda images: [network.head.fc(network.backbone(images)[-1].mean([2, 3])).reshape(-1, 16, 2)]
    return network


NETWORKS = {"mmpose_deeppose_res50_mpii": lambda checkout: mmpose(checkout, 50)}
