"""The ladder that every network climbs: outputs, gradients and training losses of its public reference.

A test names the reference, our network and its number of parameters, and calls `climb`.
"""

from dataclasses import dataclass
from typing import Callable

import numpy as np
import paddle
from networks import golden
from paddle import nn
from quick_weights import quick_weights

from paddle_pose.conversion.state import convert_state

DOUBLE = 1e-6  # what float64 leaves of one pass
STEPPED = 1e-3  # and after Adam, which divides small gradients by themselves
UNDETERMINED = 1e-2  # and after that many steps: golden.DETERMINED_STEPS says why


@dataclass(frozen=True)
class Reference:
    """One public implementation.

    Args:
        name: of its golden file.
        build: () -> our network.
        parameters: trained numbers that are used.
        never_called: trained numbers of layers that the reference creates and never calls.
    """

    name: str
    build: Callable[[], nn.Layer]
    parameters: int
    never_called: int = 0


def climb(reference: Reference) -> None:
    """Forward in float32 against float32; loss, gradients and ten Adam steps in float64 against float64."""
    stored = golden.read(reference.name)
    with quick_weights():  # replaced below, every one
        network = reference.build()
    missing, unexpected = network.set_state_dict(convert_state(golden.weights(golden.shapes(stored), seed=0), network))
    assert (missing, unexpected) == ([], [])
    check_count(reference, stored, network)
    check_forward(reference, stored, network)
    network.to(dtype="float64")
    network.train()
    optimiser = paddle.optimizer.Adam(golden.ADAM_RATE, epsilon=1e-8, parameters=network.parameters())
    for step in range(golden.STEPS):
        loss = training_loss(reference.name, network)
        determined = step < golden.DETERMINED_STEPS.get(reference.name, golden.STEPS)
        rtol = DOUBLE if step == 0 else STEPPED if determined else UNDETERMINED
        np.testing.assert_allclose(float(loss), stored["losses"][step], rtol=rtol, err_msg=f"step {step}")
        loss.backward()
        if step == 0:
            check_gradients(stored, network)
        optimiser.step()
        optimiser.clear_grad()


def check_forward(reference: Reference, stored: dict, network: nn.Layer) -> None:
    """Within 1e-4 of each output's largest value, as an untrained stack's outputs grow with depth."""
    network.eval()
    with paddle.no_grad():
        outputs = network(paddle.to_tensor(golden.evaluation_images(reference.name)))
    assert len(outputs) == len(stored["eval_outputs"])
    for output, wanted, peak in zip(outputs, stored["eval_outputs"], stored["eval_peaks"]):
        kept = golden.thinned(output.numpy())
        np.testing.assert_allclose(kept, wanted, atol=1e-4 * peak)
        np.testing.assert_allclose(np.abs(output.numpy()).max(), peak, rtol=1e-4)


def training_loss(name: str, network: nn.Layer) -> paddle.Tensor:
    """Sum over stages of the mean squared error, as it was recorded."""
    images, target = (paddle.to_tensor(array) for array in golden.training_batch(name))
    return sum(nn.functional.mse_loss(output, target) for output in network(images))


def check_gradients(stored: dict, network: nn.Layer) -> None:
    """Every parameter's; a bias that batch normalisation cancels has no gradient but rounding."""
    ours = {name: p.grad for name, p in network.named_parameters() if not p.stop_gradient}
    norms = dict(zip(stored["grad_names"].tolist(), stored["grad_norms"].tolist()))
    assert sorted(network.reference_name(key) for key in norms) == sorted(ours)
    for key, norm in norms.items():
        got = float(np.linalg.norm(ours[network.reference_name(key)].numpy()))
        np.testing.assert_allclose(got, norm, rtol=DOUBLE, atol=1e-12, err_msg=key)


def count(network: nn.Layer) -> int:
    """Trained numbers; Paddle lists batch statistics among the parameters, with stop_gradient."""
    return sum(int(np.prod(p.shape)) for p in network.parameters() if not p.stop_gradient)


def check_count(reference: Reference, stored: dict, network: nn.Layer) -> None:
    """Every number of the checkpoint is ours or in a layer that the reference creates and never calls."""
    shapes = golden.shapes(stored)
    sizes = {key: int(np.prod(shape)) for key, shape in shapes.items() if "running_" not in key}
    unused = sum(size for key, size in sizes.items() if network.reference_name(key) is None)
    assert unused == reference.never_called
    assert count(network) == reference.parameters == sum(sizes.values()) - unused
