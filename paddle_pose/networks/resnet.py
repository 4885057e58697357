"""ResNet trunk: what comes before the pooling of a residual network.

He, Zhang, Ren, Sun. Deep Residual Learning for Image Recognition. CVPR 2016, Table 1.
Reference code: torchvision `resnet.py`, open-mmlab/mmpose `ResNet` (style "pytorch").

Differs from the paper
    - The 3x3 convolution of a bottleneck strides, not its first 1x1 (see `blocks.Bottleneck`).
"""

import paddle
from paddle import nn

from paddle_pose.errors import ConfigError
from paddle_pose.networks.blocks import BasicBlock, Bottleneck, ConvBNReLU
from paddle_pose.networks.name_map import renamed

BASIC_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
BOTTLENECKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
BLOCKS = {**BASIC_BLOCKS, **BOTTLENECKS}
WIDTHS = (64, 128, 256, 512)  # inside the blocks of the four groups
EXPANSION = 4  # a bottleneck's output channels over its width


class ResNetTrunk(nn.Layer):
    """Convolutions of ResNet-18, 34 (basic blocks), 50, 101 or 152 (bottlenecks); `depth` says which.

    `channels` are those that come out: 512 of basic blocks, 2048 of bottlenecks.
    """

    def __init__(self, depth: int) -> None:
        super().__init__()
        if depth not in BLOCKS:
            raise ConfigError(f"network depth={depth}: there are {', '.join(map(str, BLOCKS))}")
        group = _basic_group if depth in BASIC_BLOCKS else _bottleneck_group
        outputs = [width * (1 if depth in BASIC_BLOCKS else EXPANSION) for width in WIDTHS]
        self.channels = outputs[-1]
        self.stem = nn.Sequential(ConvBNReLU(3, 64, 7, stride=2), nn.MaxPool2D(3, 2, padding=1))
        inputs = [64, *outputs]
        self.groups = nn.Sequential(
            *[
                group(count, inputs[i], width, stride=2 if i else 1)
                for i, (count, width) in enumerate(zip(BLOCKS[depth], WIDTHS))
            ]
        )

    def forward(self, images: paddle.Tensor) -> paddle.Tensor:
        """(B, 3, H, W) normalised images -> (B, channels, H/32, W/32), rounded up."""
        return self.groups(self.stem(images))

    @staticmethod
    def reference_name(key: str) -> str:
        """Our name of the layer that torchvision and mmpose call `key`."""
        return renamed(key, _TORCHVISION_NAMES)


_TORCHVISION_NAMES = (
    (r"^conv1\.", "stem.0.conv."),
    (r"^bn1\.", "stem.0.bn."),
    (r"^layer(\d)\.", lambda match: f"groups.{int(match[1]) - 1}."),
    (r"\.downsample\.0\.", ".shortcut.conv."),
    (r"\.downsample\.1\.", ".shortcut.bn."),
)


def _basic_group(count: int, in_channels: int, width: int, stride: int) -> nn.Sequential:
    """`count` basic blocks; the first strides."""
    first = BasicBlock(in_channels, width, stride)
    return nn.Sequential(first, *[BasicBlock(width, width) for _ in range(count - 1)])


def _bottleneck_group(count: int, in_channels: int, width: int, stride: int) -> nn.Sequential:
    """`count` bottlenecks of EXPANSION * width output channels; the first strides."""
    wide = EXPANSION * width
    first = Bottleneck(in_channels, width, wide, stride)
    return nn.Sequential(first, *[Bottleneck(wide, width, wide) for _ in range(count - 1)])
