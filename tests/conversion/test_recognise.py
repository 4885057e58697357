"""Which network a checkpoint is: from the keys and shapes of the public implementations, and of what resembles them."""

import re
from pathlib import Path

import numpy as np
import pytest
from networks import golden

from paddle_pose.config import load_config
from paddle_pose.conversion.recognise import recognise
from paddle_pose.conversion.unwrap import unwrap
from paddle_pose.errors import CheckpointError

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
W = {"modules": [1, 4, 3], "blocks": 4, "bottlenecks": 4, "bottleneck_width": 64}
HG = {"width": 256, "depth": 4}
EXPECTED = {  # name -> source, network, options, joints, first configuration
    "bearpaw_hg2": ("bearpaw / anibali", "StackedHourglass", {"stacks": 2, **HG}, 16, "hourglass/hg2_mpii_256x256"),
    "bearpaw_hg8": ("bearpaw / anibali", "StackedHourglass", {"stacks": 8, **HG}, 16, "hourglass/hg8_mpii_256x256"),
    "princeton_hg8": (
        "princeton-vl",
        "PrincetonHourglass",
        {"stacks": 8, **HG},
        16,
        "hourglass/princeton_hg8_mpii_256x256",
    ),
    "hrnet_official_w32_mpii": ("HRNet, official", "HRNet", {"width": 32, **W}, 16, "hrnet/w32_mpii_256x256"),
    "hrnet_official_w48_coco": ("HRNet, official", "HRNet", {"width": 48, **W}, 17, "hrnet/w48_coco_192x256"),
    "mmpose_hrnet_w32_mpii": ("mmpose 1.x", "HRNet", {"width": 32, **W}, 16, "hrnet/w32_mpii_256x256_mmpose"),
    "mmpose_hrnet_w48_coco": ("mmpose 1.x", "HRNet", {"width": 48, **W}, 17, "hrnet/w48_coco_192x256_mmpose"),
    "mmpose_hourglass52_mpii": (
        "mmpose 1.x",
        "Hourglass52",
        {"stacks": 1},
        16,
        "hourglass/hourglass52_mpii_256x256",
    ),
    "mmpose_cpm_mpii": ("mmpose", "MMPoseCPM", {"stages": 6}, 16, "cpm/mmpose_cpm_mpii_368x368"),
    "mmpose_deeppose_res50_mpii": (
        "mmpose 1.x",
        "ResNetRegression",
        {"depth": 50, "sigma": False},
        16,
        "deeppose/res50_mpii_256x256",
    ),
    "openpose_vgg19": (
        "tensorboy",
        "OpenPose",
        {"stages": 6, "width": 128, "refining_kernel": 7},
        18,
        "openpose/vgg19_coco_368x368_cmu",
    ),
}


class Shaped:
    """An array's shape without its numbers, as recognising needs no more."""

    def __init__(self, shape):
        self.shape = tuple(shape)


def entries_of(name):
    return {key: Shaped(shape) for key, shape in golden.shapes(golden.read(name)).items()}


def recognised(entries):
    return recognise({key: value.shape for key, value in unwrap(entries).entries.items()})


def described(found):
    return found.source, found.network, found.options, found.joints, found.configs[0][: -len(".yaml")]


def test_all_golden_names_are_expected():
    assert set(EXPECTED) == {path.stem for path in golden.FOLDER.glob("*.npz")} - {"mmpose_rle"}


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("prefix", ["", "module.", "model.module."])
@pytest.mark.parametrize("wrapper", [None, "state_dict"])
def test_every_public_implementation(name, prefix, wrapper):
    entries = {prefix + key: value for key, value in entries_of(name).items()}
    entries[f"{prefix}x.num_batches_tracked"] = Shaped(())
    content = {"epoch": 1, wrapper: entries, "optimizer": {"state": {}}} if wrapper else entries
    assert described(recognised(content)) == EXPECTED[name]


def test_configurations_are_there_and_of_that_network():
    for name, (_, network, *_) in EXPECTED.items():
        there = [path for path in (CONFIGS / each for each in recognised(entries_of(name)).configs) if path.is_file()]
        assert there, name
        assert load_config(str(there[0])).network.type == network


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith("mmpose") and "cpm" not in name])
def test_mmpose_0(name):
    entries = {re.sub(r"^head\.", "keypoint_head.", key): value for key, value in entries_of(name).items()}
    assert described(recognised(entries)) == ("mmpose 0.x", *EXPECTED[name][1:])


def test_rle_has_twice_the_outputs_and_a_flow():
    entries = entries_of("mmpose_deeppose_res50_mpii")
    entries["head.fc.weight"] = Shaped((17 * 4, 2048))
    entries["head.loss_module.flow_model.s.0.0.weight"] = Shaped((64, 2))
    found = recognised(entries)
    assert (found.options, found.joints) == ({"depth": 50, "sigma": True}, 17)
    assert found.configs == ("deeppose/res50_rle_coco_192x256.yaml",)


def test_joints_of_neither_data_set_have_no_configuration():
    entries = entries_of("bearpaw_hg2")
    entries["score.0.weight"] = Shaped((14, 256, 1, 1))
    found = recognised(entries)
    assert (found.joints, found.configs) == (14, ())


def test_hrnet_of_another_width():
    """HRNet-W18, which no configuration has: its options are read, the configuration is that of W32 with them."""
    entries = entries_of("hrnet_official_w32_mpii")
    entries["transition1.0.0.weight"] = Shaped((18, 256, 3, 3))
    found = recognised(entries)
    assert found.options["width"] == 18
    assert found.configs == ("hrnet/w32_mpii_256x256.yaml",)


def test_colours_and_test_are_those_of_the_program():
    """Neither hourglass program divides colours by a deviation, or moves the maps of a mirrored photo."""
    bearpaw = (0.4404, 0.4440, 0.4327)
    for name, mean in (("bearpaw_hg2", bearpaw), ("bearpaw_hg8", bearpaw), ("princeton_hg8", (0, 0, 0))):
        config = load_config(str(CONFIGS / recognised(entries_of(name)).configs[0]))
        assert config.normalise.mean == mean
        assert config.normalise.std == (1, 1, 1)
        assert config.codec.arguments["shift_mirrored"] is False


def resnet(blocks, has_third, classes=1000):
    entries = {"conv1.weight": (64, 3, 7, 7), "fc.weight": (classes, 2048)}
    for group, count in enumerate(blocks, start=1):
        for block in range(count):
            for conv in (1, 2, 3)[: 3 if has_third else 2]:
                entries[f"layer{group}.{block}.conv{conv}.weight"] = (8, 8, 1, 1)
    return {key: Shaped(shape) for key, shape in entries.items()}


def features(shapes, norm=False):
    entries = {f"features.{place}.weight": Shaped((channels, 3, 3, 3)) for place, channels in shapes.items()}
    return {**entries, **({"features.1.running_mean": Shaped((64,))} if norm else {})}


VGG19 = dict.fromkeys((0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34), 64)
ALEXNET = {0: 64, 3: 192, 6: 384, 8: 256, 10: 256}


@pytest.mark.parametrize(
    ("entries", "source", "network", "options"),
    [
        (features(ALEXNET), "torchvision's AlexNet", "DeepPose", {"variant": "torchvision"}),
        (features(VGG19), "torchvision's VGG-19", "OpenPose", {}),
        (resnet((2, 2, 2, 2), has_third=False), "torchvision's ResNet-18", "ResNetRegression", {"depth": 18}),
        (resnet((3, 4, 6, 3), has_third=False), "torchvision's ResNet-34", "ResNetRegression", {"depth": 34}),
        (resnet((3, 4, 6, 3), has_third=True), "torchvision's ResNet-50", "ResNetRegression", {"depth": 50}),
        (resnet((3, 4, 23, 3), has_third=True), "torchvision's ResNet-101", "ResNetRegression", {"depth": 101}),
        (resnet((3, 8, 36, 3), has_third=True), "torchvision's ResNet-152", "ResNetRegression", {"depth": 152}),
    ],
)
def test_trunks(entries, source, network, options):
    found = recognised(entries)
    assert found.is_trunk
    assert (found.source, found.network, found.options) == (source, network, options)
    if options.get("depth", 50) >= 50:
        assert all((CONFIGS / name).is_file() for name in found.configs[:1])


def test_trunk_of_hrnet():
    entries = entries_of("hrnet_official_w32_mpii")
    del entries["final_layer.weight"], entries["final_layer.bias"]
    entries |= {"classifier.weight": Shaped((1000, 2048)), "final_layer.0.weight": Shaped((2048, 1024, 1, 1))}
    found = recognised(entries)
    assert found.is_trunk
    assert (found.network, found.options) == ("HRNet", {"width": 32, **W})


def test_a_trunk_as_mmpretrain_keeps_it():
    entries = {f"backbone.{key}": value for key, value in resnet((3, 4, 6, 3), has_third=True).items()}
    entries["head.fc.weight"] = Shaped((1000, 2048))
    assert recognised(entries).source == "mmpretrain's ResNet-50"


def test_openpose_by_names_of_caffe_layers():
    shapes = {
        "conv5_5_CPM_L1": (38, 512, 1, 1),
        "conv5_5_CPM_L2": (19, 512, 1, 1),
        "Mconv1_stage2_L1": (128, 185, 7, 7),
    }
    shapes |= {f"Mconv7_stage{stage}_L1": (38, 128, 1, 1) for stage in range(2, 7)}
    found = recognised({f"{layer}.weight": Shaped(shape) for layer, shape in shapes.items()})
    assert (found.network, found.joints) == ("OpenPose", 18)
    assert found.options == {"stages": 6, "width": 128, "refining_kernel": 7}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (features(VGG19, norm=True) | features({1: 64}), "VGG with batch normalisation"),
        (features(dict.fromkeys((0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), 64)), "of other than 19 layers"),
        ({"backbone.patch_embed.weight": Shaped((1, 1))}, "a vision transformer"),
        ({"backbone.a": Shaped((1,)), "head.deconv_layers.0.weight": Shaped((1,))}, "SimpleBaseline"),
        ({"encoder.weight": Shaped((2, 2)), "b": Shaped((2,)), "c": Shaped((2,)), "d": Shaped((2,))}, "4 entries, enc"),
    ],
)
def test_what_is_not_known_is_described(entries, said):
    with pytest.raises(CheckpointError, match=said) as caught:
        recognised(entries)
    assert "Known: mmpose 0.x and 1.x" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_simple_baseline_is_not_taken_for_a_trunk():
    entries = {f"backbone.{key}": value for key, value in resnet((3, 4, 6, 3), has_third=True).items()}
    entries["head.deconv_layers.0.weight"] = Shaped((2048, 256, 4, 4))
    with pytest.raises(CheckpointError, match="SimpleBaseline"):
        recognised(entries)


def test_second_weights_of_mmengine():
    content = {
        "state_dict": {"a.weight": np.zeros(1)},
        "ema_state_dict": {"steps": np.array(9), "module.a.weight": np.ones(1)},
    }
    assert unwrap(content).entries["a.weight"] == 0
    assert unwrap(content).averages == "ema_state_dict"
    averaged = unwrap(content, averaged=True)
    assert (dict(averaged.entries), averaged.place) == ({"a.weight": np.ones(1)}, "ema_state_dict")
    with pytest.raises(CheckpointError, match="--ema: the file has none"):
        unwrap({"state_dict": content["state_dict"]}, averaged=True)


@pytest.mark.parametrize("content", [{}, {"epoch": 3, "optimizer": {"state": {}}}, {"state_dict": {}}])
def test_a_file_without_weights(content):
    with pytest.raises(CheckpointError, match="holds no weights"):
        unwrap(content)
