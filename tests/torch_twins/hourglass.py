"""PyTorch twin of `StackedHourglass`: Newell, Yang, Deng, ECCV 2016, Sec. 3."""

from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch_twins.blocks import PreActBottleneck, conv_bn_relu


class Hourglass(nn.Module):
    """Sec. 3.1: down, a smaller hourglass, up, and a skip branch at the full resolution."""

    def __init__(self, width, depth):
        super().__init__()
        self.skip = PreActBottleneck(width, width)
        self.down = PreActBottleneck(width, width)
        self.inner = Hourglass(width, depth - 1) if depth > 1 else PreActBottleneck(width, width)
        self.up = PreActBottleneck(width, width)

    def forward(self, x):
        low = self.up(self.inner(self.down(F.max_pool2d(x, 2))))
        return F.interpolate(low, scale_factor=2, mode="nearest") + self.skip(x)


class StackedHourglass(nn.Module):
    """(B, 3, H, W) -> a list of (B, K, H/4, W/4), one of each stack; arguments as ours."""

    def __init__(self, num_joints, stacks, width, depth):
        super().__init__()
        self.stem = nn.Sequential(
            conv_bn_relu(3, width // 4, 7, stride=2, bias=True),
            PreActBottleneck(width // 4, width // 2),
            nn.MaxPool2d(2),
            PreActBottleneck(width // 2, width),
            PreActBottleneck(width, width),
        )
        self.hourglasses = nn.ModuleList(Hourglass(width, depth) for _ in range(stacks))
        self.features = nn.ModuleList(
            nn.Sequential(PreActBottleneck(width, width), conv_bn_relu(width, width, 1, bias=True))
            for _ in range(stacks)
        )
        self.to_maps = nn.ModuleList(nn.Conv2d(width, num_joints, 1) for _ in range(stacks))
        self.from_features = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(stacks - 1))
        self.from_maps = nn.ModuleList(nn.Conv2d(num_joints, width, 1) for _ in range(stacks - 1))

    def forward(self, images):
        x, stages = self.stem(images), []
        for stack, hourglass in enumerate(self.hourglasses):
            features = self.features[stack](hourglass(x))
            stages.append(self.to_maps[stack](features))
            if stack < len(self.from_maps):  # Sec. 3.3: predictions go back into the stream
                x = x + self.from_features[stack](features) + self.from_maps[stack](stages[-1])
        return stages
