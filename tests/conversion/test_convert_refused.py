"""What paddle-pose convert refuses, or takes only when a flag says so."""

import re

import numpy as np
import pytest
from convert_cases import NARROW, assert_refused, bearpaw, convert, entries_of, val_command_root, written

import paddle_pose
from paddle_pose.engine.checkpoint import load_model
from paddle_pose.networks.deeppose import DeepPose
from paddle_pose.networks.hourglass import StackedHourglass
from paddle_pose.runtime import seed_everything


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
