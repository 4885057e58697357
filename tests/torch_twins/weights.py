"""Weights from one of our networks into its PyTorch twin, by name."""

import numpy as np
import torch

STATISTICS = {"running_mean": "_mean", "running_var": "_variance"}


def hand_over(network, twin):
    """Copies all of `network` (Paddle) into `twin`; every number of either is used once.

    A twin with the names of our network is asked for nothing; one with published names (deeppose.py) is mapped by
    `network.reference_name`.
    """
    state, copied, used = network.state_dict(), {}, []
    for key, value in twin.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        layer, _, entry = (network.reference_name(key) if hasattr(twin, "backbone") else key).rpartition(".")
        name = f"{layer}.{STATISTICS.get(entry, entry)}"
        array = state[name].numpy()
        array = array.T if array.ndim == 2 else array  # fully connected: (in, out) in Paddle
        assert array.shape == tuple(value.shape), f"{key} {tuple(value.shape)}, {name} {array.shape}"
        copied[key] = torch.tensor(np.ascontiguousarray(array))
        used.append(name)
    assert sorted(used) == sorted(state), sorted(set(state) ^ set(used))
    twin.load_state_dict(copied, strict=False)
    return twin


def perturbed(twin, relative, seed):
    """Multiplies every trained number by 1 + relative * N(0, 1), in place."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in twin.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_(parameter.double() * (1 + relative * noise))
    return twin
