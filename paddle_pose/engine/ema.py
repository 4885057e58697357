"""Exponential moving average of a network's weights and running statistics."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import paddle


class Ema:
    """Keeps `average = decay * average + (1 - decay) * weights`, in float32.

    Args:
        network: whose `state_dict` is averaged.
        decay: share of the old average, in (0, 1).
    """

    def __init__(self, network: paddle.nn.Layer, decay: float) -> None:
        self._network, self._decay = network, decay
        self._average = {name: _float_copy(tensor) for name, tensor in network.state_dict().items()}

    @paddle.no_grad()
    def update(self) -> None:
        """Takes in the weights of a finished step."""
        for name, tensor in self._network.state_dict().items():
            average = self._average[name]
            # in this form a weight that does not move has an average that does not move, to the last bit
            average.add_((tensor.detach().astype("float32") - average) * (1 - self._decay))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, the network has the averaged weights; after it, its own."""
        state = self._network.state_dict()
        own = {name: tensor.clone() for name, tensor in state.items()}
        for name, tensor in state.items():
            tensor.set_value(self._average[name].astype(tensor.dtype))
        try:
            yield
        finally:
            for name, tensor in state.items():
                tensor.set_value(own[name])

    def state_dict(self) -> dict[str, np.ndarray]:
        """The averages as arrays."""
        return {name: tensor.numpy() for name, tensor in self._average.items()}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Restores what `state_dict` returned."""
        for name, tensor in self._average.items():
            tensor.set_value(np.asarray(state[name], np.float32))


def _float_copy(tensor: paddle.Tensor) -> paddle.Tensor:
    return paddle.to_tensor(tensor.detach().astype("float32").numpy())
