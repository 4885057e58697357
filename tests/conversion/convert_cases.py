"""Runs paddle-pose convert on narrow networks, and looks at what it says."""

import numpy as np
import paddle
from cli.cli_cases import assert_one_error

from paddle_pose.cli import val as val_command
from paddle_pose.cli.convert import main
from paddle_pose.conversion.torch_state import torch_state
from paddle_pose.conversion.torch_writer import write_torch
from paddle_pose.networks.hourglass import StackedHourglass
from paddle_pose.runtime import seed_everything

NARROW = {"stacks": 2, "width": 16, "depth": 2}


def bearpaw(joints=16, **options):
    """A network with weights unlike those that any seed of the command draws."""
    seed_everything(99)
    network = StackedHourglass(joints, **{**NARROW, **options})
    network.eval()
    return network


def entries_of(network):
    return torch_state(network, {name: value.numpy() for name, value in network.state_dict().items()})[1]


def written(path, entries, wrapper=None):
    write_torch(path, entries, wrapper)
    return path


def convert(*arguments):
    return main([str(argument) for argument in arguments])


def assert_refused(capsys, *words):
    assert_one_error(capsys.readouterr(), *words)


def assert_same_outputs(left, right):
    images = paddle.to_tensor(np.random.RandomState(0).standard_normal((1, 3, 64, 96)).astype("float32"))
    for a, b in zip(left(images), right(images)):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def val_command_root():
    from pathlib import Path

    return Path(val_command.__file__).resolve().parents[2]
