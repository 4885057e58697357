"""A network of ours in PyTorch, layer by layer: its own file, read with PyTorch in the place of Paddle.

Our network files name few things of Paddle's. Here a module called `paddle` gives them PyTorch's, so that the same
constructor builds PyTorch's layers and the same `forward` calls PyTorch's functions: convolutions with their bias
inside, nearest upsampling by `interpolate`, as one writes it for PyTorch. For a process that never loads Paddle.
"""

import importlib
import sys
import types

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class Conv2D(nn.Conv2d):
    """Paddle's arguments and the attributes that `convolution.Conv2D` reads."""

    def __init__(self, channels_in, channels_out, kernel, stride=1, padding=0, dilation=1, groups=1, bias_attr=None):
        super().__init__(channels_in, channels_out, kernel, stride, padding, dilation, groups, bias_attr is not False)
        self._stride, self._updated_padding = self.stride, self.padding
        self._dilation, self._groups = self.dilation, self.groups


class Initializer:
    """Draws nothing: weights are handed over."""

    def __init__(self, *arguments, **options):
        pass

    def __call__(self, parameter):
        """Leaves it as it is."""


def install() -> None:
    """Puts the stand-in into `sys.modules`."""
    if "paddle" in sys.modules:
        raise RuntimeError("Paddle is loaded already: a twin needs a process of its own")
    nn.Module.sublayers = lambda self, include_self=False: list(self.modules())[0 if include_self else 1 :]
    layers = types.ModuleType("paddle.nn")
    layers.Layer, layers.LayerList, layers.Sequential = nn.Module, nn.ModuleList, nn.Sequential
    layers.Conv2D, layers.BatchNorm2D, layers.Linear = Conv2D, nn.BatchNorm2d, nn.Linear
    layers.MaxPool2D, layers.Dropout, layers.Identity = nn.MaxPool2d, nn.Dropout, nn.Identity
    layers.functional = functional
    names = ("Initializer", "Normal", "Uniform", "Constant", "XavierUniform")
    layers.initializer = types.SimpleNamespace(**dict.fromkeys(names, Initializer))
    stand_in = types.ModuleType("paddle")
    stand_in.nn, stand_in.Tensor, stand_in.dtype = layers, torch.Tensor, torch.dtype
    stand_in.in_dynamic_mode = lambda: True
    stand_in.concat = lambda parts, axis: torch.cat(parts, axis)
    sys.modules.update({"paddle": stand_in, "paddle.nn": layers, "paddle.nn.functional": functional})


def leave_out_rewrites() -> None:
    """Layers as one writes them for PyTorch: our other ways to compute them are for Paddle."""
    for module in ("convolution", "blocks"):
        importlib.import_module(f"paddle_pose.networks.{module}").is_eager_on_cpu = lambda x: False


def build_twin(module: str, name: str, arguments: dict, weights: dict[str, np.ndarray]) -> nn.Module:
    """The network `name` of `paddle_pose.networks.<module>` with weights by Paddle's names, in eval mode.

    Args:
        weights: its state, and for CPM `centre_map` (1, 1, h, w), which is drawn by Paddle's functions.
    """
    install()
    leave_out_rewrites()
    file = importlib.import_module(f"paddle_pose.networks.{module}")
    if "centre_map" in weights:
        centre = torch.from_numpy(weights["centre_map"])
        file.draw_centre_map = lambda features, center: centre
    network = getattr(file, name)(**arguments)
    linear = {f"{key}.weight" for key, layer in network.named_modules() if isinstance(layer, nn.Linear)}
    state = {_torch_key(key): value.T if key in linear else value for key, value in weights.items()}
    state = {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in state.items() if key != "centre_map"}
    missing = network.load_state_dict(state, strict=False)
    left = [key for key in missing.missing_keys if not key.endswith("num_batches_tracked")]
    if left or missing.unexpected_keys:
        raise RuntimeError(f"weights do not fit: {left[:3]} missing, {missing.unexpected_keys[:3]} unknown")
    return network.eval()


def output_of(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """The last stage's output."""
    if hasattr(network, "to_joints"):  # its `forward` writes a shape in a way that is Paddle's alone
        numbers = network.to_joints(network.trunk(images).mean([2, 3]))
        return numbers.reshape(len(images), network.num_joints, -1)
    return network(images)[-1]


def _torch_key(key: str) -> str:
    return key.replace("._mean", ".running_mean").replace("._variance", ".running_var")
