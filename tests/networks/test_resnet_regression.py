"""mmpose's residual regressors: the reference's numbers, names of public checkpoints, sizes, export."""

import numpy as np
import paddle
import pytest
from networks.ladder import Reference, climb, count
from quick_weights import quick_weights

from paddle_pose.errors import ConfigError
from paddle_pose.networks.realnvp import RealNVP
from paddle_pose.networks.resnet import BLOCKS, ResNetTrunk
from paddle_pose.networks.resnet_regression import ResNetRegression
from paddle_pose.registry import NETWORKS

RES50 = 23_573_600  # with 16 joints


def test_forward_and_training_follow_the_reference():
    climb(Reference("mmpose_deeppose_res50_mpii", lambda: ResNetRegression(16), RES50))


@pytest.mark.parametrize(
    ("depth", "parameters", "channels"),
    [
        (18, 11_689_512, 512),
        (34, 21_797_672, 512),
        (50, 25_557_032, 2048),
        (101, 44_549_160, 2048),
        (152, 60_192_808, 2048),
    ],
)
def test_parameters_of_the_trunk(depth, parameters, channels):
    """torchvision's numbers, less its classifier of 1000 classes."""
    with quick_weights():
        trunk = ResNetTrunk(depth)
    assert trunk.channels == channels
    assert count(trunk) == parameters - (channels + 1) * 1000


def test_depth_18_has_torchvisions_names_and_strides():
    network = ResNetRegression(5, depth=18)
    network.eval()
    state = network.state_dict()
    assert network(paddle.zeros([1, 3, 65, 33]))[0].shape == [1, 5, 2]
    assert tuple(network.trunk(paddle.zeros([1, 3, 96, 64])).shape) == (1, 512, 3, 2)
    for key in ("layer1.1.conv2.weight", "layer2.0.conv1.weight", "layer4.0.downsample.1.bias", "layer4.1.bn2.weight"):
        assert network.reference_name(key) in state
    assert tuple(state[network.reference_name("layer2.0.downsample.0.weight")].shape) == (128, 64, 1, 1)
    assert network.reference_name("layer1.0.downsample.0.weight") not in state  # same shape: no shortcut


@pytest.fixture(scope="module")
def network():
    paddle.seed(0)
    return ResNetRegression(5, sigma=True)


def test_any_input_size_gives_coordinates_and_sigmas(network):
    network.eval()
    for height, width in ((64, 96), (33, 65)):
        (output,) = network(paddle.zeros([2, 3, height, width]))
        assert output.shape == [2, 5, 4]
        sigma = output[..., 2:].numpy()
        assert ((sigma > 0) & (sigma < 1)).all()


def test_sigma_is_the_sigmoid_of_the_last_two_numbers(network):
    network.eval()
    plain = ResNetRegression(5)
    plain.eval()
    plain.trunk = network.trunk
    image = paddle.ones([1, 3, 32, 32])
    numbers = network.to_joints(network.trunk(image).mean([2, 3])).reshape([1, 5, 4]).numpy()
    output = network(image)[0].numpy()
    np.testing.assert_allclose(output[..., :2], numbers[..., :2], rtol=1e-6)
    np.testing.assert_allclose(output[..., 2:], 1 / (1 + np.exp(-numbers[..., 2:])), rtol=1e-5)
    assert plain(image)[0].shape == [1, 5, 2]


def test_initial_head_is_mmposes(network):
    weight = network.to_joints.weight.numpy()
    assert abs(weight.std() / 0.01 - 1) < 0.05
    assert not network.to_joints.bias.numpy().any()


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("backbone.conv1.weight", "trunk.stem.0.conv.weight"),
        ("conv1.weight", "trunk.stem.0.conv.weight"),  # torchvision
        ("layer4.0.downsample.1.running_mean", "trunk.groups.3.0.shortcut.bn.running_mean"),
        ("head.fc.weight", "to_joints.weight"),
        ("keypoint_head.fc.bias", "to_joints.bias"),  # mmpose 0.x
        ("head.loss_module.flow_model.s.0.2.weight", "flow.scale.0.2.weight"),
        ("keypoint_head.loss.flow_model.t.5.4.bias", "flow.shift.5.4.bias"),
    ],
)
def test_names_of_public_checkpoints(network, key, name):
    assert network.reference_name(key) == name
    assert name.replace("running_mean", "_mean") in network.state_dict()


@pytest.mark.parametrize("key", ["fc.weight", "fc.bias", "head.loss_module.flow_model.mask"])
def test_entries_without_use_here(network, key):
    assert network.reference_name(key) is None


def test_export(network, tmp_path):
    network.eval()
    image = paddle.to_tensor(np.random.RandomState(0).standard_normal((2, 3, 64, 32)).astype("float32"))
    paddle.jit.save(network, str(tmp_path / "net"), [paddle.static.InputSpec([None, 3, None, None], "float32")])
    traced = paddle.jit.load(str(tmp_path / "net"))
    traced.eval()
    got = traced(image)
    got = got[0] if isinstance(got, list) else got
    np.testing.assert_allclose(got.numpy(), network(image)[0].numpy(), rtol=1e-4, atol=1e-5)


def test_flow_starts_near_the_normal_distribution_and_is_one():
    """Its density integrates to 1 over the plane, before and after its weights are changed."""
    paddle.seed(1)
    flow = RealNVP()
    side = np.linspace(-8, 8, 161, dtype="float32")
    points = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    for spread in (0.0, 0.1):
        for parameter in flow.parameters():
            parameter.set_value(parameter + spread * paddle.randn(parameter.shape))
        density = np.exp(flow(paddle.to_tensor(points)).numpy())
        assert density.sum() * 0.1**2 == pytest.approx(1, abs=5e-3)


def test_wrong_depth_and_names_in_the_registry():
    with pytest.raises(ConfigError, match="depth=20: there are 18, 34, 50, 101, 152"):
        ResNetRegression(16, depth=20)
    assert NETWORKS["ResNetRegression"] is ResNetRegression
    assert sorted(BLOCKS) == [18, 34, 50, 101, 152]
