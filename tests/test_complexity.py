"""Counts of the published sizes, to the digits that were measured with the public PyTorch implementations."""

import paddle
import pytest
from paddle import nn
from quick_weights import quick_weights

from paddle_pose.builder import build
from paddle_pose.complexity import complexity
from paddle_pose.config import load_config

# configuration, changes, {(width, height): GMACs}, millions of parameters. Measured in PyTorch by a counter of
# convolutions and fully connected layers; of Hourglass-52 and princeton's the parameters that are used (they create
# more). The ResNets are those of 17 joints at 192x256: mmpose prints 4.04, 7.69 and 11.34 for them, with two operations
# for each value that batch norm gives and one for each that ReLU gives or pooling takes (see test below).
MEASURED = [
    ("hourglass/hourglass52_mpii_256x256", {}, {(256, 256): "28.62", (384, 384): "64.39"}, "93.667"),
    ("hourglass/princeton_hg8_mpii_256x256", {}, {(256, 256): "27.44"}, "25.434"),
    ("hourglass/princeton_hg8_mpii_256x256", {"stacks": 2}, {(256, 256): "8.335"}, None),
    ("hourglass/hg8_mpii_256x256", {}, {(256, 256): "28.09"}, "25.595"),
    ("hourglass/hg2_mpii_256x256", {}, {(256, 256): "8.99"}, "6.73"),
    ("hourglass/hg2_mpii_256x256", {"stacks": 1}, {(256, 256): "5.80"}, "3.59"),
    ("hrnet/w32_coco_192x256", {}, {(192, 256): "7.645", (288, 384): "17.201"}, "28.536113"),
    ("hrnet/w32_mpii_256x256", {}, {(256, 256): "10.193"}, "28.536080"),
    ("hrnet/w48_coco_192x256", {}, {(192, 256): "15.692", (288, 384): "35.307", (256, 256): "20.922"}, "63.595745"),
    ("cpm/mmpose_cpm_mpii_368x368", {}, {(368, 368): "175.44"}, "31.226"),
    ("cpm/cpm_lsp_368x368", {}, {}, "31.220"),
    ("openpose/vgg19_coco_368x368_source", {}, {(368, 368): "135.9"}, "52.311"),
    ("deeppose/strided_lspet_220x220", {}, {(220, 220): "0.402"}, "56.49"),
    ("deeppose/res50_coco_192x256", {}, {(192, 256): "4.004"}, "23.58"),
    ("deeppose/res50_coco_192x256", {"depth": 101}, {(192, 256): "7.640"}, "42.57"),
    ("deeppose/res50_coco_192x256", {"depth": 152}, {(192, 256): "11.277"}, "58.21"),
]


def rounded(number: float, like: str) -> str:
    return f"{number:.{len(like.partition('.')[2])}f}"


@pytest.mark.parametrize(("name", "network", "gmacs", "parameters"), MEASURED, ids=lambda v: str(v).split("/")[-1])
def test_published_sizes_cost_what_was_measured(name, network, gmacs, parameters):
    config = load_config(f"configs/{name}.yaml", (), {"network": network})
    with quick_weights():
        built = build(config).network
    for input_wh, expected in gmacs.items():
        assert rounded(complexity(built, input_wh).macs / 1e9, expected) == expected
    if parameters:
        assert rounded(complexity(built, config.input_wh).parameters / 1e6, parameters) == parameters


def test_what_mmpose_prints_is_these_macs_and_the_operations_of_small_layers():
    """2 for each value of batch norm, 1 for each of ReLU, 1 for each value that pooling takes: 4.04 of ResNet-50."""
    with quick_weights():
        network = build(load_config("configs/deeppose/res50_coco_192x256.yaml")).network
    small = {"batch norm": 0, "relu": 0}

    def count(layer, _, output):
        small["batch norm"] += output.size

    for layer in network.sublayers():
        if isinstance(layer, nn.BatchNorm2D):
            layer.register_forward_post_hook(count)
    macs = complexity(network, (192, 256)).macs
    pooled = 64 * 96 * 128  # after the stem, where a ReLU has passed the same number of values
    # Batch norms without a ReLU of their own: the last of each block and of each shortcut; the sum has one instead.
    shortcuts = sum(c * h * w for c, h, w in ((256, 64, 48), (512, 32, 24), (1024, 16, 12), (2048, 8, 6)))
    small["relu"] = small["batch norm"] - shortcuts
    assert f"{(macs + 2 * small['batch norm'] + small['relu'] + pooled) / 1e9:.2f}" == "4.04"
    assert f"{macs / 1e9:.2f}" == "4.00"


class Small(nn.Layer):
    """One of each kind, a layer that is called twice, and one that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.strided = nn.Conv2D(3, 4, 3, stride=2, padding=1)  # 3*4*9 at 8x6 cells = 5184
        self.grouped = nn.Conv2D(4, 4, (1, 3), groups=2, padding=(0, 1))  # 2*4*3 at 8x6 = 1152, twice: 2304
        self.bn = nn.BatchNorm2D(4)
        self.up = nn.Conv2DTranspose(4, 2, 4, stride=2, padding=1)  # 4*2*16 from 8x6 cells = 6144
        self.fc = nn.Linear(12, 5)  # for each of 2*16 rows: 60*32 = 1920
        self.never = nn.Conv2D(3, 3, 3)

    def forward(self, x):
        x = self.bn(self.grouped(self.grouped(self.strided(x))))
        return [self.fc(self.up(x))]


def test_each_kind_of_layer_by_hand():
    network = Small()
    cost = complexity(network, (12, 16))
    assert cost.macs == 5184 + 2304 + 6144 + 1920
    assert cost.parameters == (108 + 4) + (24 + 4) + (4 + 4) + (128 + 2) + (60 + 5) + (81 + 3)


def test_counting_leaves_the_network_as_it_was():
    network = Small()
    network.train()
    images = paddle.rand([2, 3, 16, 12])
    statistics = network.bn._mean.numpy().copy()
    network.eval()
    before = network(images)[0].numpy()
    network.train()
    complexity(network, (12, 16))
    assert network.training
    assert network.bn.training
    assert (network.bn._mean.numpy() == statistics).all()
    network.eval()
    assert (network(images)[0].numpy() == before).all()


def test_a_size_that_the_network_refuses_leaves_it_whole():
    network = build(load_config("configs/hourglass/hg1_small_synthetic_96x96.yaml")).network
    with pytest.raises(Exception, match="multiples of"):
        complexity(network, (70, 70))
    assert network([paddle.zeros([1, 3, 96, 96])][0])[0].shape[2:] == [24, 24]
