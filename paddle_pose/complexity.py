"""Parameters and multiply-accumulates of a network: what papers print as "#Params" and "GFLOPs".

A multiply-accumulate (MAC) is one product and its addition; some authors call it a FLOP, some count it as two. Counted
are those of convolutions and fully connected layers, as in the published tables; biases, batch normalisation,
activations, pooling, up-sampling (also where it is computed as a matrix product) and sums of maps are not.
"""

from dataclasses import dataclass
from typing import Callable

import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

RULE = (
    "GMACs = multiply-accumulates of convolutions and fully connected layers / 1e9, batch 1, at the config's input_wh; "
    "GiMACs = the same / 2^30"
)


@dataclass(frozen=True)
class Complexity:
    """What one forward pass of one picture costs.

    Args:
        parameters: trained numbers; the statistics of batch normalisation are none.
        macs: multiply-accumulates.
    """

    parameters: int
    macs: int


def complexity(network: nn.Layer, input_wh: tuple[int, int]) -> Complexity:
    """Counts by one forward pass in eval mode, in which a layer that is called twice counts twice.

    Convolutions are not carried out: what each gives is of the right shape and its values mean nothing, which is
    what makes the largest network a matter of a second. The network is unchanged afterwards.

    Args:
        network: (B, 3, H, W) -> list of stages.
        input_wh: width and height of the input in pixels.

    Raises:
        ConfigError: the network does not take this size.
    """
    trained = [parameter for parameter in network.parameters() if not parameter.stop_gradient]
    return Complexity(sum(int(np.prod(p.shape)) for p in trained), _count_macs(network, input_wh))


@paddle.no_grad()
def _count_macs(network: nn.Layer, input_wh: tuple[int, int]) -> int:
    counts: list[int] = []
    counted = [layer for layer in network.sublayers(include_self=True) if isinstance(layer, tuple(_COUNTED))]
    was_training = network.training
    network.eval()
    try:
        for layer in counted:
            kind = next(kind for kind in _COUNTED if isinstance(layer, kind))
            layer.forward = _counting(_COUNTED[kind], layer, counts)
        network(paddle.zeros([1, 3, input_wh[1], input_wh[0]]))
    finally:
        for layer in counted:
            del layer.forward  # the class's own again
        network.train() if was_training else network.eval()
    return sum(counts)


def _counting(forward: Callable, layer: nn.Layer, counts: list[int]) -> Callable:
    def run(x: paddle.Tensor) -> paddle.Tensor:
        output, positions = forward(layer, x)
        counts.append(positions * int(np.prod(layer.weight.shape)))
        return output

    return run


def _convolution(layer: nn.Conv2D, x: paddle.Tensor) -> tuple[paddle.Tensor, int]:
    """Maps of the right shape, and their cells: each applies the whole kernel once."""
    one = F.conv2d(x[:, :1], layer.weight[:1, :1], None, layer._stride, layer._updated_padding, layer._dilation)
    h, w = one.shape[2:]
    return one.expand([-1, layer._out_channels, -1, -1]), h * w


def _deconvolution(layer: nn.Conv2DTranspose, x: paddle.Tensor) -> tuple[paddle.Tensor, int]:
    """The maps, and the cells of the input: each spreads the whole kernel once."""
    return type(layer).forward(layer, x), x.shape[2] * x.shape[3]


def _fully_connected(layer: nn.Linear, x: paddle.Tensor) -> tuple[paddle.Tensor, int]:
    """The output, and the number of vectors."""
    return type(layer).forward(layer, x), int(np.prod(x.shape[:-1]))


_COUNTED = {nn.Conv2D: _convolution, nn.Conv2DTranspose: _deconvolution, nn.Linear: _fully_connected}
