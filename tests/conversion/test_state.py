import numpy as np
import pytest
from numpy.random import default_rng
from paddle import nn

from paddle_pose.conversion.state import convert_state
from paddle_pose.errors import CheckpointError
from paddle_pose.networks.hourglass import PrincetonHourglass, StackedHourglass


class Tiny(nn.Layer):
    """A linear layer and a normalisation, called `fc` and `bn` by the reference."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1D(4)

    def reference_name(self, key):
        if key.startswith("unused."):
            return None
        return key.replace("fc.", "linear.").replace("bn.", "norm.")


@pytest.fixture
def state():
    rng = default_rng(0)
    entries = {"fc.weight": (4, 3), "fc.bias": (4,)}
    entries.update({f"bn.{entry}": (4,) for entry in ("weight", "bias", "running_mean", "running_var")})
    return {key: rng.standard_normal(shape).astype("float32") for key, shape in entries.items()}


def test_everything_arrives_where_it_belongs(state):
    network = Tiny()
    network.set_state_dict(convert_state(state, network))
    np.testing.assert_array_equal(network.linear.weight.numpy(), state["fc.weight"].T)
    np.testing.assert_array_equal(network.norm._mean.numpy(), state["bn.running_mean"])
    np.testing.assert_array_equal(network.norm._variance.numpy(), state["bn.running_var"])


@pytest.mark.parametrize("prefix", ["", "module.", "model.module."])
@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_wrappers_prefixes_and_counters_are_taken_off(state, prefix, wrapper):
    wanted = convert_state(state, Tiny())
    wrapped = {prefix + key: value for key, value in state.items()}
    wrapped[f"{prefix}bn.num_batches_tracked"] = np.array(7)
    if wrapper:
        wrapped = {"epoch": 3, wrapper: wrapped, "optimizer": {"state": {}}}
    got = convert_state(wrapped, Tiny())
    assert sorted(got) == sorted(wanted)
    for name in wanted:
        np.testing.assert_array_equal(got[name], wanted[name])


def test_half_precision_becomes_the_dtype_of_the_network(state):
    halves = {key: value.astype("float16") for key, value in state.items()}
    assert {array.dtype for array in convert_state(halves, Tiny()).values()} == {np.dtype("float32")}


def test_entry_known_to_be_unused_is_left_out(state):
    state["unused.weight"] = np.zeros((9, 9))
    assert "unused.weight" not in convert_state(state, Tiny())


def test_unknown_entry_is_named(state):
    state["extra.weight"] = np.zeros(3)
    with pytest.raises(CheckpointError, match=r"Tiny: unknown entry: extra\.weight$"):
        convert_state(state, Tiny())


def test_missing_entry_is_named_by_our_name(state):
    del state["bn.running_var"]
    with pytest.raises(CheckpointError, match=r"missing: norm\._variance$"):
        convert_state(state, Tiny())


def test_shape_is_compared_after_the_transpose(state):
    state["fc.weight"] = state["fc.weight"].T
    with pytest.raises(CheckpointError, match=r"shape differs: fc\.weight \(4, 3\) for linear\.weight \(3, 4\)"):
        convert_state(state, Tiny())


def test_two_entries_for_one_parameter(state):
    state["linear.bias"] = state["fc.bias"]
    with pytest.raises(CheckpointError, match="unknown entry: linear.bias"):
        convert_state(state, Tiny())


def test_only_the_first_offenders_are_named(state):
    state.update({f"extra{i}": np.zeros(1) for i in range(9)})
    with pytest.raises(CheckpointError, match="extra0, extra1, extra2 and 6 more$"):
        convert_state(state, Tiny())


def test_another_networks_checkpoint_is_refused(state):
    for network in (StackedHourglass(16, 1, width=16), PrincetonHourglass(16, 1, width=16)):
        with pytest.raises(CheckpointError, match=f"{type(network).__name__}: unknown entry: fc.weight"):
            convert_state(state, network)


def test_number_of_joints_must_agree():
    network = StackedHourglass(16, 1, width=16)
    state = bearpaw_state(network)
    assert set(convert_state(state, network)) == set(network.state_dict())
    with pytest.raises(CheckpointError, match=r"score\.0\.weight \(16, 16, 1, 1\) for to_maps\.0\.weight \(14, "):
        convert_state(state, StackedHourglass(14, 1, width=16))


def bearpaw_state(network):
    """Our weights under bearpaw's names, found by asking the name map for every name that it could know."""
    branches = [f"hg.0.hg.{level}.{branch}.0" for level in range(4) for branch in range(3 + (level == 0))]
    blocks = branches + ["layer1.0", "layer2.0", "layer3.0", "res.0.0"]
    layers = [f"{block}.{layer}" for block in blocks for layer in BOTTLENECK]
    layers += ["conv1", "bn1", "fc.0.0", "fc.0.1", "score.0"]
    entries = {"weight": "weight", "bias": "bias", "running_mean": "_mean", "running_var": "_variance"}
    ours = network.state_dict()
    state = {}
    for layer in layers:
        for theirs, entry in entries.items():
            name = network.reference_name(f"{layer}.{theirs}").rpartition(".")[0] + f".{entry}"
            if name in ours:
                state[f"{layer}.{theirs}"] = ours[name].numpy()
    return state


BOTTLENECK = ("bn1", "conv1", "bn2", "conv2", "bn3", "conv3", "downsample.0")


@pytest.mark.parametrize("name", [5, b"a.weight", (1, 2), "", "two\nlines", "\x1b[31mred", "n" * 501])
def test_names_that_are_no_names_of_layers(state, name):
    state[name] = np.ones(3, "float32")
    with pytest.raises(CheckpointError, match="^an entry is called .{1,60}, which is no name of a layer$"):
        convert_state(state, Tiny())


def test_complex_numbers_are_refused(state):
    state["fc.bias"] = state["fc.bias"].astype("complex64")
    with pytest.raises(CheckpointError, match=r"'fc\.bias' holds complex64 numbers"):
        convert_state(state, Tiny())
