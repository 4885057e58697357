"""paddle-pose convert from end to end, on narrow networks: what it writes, says, refuses, and how it ends."""

import hashlib
import re

import numpy as np
import paddle
import pytest
from cli.cli_cases import assert_one_error

import paddle_pose
from paddle_pose.cli import val as val_command
from paddle_pose.cli.convert import STYLES, main
from paddle_pose.conversion import published_names
from paddle_pose.conversion.checkpoint_files import read_checkpoint
from paddle_pose.conversion.torch_state import torch_state
from paddle_pose.conversion.torch_writer import write_torch
from paddle_pose.engine.checkpoint import load_model, save_model
from paddle_pose.networks.deeppose import DeepPose
from paddle_pose.networks.hourglass import StackedHourglass
from paddle_pose.runtime import seed_everything

NARROW = {"stacks": 2, "width": 16, "depth": 2}


def bearpaw(joints=16, **options):
    """A network with weights unlike those that any seed of the command draws."""
    seed_everything(99)
    network = StackedHourglass(joints, **{**NARROW, **options})
    network.eval()
    return network


def entries_of(network):
    return torch_state(network, {name: value.numpy() for name, value in network.state_dict().items()})[1]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "hg.pth"
    write_torch(path, entries_of(bearpaw()))
    return path


def written(path, entries, wrapper=None):
    write_torch(path, entries, wrapper)
    return path


def convert(*arguments):
    return main([str(argument) for argument in arguments])


def assert_refused(capsys, *words):
    assert_one_error(capsys.readouterr(), *words)


def assert_same_outputs(left, right):
    images = paddle.to_tensor(np.random.RandomState(0).standard_normal((1, 3, 64, 96)).astype("float32"))
    for a, b in zip(left(images), right(images)):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("suffix", [".pdparams", ".safetensors"])
def test_what_comes_out_loads_with_nothing_else_said(source, tmp_path, suffix, capsys):
    target = tmp_path / f"hg{suffix}"
    assert convert(source, target) == 0
    network = paddle_pose.load_network(str(target))
    assert_same_outputs(network, bearpaw())
    assert network.skeleton.name == "mpii_16"
    assert network.config.normalise.mean == (0.4404, 0.444, 0.4327)
    assert network.config.codec.arguments["shift_mirrored"] is False
    origin = load_model(target)[1]["converted_from"]
    count = len(network.state_dict())
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert origin == {"file": "hg.pth", "sha256": digest, "source": "bearpaw / anibali", "entries": count}
    said = capsys.readouterr().out
    assert "bearpaw / anibali: StackedHourglass (stacks=2, width=16, depth=2, 16 joints)" in said
    assert "hg2_mpii_256x256.yaml; network.width=16; network.depth=2; reference: none; input 256x256" in said
    numbers = sum(int(np.prod(value.shape)) for value in network.state_dict().values())
    assert re.search(rf"^matched +{count} +{numbers:,}  ", said, re.MULTILINE)
    assert re.search(r"^left over, unknown +0 +0$", said, re.MULTILINE)


def test_wrappers_halves_and_optimiser_baggage(tmp_path, capsys):
    entries = {f"module.{key}": value for key, value in entries_of(bearpaw()).items()}
    halves = {
        key: value.astype("float16") if number % 3 == 0 else value
        for number, (key, value) in enumerate(entries.items())
    }
    halves["module.bn1.num_batches_tracked"] = np.array(3)
    source = written(tmp_path / "a.pth", halves, wrapper="state_dict")
    assert convert(source, tmp_path / "a.pdparams") == 0
    said = capsys.readouterr().out
    assert "under 'state_dict', each behind 'module.'; batch counters left out: 1" in said
    assert re.search(r"numbers: float\d\d \(\d+ entries\), float\d\d \(\d+ entries\); converted to float32", said)
    weights = load_model(tmp_path / "a.pdparams")[0]
    assert {str(array.dtype) for array in weights.values()} == {"float32"}
    key = next(key for number, key in enumerate(entries) if number % 3 == 0 and entries[key].ndim == 4)
    network = bearpaw()
    name = network.reference_name(key[len("module.") :])
    np.testing.assert_array_equal(weights[name], network.state_dict()[name].numpy().astype("float16").astype("float32"))


def test_there_and_back_is_exact(source, tmp_path, capsys):
    assert convert(source, tmp_path / "a.pdparams") == 0
    assert convert(tmp_path / "a.pdparams", tmp_path / "back.pth") == 0
    assert "style bearpaw; in PyTorch:" in capsys.readouterr().out
    first, back = read_checkpoint(source), read_checkpoint(tmp_path / "back.pth")
    assert list(first) == list(back)
    for key in first:
        np.testing.assert_array_equal(first[key], back[key])


def test_our_formats_into_each_other(source, tmp_path):
    assert convert(source, tmp_path / "a.pdparams") == 0
    assert convert(tmp_path / "a.pdparams", tmp_path / "a.safetensors") == 0
    assert convert(tmp_path / "a.safetensors", tmp_path / "b.pth") == 0
    (left, facts), (right, same_facts) = (load_model(tmp_path / f"a.{kind}") for kind in ("pdparams", "safetensors"))
    assert facts == same_facts
    assert sorted(left) == sorted(right)
    assert all(np.array_equal(left[name], right[name]) for name in left)


def test_torch_loads_it_strictly(source, tmp_path):
    torch = pytest.importorskip("torch")
    assert convert(source, tmp_path / "a.pdparams") == 0
    assert convert(tmp_path / "a.pdparams", tmp_path / "back.pth") == 0
    state = torch.load(tmp_path / "back.pth", weights_only=True)
    assert state["score.0.weight"].shape == (16, 16, 1, 1)


def test_a_network_without_public_names_needs_config_on_the_way_back(tmp_path, capsys):
    config = tmp_path / "own.yaml"
    config.write_text(
        "input_wh: [64, 64]\ndataset: {type: LSPET, root: x}\nmetric: {type: PCK}\ncodec: {type: Regression}\n"
        "loss: {type: MSEJoints}\nnetwork: {type: DeepPose, variant: normalised, width: 0.1, hidden: 8}\n"
    )
    seed_everything(5)
    network = DeepPose(14, (64, 64), "normalised", width=0.1, hidden=8)
    own = {name: value.numpy() for name, value in network.state_dict().items()}
    source = written(tmp_path / "own.pth", torch_state(network, own)[1])
    assert convert(source, tmp_path / "a.pdparams") == 2
    assert_refused(capsys, "no known network: .* entries, features.convs.0.weight", "needs --config")
    assert convert(source, tmp_path / "a.pdparams", "--config", config) == 0
    weights = load_model(tmp_path / "a.pdparams")[0]
    assert all(np.array_equal(weights[name], own[name]) for name in own)


def test_unknown_and_missing_entries(tmp_path, capsys):
    entries = entries_of(bearpaw())
    del entries["fc.1.0.bias"]
    source = written(tmp_path / "a.pth", {**entries, "extra.weight": np.zeros(7, "float32")})
    target = tmp_path / "a.pdparams"
    assert convert(source, target) == 2
    assert_refused(capsys, "unknown entry: extra.weight; --partial accepts")
    assert not target.exists()
    assert convert(source, target, "--partial") == 0
    said = capsys.readouterr().out
    assert re.search(r"^left over, unknown +1 +7  extra.weight$", said, re.MULTILINE)
    assert re.search(r"^missing here +1 +16  features.1.1.conv.bias$", said, re.MULTILINE)
    assert "1 of them fresh (seed 0)" in said
    weights, facts = load_model(target)
    assert facts["converted_from"]["missing"] == ["features.1.1.conv.bias"]
    assert facts["converted_from"]["left_over"] == ["extra.weight"]
    seed_everything(0)
    fresh = StackedHourglass(16, **NARROW).state_dict()["features.1.1.conv.bias"].numpy()
    np.testing.assert_array_equal(weights["features.1.1.conv.bias"], fresh)
    paddle_pose.load_network(str(target))


def test_missing_alone_is_refused(tmp_path, capsys):
    entries = entries_of(bearpaw())
    del entries["layer1.0.bn1.running_var"]
    assert convert(written(tmp_path / "a.pth", entries), tmp_path / "a.pdparams") == 2
    assert_refused(capsys, r"missing: stem.1.bn1._variance; --partial")


def test_another_number_of_joints(tmp_path, capsys):
    source, target = written(tmp_path / "a.pth", entries_of(bearpaw(14))), tmp_path / "a.pdparams"
    assert convert(source, target) == 2
    assert_refused(capsys, "no configuration here has this network with 14 joints; give --config, and --drop_head")
    config = tmp_path / "mpii.yaml"
    base = "_base_: {}/hg2_mpii_256x256.yaml\nnetwork: {{width: 16, depth: 2}}\n"
    folder = (val_command_root() / "configs" / "hourglass").as_posix()
    config.write_text(base.format(folder))
    assert convert(source, target, "--config", config) == 2
    assert_refused(capsys, "has 14 joints, .*mpii.yaml has 16 ", "--drop_head keeps")
    assert convert(source, target, "--config", config, "--drop_head") == 0
    weights, facts = load_model(target)
    assert facts["converted_from"]["fresh_layers"] == ["to_maps.", "from_maps."]
    theirs = bearpaw(14).state_dict()
    same = {name for name in weights if np.array_equal(weights[name], theirs[name].numpy())}
    assert {name for name in weights if not name.startswith(("to_maps.", "from_maps."))} <= same
    assert weights["to_maps.0.weight"].shape == (16, 16, 1, 1)


def val_command_root():
    from pathlib import Path

    return Path(val_command.__file__).resolve().parents[2]


def test_config_of_another_network(source, tmp_path, capsys):
    root = val_command_root() / "configs" / "hourglass"
    assert convert(source, tmp_path / "a.pdparams", "--config", root / "hg8_mpii_256x256.yaml") == 2
    assert_refused(capsys, "hg8_mpii_256x256.yaml: network.stacks=8, the checkpoint is bearpaw .*stacks=2")
    assert convert(source, tmp_path / "a.pdparams", "--config", root / "princeton_hg8_mpii_256x256.yaml") == 2
    assert_refused(capsys, "is of PrincetonHourglass, the checkpoint is bearpaw")


def test_a_trunk_needs_a_network(tmp_path, capsys):
    alexnet = DeepPose(500, (64, 64), "torchvision", hidden=8)  # 1000 outputs, as for the classes of ImageNet
    entries = entries_of(alexnet)
    source, target = written(tmp_path / "alexnet.pth", entries), tmp_path / "a.pdparams"
    assert convert(source, target) == 2
    assert_refused(
        capsys, "AlexNet: DeepPose .*trunk only.: say with --config .*alexnet_torchvision_lspet_224x224.yaml"
    )
    config = val_command_root() / "configs" / "deeppose" / "alexnet_torchvision_lspet_224x224.yaml"
    small = ("--image_size", 64, "--opts", "network.hidden=8")
    assert convert(source, target, "--config", config, *small) == 0
    weights, facts = load_model(target)
    assert facts["converted_from"]["trunk_only"] is True
    assert facts["converted_from"]["fresh_layers"] == ["to_joints."]
    for name, value in alexnet.state_dict().items():
        if not name.startswith("to_joints."):
            np.testing.assert_array_equal(weights[name], value.numpy())
    assert weights["to_joints.weight"].shape == (8, 28)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite(value, tmp_path, capsys):
    entries = {key: array.copy() for key, array in entries_of(bearpaw()).items()}
    entries["fc.0.0.bias"][3] = value
    assert convert(written(tmp_path / "a.pth", entries), tmp_path / "a.pdparams") == 2
    assert_refused(capsys, r"holds NaN or infinity in fc\.0\.0\.bias")


@pytest.mark.parametrize("kind", ["int8", "int64", "bool"])
def test_weights_that_are_no_fractions(kind, tmp_path, capsys):
    entries = entries_of(bearpaw())
    entries["fc.0.0.bias"] = np.ones(entries["fc.0.0.bias"].shape, kind)
    assert convert(written(tmp_path / "a.pth", entries), tmp_path / "a.pdparams") == 2
    assert_refused(capsys, rf"a.pth: 'fc\.0\.0\.bias' holds {kind} numbers")
    assert not (tmp_path / "a.pdparams").exists()


def test_flags_that_would_do_nothing(source, tmp_path, capsys):
    assert convert(source, tmp_path / "a.pdparams", "--style", "own") == 2
    assert_refused(capsys, "--style is for checkpoints of ours")
    assert convert(source, tmp_path / "a.pdparams") == 0
    capsys.readouterr()
    for flags in (["--ema"], ["--drop_head"], ["--partial"], ["--image_size", 64]):
        assert convert(tmp_path / "a.pdparams", tmp_path / "b.pth", *flags) == 2
        assert_refused(capsys, f"{flags[0]} is for PyTorch's checkpoints, .*a.pdparams is ours")
    assert convert(tmp_path / "a.pdparams", tmp_path / "b.safetensors", "--style", "own") == 2
    assert_refused(capsys, "--style is for TARGETs of PyTorch")
    assert convert(tmp_path / "a.pdparams", tmp_path / "b.safetensors", "--opts", "valid.mirror=false") == 2
    assert_refused(capsys, "a.pdparams: is written as it is")


def test_a_bare_file_of_ours_gets_the_configuration_that_is_named(tmp_path):
    bare, whole = tmp_path / "bare.pdparams", tmp_path / "whole.safetensors"
    save_model(bare, {name: value.numpy() for name, value in bearpaw().state_dict().items()}, {})
    options = [f"network.{key}={value}" for key, value in NARROW.items()]
    assert convert(bare, whole, "--config", "configs/hourglass/hg2_mpii_256x256.yaml", "--opts", *options) == 0
    assert_same_outputs(paddle_pose.load_network(str(whole)), bearpaw())


def test_paths_that_no_disk_takes(source, tmp_path, capsys):
    assert convert(source, tmp_path / f"{'n' * 300}.pdparams") == 2
    assert_refused(capsys, "File name too long; check the path")
    assert convert(f"{'n' * 300}.pth", tmp_path / "a.pdparams") == 2
    assert_refused(capsys, "File name too long; check the path")


def test_files_that_cannot_be_used(source, tmp_path, capsys):
    target = tmp_path / "a.pdparams"
    broken = tmp_path / "broken.pth"
    broken.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    assert convert(broken, target) == 2
    assert_refused(capsys, "broken.pth")
    assert convert(tmp_path / "nowhere.pth", target) == 2
    assert_refused(capsys, "nowhere.pth: no such file")
    assert convert(written(tmp_path / "u.pth", {"enc.weight": np.ones((2, 2), "float32")}), target) == 2
    assert_refused(capsys, "u.pth: no known network: 1 entries, enc.weight", "Known: mmpose")
    assert convert(source, tmp_path / "a.onnx") == 2
    assert_refused(capsys, "a.onnx: give TARGET a suffix of .pdparams")
    assert convert(source, tmp_path / "b.pth") == 2
    assert_refused(capsys, "hg.pth is no checkpoint of ours")
    assert not target.exists()


def test_nothing_is_overwritten_unasked(source, tmp_path, capsys):
    target = tmp_path / "a.pdparams"
    target.write_text("mine")
    assert convert(source, target) == 2
    assert_refused(capsys, "a.pdparams: is there already; .*--overwrite")
    assert target.read_text() == "mine"
    assert convert(source, target, "--overwrite") == 0
    paddle_pose.load_network(str(target))


def test_val_takes_it_with_nothing_else_said(source, synthetic_mpii, tmp_path, capsys):
    target = tmp_path / "a.pdparams"
    assert convert(source, target, "--image_size", 64) == 0
    flags = ["--pretrained_model", str(target), "--dataset_root", str(synthetic_mpii), "--device", "cpu"]
    assert val_command.main(flags) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("[EVAL] ")


def test_verbose_lists_every_name(source, tmp_path, capsys):
    assert convert(source, tmp_path / "a.pdparams", "--verbose") == 0
    lines = capsys.readouterr().out.splitlines()
    listed = lines[lines.index("matched:") + 1 : -1]
    assert listed == [f"  {key}" for key in read_checkpoint(source)]


def test_the_flag_knows_all_styles():
    named = [style for styles in published_names.STYLES.values() for style in styles]
    assert sorted(STYLES) == sorted({*named, "own"})
