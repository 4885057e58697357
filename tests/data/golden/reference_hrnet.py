"""Public HRNet implementations in PyTorch, for record.py: name -> (checkout -> network)."""

import pathlib

from stand_ins import load_file, stand_in_for_mmcv
from torch import nn

MODULES = (1, 4, 3)


def official(checkout: pathlib.Path, joints: int, width: int) -> nn.Module:
    """leoxiaobin/deep-high-resolution-net.pytorch at 6f69e46."""
    stages = {
        f"STAGE{number}": {
            "NUM_MODULES": modules,
            "NUM_BRANCHES": number,
            "NUM_BLOCKS": [4] * number,
            "NUM_CHANNELS": [width * 2**branch for branch in range(number)],
            "BLOCK": "BASIC",
            "FUSE_METHOD": "SUM",
        }
        for number, modules in enumerate(MODULES, start=2)
    }
    extra = {**stages, "FINAL_CONV_KERNEL": 1, "PRETRAINED_LAYERS": ["*"]}
    module = load_file("pose_hrnet", checkout / "lib/models/pose_hrnet.py")
    network = module.PoseHighResolutionNet({"MODEL": {"EXTRA": extra, "NUM_JOINTS": joints}})
    forward = network.forward
    network.forward = lambda images: [forward(images)]
    return network


def mmpose(checkout: pathlib.Path, joints: int, width: int) -> nn.Module:
    """open-mmlab/mmpose at 759b39c: its files run on stand-ins for what they take from mmcv and mmengine."""
    stand_in_for_mmcv()
    folder = checkout / "mmpose/models/backbones"
    for name in ("base_backbone", "resnet", "hrnet"):
        module = load_file(f"mmpose.models.backbones.{name}", folder / f"{name}.py")
    stages = {
        f"stage{number}": {
            "num_modules": modules,
            "num_branches": number,
            "block": "BASIC" if number > 1 else "BOTTLENECK",
            "num_blocks": (4,) * number,
            "num_channels": tuple(width * 2**branch for branch in range(number)) if number > 1 else (64,),
        }
        for number, modules in enumerate((1, *MODULES), start=1)
    }
    network = nn.Module()
    network.backbone = module.HRNet(stages)
    network.head = nn.Module()
    network.head.final_layer = nn.Conv2d(width, joints, 1)
    network.forward = lambda images: [network.head.final_layer(network.backbone(images)[0])]
    return network


NETWORKS = {
    "hrnet_official_w32_mpii": lambda checkout: official(checkout, 16, 32),
    "hrnet_official_w48_coco": lambda checkout: official(checkout, 17, 48),
    "mmpose_hrnet_w32_mpii": lambda checkout: mmpose(checkout, 16, 32),
    "mmpose_hrnet_w48_coco": lambda checkout: mmpose(checkout, 17, 48),
}
