"""Stacked hourglass network, the paper's, in the two forms that have public weights.

Newell, Yang, Deng. Stacked Hourglass Networks for Human Pose Estimation. ECCV 2016, Sec. 3.
Reference code: princeton-vl/pytorch_stacked_hourglass (by the authors' group) and bearpaw/pytorch-pose with
its maintained heir anibali/pytorch-stacked-hourglass. The forms differ in one number, the width of the
second residual module of the stem. "Hourglass-52", another network, is in hourglass52.py.

Letters: B batch, S stacks, K joints, H W crop, h w map (a quarter of H and W).

Differs from the paper
    - Residual modules are pre-activated (BN and ReLU before each convolution) and their convolutions have a
      bias, as in all released code; the paper's Fig. 4 left shows the module but not where BN sits.
    - After an hourglass comes one residual module and one 1x1 conv-BN-ReLU, then the 1x1 convolution to maps,
      as in released code; Sec. 3.1 speaks of two rounds of 1x1 convolutions.
    - Sec. 3 gives no initial weights; these are Torch's default, as in released code.
    - `width` and `depth` may be smaller than the paper's 256 and 4, for a quick start on a CPU.
"""

import re
from typing import Optional

import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

from paddle_pose.errors import ConfigError
from paddle_pose.networks.blocks import (
    Conv2D,
    ConvBNReLU,
    PreActBottleneck,
    check_multiple,
    initialise_convolutions,
    uniform_by_fan_in,
    upsample_nearest_2x,
)
from paddle_pose.networks.name_map import renamed
from paddle_pose.registry import NETWORKS


class Hourglass(nn.Layer):
    """One hourglass: pools `depth` times, comes back up, and adds a skip branch at every scale (Sec. 3.1).

    Written as the paper draws it: around a smaller hourglass, which is a residual module at the bottom.
    """

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.skip = PreActBottleneck(width, width)
        self.down = PreActBottleneck(width, width)
        self.inner = Hourglass(width, depth - 1) if depth > 1 else PreActBottleneck(width, width)
        self.up = PreActBottleneck(width, width)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C, h, w) -> (B, C, h, w)."""
        low = self.down(F.max_pool2d(x, 2, 2))  # (B, C, h/2, w/2)
        low = self.up(self.inner(low))
        return self.skip(x) + upsample_nearest_2x(low)


@NETWORKS.register("StackedHourglass")
class StackedHourglass(nn.Layer):
    """The paper's network in the form of bearpaw/pytorch-pose and anibali/pytorch-stacked-hourglass.

    Args:
        num_joints: K, maps per stack.
        stacks: S, hourglasses one after the other, each supervised (Sec. 3.3). The paper's best has 8.
        width: channels C inside the hourglasses; 256 in the paper.
        depth: poolings inside an hourglass; 4 in the paper, from 64x64 down to 4x4.
    """

    stride = 4
    head = ("to_maps.", "from_maps.")

    def __init__(self, num_joints: int, stacks: int = 2, width: int = 256, depth: int = 4) -> None:
        super().__init__()
        if stacks < 1 or depth < 1 or width < 4:
            raise ConfigError(f"stacks={stacks}, width={width}, depth={depth}: at least 1, 4 and 1 are needed")
        self.depth = depth
        self.stem = _stem(width, middle=self._stem_middle(width))
        self.hourglasses = nn.LayerList([Hourglass(width, depth) for _ in range(stacks)])
        self.features = nn.LayerList(
            [
                nn.Sequential(PreActBottleneck(width, width), ConvBNReLU(width, width, 1, bias=True))
                for _ in range(stacks)
            ]
        )
        self.to_maps = nn.LayerList([Conv2D(width, num_joints, 1) for _ in range(stacks)])
        self.from_features = nn.LayerList([Conv2D(width, width, 1) for _ in range(stacks - 1)])
        self.from_maps = nn.LayerList([Conv2D(num_joints, width, 1) for _ in range(stacks - 1)])
        initialise_convolutions(self, uniform_by_fan_in)

    def forward(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """(B, 3, H, W) normalised images -> S times (B, K, H/4, W/4)."""
        check_multiple(images, self.stride * 2**self.depth)
        x = self.stem(images)  # (B, C, H/4, W/4)
        stages = []
        for i, hourglass in enumerate(self.hourglasses):
            features = self.features[i](hourglass(x))  # (B, C, h, w)
            maps = self.to_maps[i](features)  # (B, K, h, w)
            stages.append(maps)
            if i < len(self.from_maps):  # predictions go back into the stream: Sec. 3.3, Fig. 4 right
                x = x + self.from_features[i](features) + self.from_maps[i](maps)
        return stages

    def reference_name(self, key: str) -> Optional[str]:
        """Our name of the layer that a checkpoint of bearpaw's or anibali's calls `key`.

        There `hg.<stack>.hg.<level>.<branch>.0` counts levels from the bottom; an own branch 3 is the bottom.
        """
        level = re.match(r"hg\.(\d+)\.hg\.(\d+)\.([0-3])\.0\.", key)
        if level:
            stack, above_bottom, branch = (int(number) for number in level.groups())
            path = ["hourglasses", str(stack)] + ["inner"] * (self.depth - 1 - above_bottom)
            key = ".".join(path + [BEARPAW_BRANCHES[branch], key[level.end() :]])
        return renamed(key, _BEARPAW_NAMES)

    @staticmethod
    def _stem_middle(width: int) -> int:
        return width


@NETWORKS.register("PrincetonHourglass")
class PrincetonHourglass(StackedHourglass):
    """The paper's network in the form of princeton-vl/pytorch_stacked_hourglass, the stem of the Lua original.

    Arguments and outputs are those of `StackedHourglass`; the second residual module of the stem has half the
    width.
    """

    def reference_name(self, key: str) -> Optional[str]:
        """Our name of the layer that a Princeton checkpoint calls `key`; None where no forward pass uses it.

        Every residual module is created there with a `skip_layer`; only two of the stem need theirs.
        """
        if ".skip_layer." in key and not re.match(r"pre\.[14]\.", key):
            return None
        return renamed(key, _PRINCETON_NAMES)

    @staticmethod
    def _stem_middle(width: int) -> int:
        return width // 2


BEARPAW_BRANCHES = ("skip", "down", "up", "inner")
_BEARPAW_NAMES = (
    (r"^conv1\.", "stem.0.conv."),
    (r"^bn1\.", "stem.0.bn."),
    (r"^layer1\.0\.", "stem.1."),
    (r"^layer2\.0\.", "stem.3."),
    (r"^layer3\.0\.", "stem.4."),
    (r"^res\.(\d+)\.0\.", r"features.\1.0."),
    (r"^fc\.(\d+)\.0\.", r"features.\1.1.conv."),
    (r"^fc\.(\d+)\.1\.", r"features.\1.1.bn."),
    (r"^score\.", "to_maps."),
    (r"^fc_\.", "from_features."),
    (r"^score_\.", "from_maps."),
    (r"\.downsample\.0\.", ".shortcut."),
)
_PRINCETON_NAMES = (
    (r"^pre\.", "stem."),
    (r"^hgs\.(\d+)\.0\.", r"hourglasses.\1."),
    (r"^outs\.(\d+)\.conv\.", r"to_maps.\1."),
    (r"^merge_features\.(\d+)\.conv\.conv\.", r"from_features.\1."),
    (r"^merge_preds\.(\d+)\.conv\.conv\.", r"from_maps.\1."),
    (r"\.up1\.", ".skip."),
    (r"\.low1\.", ".down."),
    (r"\.low2(?=\.)", ".inner"),
    (r"\.low3\.", ".up."),
    (r"\.(conv[123])\.conv\.", r".\1."),
    (r"\.skip_layer\.conv\.", ".shortcut."),
)


def _stem(width: int, middle: int) -> nn.Sequential:
    """Crop to quarter resolution: 7x7 stride 2, residual module, pooling (Sec. 3.2), two residual modules."""
    return nn.Sequential(
        ConvBNReLU(3, width // 4, 7, stride=2, bias=True),  # (B, C/4, H/2, W/2)
        PreActBottleneck(width // 4, width // 2),  # (B, C/2, H/2, W/2)
        nn.MaxPool2D(2, 2),  # (B, C/2, H/4, W/4)
        PreActBottleneck(width // 2, middle),
        PreActBottleneck(middle, width),  # (B, C, H/4, W/4)
    )
