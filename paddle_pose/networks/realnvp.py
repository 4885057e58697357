"""A small normalising flow over the plane: the learned shape of a regressor's errors, for the RLE loss.

Dinh, Sohl-Dickstein, Bengio. Density Estimation Using Real NVP. ICLR 2017, Sec. 3 (affine coupling layers).
Li et al. Human Pose Regression with Residual Log-likelihood Estimation. ICCV 2021, Sec. 3.3, for this use.
Reference code: Jeff-sjtu/res-loglikelihood-regression, and open-mmlab/mmpose `realnvp.py`.

Letters: N points.

Differs from the paper (Dinh et al.)
    - Plain fully connected scale and shift networks of two hidden layers of 64, without batch normalisation.
"""

import math
import re

import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

COUPLINGS = 6
HIDDEN = 64


class RealNVP(nn.Layer):
    """Six couplings; each moves one coordinate by what the other one says, x and y in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.LayerList([_dense() for _ in range(COUPLINGS)])
        self.shift = nn.LayerList([_dense() for _ in range(COUPLINGS)])

    def forward(self, points: paddle.Tensor) -> paddle.Tensor:
        """Log density (N,) of points (N, 2), in the points' dtype or float32 if that is shorter.

        From the last coupling to the first, points are mapped to where they are distributed normally.
        """
        points = _at_least_single(points)
        log_det = paddle.zeros_like(points[:, 0])
        for i in reversed(range(COUPLINGS)):
            keep = paddle.to_tensor([[0.0, 1.0] if i % 2 == 0 else [1.0, 0.0]], dtype=points.dtype)
            kept = points * keep
            scale = paddle.tanh(_apply(self.scale[i], kept)) * (1 - keep)
            shift = _apply(self.shift[i], kept) * (1 - keep)
            points = (1 - keep) * (points - shift) * paddle.exp(-scale) + kept
            log_det = log_det - scale.sum(-1)
        return log_det - 0.5 * (points * points).sum(-1) - math.log(2 * math.pi)

    @staticmethod
    def reference_name(key: str) -> str:
        """Our name of the layer that mmpose's flow calls `key`."""
        return re.sub(r"^t\.", "shift.", re.sub(r"^s\.", "scale.", key))


def _dense() -> nn.Sequential:
    """2 -> 64 -> 64 -> 2. Weights start near 0, so that the flow is nearly the normal distribution at first."""
    layers = nn.Sequential(
        nn.Linear(2, HIDDEN), nn.LeakyReLU(), nn.Linear(HIDDEN, HIDDEN), nn.LeakyReLU(), nn.Linear(HIDDEN, 2)
    )
    for layer in layers:
        if isinstance(layer, nn.Linear):
            fan_in, fan_out = layer.weight.shape
            glorot, torch = math.sqrt(6 / (fan_in + fan_out)), fan_in**-0.5
            nn.initializer.Uniform(-0.01 * glorot, 0.01 * glorot)(layer.weight)
            nn.initializer.Uniform(-torch, torch)(layer.bias)  # PyTorch's default, which the reference keeps
    return layers


def _apply(layers: nn.Sequential, x: paddle.Tensor) -> paddle.Tensor:
    """The layers with weights of `x`'s dtype: the density needs float32 where the network is in half precision."""
    for layer in layers:
        if isinstance(layer, nn.Linear):
            x = F.linear(x, layer.weight.astype(x.dtype), layer.bias.astype(x.dtype))
        else:
            x = layer(x)
    return x


def _at_least_single(x: paddle.Tensor) -> paddle.Tensor:
    return x if x.dtype == paddle.float64 else x.astype("float32")
