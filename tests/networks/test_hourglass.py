import copy

import numpy as np
import paddle
import pytest
from networks import golden
from paddle import nn

from paddle_pose.convert import convert_state
from paddle_pose.errors import ConfigError
from paddle_pose.networks.hourglass import PrincetonHourglass, StackedHourglass
from paddle_pose.networks.hourglass52 import Hourglass52
from paddle_pose.registry import NETWORKS

BUILDERS = {
    "mmpose_hourglass52_mpii": lambda: Hourglass52(16),
    "bearpaw_hg2": lambda: StackedHourglass(16, stacks=2),
    "bearpaw_hg8": lambda: StackedHourglass(16, stacks=8),
    "princeton_hg8": lambda: PrincetonHourglass(16, stacks=8),
}
DOUBLE = 1e-6  # what float64 leaves of one pass
STEPPED = 1e-3  # and after Adam, which divides small gradients by themselves
UNDETERMINED = 1e-2  # and after that many steps: golden.DETERMINED_STEPS says why


@pytest.fixture(params=BUILDERS)
def case(request):
    """Golden file and our network with the reference's weights, of one reference."""
    stored = golden.read(request.param)
    network = BUILDERS[request.param]()
    state = convert_state(golden.weights(golden.shapes(stored), seed=0), network)
    missing, unexpected = network.set_state_dict(state)
    assert (missing, unexpected) == ([], [])
    return request.param, stored, network


def test_forward_and_training_follow_the_reference(case):
    name, stored, network = case
    check_count(name, stored, network)
    check_forward(stored, network)
    network.to(dtype="float64")
    network.train()
    optimiser = paddle.optimizer.Adam(golden.ADAM_RATE, epsilon=1e-8, parameters=network.parameters())
    for step in range(golden.STEPS):
        loss = training_loss(network)
        rtol = DOUBLE if step == 0 else STEPPED if step < golden.DETERMINED_STEPS[name] else UNDETERMINED
        np.testing.assert_allclose(float(loss), stored["losses"][step], rtol=rtol, err_msg=f"step {step}")
        loss.backward()
        if step == 0:
            check_gradients(stored, network)
        optimiser.step()
        optimiser.clear_grad()


def check_forward(stored, network):
    """Within 1e-4 of each output's largest value, as an untrained stack's outputs grow with depth."""
    network.eval()
    with paddle.no_grad():
        outputs = network(paddle.to_tensor(np.load(golden.FOLDER / "input.npy")))
    assert len(outputs) == len(stored["eval_outputs"])
    for maps, wanted, peak in zip(outputs, stored["eval_outputs"], stored["eval_peaks"]):
        assert tuple(maps.shape) == (2, 16, 32, 32)
        np.testing.assert_allclose(maps.numpy()[..., :: golden.CELLS, :: golden.CELLS], wanted, atol=1e-4 * peak)
        np.testing.assert_allclose(np.abs(maps.numpy()).max(), peak, rtol=1e-4)


def training_loss(network):
    images, target = (paddle.to_tensor(array) for array in golden.training_batch())
    return sum(nn.functional.mse_loss(maps, target) for maps in network(images))


def check_gradients(stored, network):
    """Every parameter's; a bias that batch normalisation cancels has no gradient but rounding."""
    ours = {name: p.grad for name, p in network.named_parameters() if not p.stop_gradient}
    norms = dict(zip(stored["grad_names"].tolist(), stored["grad_norms"].tolist()))
    assert sorted(network.reference_name(key) for key in norms) == sorted(ours)
    for key, norm in norms.items():
        got = float(np.linalg.norm(ours[network.reference_name(key)].numpy()))
        np.testing.assert_allclose(got, norm, rtol=DOUBLE, atol=1e-12, err_msg=key)


def count(network):
    """Trained numbers; Paddle lists batch statistics among the parameters, with stop_gradient."""
    return sum(int(np.prod(p.shape)) for p in network.parameters() if not p.stop_gradient)


PARAMETERS = {
    "mmpose_hourglass52_mpii": 93_666_960,
    "bearpaw_hg2": 6_730_912,
    "bearpaw_hg8": 25_594_624,
    "princeton_hg8": 25_434_112,
}
NEVER_CALLED = {"mmpose_hourglass52_mpii": 1_180_672, "princeton_hg8": 7_385_216}


def check_count(name, stored, network):
    """Every number of the checkpoint is ours or in a layer that the reference creates and never calls."""
    shapes = golden.shapes(stored)
    sizes = {key: int(np.prod(shape)) for key, shape in shapes.items() if "running_" not in key}
    unused = sum(size for key, size in sizes.items() if network.reference_name(key) is None)
    assert unused == NEVER_CALLED.get(name, 0)
    assert count(network) == PARAMETERS[name] == sum(sizes.values()) - unused


@pytest.mark.parametrize(
    ("build", "parameters"),
    [
        (lambda: StackedHourglass(16, stacks=1), 3_586_960),
        (lambda: PrincetonHourglass(16, stacks=2), 8_429_088 - 1_858_688),  # less the unused skip layers
        (lambda: PrincetonHourglass(16, stacks=1), 4_364_048 - 937_600),
    ],
)
def test_parameter_count_of_fewer_stacks(build, parameters):
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
