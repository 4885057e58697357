"""Our weights under PyTorch's names: the very entries that the public implementations have."""

import numpy as np
import pytest
from networks import golden
from quick_weights import quick_weights

from paddle_pose.conversion.match import match
from paddle_pose.conversion.torch_state import torch_state
from paddle_pose.errors import UserError
from paddle_pose.networks import hourglass52
from paddle_pose.networks.cpm import CPM
from paddle_pose.networks.cpm_mmpose import MMPoseCPM
from paddle_pose.networks.deeppose import DeepPose
from paddle_pose.networks.hourglass import PrincetonHourglass, StackedHourglass
from paddle_pose.networks.hrnet import HRNet
from paddle_pose.networks.integral import IntegralRegression
from paddle_pose.networks.openpose import OpenPose
from paddle_pose.networks.resnet_regression import ResNetRegression


def narrow_hourglass52():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hourglass52, "LEVEL_CHANNELS", (8, 8, 12, 12, 12, 16))
        return hourglass52.Hourglass52(16)


def narrow_openpose(**options):
    return OpenPose(18, 19, widths=(4, 4, 4, 4), width=4, **options)


GOLDEN = {  # name -> a network of its structure, narrow where that can be, and the style
    "bearpaw_hg2": (lambda: StackedHourglass(16, 2, width=16), None),
    "bearpaw_hg8": (lambda: StackedHourglass(16, 8, width=16), None),
    "princeton_hg8": (lambda: PrincetonHourglass(16, 8, width=16), None),
    "hrnet_official_w32_mpii": (lambda: HRNet(16, width=4), None),
    "hrnet_official_w48_coco": (lambda: HRNet(17, width=4), "official"),
    "mmpose_hrnet_w32_mpii": (lambda: HRNet(16, width=4), "mmpose1"),
    "mmpose_hrnet_w48_coco": (lambda: HRNet(17, width=4), "mmpose1"),
    "mmpose_hourglass52_mpii": (narrow_hourglass52, None),
    "mmpose_cpm_mpii": (lambda: MMPoseCPM(16), None),
    "mmpose_deeppose_res50_mpii": (lambda: ResNetRegression(16), None),
    "openpose_vgg19": (narrow_openpose, None),
}


def weights_of(network):
    return {name: value.numpy() for name, value in network.state_dict().items()}


def assert_same(got, wanted):
    assert set(got) == set(wanted)
    assert [name for name in wanted if not np.array_equal(got[name], wanted[name])] == []


@pytest.mark.parametrize("name", GOLDEN)
def test_keys_are_those_of_the_public_implementation_and_the_way_back_is_exact(name):
    make, style = GOLDEN[name]
    with quick_weights():
        network = make()
    weights = weights_of(network)
    _, state = torch_state(network, weights, style)
    shapes = golden.shapes(golden.read(name))
    assert set(state) == set(shapes)
    assert {key: array.ndim for key, array in state.items()} == {key: len(shape) for key, shape in shapes.items()}
    back = match(state, network)
    assert (back.unknown, back.missing, back.misshapen) == ([], [], [])
    assert_same(back.found, weights)


def test_shapes_of_what_is_never_used():
    shapes = golden.shapes(golden.read("mmpose_hourglass52_mpii"))
    _, state = torch_state(network := narrow_hourglass52(), weights_of(network))
    unused = [key for key in shapes if ".inters." in key]
    assert len(unused) == 10
    assert [list(state[key].shape) for key in unused] == [list(shapes[key]) for key in unused]


@pytest.mark.parametrize(
    "make",
    [
        lambda: CPM(5, stages=2, width=8, refining_kernel=3, trunk_kernel=3),
        lambda: IntegralRegression(5, (48, 48), channels=(4, 8)),
        lambda: DeepPose(5, (96, 96), "normalised", width=0.1, hidden=8),
        lambda: narrow_openpose(batch_norm=True, stages=2),
        lambda: OpenPose(5, 4, widths=(4, 4), convs=(1, 1), width=4, stages=2),
    ],
)
def test_networks_that_no_public_program_has_keep_our_names(make):
    network = make()
    weights = weights_of(network)
    style, state = torch_state(network, weights)
    assert style == "own"
    assert_same(match(state, network).found, weights)


def test_mmpose_0_and_the_flow():
    with quick_weights():
        network = ResNetRegression(17, sigma=True)
    _, state = torch_state(network, weights_of(network), "mmpose0")
    assert state["keypoint_head.fc.weight"].shape == (68, 2048)
    assert state["keypoint_head.loss.flow_model.s.0.0.weight"].shape == (64, 2)
    assert state["keypoint_head.loss.flow_model.mask"].tolist() == [[0, 1], [1, 0]] * 3
    assert_same(match(state, network).found, weights_of(network))


def test_alexnet_has_torchvisions_names():
    network = DeepPose(14, (64, 64), "torchvision", width=0.1, hidden=8)
    style, state = torch_state(network, weights_of(network))
    assert style == "torchvision"
    places = [f"features.{i}" for i in (0, 3, 6, 8, 10)] + [f"classifier.{i}" for i in (1, 4, 6)]
    assert set(state) == {f"{place}.{entry}" for place in places for entry in ("weight", "bias")}
    assert_same(match(state, network).found, weights_of(network))


def test_a_style_that_does_not_fit():
    network = StackedHourglass(16, 1, width=16, depth=2)
    with pytest.raises(
        UserError, match="--style official: no such names for this StackedHourglass; use bearpaw or own"
    ):
        torch_state(network, weights_of(network), "official")


@pytest.mark.parametrize(
    "make",
    [
        lambda k: StackedHourglass(k, 2, width=16, depth=2),
        lambda k: MMPoseCPM(k, stages=2),
        lambda k: CPM(k, stages=3, width=8, refining_kernel=3, trunk_kernel=3),
        lambda k: HRNet(k, width=4, modules=(1,), blocks=1, bottlenecks=1),
        lambda k: DeepPose(k, (64, 64), "torchvision", width=0.1, hidden=8),
        lambda k: OpenPose(k, k + 1, widths=(4, 4), convs=(1, 1), width=4, stages=3),
        lambda k: IntegralRegression(k, (48, 48), channels=(4, 8)),
    ],
)
def test_the_head_is_what_depends_on_the_joints(make):
    """The layers whose shapes differ with the joints are exactly those that `head` names, but for sizes that do not."""
    few, many = make(5), make(7)
    shapes = {name: tuple(value.shape) for name, value in many.state_dict().items()}
    differ = {name.rpartition(".")[0] for name, v in few.state_dict().items() if tuple(v.shape) != shapes[name]}
    named = {name.rpartition(".")[0] for name in shapes if name.startswith(tuple(few.head))}
    assert differ <= named
    assert {layer.rpartition(".bn")[0] or layer for layer in named - differ} <= {
        layer.rpartition(".conv")[0] or layer for layer in differ
    }
