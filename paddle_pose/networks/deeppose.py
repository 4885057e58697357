"""DeepPose: an AlexNet-like network that regresses the coordinates of all joints from one crop.

Toshev, Szegedy. DeepPose: Human Pose Estimation via Deep Neural Networks. CVPR 2014, Sec. 3.1 and Fig. 2 (stage 1).
Reference code: the paper's was never published. `strided` is the Keras model of "Implementing DeepPose baseline
model with Keras" (Analytics Vidhya); no PyTorch checkpoint of either is published.

Letters: B batch, K joints, H W crop.

Differs from the paper
    - Maps of 55, 27 and 13 cells are the paper's; where it pads is not stated. Here convolutions pad to
      ceil(side / stride) cells and poolings (3x3, stride 2, as in AlexNet) do not, so the last map has 6 cells.
    - Local response normalisation has AlexNet's constants; initial weights are Glorot's, as in Keras. Neither is
      stated.
    - `strided` (the Keras model): convolutions half as wide, the second and third of stride 2 in place of the
      poolings, batch normalisation after the first two in place of LRN, dropout 0.4 in place of 0.6.
    - `normalised` (ours): `strided` with batch normalisation after every convolution and fully connected layer but
      the last, without dropout: narrow networks that start from scratch leave the mean pose sooner.
    - Outputs are what the codec says, [-1, 1] over the crop's box, and not [-0.5, 0.5].
"""

import math
from collections.abc import Sequence
from typing import Literal, Optional

import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

from paddle_pose.errors import ConfigError
from paddle_pose.networks.blocks import Conv2D
from paddle_pose.registry import NETWORKS

DROPOUT = {"paper": 0.6, "strided": 0.4, "normalised": 0.0}


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


@NETWORKS.register("DeepPose")
class DeepPose(nn.Layer):
    """Stage 1 of DeepPose.

    Args:
        num_joints: K.
        input_wh: crop width and height; the first fully connected layer depends on it.
        variant: `paper`, `strided` or `normalised`; see the top of this file.
        dropout: share of the fully connected features that is dropped in training; none: 0.6 for `paper`,
            0.4 for `strided`, 0 for `normalised`.
        width: factor of the convolutions' channels; 1 is published.
        hidden: numbers in each of the two fully connected layers; 4096 is published.
    """

    stride = 1  # the output has no cells; the codec works in crop pixels

    def __init__(
        self,
        num_joints: int,
        input_wh: tuple[int, int],
        variant: Literal["paper", "strided", "normalised"] = "paper",
        dropout: Optional[float] = None,
        width: float = 1.0,
        hidden: int = 4096,
    ) -> None:
        super().__init__()
        if variant not in DROPOUT:
            raise ConfigError(f"unknown network variant {variant!r}; known: {', '.join(DROPOUT)}")
        rate = DROPOUT[variant] if dropout is None else dropout
        if not 0 <= rate < 1:
            raise ConfigError(f"network dropout={rate}: it must be at least 0 and below 1")
        if hidden < 1 or round(48 * width) < 1:
            raise ConfigError(f"network width={width}, hidden={hidden}: no features are left")
        self.num_joints, self.input_wh = num_joints, tuple(input_wh)
        self.features = _features(variant, self.input_wh[::-1], width)
        flat = int(np.prod(self.features.output_shape))
        if min(self.features.output_shape) < 1:
            raise ConfigError(f"input_wh {list(input_wh)} is too small for DeepPose; enlarge it")
        self.fc1, self.fc2 = nn.Linear(flat, hidden), nn.Linear(hidden, hidden)
        norms = [nn.BatchNorm1D(hidden) if variant == "normalised" else nn.Identity() for _ in range(2)]
        self.norm1, self.norm2 = norms
        self.dropout = nn.Dropout(rate)
        self.to_joints = nn.Linear(hidden, num_joints * 2)
        _initialise(self)

    def forward(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """(B, 3, H, W) normalised images -> one (B, K, 2), x, y by the codec's rule."""
        width, height = self.input_wh
        if paddle.in_dynamic_mode() and tuple(images.shape[2:]) != (height, width):
            got = f"{images.shape[3]}x{images.shape[2]}"
            raise ConfigError(f"input of {got}: the network was built for {width}x{height} (width x height)")
        x = self.features(images).flatten(1)
        x = self.dropout(F.relu(self.norm1(self.fc1(x))))
        x = self.dropout(F.relu(self.norm2(self.fc2(x))))
        return [self.to_joints(x).reshape([-1, self.num_joints, 2])]

    def reference_name(self, key: str) -> Optional[str]:
        """`key` itself: no PyTorch checkpoint of this network is published, so only our own names are known."""
        return key


def _features(variant: str, input_hw: Sequence[int], width: float) -> nn.Layer:
    if variant == "paper":
        return PaperFeatures(input_hw, width)
    return StridedFeatures(input_hw, width, normalised=2 if variant == "strided" else 5)


def _same_conv(in_channels: int, out_channels: int, kernel: int, stride: int, hw: Sequence[int]) -> Conv2D:
    """A convolution of (h, w) cells to ceil(side / stride); an odd cell of padding comes last (Keras's "same")."""
    padding = []
    for side in hw:
        total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
        padding += [total // 2, total - total // 2]
    return Conv2D(in_channels, out_channels, kernel, stride, padding=padding)


def _pooled(side: int) -> int:
    return (side - 3) // 2 + 1


def _initialise(network: nn.Layer) -> None:
    """Glorot's uniform weights, biases 0: what Keras draws."""
    for layer in network.sublayers():
        if isinstance(layer, (nn.Conv2D, nn.Linear)):
            nn.initializer.XavierUniform()(layer.weight)
            nn.initializer.Constant(0.0)(layer.bias)
