"""Networks of published size without minutes of drawing their weights one by one."""

import contextlib
import math
from collections.abc import Callable, Iterator

import numpy.random  # noqa: F401  before paddle: Paddle 2.6.2 crashes where numpy 2.4 loads it later
import paddle
import pytest

BLOCK = 65_537  # numbers; a prime, so that no two filters get the same ones


@contextlib.contextmanager
def quick_weights() -> Iterator[None]:
    """What is built in here has weights of the right spread, large ones a block of drawn numbers again and again.

    For tests that replace the weights, or for whose claims any weights will do: single draws are half of what a large
    network costs to build.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("gaussian", "uniform", "truncated_gaussian_random"):
            patch.setattr(paddle._C_ops, name, _in_blocks(getattr(paddle._C_ops, name)))
        yield


def _in_blocks(draw: Callable) -> Callable:
    def quick(shape, *arguments):
        size = math.prod(shape)
        if size <= BLOCK:
            return draw(shape, *arguments)
        block = draw([BLOCK], *arguments)
        return paddle.tile(block, [-(-size // BLOCK)])[:size].reshape(shape)

    return quick
