"""The convolution of every network here: Paddle's, in the way that is fastest where it runs.

Letters: B batch, C channels, h w cells of a feature map, k kernel.

On the CPU Paddle's own kernel writes every k*k*C neighbourhood into a matrix and multiplies; only the product uses
more than one thread. Its build has the convolutions of oneDNN too, which need no such matrix, but calls them in static
programs only. So inside `training_by_onednn` one program is traced for each shape of a convolution, of this operation
and nothing else, and runs in its place, forward and backward: half to nine tenths of the time for 3x3. Whole
networks traced like this are several times slower, as normalisations, sums and ReLUs change the layout of their maps.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Callable, Optional

import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

_FLAG = "FLAGS_use_mkldnn"
FIRST_VERSION = (3, 2)  # of Paddle whose programs obey the flag after Paddle has started; 2.6 ignores it
LEAST_CHANNELS, LEAST_WORK = 16, 1e8  # channels in, multiplications of a call: below, Paddle's own are no slower
LARGEST_ERROR = 1e-4  # of a number, relative to the largest


class Conv2D(nn.Conv2D):
    """`paddle.nn.Conv2D` with zero padding and channels first, the only ones it is for.

    Parameters and results are those of `paddle.nn.Conv2D`. Eager on the CPU, its bias is added over a flat (B, C, h*w)
    view: Paddle's kernel adds it as a (1, C, 1, 1) broadcast, which costs more than a 1x1 convolution does; the same
    sum over flat maps takes a tenth of the time. Inside `training_by_onednn`, large kernels of large maps are oneDNN's;
    for 1x1, which is one matrix product, for a stem's three channels and for small maps Paddle's are as fast or faster.
    """

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C_in, h, w) -> (B, C_out, h', w')."""
        if not is_eager_on_cpu(x):
            return self._convolve(x, self.bias)
        maps = self._by_onednn(x) if self._suits_onednn(x) else self._convolve(x, None)
        if self.bias is None:
            return maps
        return (maps.flatten(2) + self.bias.reshape([-1, 1])).reshape(maps.shape)

    def _convolve(self, x: paddle.Tensor, bias: Optional[paddle.Tensor]) -> paddle.Tensor:
        return F.conv2d(x, self.weight, bias, self._stride, self._updated_padding, self._dilation, self._groups)

    def _suits_onednn(self, x: paddle.Tensor) -> bool:
        if not _training.by_onednn or max(self._kernel_size) == 1 or self._groups > 1 or x.dtype != paddle.float32:
            return False
        (h, w), (stride_h, stride_w) = x.shape[2:], _pair(self._stride)
        work = len(x) * (h // stride_h) * (w // stride_w) * self.weight.size
        return self._in_channels >= LEAST_CHANNELS and work >= LEAST_WORK

    def _by_onednn(self, x: paddle.Tensor) -> paddle.Tensor:
        settings = (self._stride, self._updated_padding, self._dilation)
        program = _program(
            tuple(x.shape), tuple(self.weight.shape), x.stop_gradient, self.weight.stop_gradient, *map(_pair, settings)
        )
        return program(x, self.weight).squeeze(0)


def is_eager_on_cpu(x: paddle.Tensor) -> bool:
    """True for a tensor of the CPU that is not being traced."""
    return x.place.is_cpu_place() if paddle.in_dynamic_mode() else False


class _Training:
    by_onednn = False


_training = _Training()


@contextmanager
def training_by_onednn() -> Iterator[None]:
    """For a training step, forward and backward: eager convolutions on the CPU are oneDNN's where there are any.

    Not for evaluation: a program for every size of photo would cost more than it saves. And not around programs that
    were traced from whole networks, which Paddle's flag would change as well.
    """
    if not has_onednn():
        yield
        return
    paddle.set_flags({_FLAG: True})
    _training.by_onednn = True
    try:
        yield
    finally:
        _training.by_onednn = False
        paddle.set_flags({_FLAG: False})


@cache
def has_onednn() -> bool:
    """True where a traced convolution runs, and gives Paddle's own numbers and gradients.

    It is tried out, once in a process, as this rests on what Paddle does not promise. FLAGS_use_mkldnn=0 in the
    environment turns it off.
    """
    if _version() < FIRST_VERSION or paddle.is_compiled_with_cuda() or not _user_allows():
        return False
    paddle.set_flags({_FLAG: True})
    try:
        return _agrees()
    except Exception:  # whatever another build throws, its own kernels do the work
        return False
    finally:
        paddle.set_flags({_FLAG: False})


def _agrees() -> bool:
    """Compares output and both gradients of a small convolution."""
    x = paddle.linspace(-1, 1, 8 * 6 * 6).reshape([1, 8, 6, 6])
    weight, slope = paddle.linspace(-1, 1, 8 * 8 * 3 * 3).reshape([8, 8, 3, 3]).cos(), (3 * x).sin()
    x.stop_gradient = weight.stop_gradient = False
    found = []
    for maps in (
        F.conv2d(x, weight, None, 1, 1),
        _program((1, 8, 6, 6), (8, 8, 3, 3), False, False, (1, 1), (1, 1), (1, 1))(x, weight).squeeze(0),
    ):
        found.append([part.numpy() for part in (maps, *paddle.grad([maps], [x, weight], [slope]))])
    return all(abs(a - b).max() <= LARGEST_ERROR * abs(a).max() for a, b in zip(*found))


@cache
def _program(
    x_shape: tuple,
    weight_shape: tuple,
    x_is_fixed: bool,
    weight_is_fixed: bool,
    stride: tuple,
    padding: tuple,
    dilation: tuple,
) -> Callable[[paddle.Tensor, paddle.Tensor], paddle.Tensor]:
    """The program of one convolution; one function for each shape, as Paddle warns of functions with many shapes."""

    def convolve(x, weight):
        # Programs of oneDNN must end in an operation of Paddle's own: a result in oneDNN's layout would be lost
        return F.conv2d(x, weight, None, stride, padding, dilation).unsqueeze(0)

    return paddle.jit.to_static(convolve, full_graph=True)


def _pair(setting) -> tuple:
    return (setting, setting) if isinstance(setting, int) else tuple(setting)


def _version() -> tuple[int, int]:
    major, minor = paddle.__version__.split(".")[:2]
    return int(major), int(minor)


def _user_allows() -> bool:
    return os.environ.get(_FLAG, "1").lower() not in ("0", "false")
