"""Integral regression: one map per joint, of which the output is the mean place.

Sun, Xiao, Wei, Liang, Wei. Integral Human Pose Regression. ECCV 2018, Sec. 2 (Eq. 2, 2D joints, direct loss).
Reference code: none was followed, and no checkpoint of another program is read.

Letters: B batch, K joints, H W crop, h w map.

It learns coordinates from far fewer samples than a fully connected layer does, because what it knows of one place
of the crop it knows of all. That makes it the network for the later stages of a small cascade.

Differs from the paper
    - A trunk of a few residual blocks, maps of a quarter of the crop's side, in place of ResNet-50 and
      deconvolutions: for crops of 48 or 64 pixels around single joints.
    - Coordinates are from -1, the centre of the crop's first pixel, to 1, that of the last: codec Regression, `box`.
"""

from collections.abc import Sequence

import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

from paddle_pose.errors import ConfigError
from paddle_pose.networks.blocks import BasicBlock, Conv2D, ConvBNReLU
from paddle_pose.registry import NETWORKS

CELL = 4  # crop pixels per map cell


@NETWORKS.register("IntegralRegression")
class IntegralRegression(nn.Layer):
    """A small residual network that ends in the expectation of each joint's place.

    Args:
        num_joints: K.
        input_wh: crop width and height, multiples of 4.
        channels: of the first convolution (maps of a half), and of each residual block (the first strides).
    """

    stride = 1  # the output has no cells; the codec works in crop pixels
    head = ("to_maps.",)

    def __init__(self, num_joints: int, input_wh: tuple[int, int], channels: Sequence[int] = (24, 48, 64)) -> None:
        super().__init__()
        if len(channels) < 2 or min(channels) < 1:
            raise ConfigError(f"network channels={list(channels)}: give two positive numbers or more")
        if min(input_wh) < 2 * CELL or any(side % CELL for side in input_wh):
            raise ConfigError(f"input_wh {list(input_wh)}: both must be multiples of {CELL} and at least {2 * CELL}")
        self.input_wh = tuple(input_wh)
        blocks = [
            BasicBlock(inner, outer, stride=2 if index == 0 else 1)
            for index, (inner, outer) in enumerate(zip(channels, channels[1:]))
        ]
        self.trunk = nn.Sequential(ConvBNReLU(3, channels[0], 5, stride=2), *blocks)
        self.to_maps = Conv2D(channels[-1], num_joints, 1)
        nn.initializer.Normal(0.0, 0.01)(self.to_maps.weight)
        for name, side in zip("xy", input_wh):
            self.register_buffer(f"{name}_of_cell", _places(side), persistable=False)

    def forward(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """(B, 3, H, W) normalised images -> one (B, K, 2) x, y in [-1, 1]."""
        width, height = self.input_wh
        if paddle.in_dynamic_mode() and tuple(images.shape[2:]) != (height, width):
            got = f"{images.shape[3]}x{images.shape[2]}"
            raise ConfigError(f"input of {got}: the network was built for {width}x{height} (width x height)")
        maps = self.to_maps(self.trunk(images)).astype("float32")  # (B, K, h, w)
        shares = F.softmax(maps.flatten(2), axis=-1).reshape(maps.shape)
        x = (shares.sum(axis=2) * self.x_of_cell).sum(axis=-1)
        y = (shares.sum(axis=3) * self.y_of_cell).sum(axis=-1)
        return [paddle.stack([x, y], axis=-1)]

    def reference_name(self, key: str) -> str:
        """`key` itself: no checkpoint of another program has these layers."""
        return key


def _places(side: int) -> paddle.Tensor:
    """(side / 4,) where the middle of each cell is, from -1 at the first pixel to 1 at the last."""
    pixels = CELL * paddle.arange(side // CELL, dtype="float32") + (CELL - 1) / 2
    return pixels * (2 / (side - 1)) - 1
