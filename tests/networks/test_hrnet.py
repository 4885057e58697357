import copy

import numpy as np
import paddle
import pytest
from networks import golden
from networks.ladder import Reference, climb, count
from paddle import nn
from quick_weights import quick_weights

from paddle_pose.conversion.state import convert_state
from paddle_pose.errors import CheckpointError, ConfigError
from paddle_pose.networks.hrnet import ExchangeUnit, HRNet
from paddle_pose.registry import NETWORKS

REFERENCES = [
    Reference("hrnet_official_w32_mpii", lambda: HRNet(16), 28_536_080),
    Reference("mmpose_hrnet_w32_mpii", lambda: HRNet(16), 28_536_080),
    Reference("hrnet_official_w48_coco", lambda: HRNet(17, width=48), 63_595_745),
    Reference("mmpose_hrnet_w48_coco", lambda: HRNet(17, width=48), 63_595_745),
]
SMALL_V1 = {"width": 16, "modules": (1, 1, 1), "blocks": 2, "bottlenecks": 1, "bottleneck_width": 32}
SMALL_V2 = {"width": 18, "modules": (1, 3, 2), "blocks": 2, "bottlenecks": 2}


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.name)
def test_forward_and_training_follow_the_reference(reference):
    climb(reference)


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, 28_536_113),
        # The authors' classification trunks, counted in their code, with a 1x1 convolution to 17 maps.
        (SMALL_V1, 1_284_944 + 17),
        (SMALL_V2, 3_616_656 + 19),
    ],
)
def test_parameter_count_with_17_joints(options, parameters):
    with quick_weights():
        assert count(HRNet(17, **options)) == parameters


@pytest.mark.parametrize("resolutions", [2, 3, 4])
def test_exchange_unit_is_the_sum_of_all_paths(resolutions):
    """Fig. 3, every map doubled at the end of its own path; ours doubles the sums on their way."""
    widths = [4 * 2**r for r in range(resolutions)]
    unit = ExchangeUnit(widths, resolutions)
    rng = np.random.RandomState(0)
    maps = [paddle.to_tensor(rng.standard_normal((2, c, 16 >> r, 24 >> r)).astype("f4")) for r, c in enumerate(widths)]
    outputs = unit(maps)
    assert len(outputs) == resolutions
    for end, output in enumerate(outputs):
        total = 0
        for start, x in enumerate(maps):
            part = unit.paths[end][start](x).numpy()
            times = 2 ** max(start - end, 0)
            total = total + part.repeat(times, axis=2).repeat(times, axis=3)
        assert tuple(output.shape) == tuple(maps[end].shape)
        np.testing.assert_allclose(output.numpy(), np.maximum(total, 0), atol=1e-5)


def test_new_branch_comes_from_the_lowest_after_its_exchange():
    """Y_{s+1} = a(Y_s, s + 1): the input of each new branch is the last output of the stage before."""
    network = HRNet(3, **SMALL_V1)
    seen, made = [], []
    for layer in network.new_branches:
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for layer in (network.stage1, *network.stages):
        layer.register_forward_post_hook(lambda _, inputs, outputs: made.append(outputs))
    network(paddle.zeros([1, 3, 32, 64]))
    assert seen[0] is made[0]
    assert all(seen[i] is made[i][-1] for i in (1, 2))
    assert [len(outputs) for outputs in made[1:]] == [2, 3, 1]


def test_small_network_exports_copies_and_reaches_every_weight(tmp_path):
    network = HRNet(5, width=4, modules=(1, 2), blocks=1, bottlenecks=2, bottleneck_width=4)
    x = paddle.to_tensor(np.random.RandomState(0).standard_normal((2, 3, 64, 48)).astype("float32"))
    stages = network(x)
    assert [tuple(maps.shape) for maps in stages] == [(2, 5, 16, 12)]
    stages[0].square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.stop_gradient or parameter.grad is not None, name

    network.eval()
    wanted = network(x)[0].numpy()
    np.testing.assert_array_equal(copy.deepcopy(network)(x)[0].numpy(), wanted)
    spec = [paddle.static.InputSpec([None, 3, None, None], "float32")]
    paddle.jit.save(network, str(tmp_path / "net"), input_spec=spec)
    traced = paddle.jit.load(str(tmp_path / "net"))
    traced.eval()
    got = traced(x)
    maps = got[0] if isinstance(got, list) else got
    np.testing.assert_allclose(maps.numpy(), wanted, rtol=1e-4, atol=1e-6)


def test_names_of_mmpose_0x():
    network = HRNet(5, **SMALL_V1)
    assert network.reference_name("keypoint_head.final_layer.weight") == "to_maps.weight"
    assert network.reference_name("backbone.stage2.0.fuse_layers.1.0.0.1.running_mean") == (
        "stages.0.0.exchange.paths.1.0.0.bn.running_mean"
    )


def imagenet_trunk():
    """A classification checkpoint by the keys of the authors' HRNet-W32-C: the pose trunk, and what we do not use."""
    shapes = golden.shapes(golden.read("hrnet_official_w32_mpii"))
    trunk = {key: shape for key, shape in shapes.items() if not key.startswith("final_layer.")}
    more = {
        "incre_modules.0.0.conv1.weight": (32, 32, 1, 1),
        "downsamp_modules.2.1.running_mean": (1024,),
        "final_layer.0.weight": (2048, 1024, 1, 1),
        "classifier.bias": (1000,),
        "stage4.2.fuse_layers.1.0.0.0.weight": (64, 32, 3, 3),
        "stage4.2.fuse_layers.3.3.0.1.running_var": (256,),
    }
    return {key: np.zeros(shape, "float32") for key, shape in {**trunk, **more}.items()}


def test_imagenet_trunk_leaves_the_head_as_it_is():
    with quick_weights():
        network, state = HRNet(5), imagenet_trunk()
    with pytest.raises(CheckpointError, match="missing: to_maps.weight, to_maps.bias"):
        convert_state(state, network)
    head = network.to_maps.weight.numpy()
    assert head.any()
    assert network.set_state_dict(convert_state(state, network, trunk_only=True)) == ([], [])
    np.testing.assert_array_equal(network.to_maps.weight.numpy(), head)
    assert not network.stages[2][2].exchange.paths[0][3].conv.weight.numpy().any()
    with pytest.raises(CheckpointError, match="missing: stem.0.conv.weight"):
        convert_state({key: value for key, value in state.items() if key != "conv1.weight"}, network, trunk_only=True)


def test_trunk_of_other_joints():
    """COCO's 17 joints -> 16 of MPII: everything but the head."""
    theirs = golden.weights({"final_layer.weight": (17, 32, 1, 1), "final_layer.bias": (17,)}, seed=0)
    with quick_weights():
        network, state = HRNet(16), {**imagenet_trunk(), **theirs}
    with pytest.raises(CheckpointError, match="shape differs: final_layer.weight"):
        convert_state(state, network)
    assert convert_state(state, network, trunk_only=True)["to_maps.bias"].shape == (16,)


def test_initial_weights_are_the_authors():
    """Standard deviation 0.001, mean 0, biases 0; batch norm 1 and 0."""
    network = HRNet(16, **SMALL_V1)
    for layer in network.sublayers():
        if isinstance(layer, nn.Conv2D):
            weight = layer.weight.numpy()
            assert abs(weight.std() / 0.001 - 1) < 5 / np.sqrt(weight.size)
            assert abs(weight.mean() / 0.001) < 5 / np.sqrt(weight.size)
        if isinstance(layer, nn.BatchNorm2D):
            assert (layer.weight.numpy() == 1).all()
            assert not layer.bias.numpy().any()
    assert not network.to_maps.bias.numpy().any()


@pytest.mark.parametrize("wrong", [{"modules": ()}, {"modules": (1, 0)}, {"width": 0}, {"blocks": 0}])
def test_sizes_that_cannot_be_built(wrong):
    with pytest.raises(ConfigError, match="each must be at least 1"):
        HRNet(16, **{**SMALL_V1, **wrong})


def test_sizes_that_cannot_be_halved():
    with pytest.raises(ConfigError, match="48x64.*multiples of 32"):
        HRNet(16, **SMALL_V1)(paddle.zeros([1, 3, 64, 48]))


def test_name_in_the_registry():
    assert NETWORKS["HRNet"] is HRNet
    assert HRNet.stride == 4
