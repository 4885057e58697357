"""mmpose's residual regressors: the reference's numbers, names of public checkpoints, sizes, export."""

import numpy as np
import paddle
import pytest
from networks.ladder import Reference, climb, count

from paddle_pose.errors import ConfigError
from paddle_pose.networks.realnvp import RealNVP
from paddle_pose.networks.resnet import BLOCKS, ResNetTrunk
from paddle_pose.networks.resnet_regression import ResNetRegression
from paddle_pose.registry import NETWORKS

RES50 = 23_573_600  # with 16 joints


def test_forward_and_training_follow_the_reference():
    climb(Reference("mmpose_deeppose_res50_mpii", lambda: ResNetRegression(16), RES50))


@pytest.mark.parametrize(("depth", "parameters"), [(50, 23_508_032), (101, 42_500_160), (152, 58_143_808)])
def test_parameters_of_the_trunk(depth, parameters):
    """torchvision's 25,557,032, 44,549,160 and 60,192,808 less the classifier's 2048 x 1000 + 1000."""
    assert count(ResNetTrunk(depth)) == parameters


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
    with pytest.raises(ConfigError, match="depth=18: there are 50, 101, 152"):
        ResNetRegression(16, depth=18)
    assert NETWORKS["ResNetRegression"] is ResNetRegression
    assert sorted(BLOCKS) == [50, 101, 152]
