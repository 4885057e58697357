"""What stands before the fully connected layers of DeepPose, in each of its variants.

Sources and deviations are listed in deeppose.py.

Letters: B batch, H W crop, h w map.
"""

import math
from collections.abc import Sequence

import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

from paddle_pose.networks.blocks import Conv2D


def features_of(variant: str, input_hw: Sequence[int], width: float) -> nn.Layer:
    """The convolutions of a variant; `output_shape` (C, h, w) is what comes out of them."""
    if variant == "paper":
        return PaperFeatures(input_hw, width)
    if variant == "torchvision":
        return TorchvisionFeatures(input_hw, width)
    return StridedFeatures(input_hw, width, normalised=2 if variant == "strided" else 5)


class LocalResponseNorm(nn.Layer):
    """x / (2 + 1e-4 * sum of x^2 over 5 neighbouring channels)^0.75 (Krizhevsky et al., NeurIPS 2012, Sec. 3.3).

    The sum is a product with a band matrix: a third less time on a CPU than `paddle.nn.LocalResponseNorm` takes,
    whose alpha is divided by the 5 channels (there it would be 5e-4).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        index = np.arange(channels)
        near = np.abs(index[:, None] - index) <= 2
        self.register_buffer("near", paddle.to_tensor(near.astype("float32")), persistable=False)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C, h, w) -> (B, C, h, w)."""
        flat = x.flatten(2)
        root = paddle.rsqrt(2.0 + 1e-4 * paddle.matmul(self.near, flat * flat))
        return (flat * root * paddle.sqrt(root)).reshape(x.shape)


class PaperFeatures(nn.Layer):
    """Five convolutions with LRN and pooling: C-LRN-P-C-LRN-P-C-C-C-P."""

    def __init__(self, input_hw: Sequence[int], width: float) -> None:
        super().__init__()
        channels = [round(c * width) for c in (96, 256, 384, 384, 256)]
        first_hw = [math.ceil(side / 4) for side in input_hw]
        self.conv1 = _same_conv(3, channels[0], 11, 4, input_hw)
        self.conv2, self.conv3, self.conv4, self.conv5 = (
            Conv2D(channels[i], channels[i + 1], kernel, padding=kernel // 2) for i, kernel in enumerate((5, 3, 3, 3))
        )
        self.norm1, self.norm2 = (LocalResponseNorm(c) for c in channels[:2])
        self.pool = nn.MaxPool2D(3, 2)
        self.output_shape = channels[-1], *[_pooled(_pooled(_pooled(side))) for side in first_hw]

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, 3, H, W) -> (B, 256, h, w); sizes below are of a 220x220 input."""
        x = self.pool(self.norm1(F.relu(self.conv1(x))))  # 55x55 -> (B, 96, 27, 27)
        x = self.pool(self.norm2(F.relu(self.conv2(x))))  # 27x27 -> (B, 256, 13, 13)
        x = F.relu(self.conv4(F.relu(self.conv3(x))))  # (B, 384, 13, 13)
        return self.pool(F.relu(self.conv5(x)))  # 13x13 -> (B, 256, 6, 6)


class StridedFeatures(nn.Layer):
    """Five convolutions of the Keras model, padded by its rule "same", and one pooling.

    Batch normalisation, with Keras's momentum and epsilon, follows the first `normalised` of them.
    """

    def __init__(self, input_hw: Sequence[int], width: float, normalised: int) -> None:
        super().__init__()
        channels = [round(c * width) for c in (48, 128, 192, 192, 192)]
        hw = [[math.ceil(side / stride) for side in input_hw] for stride in (4, 8, 16)]
        self.convs = nn.LayerList(
            [
                _same_conv(3, channels[0], 11, 4, input_hw),
                _same_conv(channels[0], channels[1], 5, 2, hw[0]),
                _same_conv(channels[1], channels[2], 3, 2, hw[1]),
                _same_conv(channels[2], channels[3], 3, 1, hw[2]),
                _same_conv(channels[3], channels[4], 3, 1, hw[2]),
            ]
        )
        self.norms = nn.LayerList([nn.BatchNorm2D(c, momentum=0.99, epsilon=1e-3) for c in channels[:normalised]])
        self.pool = nn.MaxPool2D(2, 2)
        self.output_shape = channels[-1], *[side // 2 for side in hw[2]]

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, 3, H, W) -> (B, 192, h, w); (B, 192, 7, 7) of a 220x220 input."""
        for i, conv in enumerate(self.convs):  # (B, 48, 55, 55), (B, 128, 28, 28), then (B, 192, 14, 14)
            x = conv(x)
            x = F.relu(self.norms[i](x) if i < len(self.norms) else x)
        return self.pool(x)


class TorchvisionFeatures(nn.Layer):
    """Five convolutions and three poolings of `torchvision.models.alexnet`: C-P-C-P-C-C-C-P.

    That is the AlexNet of "One weird trick for parallelizing convolutional neural networks" (Krizhevsky, 2014),
    without local response normalisation.
    """

    def __init__(self, input_hw: Sequence[int], width: float) -> None:
        super().__init__()
        channels = [3, *(round(c * width) for c in (64, 192, 384, 256, 256))]
        self.convs = nn.LayerList(
            [
                Conv2D(channels[i], channels[i + 1], kernel, 4 if i == 0 else 1, padding=kernel // 2 if i else 2)
                for i, kernel in enumerate((11, 5, 3, 3, 3))
            ]
        )
        self.pool = nn.MaxPool2D(3, 2)
        first_hw = [(side + 2 * 2 - 11) // 4 + 1 for side in input_hw]
        self.output_shape = channels[-1], *[_pooled(_pooled(_pooled(side))) for side in first_hw]

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, 3, H, W) -> (B, 256, h, w); sizes below are of a 224x224 input."""
        x = self.pool(F.relu(self.convs[0](x)))  # 55x55 -> (B, 64, 27, 27)
        x = self.pool(F.relu(self.convs[1](x)))  # 27x27 -> (B, 192, 13, 13)
        for conv in self.convs[2:]:  # (B, 384, 13, 13), then twice (B, 256, 13, 13)
            x = F.relu(conv(x))
        return self.pool(x)  # 13x13 -> (B, 256, 6, 6)


def _same_conv(in_channels: int, out_channels: int, kernel: int, stride: int, hw: Sequence[int]) -> Conv2D:
    """A convolution of (h, w) cells to ceil(side / stride); an odd cell of padding comes last (Keras's "same")."""
    padding = []
    for side in hw:
        total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
        padding += [total // 2, total - total // 2]
    return Conv2D(in_channels, out_channels, kernel, stride, padding=padding)


def _pooled(side: int) -> int:
    return (side - 3) // 2 + 1
