"""Small networks of all five kinds, with random weights whose maps have clear peaks."""

import numpy as np
import paddle

from paddle_pose.builder import Parts, build
from paddle_pose.config import load_config

TINY_HRNET = ("network.width=8", "network.bottleneck_width=16", "network.modules=[1,1,1]", "network.blocks=1")
TINY_CPM = ("network.stages=2", "network.width=8", "input_wh=[64,64]")
PAPER = ("network.variant=paper", "network.width=0.1", "network.hidden=64", "input_wh=[72,96]")
CASES = {  # name -> configuration, options, mirror test
    "hourglass": ("hourglass/hg1_small_synthetic_96x96.yaml", ("network.width=16", "network.stacks=2"), True),
    "hrnet_quarter": ("hrnet/small_synthetic_96x96.yaml", (*TINY_HRNET, "codec.refine=quarter"), True),
    "hrnet_udp": ("hrnet/small_coco_overfit_96x128.yaml", TINY_HRNET, False),
    "cpm": ("cpm/small_synthetic_96x96.yaml", TINY_CPM, True),
    "cpm_bicubic": ("cpm/small_synthetic_96x96.yaml", (*TINY_CPM, "codec.refine=bicubic"), False),
    "cpm_mmpose": ("cpm/mmpose_cpm_mpii_368x368.yaml", ("network.stages=1", "input_wh=[64,64]"), False),
    "alexnet": ("deeppose/small_lspet_96x96.yaml", PAPER, True),
    "resnet_rle": ("deeppose/res50_rle_coco_192x256.yaml", ("network.depth=18", "input_wh=[48,64]"), True),
    "openpose": ("openpose/small_synthetic_group_128x128.yaml", ("network.stages=2", "input_wh=[64,64]"), True),
}


def parts_of(name: str, more: tuple[str, ...] = ()) -> Parts:
    """A case's parts, always with the same weights."""
    config, options, _ = CASES[name]
    paddle.seed(1)
    parts = build(load_config(f"configs/{config}", (*options, *more)))
    for layer in parts.network.sublayers():
        if isinstance(layer, paddle.nn.Conv2D):  # of a size that neither fades nor explodes
            shape = layer.weight.shape
            layer.weight.set_value(paddle.randn(shape) * float(2 / np.prod(shape[1:])) ** 0.5)
    return parts
