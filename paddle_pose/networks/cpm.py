"""Convolutional Pose Machines: belief maps that every stage predicts anew from the photo and the maps before it.

Wei, Ramakrishna, Kanade, Sheikh. Convolutional Pose Machines. CVPR 2016, Sec. 3 and Fig. 2.
Reference code: shihenw/convolutional-pose-machines-release, `model/_trained_MPI/pose_deploy_centerMap.prototxt`
and `training/genProto.py`. mmpose's form of the network is in cpm_mmpose.py.

Letters: B batch, S stages, K joints, C maps (K, or K + 1 with the background last), H W crop, h w map (1/8).

Stages >= 2 share features of the photo, which are not stage 1's: same layers, other weights.

Differs from the paper, the last two as the released network
    - Any width, kernels, stages, dropout, spread of the initial weights, and batch normalisation for narrow networks;
      the defaults are the paper's.
    - The centre may be given for each crop; crops of this suite have their person in the middle.
    - Max pooling is 3x3 of stride 2, without padding, the last window cut at the border (Caffe). Fig. 2 says 2x, and
      its receptive fields of 160 and 400 pixels are those of 2x2 windows; with 3x3 they are 167 and 407.
    - The Gaussian of the centre map is not cut below 1 %. Caffe's training layer cuts it, its test code does not.

Not built: the release's second network, on VGG-19's first layers with five 7x7 convolutions in a stage.
"""

from collections.abc import Sequence
from typing import Optional

import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

from paddle_pose.errors import ConfigError
from paddle_pose.networks.blocks import POSE_MACHINE_STD, Conv2D, check_multiple, draw_pose_machine, same_conv
from paddle_pose.networks.centre_map import STRIDE, draw_centre_map
from paddle_pose.registry import NETWORKS

TRUNK_KERNEL, POOL_KERNEL, REFINING_KERNEL = 9, 3, 11
IMAGE_CHANNELS = 32  # of the photo's features that a stage keeps
STAGE_1_KERNELS = (5, 9, 1, 1)  # after three times (9x9, pooling)


class ImageFeatures(nn.Layer):
    """Three times a 9x9 convolution and max pooling: the crop at an eighth of its size."""

    def __init__(self, width: int, kernel: int, batch_norm: bool) -> None:
        super().__init__()
        self.convs = nn.LayerList([same_conv(channels, width, kernel, batch_norm) for channels in (3, width, width)])
        self.pool = nn.MaxPool2D(POOL_KERNEL, 2, ceil_mode=True)

    def forward(self, images: paddle.Tensor) -> paddle.Tensor:
        """(B, 3, H, W) -> (B, width, H/8, W/8), not negative."""
        x = images
        for conv in self.convs:
            x = self.pool(F.relu(conv(x)))
        return x


class FirstStage(nn.Layer):
    """Stage 1: maps from the photo alone; the only one with dropout."""

    def __init__(self, width: int, kernel: int, maps: int, dropout: float, batch_norm: bool) -> None:
        super().__init__()
        self.features = ImageFeatures(width, kernel, batch_norm)
        self.conv4 = same_conv(width, IMAGE_CHANNELS, STAGE_1_KERNELS[0], batch_norm)
        self.conv5 = same_conv(IMAGE_CHANNELS, 4 * width, STAGE_1_KERNELS[1], batch_norm)
        self.conv6 = same_conv(4 * width, 4 * width, 1, batch_norm)
        self.conv7 = Conv2D(4 * width, maps, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, images: paddle.Tensor) -> paddle.Tensor:
        """(B, 3, H, W) -> (B, C, h, w)."""
        x = F.relu(self.conv4(self.features(images)))
        x = self.dropout(F.relu(self.conv5(x)))
        x = self.dropout(F.relu(self.conv6(x)))
        return self.conv7(x)


class RefiningStage(nn.Layer):
    """Stage 2 or later: maps from a few features of the photo, the maps before and the centre map."""

    def __init__(self, width: int, kernel: int, maps: int, has_centre: bool, batch_norm: bool) -> None:
        super().__init__()
        self.from_image = same_conv(width, IMAGE_CHANNELS, STAGE_1_KERNELS[0], batch_norm)
        widths = (IMAGE_CHANNELS + maps + has_centre, width, width, width)
        convs = [
            same_conv(channels, width, size, batch_norm) for channels, size in zip(widths, (kernel, kernel, kernel, 1))
        ]
        self.convs = nn.LayerList([*convs, Conv2D(width, maps, 1)])

    def forward(
        self, features: paddle.Tensor, previous: paddle.Tensor, centre: Optional[paddle.Tensor]
    ) -> paddle.Tensor:
        """(B, width, h, w), (B, C, h, w), (B, 1, h, w) or None -> (B, C, h, w)."""
        inputs = [F.relu(self.from_image(features)), previous] + ([] if centre is None else [centre])
        x = paddle.concat(inputs, axis=1)
        for conv in self.convs[:-1]:
            x = F.relu(conv(x))
        return self.convs[-1](x)


@NETWORKS.register("CPM")
class CPM(nn.Layer):
    """Convolutional Pose Machine of the paper.

    Args:
        num_joints: K.
        stages: S, each with maps of its own and each supervised.
        background: one more map, the last, for where no joint is.
        centre_map: tell stages >= 2 where the person is that they are to find.
        trunk_kernel: side of the three convolutions that see the photo.
        refining_kernel: side of the three large convolutions of each stage >= 2.
        width: channels of the trunks and of later stages; a quarter of stage 1's last channels.
        dropout: chance of each number between stage 1's last convolutions.
        initial_std: spread of the normal draw of all weights, as released; none: sqrt(2 / fan-in) (He et al.,
            ICCV 2015), which narrower networks need, but as released for the convolutions that end in maps.
        batch_norm: normalise after each convolution but those that end in maps, as mmpose's form does; the released
            network has none. Narrow networks learn several times faster with it.
    """

    stride = STRIDE

    def __init__(
        self,
        num_joints: int,
        stages: int = 6,
        background: bool = True,
        centre_map: bool = True,
        width: int = 128,
        trunk_kernel: int = TRUNK_KERNEL,
        refining_kernel: int = REFINING_KERNEL,
        dropout: float = 0.5,
        initial_std: Optional[float] = POSE_MACHINE_STD,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        if stages < 1:
            raise ConfigError(f"stages={stages}: at least 1 is needed")
        if width < 1 or trunk_kernel % 2 == 0 or refining_kernel % 2 == 0:
            raise ConfigError(f"width={width} must be positive, kernels {trunk_kernel} and {refining_kernel} odd")
        maps = num_joints + background
        self.centre_map = centre_map
        self.stage1 = FirstStage(width, trunk_kernel, maps, dropout, batch_norm)
        self.features = ImageFeatures(width, trunk_kernel, batch_norm) if stages > 1 else None
        refining = [RefiningStage(width, refining_kernel, maps, centre_map, batch_norm) for _ in range(stages - 1)]
        self.stages = nn.LayerList(refining)
        later = [f"stages.{i}.convs.{conv}." for i in range(stages - 1) for conv in (0, 4)]
        self.head = ("stage1.conv7.", *later)
        draw_pose_machine(self, {self.stage1.conv7} | {stage.convs[-1] for stage in self.stages}, initial_std)

    def forward(self, images: paddle.Tensor, center_crop_xy: Optional[paddle.Tensor] = None) -> list[paddle.Tensor]:
        """Belief maps of all stages.

        Args:
            images: (B, 3, H, W), normalised.
            center_crop_xy: (B, 2) where the person is, x and y in crop pixels; none: (W/2, H/2), where
                `geometry.crop_matrix` puts it.

        Returns:
            S times (B, C, H/8, W/8).
        """
        check_multiple(images, STRIDE)
        maps = [self.stage1(images)]
        if self.features is None:
            return maps
        features = self.features(images)  # (B, width, h, w)
        centre = draw_centre_map(features, center_crop_xy) if self.centre_map else None
        for stage in self.stages:
            maps.append(stage(features, maps[-1], centre))
        return maps

    def reference_name(self, key: str) -> Optional[str]:
        """Our name of `key`, a layer of the released Caffe network with `.weight` or `.bias` behind it.

        The image channels of Caffe's first convolutions are BGR, and its channels of joints are in the order of
        CPM's own list.
        """
        layer, _, entry = key.rpartition(".")
        return f"{caffe_layers(len(self.stages) + 1).get(layer, layer)}.{entry}"


def caffe_layers(stages: int) -> dict[str, str]:
    """Name in the released network -> ours, for every layer with weights."""
    names = {f"conv{i + 1}_stage1": f"stage1.features.convs.{i}" for i in range(3)}
    names |= {f"conv{i}_stage1": f"stage1.conv{i}" for i in (4, 5, 6, 7)}
    if stages > 1:
        names |= {f"conv{i + 1}_stage2": f"features.convs.{i}" for i in range(3)}
    for stage in range(2, stages + 1):
        ours = f"stages.{stage - 2}"
        names[f"conv{4 if stage == 2 else 1}_stage{stage}"] = f"{ours}.from_image"
        names |= {f"Mconv{i + 1}_stage{stage}": f"{ours}.convs.{i}" for i in range(5)}
    return names


def receptive_field(
    stage: int,
    trunk_kernel: int = TRUNK_KERNEL,
    pool_kernel: int = POOL_KERNEL,
    refining_kernel: int = REFINING_KERNEL,
) -> int:
    """Pixels on a side that a cell of a stage, from 1, depends on; `pool_kernel` 2 gives the paper's figures."""
    layers = [(trunk_kernel, 1), (pool_kernel, 2)] * 3 + [(kernel, 1) for kernel in STAGE_1_KERNELS]
    layers += [(refining_kernel, 1)] * 3 * (stage - 1)
    return field_of_layers(layers)


def field_of_layers(layers: Sequence[tuple[int, int]]) -> int:
    """Receptive field of a chain of (kernel, stride)."""
    field, pixels_per_cell = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * pixels_per_cell
        pixels_per_cell *= stride
    return field
