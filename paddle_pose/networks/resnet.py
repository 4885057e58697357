"""ResNet trunk: what comes before the pooling of a residual network.

He, Zhang, Ren, Sun. Deep Residual Learning for Image Recognition. CVPR 2016, Table 1.
Reference code: torchvision `resnet.py`, open-mmlab/mmpose `ResNet` (style "pytorch").

Differs from the paper
    - The 3x3 convolution of a block strides, not its first 1x1 (see `blocks.Bottleneck`).
"""

import paddle
from paddle import nn

from paddle_pose.errors import ConfigError
from paddle_pose.networks.blocks import Bottleneck, ConvBNReLU
from paddle_pose.networks.name_map import renamed

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
CHANNELS = 2048


class ResNetTrunk(nn.Layer):
    """Convolutions of ResNet-50, 101 or 152; `depth` says which."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        if depth not in BLOCKS:
            raise ConfigError(f"network depth={depth}: there are {', '.join(map(str, BLOCKS))}")
        self.stem = nn.Sequential(ConvBNReLU(3, 64, 7, stride=2), nn.MaxPool2D(3, 2, padding=1))
        self.groups = nn.Sequential(
            _group(BLOCKS[depth][0], 64, 64, stride=1),
            _group(BLOCKS[depth][1], 256, 128, stride=2),
            _group(BLOCKS[depth][2], 512, 256, stride=2),
            _group(BLOCKS[depth][3], 1024, 512, stride=2),
        )

    def forward(self, images: paddle.Tensor) -> paddle.Tensor:
        """(B, 3, H, W) normalised images -> (B, 2048, H/32, W/32), rounded up."""
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


def _group(count: int, in_channels: int, middle: int, stride: int) -> nn.Sequential:
    """`count` bottlenecks of 4 * middle output channels; the first strides."""
    first = Bottleneck(in_channels, middle, 4 * middle, stride)
    return nn.Sequential(first, *[Bottleneck(4 * middle, middle, 4 * middle) for _ in range(count - 1)])
