import copy

import numpy as np
import paddle
import pytest
from networks.ladder import Reference, climb, count
from paddle import nn
from quick_weights import quick_weights

from paddle_pose.errors import ConfigError
from paddle_pose.networks.hourglass import PrincetonHourglass, StackedHourglass
from paddle_pose.networks.hourglass52 import Hourglass52
from paddle_pose.registry import NETWORKS

REFERENCES = [
    Reference("mmpose_hourglass52_mpii", lambda: Hourglass52(16), 93_666_960, never_called=1_180_672),
    Reference("bearpaw_hg2", lambda: StackedHourglass(16, stacks=2), 6_730_912),
    Reference("bearpaw_hg8", lambda: StackedHourglass(16, stacks=8), 25_594_624),
    Reference("princeton_hg8", lambda: PrincetonHourglass(16, stacks=8), 25_434_112, never_called=7_385_216),
]


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.name)
def test_forward_and_training_follow_the_reference(reference):
    climb(reference)


@pytest.mark.parametrize(
    ("build", "parameters"),
    [
        (lambda: StackedHourglass(16, stacks=1), 3_586_960),
        (lambda: PrincetonHourglass(16, stacks=2), 8_429_088 - 1_858_688),  # less the unused skip layers
        (lambda: PrincetonHourglass(16, stacks=1), 4_364_048 - 937_600),
    ],
)
def test_parameter_count_of_fewer_stacks(build, parameters):
    with quick_weights():
        assert count(build()) == parameters


SMALL = [lambda: StackedHourglass(5, stacks=2, width=16, depth=2), lambda: PrincetonHourglass(5, 1, 16, 3)]


@pytest.mark.parametrize("build", SMALL)
def test_small_network_exports_copies_and_reaches_every_weight(build, tmp_path):
    network = build()
    x = paddle.to_tensor(np.random.RandomState(0).standard_normal((2, 3, 64, 96)).astype("float32"))
    stages = network(x)
    assert isinstance(stages, list)
    assert [tuple(maps.shape) for maps in stages] == [(2, 5, 16, 24)] * len(network.hourglasses)
    sum(maps.square().sum() for maps in stages).backward()
    for name, parameter in network.named_parameters():
        assert parameter.stop_gradient or parameter.grad is not None, name

    network.eval()
    wanted = [maps.numpy() for maps in network(x)]
    np.testing.assert_array_equal(copy.deepcopy(network)(x)[-1].numpy(), wanted[-1])
    spec = [paddle.static.InputSpec([None, 3, None, None], "float32")]
    paddle.jit.save(network, str(tmp_path / "net"), input_spec=spec)
    traced = paddle.jit.load(str(tmp_path / "net"))
    traced.eval()
    got = traced(x)
    for maps, expected in zip(got if isinstance(got, list) else [got], wanted):
        np.testing.assert_allclose(maps.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_two_stacks_of_hourglass52():
    """One build for several claims, as it has 188 million numbers."""
    network = Hourglass52(16, stacks=2)
    assert count(network) == 187_708_576
    check_normal(network)
    network.eval()
    with paddle.no_grad():
        stages = network(paddle.zeros([1, 3, 128, 128]))
    assert [tuple(maps.shape) for maps in stages] == [(1, 16, 32, 32)] * 2
    used = network.reference_name("backbone.inters.0.conv1.weight")
    assert used == "between.0.conv1.weight"
    assert used in network.state_dict()
    for head in ("head", "keypoint_head"):  # mmpose 1.x, 0.x
        assert network.reference_name(f"{head}.multi_final_layers.1.bias") == "to_maps.1.bias"


def check_normal(network):
    """Standard deviation 0.001, mean 0, biases 0."""
    for layer in network.sublayers():
        if isinstance(layer, nn.Conv2D):
            weight = layer.weight.numpy()
            tolerance = 5 / np.sqrt(weight.size)
            assert abs(weight.std() / 0.001 - 1) < tolerance
            assert abs(weight.mean() / 0.001) < tolerance
    assert not network.to_maps[0].bias.numpy().any()


def test_initial_weights_of_the_stack_are_torchs():
    """Uniform in +-1/sqrt(fan in), biases too."""
    network = StackedHourglass(16, stacks=1)
    for layer in network.sublayers():
        if isinstance(layer, nn.Conv2D):
            bound = layer.weight[0].size ** -0.5
            for values in (layer.weight.numpy(), layer.bias.numpy()):
                assert np.abs(values).max() <= bound * (1 + 1e-6)
                assert np.abs(values).max() > 0.7 * bound
                assert abs(values.std() / bound * np.sqrt(3) - 1) < 4 / np.sqrt(values.size)


def test_sizes_that_cannot_be_built_or_halved():
    with pytest.raises(ConfigError, match="stacks=0"):
        StackedHourglass(16, stacks=0)
    with pytest.raises(ConfigError, match="stacks=0"):
        Hourglass52(16, stacks=0)
    with pytest.raises(ConfigError, match="multiples of 64"):
        StackedHourglass(16, stacks=1, width=16)(paddle.zeros([1, 3, 96, 64]))


def test_names_in_the_registry():
    for network in (StackedHourglass, PrincetonHourglass, Hourglass52):
        assert NETWORKS[network.__name__] is network
        assert network.stride == 4
