"""HRNet: keeps a high-resolution map all the way, beside lower ones that are exchanged with it again and again.

Sun, Xiao, Liu, Wang. Deep High-Resolution Representation Learning for Human Pose Estimation. CVPR 2019.
Reference code: leoxiaobin/deep-high-resolution-net.pytorch (the authors'), open-mmlab/mmpose.

Letters: B batch, K joints, C width, R resolutions, H W crop, h w map (a quarter of H and W).

Differs from the paper
    - A new branch is made from the lowest branch alone, by one 3x3 convolution of stride 2, as Sec. 3 says
      (Y_{s+1} = a(Y_s, s + 1)) and all released code does. The paper's Fig. 1 draws it out of an exchange unit,
      with lines from all branches.
    - Sums of exchange units are rectified, and so are the maps between two halvings on one path, as in all
      released code; the paper does not say.
    - The paper says nothing of initial weights; the authors draw all convolutions from N(0, 0.001).
    - Maps that come up are summed on their way (doubling distributes over sums), so that each is doubled once
      and not up to three times. The same numbers to within rounding.
    - The paper's targets have sigma 1 px; all released code, and so our configurations, 2 or 3 cells.
"""

import re
from collections.abc import Sequence
from typing import Optional

import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

from paddle_pose.errors import ConfigError
from paddle_pose.networks.blocks import (
    BasicBlock,
    Bottleneck,
    Conv2D,
    ConvBN,
    ConvBNReLU,
    check_multiple,
    initialise_convolutions,
    upsample_nearest_2x,
)
from paddle_pose.networks.name_map import renamed
from paddle_pose.registry import NETWORKS

STEM_WIDTH = 64
BOTTLENECK_EXPANSION = 4


class ExchangeUnit(nn.Layer):
    """Every output is the sum of all inputs, brought to its resolution (Sec. 3, Fig. 3).

    Args:
        widths: channels of the R inputs, high resolution to low; those of the outputs are the same.
        outputs: how many of the outputs are made, from the highest.
    """

    def __init__(self, widths: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.paths = nn.LayerList(
            [nn.LayerList([_path(widths, start, end) for start in range(len(widths))]) for end in range(outputs)]
        )

    def forward(self, maps: list[paddle.Tensor]) -> list[paddle.Tensor]:
        """R times (B, C_r, h/2^r, w/2^r) -> the first `outputs` of them, exchanged, not negative."""
        return [F.relu(self._sum(paths, maps, end)) for end, paths in enumerate(self.paths)]

    def _sum(self, paths: nn.LayerList, maps: list[paddle.Tensor], end: int) -> paddle.Tensor:
        """(B, C_end, h/2^end, w/2^end): lower maps come up step by step, higher ones straight down."""
        total = None
        for start in reversed(range(end, len(maps))):
            here = paths[start](maps[start])
            total = here if total is None else here + upsample_nearest_2x(total)
        for start in range(end):
            total = total + paths[start](maps[start])
        return total


class ExchangeBlock(nn.Layer):
    """Residual units on every resolution, then an exchange unit (Sec. 3, Eq. 3)."""

    def __init__(self, widths: Sequence[int], blocks: int, outputs: int) -> None:
        super().__init__()
        self.branches = nn.LayerList(
            [nn.Sequential(*[BasicBlock(width, width) for _ in range(blocks)]) for width in widths]
        )
        self.exchange = ExchangeUnit(widths, outputs)

    def forward(self, maps: list[paddle.Tensor]) -> list[paddle.Tensor]:
        """R times (B, C_r, h/2^r, w/2^r) -> the first `outputs` of them."""
        return self.exchange([branch(x) for branch, x in zip(self.branches, maps)])


@NETWORKS.register("HRNet")
class HRNet(nn.Layer):
    """HRNet-W32 unless told otherwise; `width=48` is W48.

    The authors' classification networks "W18-C-Small" have, in their words v1: width 16 (not 18), modules
    (1, 1, 1), blocks 2, bottlenecks 1 of 32; v2: width 18, modules (1, 3, 2), blocks 2, bottlenecks 2 of 64.

    Args:
        num_joints: K, maps.
        width: C, channels at the highest resolution; each halving doubles them.
        modules: exchange blocks of stages 2, 3, ...; stage n has n resolutions.
        blocks: residual units per branch of an exchange block.
        bottlenecks: residual units of stage 1.
        bottleneck_width: channels inside the bottlenecks of stage 1; four times as many leave it.
    """

    stride = 4
    head = ("to_maps.",)  # a trunk from ImageNet has the rest

    def __init__(
        self,
        num_joints: int,
        width: int = 32,
        modules: tuple[int, ...] = (1, 4, 3),
        blocks: int = 4,
        bottlenecks: int = 4,
        bottleneck_width: int = 64,
    ) -> None:
        super().__init__()
        if min((width, blocks, bottlenecks, bottleneck_width, len(modules), *modules)) < 1:
            raise ConfigError(
                f"HRNet width={width}, modules={list(modules)}, blocks={blocks}, bottlenecks={bottlenecks},"
                f" bottleneck_width={bottleneck_width}: each must be at least 1"
            )
        self._unused = rf"stage{len(modules) + 1}\.{modules[-1] - 1}\.fuse_layers\.[1-9]|{_CLASSIFIER}"
        widths = [width * 2**i for i in range(len(modules) + 1)]
        wide = bottleneck_width * BOTTLENECK_EXPANSION
        self.stem = nn.Sequential(ConvBNReLU(3, STEM_WIDTH, 3, stride=2), ConvBNReLU(STEM_WIDTH, STEM_WIDTH, 3, 2))
        self.stage1 = nn.Sequential(
            *[Bottleneck(wide if i else STEM_WIDTH, bottleneck_width, wide) for i in range(bottlenecks)]
        )
        self.narrow = ConvBNReLU(wide, width, 3)
        self.new_branches = nn.LayerList(
            [ConvBNReLU(before, after, 3, stride=2) for before, after in zip([wide, *widths[1:]], widths[1:])]
        )
        self.stages = nn.LayerList(
            [_stage(widths[: i + 2], count, blocks, i + 1 == len(modules)) for i, count in enumerate(modules)]
        )
        self.to_maps = Conv2D(width, num_joints, 1)
        initialise_convolutions(self, lambda shape: nn.initializer.Normal(0.0, 0.001))

    def forward(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """(B, 3, H, W) normalised images -> one time (B, K, H/4, W/4)."""
        check_multiple(images, self.stride * 2 ** len(self.stages))
        x = self.stage1(self.stem(images))  # (B, 4 * bottleneck_width, h, w)
        maps = [self.narrow(x)]  # (B, C, h, w)
        lowest = x
        for new_branch, stage in zip(self.new_branches, self.stages):
            maps = stage([*maps, new_branch(lowest)])  # the r-th of them (B, 2^r * C, h/2^r, w/2^r)
            lowest = maps[-1]
        return [self.to_maps(maps[0])]

    def reference_name(self, key: str) -> Optional[str]:
        """Our name of what the authors' or mmpose's (0.x, 1.x) checkpoint calls `key`; None if it is never called.

        Known too are the trunks that the authors trained on ImageNet: their classification layers, and what
        their last exchange unit sends to lower resolutions, are of no use here.
        """
        key = re.sub(r"^(backbone|head|keypoint_head)\.", "", key)  # mmpose; `keypoint_head` up to 0.x
        if re.match(self._unused, key):
            return None
        return renamed(key, _REFERENCE_NAMES)


_CLASSIFIER = r"incre_modules\.|downsamp_modules\.|final_layer\.\d|classifier\."
_CONV_OR_BN = {"0": "conv", "1": "bn"}
_REFERENCE_NAMES = (
    (r"^(conv|bn)([12])\.", lambda found: f"stem.{int(found[2]) - 1}.{found[1]}."),
    (r"^layer1\.", "stage1."),
    (r"\.downsample\.([01])\.", lambda found: f".shortcut.{_CONV_OR_BN[found[1]]}."),
    (r"^transition1\.0\.([01])\.", lambda found: f"narrow.{_CONV_OR_BN[found[1]]}."),
    (r"^transition(\d)\.\1\.0\.([01])\.", lambda found: f"new_branches.{int(found[1]) - 1}.{_CONV_OR_BN[found[2]]}."),
    (r"^stage([2-9])\.", lambda found: f"stages.{int(found[1]) - 2}."),
    (
        r"\.fuse_layers\.(\d\.\d(?:\.\d)?)\.([01])\.",
        lambda found: f".exchange.paths.{found[1]}.{_CONV_OR_BN[found[2]]}.",
    ),
    (r"^final_layer\.", "to_maps."),
)


def _stage(widths: Sequence[int], modules: int, blocks: int, is_last: bool) -> nn.Sequential:
    """Exchange blocks on the resolutions of `widths`; the very last one keeps the highest only."""
    outputs = [len(widths)] * (modules - 1) + [1 if is_last else len(widths)]
    return nn.Sequential(*[ExchangeBlock(widths, blocks, count) for count in outputs])


def _path(widths: Sequence[int], start: int, end: int) -> nn.Layer:
    """What a map passes through from resolution `start` to `end`; doublings are left to the exchange unit."""
    if start == end:
        return nn.Identity()
    if start > end:
        return ConvBN(widths[start], widths[end], 1)
    halvings = [ConvBNReLU(widths[start], widths[start], 3, stride=2) for _ in range(end - start - 1)]
    return nn.Sequential(*halvings, ConvBN(widths[start], widths[end], 3, stride=2))
