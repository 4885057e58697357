"""PyTorch twin of `ResNetRegression` of depth 18 or 34: mmpose's DeepPose on the trunk of He et al., CVPR 2016.

Layers have torchvision's and mmpose's names (`backbone.layer1.0.conv1`, `head.fc`), so that handing weights over
tries our name map of published checkpoints.
"""

import torch
from torch import nn

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


class Block(nn.Module):
    """Table 1 and Fig. 5 left, with a projection where the shape changes (option B)."""

    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = nn.Identity()
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x):
        residual = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(residual)) + self.downsample(x))


class ResNet(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = 64
        for group, count in enumerate(BLOCKS[depth]):
            blocks = []
            for block in range(count):
                blocks.append(Block(channels, 64 * 2**group, 2 if group and not block else 1))
                channels = 64 * 2**group
            setattr(self, f"layer{group + 1}", nn.Sequential(*blocks))

    def forward(self, images):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(images))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class ResNetRegression(nn.Module):
    """(B, 3, H, W) -> one (B, K, 2); arguments as ours."""

    def __init__(self, num_joints, depth):
        super().__init__()
        self.backbone = ResNet(depth)
        self.head = nn.ModuleDict({"fc": nn.Linear(512, 2 * num_joints)})

    def forward(self, images):
        features = nn.functional.adaptive_avg_pool2d(self.backbone(images), 1).flatten(1)
        return [self.head["fc"](features).unflatten(1, (-1, 2))]
