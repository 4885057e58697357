"""Records training of the public PyTorch implementations in float64, for tests/networks. Needs torch.

    python tests/data/golden/record.py NAME CHECKOUT

NAME is a key of NETWORKS in a reference_*.py beside this file, CHECKOUT a checkout of the repository named there.
Written into tests/data/golden/NAME.npz, beside what is there: `losses` before each Adam step and `grad_names`,
`grad_norms` of the first. float64, since in float32 batch statistics of a few cells lose most of their gradient to
rounding.

Input, target and weights follow from rules (tests/networks/golden.py), so they are not stored.
"""

import importlib
import pathlib
import sys

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
from networks import golden  # noqa: E402  (tests/networks/golden.py)


def networks() -> dict:
    """Name -> (checkout -> network), of all files beside this one."""
    found = {}
    for path in sorted(HERE.glob("reference_*.py")):
        found |= importlib.import_module(path.stem).NETWORKS
    return found


def record(name: str, checkout: str) -> None:
    """Trains a few steps in float64 and adds the figures to the golden file."""
    stored = dict(np.load(HERE / f"{name}.npz"))
    network = networks()[name](pathlib.Path(checkout)).train()
    weights = golden.weights(golden.shapes(stored), seed=0)
    counters = {key: value for key, value in network.state_dict().items() if key.endswith("_tracked")}
    network.load_state_dict({**{k: torch.from_numpy(v) for k, v in weights.items()}, **counters})
    network.double()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps = float(np.float32(layer.eps))  # Paddle keeps it in float32, for float64 maps too
    image, target = (torch.from_numpy(array) for array in golden.training_batch(name))
    optimiser = torch.optim.Adam(network.parameters(), lr=golden.ADAM_RATE)
    losses = []
    for step in range(golden.STEPS):
        optimiser.zero_grad()
        loss = sum(((maps - target) ** 2).mean() for maps in network(image))
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            grads = {k: p.grad.norm().item() for k, p in network.named_parameters() if p.grad is not None}
        optimiser.step()
        print(name, step, losses[-1], flush=True)
    stored |= {"losses": losses, "grad_names": list(grads), "grad_norms": list(grads.values())}
    np.savez_compressed(HERE / f"{name}.npz", **stored)


if __name__ == "__main__":
    record(*sys.argv[1:3])
