"""Building blocks that are terms of the literature, shared by at least two papers.

Letters: B batch, C channels, h w cells of a feature map.

Two of them compute what Paddle's own layers compute, by another way that is several times faster on a CPU
(each says how); on a GPU and in an exported model they are Paddle's own operators.
"""

from functools import cache
from typing import Callable, Optional

import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

from paddle_pose.errors import ConfigError
from paddle_pose.networks.convolution import Conv2D, is_eager_on_cpu

POSE_MACHINE_STD = 0.01  # of all initial weights of the released CPM and OpenPose


def upsample_nearest_2x(x: paddle.Tensor) -> paddle.Tensor:
    """Repeats every cell twice in both directions: (B, C, h, w) -> (B, C, 2h, 2w).

    Eager on the CPU it is one matrix product: a row of w cells times (w, 4w) gives its two output rows at
    once. While a program is traced for export it is an `expand`, because Paddle 3.3's predictor and the ONNX
    converter both stumble over `interpolate`. All three ways give the same bits.
    """
    if not paddle.in_dynamic_mode():
        x = x.unsqueeze([3, 5]).expand([-1, -1, -1, 2, -1, 2])  # (B, C, h, 2, w, 2)
        return x.flatten(4, 5).flatten(2, 3)
    if not is_eager_on_cpu(x):
        return F.interpolate(x, scale_factor=2, mode="nearest")
    batch, channels, h, w = x.shape
    rows = x.reshape([batch * channels * h, w])
    return paddle.matmul(rows, _doubling_matrix(w, x.dtype)).reshape([batch, channels, 2 * h, 2 * w])


class ConvBN(nn.Layer):
    """Convolution that keeps the map size (over `stride`), then batch normalisation."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, bias: bool = False) -> None:
        super().__init__()
        self.conv = Conv2D(
            in_channels, out_channels, kernel, stride, padding=kernel // 2, bias_attr=None if bias else False
        )
        self.bn = nn.BatchNorm2D(out_channels)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C_in, h, w) -> (B, C_out, h/stride, w/stride)."""
        return self.bn(self.conv(x))


class ConvBNReLU(ConvBN):
    """Convolution, batch normalisation, ReLU."""

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C_in, h, w) -> (B, C_out, h/stride, w/stride), not negative."""
        return F.relu(self.bn(self.conv(x)))  # no super(): Paddle 2.6 cannot trace it


class BasicBlock(nn.Layer):
    """Residual block of two 3x3 convolutions (He et al., CVPR 2016, Fig. 5 left; ReLU after the sum)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = Conv2D(in_channels, out_channels, 3, stride, padding=1, bias_attr=False)
        self.bn1 = nn.BatchNorm2D(out_channels)
        self.conv2 = Conv2D(out_channels, out_channels, 3, padding=1, bias_attr=False)
        self.bn2 = nn.BatchNorm2D(out_channels)
        same_shape = stride == 1 and in_channels == out_channels
        self.shortcut = None if same_shape else ConvBN(in_channels, out_channels, 1, stride)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C_in, h, w) -> (B, C_out, h/stride, w/stride)."""
        residual = F.relu(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        return F.relu(residual + (x if self.shortcut is None else self.shortcut(x)))


class Bottleneck(nn.Layer):
    """Residual block 1x1, 3x3, 1x1 (He et al., CVPR 2016, Fig. 5 right; ReLU after the sum).

    `stride` is that of the 3x3 convolution, as in torchvision ("pytorch style"); the paper and Caffe have it in
    the first 1x1.
    """

    def __init__(self, in_channels: int, middle: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = Conv2D(in_channels, middle, 1, bias_attr=False)
        self.bn1 = nn.BatchNorm2D(middle)
        self.conv2 = Conv2D(middle, middle, 3, stride, padding=1, bias_attr=False)
        self.bn2 = nn.BatchNorm2D(middle)
        self.conv3 = Conv2D(middle, out_channels, 1, bias_attr=False)
        self.bn3 = nn.BatchNorm2D(out_channels)
        same_shape = stride == 1 and in_channels == out_channels
        self.shortcut = None if same_shape else ConvBN(in_channels, out_channels, 1, stride)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C_in, h, w) -> (B, C_out, h/stride, w/stride)."""
        residual = F.relu(self.bn1(self.conv1(x)))
        residual = F.relu(self.bn2(self.conv2(residual)))
        residual = self.bn3(self.conv3(residual))
        return F.relu(residual + (x if self.shortcut is None else self.shortcut(x)))


class PreActBottleneck(nn.Layer):
    """Pre-activation bottleneck: BN, ReLU, convolution, three times (He et al., ECCV 2016, Fig. 1b).

    1x1 to half the output width, 3x3, 1x1 to the output width; all with bias. The shortcut is a plain 1x1
    convolution of the unnormalised input where the widths differ, and the input itself where they do not.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        middle = out_channels // 2
        self.bn1 = nn.BatchNorm2D(in_channels)
        self.conv1 = Conv2D(in_channels, middle, 1)
        self.bn2 = nn.BatchNorm2D(middle)
        self.conv2 = Conv2D(middle, middle, 3, padding=1)
        self.bn3 = nn.BatchNorm2D(middle)
        self.conv3 = Conv2D(middle, out_channels, 1)
        self.shortcut = None if in_channels == out_channels else Conv2D(in_channels, out_channels, 1)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C_in, h, w) -> (B, C_out, h, w)."""
        residual = self.conv1(F.relu(self.bn1(x)))
        residual = self.conv2(F.relu(self.bn2(residual)))
        residual = self.conv3(F.relu(self.bn3(residual)))
        return residual + (x if self.shortcut is None else self.shortcut(x))


def initialise_convolutions(network: nn.Layer, draw: Callable[[list], nn.initializer.Initializer]) -> None:
    """Redraws the weights of every convolution of `network`; `draw` takes the weight's shape.

    A bias is drawn as its weight is where `draw` is `uniform_by_fan_in`, as in PyTorch, and is 0 otherwise.
    """
    for layer in network.sublayers(include_self=True):
        if isinstance(layer, nn.Conv2D):
            initializer = draw(layer.weight.shape)
            initializer(layer.weight)
            if layer.bias is not None:
                zero = nn.initializer.Constant(0.0)
                (initializer if draw is uniform_by_fan_in else zero)(layer.bias)


def uniform_by_fan_in(shape: list) -> nn.initializer.Initializer:
    """Uniform in +-1/sqrt(fan_in), what Torch and PyTorch draw a convolution from unless told otherwise."""
    bound = float(np.prod(shape[1:])) ** -0.5
    return nn.initializer.Uniform(-bound, bound)


def same_conv(in_channels: int, out_channels: int, kernel: int, batch_norm: bool) -> nn.Layer:
    """A convolution of the pose machines (CPM, OpenPose): it keeps the map's size; without its ReLU."""
    if batch_norm:
        return ConvBN(in_channels, out_channels, kernel)
    return Conv2D(in_channels, out_channels, kernel, padding=kernel // 2)


def draw_pose_machine(network: nn.Layer, ends: set[nn.Layer], std: Optional[float]) -> None:
    """Normal weights of spread `std` and biases of 0; none: sqrt(2 / fan-in), but as released for `ends`.

    Args:
        network: every convolution in it is drawn anew.
        ends: those that end in maps.
        std: of all weights.
    """
    for layer in network.sublayers():
        if isinstance(layer, Conv2D):
            he = float(2 / np.prod(layer.weight.shape[1:])) ** 0.5
            spread = POSE_MACHINE_STD if std is None and layer in ends else he if std is None else std
            nn.initializer.Normal(0.0, spread)(layer.weight)
            if layer.bias is not None:
                nn.initializer.Constant(0.0)(layer.bias)


def check_multiple(images: paddle.Tensor, multiple: int) -> None:
    """Raises ConfigError unless both sides of `images` (B, 3, H, W) are multiples of `multiple` pixels."""
    if paddle.in_dynamic_mode() and (images.shape[2] % multiple or images.shape[3] % multiple):
        h, w = images.shape[2:]
        raise ConfigError(f"input of {w}x{h} (width x height): both must be multiples of {multiple} here")


@cache
def _doubling_matrix(w: int, dtype: Optional[paddle.dtype]) -> paddle.Tensor:
    """(w, 4w): two copies, side by side, of the matrix that repeats each of w cells twice."""
    repeat = np.repeat(np.eye(w, dtype="float32"), 2, axis=1)
    return paddle.to_tensor(np.tile(repeat, (1, 2)), place=paddle.CPUPlace()).astype(dtype)
