"""Hourglass-52: one wide hourglass of basic residual blocks, the network behind most published numbers.

Newell, Yang, Deng. Stacked Hourglass Networks for Human Pose Estimation. ECCV 2016, Sec. 3, for the idea.
The network itself comes from CornerNet (Law, Deng, ECCV 2018, Sec. 3.5), whose Hourglass-104 has two stacks.
Reference code: open-mmlab/mmpose, HourglassNet with CPMHead as in `td-hm_hourglass52_8xb64-210e_mpii-256x256`.

Letters: B batch, S stacks, K joints, H W crop, h w map (a quarter of H and W).

Differs from the paper (ECCV 2016); the paper's network is in hourglass.py
    - Basic blocks of two 3x3 convolutions, ReLU after the sum, in place of pre-activated bottlenecks; two of
      them wherever the paper has one, four at the bottom.
    - Channels grow towards the bottom: 256, 256, 384, 384, 384, 512. The paper has 256 throughout.
    - Five halvings, by stride 2 in the first block of a branch; the paper pools four times.
    - One stack by default, so 52 layers deep; the paper's best has eight.
    - Between stacks only features go on, not the predicted maps; they are summed after BN, then ReLU and a
      block.
    - The stem goes from 7x7 stride 2 straight to one block of stride 2, without pooling.
"""

from collections.abc import Sequence
from typing import Optional

import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

from paddle_pose.errors import ConfigError
from paddle_pose.networks.blocks import (
    BasicBlock,
    Conv2D,
    ConvBN,
    ConvBNReLU,
    check_multiple,
    initialise_convolutions,
    upsample_nearest_2x,
)
from paddle_pose.networks.name_map import renamed
from paddle_pose.registry import NETWORKS

LEVEL_CHANNELS = (256, 256, 384, 384, 384, 512)  # from the map's resolution down to 1/32 of it
LEVEL_BLOCKS = (2, 2, 2, 2, 2, 4)


class WideHourglass(nn.Layer):
    """One hourglass around a smaller one; `channels` and `blocks` are those of its levels, top to bottom."""

    def __init__(self, channels: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        outer, lower = channels[:2]
        self.skip = _blocks(blocks[0], outer, outer)
        self.down = _blocks(blocks[0], outer, lower, stride=2)
        is_bottom = len(channels) == 2
        self.inner = _blocks(blocks[1], lower, lower) if is_bottom else WideHourglass(channels[1:], blocks[1:])
        self.up = _blocks(blocks[0], lower, outer, widen_first=False)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C, h, w) -> (B, C, h, w)."""
        low = self.down(x)  # (B, C', h/2, w/2)
        low = self.up(self.inner(low))  # (B, C, h/2, w/2)
        return self.skip(x) + upsample_nearest_2x(low)


@NETWORKS.register("Hourglass52")
class Hourglass52(nn.Layer):
    """Hourglass-52, and with `stacks=2` Hourglass-104.

    Args:
        num_joints: K, maps per stack.
        stacks: S, hourglasses one after the other, each supervised.
    """

    stride = 4
    head = ("to_maps.",)

    def __init__(self, num_joints: int, stacks: int = 1) -> None:
        super().__init__()
        if stacks < 1:
            raise ConfigError(f"stacks={stacks}: at least 1 is needed")
        width = LEVEL_CHANNELS[0]
        self.stem = nn.Sequential(ConvBNReLU(3, 128, 7, stride=2), BasicBlock(128, width, stride=2))
        self.hourglasses = nn.LayerList([WideHourglass(LEVEL_CHANNELS, LEVEL_BLOCKS) for _ in range(stacks)])
        self.features = nn.LayerList([ConvBNReLU(width, width, 3) for _ in range(stacks)])
        self.to_maps = nn.LayerList([Conv2D(width, num_joints, 1) for _ in range(stacks)])
        self.from_input = nn.LayerList([ConvBN(width, width, 1) for _ in range(stacks - 1)])
        self.from_features = nn.LayerList([ConvBN(width, width, 1) for _ in range(stacks - 1)])
        self.between = nn.LayerList([BasicBlock(width, width) for _ in range(stacks - 1)])
        initialise_convolutions(self, lambda shape: nn.initializer.Normal(0.0, 0.001))

    def forward(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """(B, 3, H, W) normalised images -> S times (B, K, H/4, W/4)."""
        check_multiple(images, self.stride * 2 ** (len(LEVEL_CHANNELS) - 1))
        x = self.stem(images)  # (B, 256, H/4, W/4)
        stages = []
        for i, hourglass in enumerate(self.hourglasses):
            features = self.features[i](hourglass(x))  # (B, 256, h, w)
            stages.append(self.to_maps[i](features))  # (B, K, h, w)
            if i < len(self.between):
                x = F.relu(self.from_input[i](x) + self.from_features[i](features))
                x = self.between[i](x)  # (B, 256, h, w)
        return stages

    def reference_name(self, key: str) -> Optional[str]:
        """Our name of the layer that an mmpose checkpoint (0.x or 1.x) calls `key`; None if it is never called.

        mmpose creates `inters.0` with one stack too, where nothing calls it.
        """
        if key.startswith("backbone.inters.0.") and len(self.hourglasses) == 1:
            return None
        return renamed(key, _MMPOSE_NAMES)


_MMPOSE_NAMES = (
    (r"^(keypoint_)?head\.multi_final_layers\.", "to_maps."),  # `keypoint_head` up to mmpose 0.x
    (r"^backbone\.stem\.0\.", "stem.0."),
    (r"^backbone\.stem\.1\.0\.", "stem.1."),
    (r"^backbone\.hourglass_modules\.", "hourglasses."),
    (r"^backbone\.out_convs\.", "features."),
    (r"^backbone\.conv1x1s\.", "from_input."),
    (r"^backbone\.remap_convs\.", "from_features."),
    (r"^backbone\.inters\.", "between."),
    (r"\.up1\.", ".skip."),
    (r"\.low1\.", ".down."),
    (r"\.low2(?=\.)", ".inner"),
    (r"\.low3\.", ".up."),
    (r"\.downsample\.0\.", ".shortcut.conv."),
    (r"\.downsample\.1\.", ".shortcut.bn."),
)


def _blocks(
    count: int, in_channels: int, out_channels: int, stride: int = 1, widen_first: bool = True
) -> nn.Sequential:
    """`count` basic blocks; the first strides, and the first or the last changes the channels."""
    inside = out_channels if widen_first else in_channels
    first = BasicBlock(in_channels, inside, stride)
    rest = [BasicBlock(inside, inside) for _ in range(count - 2)]
    return nn.Sequential(first, *rest, BasicBlock(inside, out_channels))
