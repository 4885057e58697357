"""The contract that every shipped configuration passes unasked.

Configurations with the same network share one build of it here, with quick weights, which runs at the smallest input
of their aspect that it takes.
"""

import fnmatch
import gc
import re
from dataclasses import replace
from math import gcd
from pathlib import Path

import numpy as np
import paddle
import pytest
from quick_weights import quick_weights

from paddle_pose.builder import build
from paddle_pose.builder_data import build_component, build_metric, skeleton_of
from paddle_pose.cli.options import read_config
from paddle_pose.cli.train import parser
from paddle_pose.config import load_config
from paddle_pose.data.augment import AUGMENTATIONS
from paddle_pose.engine.checkpoint import load_weights, to_arrays
from paddle_pose.engine.trainer import is_frozen
from paddle_pose.errors import ConfigError
from paddle_pose.registry import CODECS, LOSSES

ROOT = Path(__file__).parents[1] / "configs"
LEAST = 48  # pixels
LEAST_CELLS = 4  # of a map that batch statistics are made of; of one cell, the gradients of eight stacks leave float32
PATHS = [path for path in sorted(ROOT.rglob("*.yaml")) if path.parent.name != "_base_"]


def network_of(path: Path) -> str:
    """What two configurations share if they make the same network, but for the size."""
    config = load_config(str(path))
    width, height = config.input_wh
    return repr((config.network, skeleton_of(config), width / height))


def uses(path: Path) -> str:
    """What two configurations share if they use their network in the same way."""
    config = load_config(str(path))
    return repr((config.codec, config.loss))


NETWORKS: dict[str, dict[str, Path]] = {}  # one build of each network, for all ways in which it is used
SHARING: dict[Path, list[Path]] = {}  # the first configuration of each network -> all of them
for _path in PATHS:
    _uses = NETWORKS.setdefault(network_of(_path), {})
    _uses.setdefault(uses(_path), _path)
    SHARING.setdefault(next(iter(_uses.values())), []).append(_path)
DISTINCT = [tuple(paths.values()) for paths in NETWORKS.values()]


def forward(parts, batch=1):
    """Stage outputs for random crops."""
    width, height = parts.config.input_wh
    images = np.random.default_rng(0).integers(0, 255, (batch, height, width, 3), np.uint8)
    return parts.network(parts.normalise(images, np.ones((batch, 3), np.float32)))


@pytest.fixture(scope="module", params=DISTINCT, ids=lambda paths: paths[0].stem)
def all_parts(request):
    """One network, with every codec and loss that it is used with."""
    paddle.seed(0)
    with quick_weights():
        first = smallest(build(load_config(str(request.param[0]))))
    made = [first, *(with_uses_of(first, load_config(str(path))) for path in request.param[1:])]
    yield made
    del made, first
    gc.collect()


@pytest.fixture(scope="module")
def evaluated(all_parts):
    """Stage outputs of the network in eval mode."""
    all_parts[0].network.eval()
    with paddle.no_grad():
        return forward(all_parts[0])


def with_uses_of(parts, config):
    """The network of `parts` with the codec and loss of another configuration."""
    codec = build_component(CODECS, config.codec, "codec", derived(parts))
    fixed = {"skeleton": parts.skeleton, "network": parts.network}
    return replace(parts, codec=codec, loss=build_component(LOSSES, config.loss, "loss", fixed))


def derived(parts):
    """What follows for a codec from the rest."""
    input_wh = parts.config.input_wh
    skeleton = parts.skeleton
    return {"mirror": skeleton.mirror, "skeleton": skeleton, "input_wh": input_wh, "stride": parts.network.stride}


@paddle.no_grad()
def smallest(parts):
    """The same network with the codec of the smallest input that it takes, at which no batch norm sees too little."""
    width, height = parts.config.input_wh
    steps = gcd(width, height) // 16
    parts.network.eval()
    for step in range(1, steps + 1):
        input_wh = width * step // steps, height * step // steps
        if min(input_wh) < LEAST and step < steps:
            continue
        config = parts.config.model_copy(update={"input_wh": input_wh})
        try:
            small = replace(parts, config=config)
            small = replace(small, codec=build_component(CODECS, config.codec, "codec", derived(small)))
            cells = least_cells(small)
        except ConfigError:  # not a multiple of what the network needs
            continue
        if cells >= LEAST_CELLS:
            return small
    raise AssertionError("the network does not take the input size of its own configuration")


def least_cells(parts):
    """Of the smallest map that a batch norm sees."""
    seen = [LEAST_CELLS]
    norms = [layer for layer in parts.network.sublayers() if isinstance(layer, paddle.nn.BatchNorm2D)]
    hooks = [norm.register_forward_pre_hook(lambda _, maps: seen.append(maps[0][0, 0].size)) for norm in norms]
    try:
        forward(parts)
    finally:
        for hook in hooks:
            hook.remove()
    return min(seen)


def test_every_stage_has_the_codecs_shape_and_every_weight_learns(all_parts):
    """By the losses and the targets of the configurations themselves."""
    network = all_parts[0].network
    network.train()
    stages = forward(all_parts[0], batch=2)
    assert isinstance(stages, list)
    losses = []
    for parts in all_parts:
        shape = [2, *parts.codec.output_shape(len(parts.skeleton))]
        assert [stage.shape for stage in stages] == [shape] * len(stages)
        losses.append(loss_of(parts, stages))
        assert losses[-1].size == 1
        for gradient in paddle.grad(losses[-1], stages, retain_graph=True):
            assert bool(paddle.isfinite(gradient).all())
            assert bool(gradient.any())
    sum(losses).backward()
    trainable = {name: p for name, p in network.named_parameters() if not p.stop_gradient}
    assert len(trainable) > 10
    assert [name for name, p in trainable.items() if p.grad is None] == []
    assert [name for name, p in trainable.items() if not bool(paddle.isfinite(p.grad).all())] == []
    network.clear_gradients()


def loss_of(parts, stages):
    """For joints anywhere inside the crops."""
    rng = np.random.default_rng(1)
    joints = rng.uniform(0.2, 0.8, (2, len(parts.skeleton), 2)) * parts.config.input_wh
    ones = paddle.ones([2, len(parts.skeleton)])
    target, weight = parts.codec.encode(paddle.to_tensor(joints.astype("float32")), ones)
    return parts.loss(stages, target, weight)


def test_the_head_is_a_part_of_the_network(all_parts):
    network = all_parts[0].network
    in_head = [name for name in network.state_dict() if name.startswith(tuple(network.head))]
    assert 0 < len(in_head) < len(network.state_dict())


@paddle.no_grad()
def test_the_state_dict_goes_round_and_evaluation_repeats_itself(all_parts, evaluated):
    parts = all_parts[0]
    weights = to_arrays(parts.network.state_dict())
    for tensor in parts.network.state_dict().values():
        tensor.set_value(paddle.zeros_like(tensor))
    load_weights(parts.network, weights, "here")
    state = parts.network.state_dict()
    assert [name for name in state if not np.array_equal(state[name].numpy(), weights[name])] == []
    assert any(array.any() for array in weights.values())
    parts.network.eval()
    for a, b in zip(evaluated, forward(parts)):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@paddle.no_grad()
def test_outputs_decode_to_joints_in_the_crop(all_parts, evaluated):
    for parts in all_parts:
        for maps in (evaluated[-1], parts.codec.mirror(evaluated[-1])):
            joints, scores = parts.codec.decode(maps)
            assert joints.shape == [1, len(parts.skeleton), 2]
            assert scores.shape == [1, len(parts.skeleton)]
            assert bool(paddle.isfinite(joints).all())
            if hasattr(parts.codec, "people"):
                assert len(parts.codec.people(maps)) == 1


def test_frozen_parts_and_rates_of_their_own_are_those_of_parameters(all_parts, request):
    names = [name for name, parameter in all_parts[0].network.named_parameters() if not parameter.stop_gradient]
    for path in SHARING[request.node.callspec.params["all_parts"][0]]:
        config = load_config(str(path))
        for prefix in config.train.freeze:
            assert any(is_frozen(name, (prefix,)) for name in names), f"{path}: {prefix}"
        for pattern in config.optimizer.lr_factors:
            assert fnmatch.filter(names, pattern), f"{path}: {pattern}"


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
