import copy

import numpy as np
import paddle
import pytest
from networks import golden
from networks.ladder import Reference, climb, count
from paddle import nn

from paddle_pose.conversion.state import convert_state
from paddle_pose.engine.preprocess import Normaliser
from paddle_pose.engine.trainer import is_frozen
from paddle_pose.errors import CheckpointError, ConfigError
from paddle_pose.networks.openpose import OpenPose
from paddle_pose.registry import NETWORKS
from paddle_pose.skeletons import OPENPOSE_18

PARAMETERS = 52_311_446
TINY = {"widths": (4, 6, 8, 10), "convs": (2, 2, 4, 2), "width": 8, "refining_kernel": 3}
NARROW = {"widths": (8, 12, 16), "convs": (1, 1, 2), "width": 8, "refining_kernel": 5, "stages": 3}
WB = ("weight", "bias")


def images(batch=2, height=32, width=48):
    return paddle.to_tensor(np.random.RandomState(0).standard_normal((batch, 3, height, width)).astype("float32"))


def test_follows_the_reference():
    climb(Reference("openpose_vgg19", lambda: OpenPose(18, 19), PARAMETERS))


@pytest.fixture(scope="module")
def released():
    return OpenPose(18, 19)


def test_size_of_the_released_network(released):
    """By hand: parameters as in the paper's two branches, multiplications for an input of 368x368."""

    def conv(inputs, outputs, kernel):
        return inputs * outputs * kernel**2

    blocks = [
        conv(3, 64, 3) + conv(64, 64, 3),
        conv(64, 128, 3) + conv(128, 128, 3),
        conv(128, 256, 3) + 3 * conv(256, 256, 3),
        conv(256, 512, 3) + conv(512, 512, 3) + conv(512, 256, 3) + conv(256, 128, 3),
    ]
    stages = 0
    for own in (38, 19):
        stages += 3 * conv(128, 128, 3) + conv(128, 512, 1) + conv(512, own, 1)
        stages += 5 * (conv(38 + 19 + 128, 128, 7) + 4 * conv(128, 128, 7) + conv(128, 128, 1) + conv(128, own, 1))
    biases = 2 * 64 + 2 * 128 + 4 * 256 + 2 * 512 + 256 + 128
    biases += 2 * (3 * 128 + 512) + 5 * 2 * 6 * 128 + 6 * (38 + 19)
    assert sum(blocks) + stages + biases == count(released) == PARAMETERS
    macs = sum(block * (368 // 2**i) ** 2 for i, block in enumerate(blocks)) + stages * 46**2
    assert macs / 1e9 == pytest.approx(135.9, abs=0.05)
    assert macs == sum(_macs(name, layer) for name, layer in released.named_sublayers())


def _macs(name, layer):
    if not isinstance(layer, nn.Conv2D):
        return 0
    side = 368 // 2 ** int(name.split(".")[1]) if name.startswith("vgg.") else 46
    return int(np.prod(layer.weight.shape)) * side**2


def test_initial_weights_as_released(released):
    """N(0, 0.01) everywhere, biases 0."""
    for layer in released.sublayers():
        if isinstance(layer, nn.Conv2D):
            weight = layer.weight.numpy()
            assert abs(weight.std() / 0.01 - 1) < 5 / np.sqrt(weight.size)
            assert abs(weight.mean() / 0.01) < 5 / np.sqrt(weight.size)
            assert not layer.bias.numpy().any()


def test_initial_weights_by_fan_in_but_for_the_maps():
    network = OpenPose(18, 19, stages=2, widths=(16, 32), convs=(1, 1), width=32, initial_std=None)
    spread = {name: float(p.numpy().std()) for name, p in network.named_parameters() if name.endswith("weight")}
    assert spread["vgg.1.0.weight"] == pytest.approx((2 / (16 * 9)) ** 0.5, rel=0.1)
    assert spread["affinity.1.convs.1.weight"] == pytest.approx((2 / (32 * 49)) ** 0.5, rel=0.05)
    assert spread["affinity.0.convs.4.weight"] == pytest.approx(0.01, rel=0.1)
    assert spread["confidence.1.convs.6.weight"] == pytest.approx(0.01, rel=0.2)


def caffe_layers():
    """The layers with weights of the authors' pose_deploy.prototxt, of COCO and of MPI alike."""
    names = [f"conv{block}_{i}" for block, last in ((1, 2), (2, 2), (3, 4), (4, 2)) for i in range(1, last + 1)]
    names += ["conv4_3_CPM", "conv4_4_CPM"] + [f"conv5_{i}_CPM_L{branch}" for i in range(1, 6) for branch in (1, 2)]
    later = [(i, stage, branch) for stage in range(2, 7) for i in range(1, 8) for branch in (1, 2)]
    return names + [f"Mconv{i}_stage{stage}_L{branch}" for i, stage, branch in later]


def test_names_of_the_released_caffe_network():
    """Each once, and each parameter of ours has one; the channels of MPI's 15 parts and 14 limbs."""
    assert len(caffe_layers()) == 92
    network = OpenPose(15, 14, **TINY)
    named = {f"{layer}.{entry}": network.reference_name(f"{layer}.{entry}") for layer in caffe_layers() for entry in WB}
    assert sorted(named.values()) == sorted(network.state_dict())
    shapes = {key: network.state_dict()[name].shape for key, name in named.items()}
    assert shapes["conv5_5_CPM_L1.bias"] == [28]
    assert shapes["Mconv7_stage6_L2.bias"] == [16]
    assert shapes["Mconv1_stage2_L2.weight"] == [8, 28 + 16 + 8, 3, 3]
    assert shapes["conv4_3_CPM.weight"] == [16, 10, 3, 3]
    assert named["conv3_4.weight"] == "vgg.2.3.weight"
    for key in ("conv4_5_CPM.weight", "conv1_1/0", "Mconv8_stage2_L1.bias", "model0.1.weight", "features.1.weight"):
        assert network.reference_name(key) not in network.state_dict(), key
        assert network.reference_name(key) is not None, key  # so the converter refuses it


def test_caffe_and_pytorch_names_mean_the_same_layers():
    """In the order in which both networks are computed."""
    network = OpenPose(18, 19, **TINY)
    theirs = [key for key in golden.shapes(golden.read("openpose_vgg19")) if key.endswith("weight")]
    trunk = [network.reference_name(key) for key in theirs[:12]]
    assert trunk == [network.reference_name(f"{layer}.weight") for layer in caffe_layers()[:12]]
    assert network.reference_name("model1_2.6.bias") == network.reference_name("conv5_4_CPM_L2.bias")
    assert network.reference_name("model6_1.12.bias") == network.reference_name("Mconv7_stage6_L1.bias")


def test_channels_of_the_released_networks_are_the_skeletons():
    """Caffe's training layer draws a field from part `start` to part `end`, both counted from 1."""
    start = (2, 9, 10, 2, 12, 13, 2, 3, 4, 3, 2, 6, 7, 6, 2, 1, 1, 15, 16)
    end = (9, 10, 11, 12, 13, 14, 3, 4, 5, 17, 6, 7, 8, 18, 1, 15, 16, 17, 18)
    joints = OPENPOSE_18.joints
    assert tuple((joints[a - 1], joints[b - 1]) for a, b in zip(start, end)) == tuple(OPENPOSE_18.limbs)


def torchvision_vgg19(widths, convs=(2, 2, 4, 4, 4)):
    """Arrays by the names of torchvision: convolutions have a ReLU behind them, blocks a pooling."""
    state, place, before = {}, 0, 3
    for width, count_ in zip(widths, convs):
        for _ in range(count_):
            state[f"features.{place}.weight"], state[f"features.{place}.bias"] = (width, before, 3, 3), (width,)
            before, place = width, place + 2
        place += 1
    state |= {"classifier.0.weight": (7, 6), "classifier.6.bias": (5,)}
    return golden.weights(state, seed=0)


def test_torchvisions_trunk_leaves_the_rest_as_it_is():
    network, state = OpenPose(5, 4, **TINY), torchvision_vgg19((4, 6, 8, 10, 10))
    assert [key for key in state if key.endswith("weight")][-3:] == [
        "features.32.weight",
        "features.34.weight",
        "classifier.0.weight",
    ]
    with pytest.raises(CheckpointError, match="missing: narrow.0.weight"):
        convert_state(state, network)
    before = {name: value.numpy() for name, value in network.state_dict().items()}
    assert network.set_state_dict(convert_state(state, network, trunk_only=True)) == ([], [])
    changed = {name for name, value in network.state_dict().items() if (value.numpy() != before[name]).any()}
    assert changed == {name for name in before if name.startswith("vgg.")}
    assert len(changed) == 20
    np.testing.assert_array_equal(network.vgg[3][1].weight.numpy(), state["features.21.weight"])
    with pytest.raises(CheckpointError, match=r"missing: vgg.1.0.bias"):
        convert_state({key: value for key, value in state.items() if key != "features.5.bias"}, network, True)


def test_vgg16_is_refused():
    with pytest.raises(CheckpointError, match="unknown entry: features.17.weight"):
        convert_state(torchvision_vgg19((4, 6, 8, 10, 10), (2, 2, 3, 3, 3)), OpenPose(5, 4, **TINY), trunk_only=True)


def test_nine_convolutions_are_frozen_by_four_names():
    """What the reference's training freezes at first: all of VGG-19's but conv4_2."""
    frozen = ("vgg.0", "vgg.1", "vgg.2", "vgg.3.0")
    names = [name for name, _ in OpenPose(5, 4, **TINY).named_parameters() if is_frozen(name, frozen)]
    assert len(names) == 18
    assert "vgg.3.0.bias" in names


def test_caffes_preparation_of_photos():
    """x / 256 - 0.5, blue first, by the statistics that the documentation gives; the border of 128 becomes 0."""
    normalise = Normaliser((128 / 255,) * 3, (256 / 255,) * 3, "BGR")
    photo = (np.arange(12).reshape(1, 2, 2, 3) * 20 + 8).astype("uint8")
    photo[0, 0, 0] = 128
    wanted = photo[..., ::-1].transpose(0, 3, 1, 2) / 256 - 0.5
    prepared = normalise(photo, np.ones((1, 3), "float32")).numpy()
    np.testing.assert_allclose(prepared, wanted, atol=1e-6)
    np.testing.assert_allclose(prepared[0, :, 0, 0], 0, atol=1e-6)


@pytest.mark.parametrize("options", [TINY, {**TINY, "stages": 1}, {**NARROW, "batch_norm": True, "initial_std": None}])
def test_small_network_exports_copies_and_reaches_every_weight(options, tmp_path):
    network = OpenPose(5, 4, **options)
    stages = network(images())
    cells = (32 // network.stride, 48 // network.stride)
    assert [tuple(stage.shape) for stage in stages] == [(2, 2 * 4 + 5 + 1, *cells)] * options.get("stages", 6)
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


def test_a_photo_of_any_size_has_the_same_maps_where_it_is_the_same():
    """Cells far from the border depend on what is near them only, so a larger photo has the smaller one's inside."""
    network = OpenPose(2, 1, stages=1, widths=(4, 6), convs=(1, 1), width=4, initial_std=None)
    network.eval()
    large = images(1, 96, 80)
    whole, part = network(large)[0].numpy(), network(large[:, :, 16:80, 20:72])[0].numpy()
    reach = 7  # cells: the 3x3 convolutions after the pooling, and the ones before it
    np.testing.assert_allclose(part[..., reach:-reach, reach:-reach], whole[..., 15:33, 17:29], atol=1e-6)


def test_fields_come_first():
    """The first 2L channels are the affinity branch's, here the zeros of its last convolution."""
    network = OpenPose(5, 4, **NARROW)
    for branch in network.affinity:
        branch.convs[-1].weight.set_value(paddle.zeros_like(branch.convs[-1].weight))
    for stage in network(images()):
        assert not stage[:, :8].numpy().any()
        assert stage[:, 8:].numpy().any(axis=(0, 2, 3)).all()


def test_blocks_decide_the_stride():
    assert OpenPose(5, 4, **NARROW).stride == 4
    assert OpenPose(5, 4, **TINY).stride == 8
    assert NETWORKS["OpenPose"] is OpenPose
    with pytest.raises(ConfigError, match="multiples of 8"):
        OpenPose(5, 4, **TINY)(images(height=36))
    OpenPose(5, 4, **NARROW)(images(1, height=36))


def test_batch_normalisation_follows_every_convolution_but_those_that_end_in_maps():
    network = OpenPose(5, 4, **NARROW, batch_norm=True)
    convs = {name for name, layer in network.named_sublayers() if isinstance(layer, nn.Conv2D)}
    plain = {name for name in convs if not name.endswith(".conv")}
    assert plain == {f"{branch}.{s}.convs.{6 if s else 4}" for branch in ("affinity", "confidence") for s in range(3)}
    assert sum(isinstance(layer, nn.BatchNorm2D) for layer in network.sublayers()) == len(convs - plain)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stages": 0}, "stages=0"),
        ({"refining_kernel": 4}, "refining_kernel=4"),
        ({"width": 0}, "width=0"),
        ({"widths": (8, 16)}, r"widths=\[8, 16\], convs=\[2, 2, 4, 2\]"),
        ({"widths": (8, 16), "convs": (1, 0)}, "convs"),
        ({"widths": (), "convs": ()}, "widths"),
    ],
)
def test_what_cannot_be_built(options, message):
    with pytest.raises(ConfigError, match=message):
        OpenPose(5, 4, **options)
