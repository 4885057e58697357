"""One training step after another, in Paddle by our own training loop and in PyTorch by a twin's."""

import copy
import dataclasses
import math

import numpy as np
import paddle
import torch

from paddle_pose import runtime
from paddle_pose.builder import build
from paddle_pose.builder_training import build_trainer
from paddle_pose.networks.blocks import initialise_convolutions


class PaddleSide:
    """The suite's `Trainer`, as train.py builds it.

    Args:
        config: its initial weights are those of `config.seed`.
        batches_per_epoch: for the schedule.
        double: all in float64, from the same float32 weights, images and targets.
        he_weights: convolutions start from N(0, 2 / fan-in), but for the one that ends in maps.
    """

    def __init__(self, config, batches_per_epoch, double=False, he_weights=False):
        runtime.choose_device("cpu", cpu_threads=1)
        runtime.seed_everything(config.seed)
        self.parts = build(config)
        if he_weights:
            _draw_he(self.parts.network)
        parts = _double(self.parts) if double else self.parts
        self.trainer = build_trainer(parts, batches_per_epoch, ranks=1)
        parts.network.train()

    def step(self, batch):
        return float(self.trainer.train_step([batch]))

    def inputs(self, batch):
        """Images, targets and weights of a batch, as arrays: float32."""
        joints, labels = paddle.to_tensor(batch.joints_crop), paddle.to_tensor(batch.weight)
        tensors = (self.parts.normalise(batch.images, batch.color_gain), *self.parts.codec.encode(joints, labels))
        return tuple(tensor.numpy() for tensor in tensors)

    def stages(self, images):
        """Outputs in eval mode, as arrays."""
        self.parts.network.eval()
        with paddle.no_grad():
            return [stage.numpy() for stage in self.parts.network(paddle.to_tensor(images))]


class TorchSide:
    """A twin, its loss, and PyTorch's own Adam with the numbers of `optimizer`, a configuration's section."""

    def __init__(self, twin, loss, optimizer, double=False):
        self.dtype = torch.float64 if double else torch.float32
        self.twin, self.loss = copy.deepcopy(twin).to(self.dtype).train(), loss
        for layer in self.twin.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):  # Paddle keeps it in float32, for float64 numbers too
                layer.eps = float(np.float32(layer.eps))
        self.adam = torch.optim.Adam(
            self.twin.parameters(), betas=optimizer.betas, eps=optimizer.epsilon, weight_decay=optimizer.weight_decay
        )

    def step(self, inputs, lr):
        self.adam.param_groups[0]["lr"] = lr
        images, target, weight = (torch.tensor(array, dtype=self.dtype) for array in inputs)
        loss = self.loss(self.twin(images), target, weight)
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        return loss.item()

    def stages(self, images):
        """Outputs in eval mode, as arrays."""
        self.twin.eval()
        with torch.no_grad():
            return [stage.numpy() for stage in self.twin(torch.as_tensor(images, dtype=self.dtype))]


def _draw_he(network):
    last = network.to_maps.weight.numpy()
    initialise_convolutions(network, lambda shape: paddle.nn.initializer.Normal(0.0, (2 / math.prod(shape[1:])) ** 0.5))
    network.to_maps.weight.set_value(last)


class _DoubleCodec:
    """Targets of a codec, widened; `training` asks for nothing else."""

    def __init__(self, codec):
        self._codec = codec

    def encode(self, *arguments):
        return tuple(tensor.astype("float64") for tensor in self._codec.encode(*arguments))


def _double(parts):
    parts.network.to(dtype="float64")
    return dataclasses.replace(
        parts,
        normalise=lambda images, gain: parts.normalise(images, gain).astype("float64"),
        codec=_DoubleCodec(parts.codec),
    )


def biased_variance(twin, images, steps):
    """A copy of a trained twin whose running variances are what Paddle keeps: those of the batch as it is.

    PyTorch keeps n / (n - 1) times the variance of the n numbers of a channel, beside the initial 1 that has shrunk to
    0.9^steps. `images` are a training batch, for n.
    """
    twin, counts = copy.deepcopy(twin), {}
    norms = [layer for layer in twin.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    hooks = [
        layer.register_forward_hook(lambda layer, inputs, _: counts.update({layer: inputs[0][:, 0].numel()}))
        for layer in norms
    ]
    with torch.no_grad():
        twin.eval()(torch.tensor(images, dtype=next(twin.parameters()).dtype))
    for hook in hooks:
        hook.remove()
    initial = (1 - norms[0].momentum) ** steps
    for layer in norms:
        n = counts[layer]
        layer.running_var.copy_(initial + (layer.running_var - initial) * (n - 1) / n)
    return twin, sorted(counts.values())
