"""DeepPose: an AlexNet-like network that regresses the coordinates of all joints from one crop.

Toshev, Szegedy. DeepPose: Human Pose Estimation via Deep Neural Networks. CVPR 2014, Sec. 3.1 and Fig. 2 (stage 1).
Reference code: the paper's was never published. `strided` is the Keras model of "Implementing DeepPose baseline
model with Keras" (Analytics Vidhya); no PyTorch checkpoint of either is published. `torchvision` is the AlexNet of
pytorch/vision, whose ImageNet weights are.

Letters: B batch, K joints, H W crop.

Differs from the paper
    - Maps of 55, 27 and 13 cells are the paper's; where it pads is not stated. Here convolutions pad to
      ceil(side / stride) cells and poolings (3x3, stride 2, as in AlexNet) do not, so the last map has 6 cells.
    - Local response normalisation has AlexNet's constants; initial weights are Glorot's, as in Keras. Neither is
      stated.
    - `strided` (the Keras model): convolutions half as wide, the second and third of stride 2 in place of the
      poolings, batch normalisation after the first two in place of LRN, dropout 0.4 in place of 0.6.
    - `torchvision`: 64, 192, 384, 256, 256 channels, no LRN, dropout 0.5. Dropout comes after each of the two fully
      connected layers as in the other variants; in torchvision it comes before them.
    - `normalised` (ours): `strided` with batch normalisation after every convolution and fully connected layer but
      the last, without dropout: narrow networks that start from scratch leave the mean pose sooner.
    - Outputs are what the codec says, [-1, 1] over the crop's box, and not [-0.5, 0.5].
"""

from typing import Literal, Optional

import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

from paddle_pose.errors import ConfigError
from paddle_pose.networks.deeppose_features import features_of
from paddle_pose.networks.name_map import renamed
from paddle_pose.registry import NETWORKS

DROPOUT = {"paper": 0.6, "strided": 0.4, "torchvision": 0.5, "normalised": 0.0}


@NETWORKS.register("DeepPose")
class DeepPose(nn.Layer):
    """Stage 1 of DeepPose.

    Args:
        num_joints: K.
        input_wh: crop width and height; the first fully connected layer depends on it.
        variant: `paper`, `strided`, `torchvision` or `normalised`; see the top of this file.
        dropout: share of the fully connected features that is dropped in training; none: 0.6 for `paper`,
            0.4 for `strided`, 0.5 for `torchvision`, 0 for `normalised`.
        width: factor of the convolutions' channels; 1 is published.
        hidden: numbers in each of the two fully connected layers; 4096 is published.
    """

    stride = 1  # the output has no cells; the codec works in crop pixels
    head = ("to_joints.",)  # torchvision's AlexNet has the rest

    def __init__(
        self,
        num_joints: int,
        input_wh: tuple[int, int],
        variant: Literal["paper", "strided", "torchvision", "normalised"] = "paper",
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
        self.variant, self.num_joints, self.input_wh = variant, num_joints, tuple(input_wh)
        self.features = features_of(variant, self.input_wh[::-1], width)
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
        """Our name of what torchvision's AlexNet calls `key`; of the other variants only our own names are known."""
        return renamed(key, _TORCHVISION_NAMES) if self.variant == "torchvision" else key


_CONV_OF_PLACE = {"0": "0", "3": "1", "6": "2", "8": "3", "10": "4"}
_TORCHVISION_NAMES = (
    (r"^features\.(0|3|6|8|10)\.", lambda found: f"features.convs.{_CONV_OF_PLACE[found[1]]}."),
    (r"^classifier\.1\.", "fc1."),
    (r"^classifier\.4\.", "fc2."),
    (r"^classifier\.6\.", "to_joints."),
)


def _initialise(network: nn.Layer) -> None:
    """Glorot's uniform weights, biases 0: what Keras draws."""
    for layer in network.sublayers():
        if isinstance(layer, (nn.Conv2D, nn.Linear)):
            nn.initializer.XavierUniform()(layer.weight)
            nn.initializer.Constant(0.0)(layer.bias)
