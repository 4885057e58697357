"""Public Hourglass implementations in PyTorch, for record.py: name -> (checkout -> network)."""

import pathlib
import sys

from stand_ins import load_file, stand_in_for_mmcv
from torch import nn


def bearpaw(checkout: pathlib.Path, stacks: int) -> nn.Module:
    """anibali/pytorch-stacked-hourglass at d43449d."""
    model = load_file("model", checkout / "src/stacked_hourglass/model.py")
    return model.hg(num_stacks=stacks, num_blocks=1, num_classes=16)


def princeton(checkout: pathlib.Path, stacks: int) -> nn.Module:
    """princeton-vl/pytorch_stacked_hourglass at ceedc14; images first get their channels last, as it wants."""
    sys.path.insert(0, str(checkout))
    from models.posenet import PoseNet

    network = PoseNet(stacks, 256, 16)
    forward = network.forward
    network.forward = lambda images: list(forward(images.permute(0, 2, 3, 1)).unbind(1))
    return network


def mmpose(checkout: pathlib.Path, stacks: int) -> nn.Module:
    """open-mmlab/mmpose at 759b39c: its two files run on stand-ins for what they take from mmcv and mmengine."""
    stand_in_for_mmcv()
    folder = checkout / "mmpose/models/backbones"
    for name in ("base_backbone", "resnet", "hourglass"):
        module = load_file(f"mmpose.models.backbones.{name}", folder / f"{name}.py")
    network = nn.Module()
    network.backbone = module.HourglassNet(num_stacks=stacks)
    network.head = nn.Module()
    network.head.multi_final_layers = nn.ModuleList([nn.Conv2d(256, 16, 1) for _ in range(stacks)])
    layers = network.head.multi_final_layers
    network.forward = lambda images: [layer(x) for layer, x in zip(layers, network.backbone(images))]
    return network


NETWORKS = {
    "bearpaw_hg2": lambda checkout: bearpaw(checkout, 2),
    "bearpaw_hg8": lambda checkout: bearpaw(checkout, 8),
    "princeton_hg8": lambda checkout: princeton(checkout, 8),
    "mmpose_hourglass52_mpii": lambda checkout: mmpose(checkout, 1),
}
