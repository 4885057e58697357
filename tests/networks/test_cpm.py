import copy

import numpy as np
import paddle
import pytest
from networks.ladder import Reference, climb, count
from paddle import nn

from paddle_pose.errors import ConfigError
from paddle_pose.networks.centre_map import draw_centre_map
from paddle_pose.networks.cpm import CPM, caffe_layers, field_of_layers, receptive_field
from paddle_pose.networks.cpm_mmpose import MMPoseCPM
from paddle_pose.registry import NETWORKS


def small(num_joints=5, stages=3, **options):
    return CPM(num_joints, stages, **{"width": 8, "trunk_kernel": 3, "refining_kernel": 5, **options})


def images(batch=2, height=64, width=96):
    return paddle.to_tensor(np.random.RandomState(0).standard_normal((batch, 3, height, width)).astype("float32"))


def test_mmposes_network_follows_the_reference():
    climb(Reference("mmpose_cpm_mpii", lambda: MMPoseCPM(16), 31_225_568))


def test_mmposes_unused_features_of_a_single_stage():
    network = MMPoseCPM(4, stages=1)
    assert network.reference_name("backbone.middle.0.conv.weight") is None
    assert network.reference_name("backbone.stem.9.conv.bias") in network.state_dict()
    assert [tuple(maps.shape) for maps in network(images(1))] == [(1, 4, 8, 12)]


def test_parameter_count_of_the_released_network():
    """By hand: in * out * kernel^2 weights and out biases of each convolution."""

    def conv(inputs, outputs, kernel):
        return inputs * outputs * kernel**2 + outputs

    features = conv(3, 128, 9) + 2 * conv(128, 128, 9)
    first = conv(128, 32, 5) + conv(32, 512, 9) + conv(512, 512, 1) + conv(512, 15, 1)
    refining = conv(128, 32, 5) + conv(32 + 15 + 1, 128, 11) + 2 * conv(128, 128, 11) + conv(128, 128, 1)
    refining += conv(128, 15, 1)
    assert 2 * features + first + 5 * refining == 31_219_866
    network = CPM(14)
    assert count(network) == 31_219_866
    weight = network.stages[4].convs[1].weight.numpy()
    assert weight.std() == pytest.approx(0.01, rel=0.01)
    assert network.reference_name("Mconv2_stage6.weight") == "stages.4.convs.1.weight"


def released_layers():
    """The layers with weights of pose_deploy_centerMap.prototxt, in its order."""
    names = [f"conv{i}_stage1" for i in range(1, 8)] + [f"conv{i}_stage2" for i in range(1, 5)]
    names += [f"Mconv{i}_stage2" for i in range(1, 6)]
    for stage in range(3, 7):
        names += [f"conv1_stage{stage}"] + [f"Mconv{i}_stage{stage}" for i in range(1, 6)]
    return names


def test_names_of_the_released_caffe_network():
    """Each once, and each parameter of ours has one."""
    assert len(released_layers()) == 40
    assert set(caffe_layers(6)) == set(released_layers())
    for stages in (1, 2, 3):
        network = small(stages=stages)
        named = [
            network.reference_name(f"{layer}.{entry}") for layer in caffe_layers(stages) for entry in ("weight", "bias")
        ]
        assert sorted(named) == sorted(network.state_dict())
    assert small().reference_name("conv9_stage1.weight") == "conv9_stage1.weight"  # the converter refuses it


@pytest.mark.parametrize(
    ("pool", "stage", "pixels"),
    [(2, 1, 160), (2, 2, 400), (3, 1, 167), (3, 2, 407), (3, 3, 647), (3, 6, 1367)],
)
def test_receptive_field(pool, stage, pixels):
    """Fig. 2 of the paper has 160 and 400, with pooling of 2x2."""
    assert receptive_field(stage, pool_kernel=pool) == pixels


def test_receptive_field_by_hand():
    assert field_of_layers([(9, 1)]) == 9
    assert field_of_layers([(9, 1), (2, 2), (9, 1)]) == 9 + 1 + 2 * 8


@pytest.mark.parametrize(("stage", "pixels"), [(1, receptive_field(1, 3)), (2, receptive_field(2, 3, 3, 5))])
def test_receptive_field_is_where_the_gradient_reaches(stage, pixels):
    """Positive weights let every pixel through; the image is larger than the field."""
    network = small(1, stages=2, background=False, dropout=0.0)
    for parameter in network.parameters():
        parameter.set_value(paddle.full_like(parameter, 1e-2))
    x = paddle.rand([1, 3, 320, 320])
    x.stop_gradient = False
    network(x)[stage - 1][0, 0, 20, 20].backward()
    reached = np.flatnonzero(np.abs(x.grad.numpy()).sum((0, 1, 2)))
    assert reached[0] > 0
    assert reached[-1] < 319
    # of each pooling window the gradient goes to one cell, so the outermost pixels may be left out
    assert pixels - 14 <= reached[-1] - reached[0] + 1 <= pixels


def brute_centre_map(width, height, x, y):
    """The Gaussian over all pixels, averaged over windows of 9 from each 8th pixel on; Caffe's ceil rule."""
    across, down = np.arange(width) - x, np.arange(height) - y
    gaussian = np.exp(-(down[:, None] ** 2 + across[None] ** 2) / (2 * 21.0**2))
    return np.array(
        [[gaussian[8 * j : 8 * j + 9, 8 * i : 8 * i + 9].mean() for i in range(width // 8)] for j in range(height // 8)]
    )


def test_centre_map_is_the_pooled_gaussian():
    features = paddle.zeros([2, 4, 8, 12])
    middle = draw_centre_map(features).numpy()
    assert middle.shape == (2, 1, 8, 12)
    np.testing.assert_allclose(middle[1, 0], brute_centre_map(96, 64, 48, 32), rtol=1e-5)
    given = draw_centre_map(features, paddle.to_tensor([[48.0, 32.0], [93.5, 3.25]])).numpy()
    np.testing.assert_array_equal(given[0], middle[0])
    np.testing.assert_allclose(given[1, 0], brute_centre_map(96, 64, 93.5, 3.25), rtol=1e-5, atol=1e-30)


def test_centre_map_as_paddles_pooling():
    """`exclusive` makes no difference: the windows have no padding, only the last one is cut."""
    across, down = np.arange(96) - 48, np.arange(64) - 32
    gaussian = np.exp(-(down[:, None] ** 2 + across[None] ** 2) / (2 * 21.0**2)).astype("float32")
    pooled = nn.AvgPool2D(9, 8, ceil_mode=True)(paddle.to_tensor(gaussian[None, None])).numpy()
    np.testing.assert_allclose(draw_centre_map(paddle.zeros([1, 1, 8, 12])).numpy(), pooled, rtol=1e-5)


def test_stage_1_does_not_see_the_centre_and_later_ones_do():
    network = small(initial_std=None)
    network.eval()
    x = images()
    middle, moved = network(x), network(x, paddle.to_tensor([[10.0, 10.0], [48.0, 32.0]]))
    np.testing.assert_array_equal(middle[0].numpy(), moved[0].numpy())
    assert (middle[1].numpy()[0] != moved[1].numpy()[0]).any()
    np.testing.assert_array_equal(middle[2].numpy()[1], moved[2].numpy()[1])  # the middle, given
    without = small(centre_map=False)
    assert count(network) - count(without) == 2 * 8 * 25  # one input channel of each later stage's first 5x5


def test_pooling_windows_are_caffes():
    """Cell i of a pooling is the largest of cells 2i, 2i + 1, 2i + 2, as far as there are any; nothing is padded."""
    pool = small(stages=1).stage1.features.pool
    x = paddle.arange(8, dtype="float32").reshape([1, 1, 1, 8]).expand([1, 1, 8, 8])
    assert pool(x)[0, 0, 0].tolist() == [2, 4, 6, 7]
    assert pool(-x)[0, 0, 0].tolist() == [0, -2, -4, -6]


SMALL = [small, lambda: small(stages=1, background=False), lambda: small(centre_map=False, batch_norm=True)]


@pytest.mark.parametrize("build", SMALL)
def test_small_network_exports_copies_and_reaches_every_weight(build, tmp_path):
    network = build()
    stages = network(images())
    maps = 5 + (network.stage1.conv7.bias.shape[0] == 6)
    assert [tuple(stage.shape) for stage in stages] == [(2, maps, 8, 12)] * (len(network.stages) + 1)
    sum(stage.square().sum() for stage in stages).backward()
    for name, parameter in network.named_parameters():
        assert parameter.stop_gradient or parameter.grad is not None, name

    network.eval()
    wanted = [stage.numpy() for stage in network(images())]
    np.testing.assert_array_equal(copy.deepcopy(network)(images())[-1].numpy(), wanted[-1])
    spec = [paddle.static.InputSpec([None, 3, None, None], "float32")]
    paddle.jit.save(network, str(tmp_path / "net"), input_spec=spec)
    traced = paddle.jit.load(str(tmp_path / "net"))
    traced.eval()
    got = traced(images())
    for stage, expected in zip(got if isinstance(got, list) else [got], wanted):
        np.testing.assert_allclose(stage.numpy(), expected, rtol=1e-4, atol=1e-6)


def test_dropout_is_in_stage_1_only():
    network = small(initial_std=None, dropout=0.5)
    features = network.features(images())
    previous, centre = paddle.rand([2, 6, 8, 12]), draw_centre_map(features)
    first, again = (network.stages[0](features, previous, centre).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, again)
    first, again = (network.stage1(images()).numpy() for _ in range(2))
    assert (first != again).any()


def test_initial_weights_by_fan_in_but_for_the_maps():
    network = CPM(14, stages=2, width=32, initial_std=None)
    spread = {name: float(p.numpy().std()) for name, p in network.named_parameters() if name.endswith("weight")}
    assert spread["stage1.conv6.weight"] == pytest.approx((2 / 128) ** 0.5, rel=0.05)
    assert spread["stages.0.convs.1.weight"] == pytest.approx((2 / (32 * 121)) ** 0.5, rel=0.05)
    assert spread["stage1.conv7.weight"] == pytest.approx(0.01, rel=0.1)
    assert spread["stages.0.convs.4.weight"] == pytest.approx(0.01, rel=0.2)
    assert not network.stage1.conv5.bias.numpy().any()


def test_batch_normalisation_follows_every_convolution_but_those_that_end_in_maps():
    network = small(batch_norm=True)
    convs = {name for name, layer in network.named_sublayers() if isinstance(layer, nn.Conv2D)}
    normalised = {name for name in convs if name.endswith(".conv")}
    assert convs - normalised == {"stage1.conv7", "stages.0.convs.4", "stages.1.convs.4"}
    assert sum(isinstance(layer, nn.BatchNorm2D) for layer in network.sublayers()) == len(normalised)
    assert not any(isinstance(layer, nn.BatchNorm2D) for layer in small().sublayers())


def test_what_cannot_be_built_or_divided():
    for network in (CPM, MMPoseCPM):
        with pytest.raises(ConfigError, match="stages=0"):
            network(5, stages=0)
        assert NETWORKS[network.__name__] is network
        assert network.stride == 8
    with pytest.raises(ConfigError, match="odd"):
        small(trunk_kernel=4)
    with pytest.raises(ConfigError, match="multiples of 8"):
        small()(images(height=60))
