"""Batch normalisation folded into the convolution before it, once, at the export.

A predictor folds them itself while it loads, one after the other, each through an executor of its own: seconds for a
network of 300 convolutions.
"""

import copy

import paddle
from paddle import nn


@paddle.no_grad()
def fold_batch_norms(network: nn.Layer, images: paddle.Tensor) -> nn.Layer:
    """A copy of a network in eval mode that computes the same without the normalisations that follow a convolution.

    Which follows which is seen by running it once.

    Args:
        network: convolutions and normalisations are `nn.Conv2D` and `nn.BatchNorm2D`, or made from them.
        images: (B, 3, H, W) of any content and any size that it takes.
    """
    network = copy.deepcopy(network)
    network.eval()
    for convolution, norm in dict(_pairs(network, images)).items():  # a pair that runs twice is folded once
        _fold(convolution, norm)
    return network


def _pairs(network: nn.Layer, images: paddle.Tensor) -> list[tuple[nn.Conv2D, nn.BatchNorm2D]]:
    """Convolutions whose output goes into a normalisation, with that."""
    made, pairs, hooks = {}, [], []

    def remember(convolution: nn.Conv2D, inputs: tuple, output: paddle.Tensor) -> None:
        made[id(output)] = convolution, output  # the tensor too: its id is not given to another as long as it lives

    def look_up(norm: nn.BatchNorm2D, inputs: tuple) -> None:
        convolution = made.get(id(inputs[0]), (None,))[0]
        if convolution is not None:
            pairs.append((convolution, norm))

    for layer in network.sublayers():
        if isinstance(layer, nn.Conv2D):
            hooks.append(layer.register_forward_post_hook(remember))
        elif isinstance(layer, nn.BatchNorm2D):
            hooks.append(layer.register_forward_pre_hook(look_up))
    network(images)
    for hook in hooks:
        hook.remove()
    return pairs


def _fold(convolution: nn.Conv2D, norm: nn.BatchNorm2D) -> None:
    """Gives the convolution what the normalisation does, and leaves of that nothing."""
    gain = norm.weight.astype("float64") / paddle.sqrt(norm._variance.astype("float64") + norm._epsilon)
    shift = norm.bias.astype("float64") - norm._mean.astype("float64") * gain
    if convolution.bias is not None:
        shift = shift + convolution.bias.astype("float64") * gain
    weight = convolution.weight
    weight.set_value((weight.astype("float64") * gain.reshape([-1, 1, 1, 1])).astype(weight.dtype))
    convolution.bias = _parameter(convolution, shift.astype(weight.dtype))
    norm.forward = _same


def _parameter(layer: nn.Layer, value: paddle.Tensor) -> paddle.Tensor:
    made = layer.create_parameter([value.shape[0]], is_bias=True)
    made.set_value(value)
    return made


def _same(x: paddle.Tensor) -> paddle.Tensor:
    return x
