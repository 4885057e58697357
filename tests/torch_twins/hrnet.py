"""PyTorch twin of `HRNet`: Sun, Xiao, Liu, Wang, CVPR 2019, Sec. 3.

An exchange unit brings each map to each resolution by itself and adds up, as Fig. 3 shows it. Ours doubles sums on
their way up: the same numbers in another order of additions.
"""

from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch_twins.blocks import BasicBlock, Bottleneck, ConvBN, conv_bn_relu


class Exchange(nn.Module):
    """`outputs` maps, each the sum of all inputs at its resolution."""

    def __init__(self, widths, outputs):
        super().__init__()
        rows = [[_path(widths, start, end) for start in range(len(widths))] for end in range(outputs)]
        self.paths = nn.ModuleList(nn.ModuleList(row) for row in rows)

    def forward(self, maps):
        rows = enumerate(self.paths)
        return [sum(_brought(path(x), maps[end]) for path, x in zip(row, maps)).relu() for end, row in rows]


class Module(nn.Module):
    """Residual units on every resolution, then an exchange unit."""

    def __init__(self, widths, blocks, outputs):
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(*(BasicBlock(width) for _ in range(blocks))) for width in widths)
        self.exchange = Exchange(widths, outputs)

    def forward(self, maps):
        return self.exchange([branch(x) for branch, x in zip(self.branches, maps)])


class HRNet(nn.Module):
    """(B, 3, H, W) -> one (B, K, H/4, W/4); arguments as ours."""

    def __init__(self, num_joints, width, modules, blocks, bottlenecks, bottleneck_width):
        super().__init__()
        widths, wide = [width * 2**i for i in range(len(modules) + 1)], 4 * bottleneck_width
        self.stem = nn.Sequential(conv_bn_relu(3, 64, 3, stride=2), conv_bn_relu(64, 64, 3, stride=2))
        self.stage1 = nn.Sequential(
            *(Bottleneck(wide if i else 64, bottleneck_width, wide) for i in range(bottlenecks))
        )
        self.narrow = conv_bn_relu(wide, width, 3)
        lowest = [wide, *widths[1:]]
        self.new_branches = nn.ModuleList(conv_bn_relu(a, b, 3, stride=2) for a, b in zip(lowest, widths[1:]))
        self.stages = nn.ModuleList()
        for stage, count in enumerate(modules):
            here = widths[: stage + 2]
            outputs = [len(here)] * count
            if stage == len(modules) - 1:
                outputs[-1] = 1  # only the highest resolution is used
            self.stages.append(nn.Sequential(*(Module(here, blocks, n) for n in outputs)))
        self.to_maps = nn.Conv2d(width, num_joints, 1)

    def forward(self, images):
        x = self.stage1(self.stem(images))
        maps = [self.narrow(x), self.new_branches[0](x)]
        for index, stage in enumerate(self.stages):
            if index:
                maps = [*maps, self.new_branches[index](maps[-1])]
            maps = stage(maps)
        return [self.to_maps(maps[0])]


def _path(widths, start, end):
    if start == end:
        return nn.Identity()
    if start > end:
        return ConvBN(widths[start], widths[end], 1)
    halvings = [conv_bn_relu(widths[start], widths[start], 3, stride=2) for _ in range(end - start - 1)]
    return nn.Sequential(*halvings, ConvBN(widths[start], widths[end], 3, stride=2))


def _brought(x, like):
    """`x` at the resolution of `like`."""
    return x if x.shape[2:] == like.shape[2:] else F.interpolate(x, size=like.shape[2:], mode="nearest")
