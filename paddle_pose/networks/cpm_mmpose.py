"""mmpose's Convolutional Pose Machine: batch normalisation, no centre map, no background.

Wei, Ramakrishna, Kanade, Sheikh. Convolutional Pose Machines. CVPR 2016, for the idea.
Reference code: open-mmlab/mmpose, backbone CPM as in `td-hm_cpm_8xb64-210e_mpii-368x368`, whose head adds nothing.

Letters: B batch, S stages, K joints, H W crop, h w map (1/8).

Differs from the paper; the paper's network is in cpm.py
    - Batch normalisation after every convolution but those that end in maps; no other biases.
    - No centre map: all stages look for the person whose crop it is. No map of the background. No dropout.
    - The maps before stand in front of the photo's features where both are put together.
    - Max pooling is padded by one cell, so its windows lie one pixel further to the left and top than Caffe's.
"""

from typing import Optional

import paddle
from paddle import nn

from paddle_pose.errors import ConfigError
from paddle_pose.networks.blocks import Conv2D, ConvBNReLU, check_multiple, initialise_convolutions
from paddle_pose.networks.name_map import renamed
from paddle_pose.registry import NETWORKS

WIDTH, IMAGE_CHANNELS, WIDE = 128, 32, 512
TRUNK_KERNEL, REFINING_KERNEL = 9, 11


class RefiningStage(nn.Layer):
    """Stage 2 or later: maps from a few features of the photo and the maps before."""

    def __init__(self, num_joints: int) -> None:
        super().__init__()
        self.from_image = ConvBNReLU(WIDTH, IMAGE_CHANNELS, 5)
        widths = (num_joints + IMAGE_CHANNELS, WIDTH, WIDTH)
        convs = [ConvBNReLU(channels, WIDTH, REFINING_KERNEL) for channels in widths]
        self.convs = nn.Sequential(*convs, ConvBNReLU(WIDTH, WIDTH, 1))
        self.to_maps = Conv2D(WIDTH, num_joints, 1)

    def forward(self, features: paddle.Tensor, previous: paddle.Tensor) -> paddle.Tensor:
        """(B, 128, h, w), (B, K, h, w) -> (B, K, h, w)."""
        x = paddle.concat([previous, self.from_image(features)], axis=1)
        return self.to_maps(self.convs(x))


@NETWORKS.register("MMPoseCPM")
class MMPoseCPM(nn.Layer):
    """Convolutional Pose Machine of mmpose.

    Args:
        num_joints: K, maps per stage.
        stages: S, each with maps of its own and each supervised.
    """

    stride = 8

    def __init__(self, num_joints: int, stages: int = 6) -> None:
        super().__init__()
        if stages < 1:
            raise ConfigError(f"stages={stages}: at least 1 is needed")
        self.stage1 = nn.Sequential(
            *_image_features(),
            ConvBNReLU(WIDTH, IMAGE_CHANNELS, 5),
            ConvBNReLU(IMAGE_CHANNELS, WIDE, TRUNK_KERNEL),
            ConvBNReLU(WIDE, WIDE, 1),
            Conv2D(WIDE, num_joints, 1),
        )
        self.features = nn.Sequential(*_image_features()) if stages > 1 else None
        later = [f"stages.{i}.{layer}." for i in range(stages - 1) for layer in ("convs.0", "to_maps")]
        self.head = ("stage1.9.", *later)
        self.stages = nn.LayerList([RefiningStage(num_joints) for _ in range(stages - 1)])
        initialise_convolutions(self, lambda shape: nn.initializer.Normal(0.0, 0.001))

    def forward(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """(B, 3, H, W) normalised images -> S times (B, K, H/8, W/8)."""
        check_multiple(images, self.stride)
        maps = [self.stage1(images)]
        if self.features is not None:
            features = self.features(images)  # (B, 128, h, w)
            for stage in self.stages:
                maps.append(stage(features, maps[-1]))
        return maps

    def reference_name(self, key: str) -> Optional[str]:
        """Our name of the layer that an mmpose checkpoint (0.x or 1.x) calls `key`.

        With one stage mmpose creates the shared features too, where nothing uses what they say.
        """
        if key.startswith("backbone.middle.") and self.features is None:
            return None
        return renamed(key, _MMPOSE_NAMES)


_MMPOSE_NAMES = (
    (r"^backbone\.stem\.9\.conv\.", "stage1.9."),
    (r"^backbone\.stem\.", "stage1."),
    (r"^backbone\.middle\.", "features."),
    (r"^backbone\.cpm_stages\.(\d+)\.model\.", r"stages.\1.convs."),
    (r"^backbone\.middle_conv\.(\d+)\.0\.", r"stages.\1.from_image."),
    (r"^backbone\.out_convs\.(\d+)\.0\.", r"stages.\1.convs.3."),
    (r"^backbone\.out_convs\.(\d+)\.1\.conv\.", r"stages.\1.to_maps."),
)


def _image_features() -> list[nn.Layer]:
    """Three times a 9x9 convolution and max pooling: the crop at an eighth of its size."""
    layers = []
    for channels in (3, WIDTH, WIDTH):
        layers += [ConvBNReLU(channels, WIDTH, TRUNK_KERNEL), nn.MaxPool2D(3, 2, padding=1)]
    return layers
