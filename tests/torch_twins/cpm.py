"""PyTorch twin of `CPM`: Wei, Ramakrishna, Kanade, Sheikh, CVPR 2016, Sec. 3 and Fig. 2, with batch normalisation.

The centre map is drawn as the released network has it: a Gaussian over the whole crop, then averaged over 9x9 pixels.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch_twins.blocks import ConvBN

STRIDE, CENTRE_SIGMA, CENTRE_KERNEL = 8, 21.0, 9
IMAGE_CHANNELS = 32


class ImageFeatures(nn.Module):
    def __init__(self, width, kernel):
        super().__init__()
        self.convs = nn.ModuleList(ConvBN(channels, width, kernel) for channels in (3, width, width))

    def forward(self, x):
        for conv in self.convs:
            x = F.max_pool2d(conv(x).relu(), 3, 2, ceil_mode=True)
        return x


class FirstStage(nn.Module):
    def __init__(self, width, kernel, maps):
        super().__init__()
        self.features = ImageFeatures(width, kernel)
        self.conv4 = ConvBN(width, IMAGE_CHANNELS, 5)
        self.conv5 = ConvBN(IMAGE_CHANNELS, 4 * width, 9)
        self.conv6 = ConvBN(4 * width, 4 * width, 1)
        self.conv7 = nn.Conv2d(4 * width, maps, 1)

    def forward(self, images):
        x = self.features(images)
        for conv in (self.conv4, self.conv5, self.conv6):
            x = conv(x).relu()
        return self.conv7(x)


class LaterStage(nn.Module):
    def __init__(self, width, kernel, maps):
        super().__init__()
        self.from_image = ConvBN(width, IMAGE_CHANNELS, 5)
        inputs = IMAGE_CHANNELS + maps + 1
        kernels = (kernel, kernel, kernel, 1)
        convs = [ConvBN(width if i else inputs, width, size) for i, size in enumerate(kernels)]
        self.convs = nn.ModuleList([*convs, nn.Conv2d(width, maps, 1)])

    def forward(self, features, previous, centre):
        x = torch.cat([self.from_image(features).relu(), previous, centre], 1)
        for conv in self.convs[:-1]:
            x = conv(x).relu()
        return self.convs[-1](x)


class CPM(nn.Module):
    """(B, 3, H, W) -> a list of (B, K + 1, H/8, W/8), one of each stage; arguments as ours, no dropout."""

    def __init__(self, num_joints, stages, width, trunk_kernel, refining_kernel):
        super().__init__()
        maps = num_joints + 1
        self.stage1 = FirstStage(width, trunk_kernel, maps)
        self.features = ImageFeatures(width, trunk_kernel)
        self.stages = nn.ModuleList(LaterStage(width, refining_kernel, maps) for _ in range(stages - 1))

    def forward(self, images):
        maps = [self.stage1(images)]
        features, centre = self.features(images), centre_map(images)
        for stage in self.stages:
            maps.append(stage(features, maps[-1], centre))
        return maps


def centre_map(images):
    """(B, 1, H/8, W/8): where the person is, in the middle of the crop."""
    height, width = images.shape[2:]
    down = torch.arange(height, dtype=torch.float64)[:, None] - height / 2
    across = torch.arange(width, dtype=torch.float64) - width / 2
    gaussian = torch.exp(-(down**2 + across**2) / (2 * CENTRE_SIGMA**2))[None, None]
    cells = F.avg_pool2d(gaussian, CENTRE_KERNEL, STRIDE, ceil_mode=True, count_include_pad=False)
    return cells.to(images.dtype).expand(len(images), -1, -1, -1)
