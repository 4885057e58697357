"""PyTorch twins of our networks: what several of them share.

Written from the papers, of PyTorch's own layers only. Layers carry the names that they have in our networks, so that
weights can be handed over by name (weights.py); arithmetic is PyTorch's, in the order of the papers' figures.
"""

import torch
from torch import nn


class ConvBN(nn.Module):
    """A convolution that keeps the map's size over its stride, batch normalisation, and a ReLU if asked."""

    def __init__(self, in_channels, out_channels, kernel, stride=1, bias=False, relu=False):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=bias)
        self.bn = nn.BatchNorm2d(out_channels)
        self.relu = relu

    def forward(self, x):
        x = self.bn(self.conv(x))
        return torch.relu(x) if self.relu else x


def conv_bn_relu(*arguments, **options):
    return ConvBN(*arguments, relu=True, **options)


class BasicBlock(nn.Module):
    """He et al., CVPR 2016, Fig. 5 left, of one width."""

    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x):
        return torch.relu(x + self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))))


class Bottleneck(nn.Module):
    """He et al., CVPR 2016, Fig. 5 right, without stride."""

    def __init__(self, in_channels, middle, out_channels):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        if in_channels != out_channels:
            self.shortcut = ConvBN(in_channels, out_channels, 1)

    def forward(self, x):
        residual = torch.relu(self.bn1(self.conv1(x)))
        residual = self.bn3(self.conv3(torch.relu(self.bn2(self.conv2(residual)))))
        return torch.relu(residual + (self.shortcut(x) if hasattr(self, "shortcut") else x))


class PreActBottleneck(nn.Module):
    """He et al., ECCV 2016, Fig. 1b, as a bottleneck whose convolutions have biases."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        middle = out_channels // 2
        self.bn1, self.conv1 = nn.BatchNorm2d(in_channels), nn.Conv2d(in_channels, middle, 1)
        self.bn2, self.conv2 = nn.BatchNorm2d(middle), nn.Conv2d(middle, middle, 3, padding=1)
        self.bn3, self.conv3 = nn.BatchNorm2d(middle), nn.Conv2d(middle, out_channels, 1)
        if in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x):
        residual = self.conv1(self.bn1(x).relu())
        residual = self.conv2(self.bn2(residual).relu())
        residual = self.conv3(self.bn3(residual).relu())
        return residual + (self.shortcut(x) if hasattr(self, "shortcut") else x)
