"""The contract that every shipped configuration passes unasked.

Configurations that differ only in their data, their size or their recipe share one network here, and it runs
at the smallest input of their aspect that it takes.
"""

import gc
import re
from dataclasses import replace
from math import gcd
from pathlib import Path

import numpy as np
import paddle
import pytest

from paddle_pose.builder import build
from paddle_pose.builder_data import build_component, build_metric
from paddle_pose.cli.options import read_config
from paddle_pose.cli.train import parser
from paddle_pose.config import load_config
from paddle_pose.data.augment import AUGMENTATIONS
from paddle_pose.engine.checkpoint import load_weights, to_arrays
from paddle_pose.errors import ConfigError
from paddle_pose.registry import CODECS

ROOT = Path(__file__).parents[1] / "configs"
PATHS = [path for path in sorted(ROOT.rglob("*.yaml")) if path.parent.name != "_base_"]


def essence(path: Path) -> str:
    """What two configurations share if they make the same network, codec and loss, but for the size."""
    config = load_config(str(path))
    width, height = config.input_wh
    return repr((config.network, config.codec, config.loss, width / height))


DISTINCT = list({essence(path): path for path in reversed(PATHS)}.values())[::-1]


def forward(parts, batch=1):
    """Stage outputs for random crops."""
    width, height = parts.config.input_wh
    images = np.random.default_rng(0).integers(0, 255, (batch, height, width, 3), np.uint8)
    return parts.network(parts.normalise(images, np.ones((batch, 3), np.float32)))


@pytest.fixture(scope="module", params=DISTINCT, ids=lambda path: path.stem)
def parts(request):
    paddle.seed(0)
    made = smallest(build(load_config(str(request.param))))
    yield made
    del made
    gc.collect()


@paddle.no_grad()
def smallest(parts):
    """The same network with the codec of the smallest input that it takes, 48 pixels or more."""
    width, height = parts.config.input_wh
    steps = gcd(width, height) // 16
    parts.network.eval()
    for step in range(1, steps + 1):
        input_wh = width * step // steps, height * step // steps
        if min(input_wh) < 48:
            continue
        config = parts.config.model_copy(update={"input_wh": input_wh})
        derived = {"mirror": parts.skeleton.mirror, "input_wh": input_wh, "stride": parts.network.stride}
        try:
            small = replace(parts, config=config, codec=build_component(CODECS, config.codec, "codec", derived))
            forward(small)
        except ConfigError:  # not a multiple of what the network needs
            continue
        return small
    raise AssertionError("the network does not take the input size of its own configuration")


def test_every_stage_has_the_codecs_shape_and_every_weight_learns(parts):
    """By the loss and the targets of the configuration itself."""
    parts.network.train()
    stages = forward(parts, batch=2)
    assert isinstance(stages, list)
    shape = [2, *parts.codec.output_shape(len(parts.skeleton))]
    assert [stage.shape for stage in stages] == [shape] * len(stages)

    rng = np.random.default_rng(1)
    joints = rng.uniform(0.2, 0.8, (2, len(parts.skeleton), 2)) * parts.config.input_wh
    ones = paddle.ones([2, len(parts.skeleton)])
    target, weight = parts.codec.encode(paddle.to_tensor(joints.astype("float32")), ones)
    loss = parts.loss(stages, target, weight)
    assert loss.size == 1
    loss.backward()
    trainable = {name: p for name, p in parts.network.named_parameters() if not p.stop_gradient}
    assert len(trainable) > 10
    assert [name for name, p in trainable.items() if p.grad is None] == []
    assert [name for name, p in trainable.items() if not bool(paddle.isfinite(p.grad).all())] == []
    parts.network.clear_gradients()


@paddle.no_grad()
def test_evaluation_repeats_itself_and_the_state_dict_goes_round(parts):
    parts.network.eval()
    first, second = (forward(parts) for _ in range(2))
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a.numpy(), b.numpy())

    weights = to_arrays(parts.network.state_dict())
    for tensor in parts.network.state_dict().values():
        tensor.set_value(paddle.zeros_like(tensor))
    assert any((a != b).any() for a, b in zip(first, forward(parts)))
    load_weights(parts.network, weights, "here")
    for a, b in zip(first, forward(parts)):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@paddle.no_grad()
def test_outputs_decode_to_joints_in_the_crop(parts):
    parts.network.eval()
    output = forward(parts)[-1]
    for maps in (output, parts.codec.mirror(output)):
        joints, scores = parts.codec.decode(maps)
        assert joints.shape == [1, len(parts.skeleton), 2]
        assert scores.shape == [1, len(parts.skeleton)]
        assert bool(paddle.isfinite(joints).all())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
class TestFile:
    def test_all_sections_build(self, path):
        config = load_config(str(path))
        metric = build_metric(config)
        assert callable(metric)
        if config.augment is not None:
            assert build_component(AUGMENTATIONS, config.augment, "augment", {}).draw

    def test_it_opens_like_a_notebook(self, path, monkeypatch):
        """What it is, and the command that runs just this configuration."""
        lines = path.read_text(encoding="utf-8").splitlines()
        comment = "\n".join(lines[: next(k for k, line in enumerate(lines) if not line.startswith("#"))])
        command = re.search(r"python train\.py (.*)", comment)
        assert command, "no command in the first lines"
        monkeypatch.chdir(ROOT.parent)
        assert read_config(parser().parse_args(command[1].split()), "train") == load_config(str(path))


def test_there_are_configurations():
    assert len(PATHS) >= 2


@pytest.mark.parametrize("path", sorted((ROOT / "_base_").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_base_is_of_use(path):
    """By itself it lacks the network; with one it loads."""
    options = ("input_wh=[64, 64]", "network.type=X", "codec.type=X")
    assert load_config(str(path), options).dataset.type
