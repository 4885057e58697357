"""paddle-pose convert from end to end, on narrow networks: what it writes and says."""

import hashlib
import re

import numpy as np
import pytest
from convert_cases import (
    NARROW,
    assert_refused,
    assert_same_outputs,
    bearpaw,
    convert,
    entries_of,
    written,
)

import paddle_pose
from paddle_pose.cli import val as val_command
from paddle_pose.cli.convert import STYLES
from paddle_pose.conversion import published_names
from paddle_pose.conversion.checkpoint_files import read_checkpoint
from paddle_pose.conversion.torch_state import torch_state
from paddle_pose.engine.checkpoint import load_model, save_model
from paddle_pose.networks.deeppose import DeepPose
from paddle_pose.runtime import seed_everything


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


def test_a_bare_file_of_ours_gets_the_configuration_that_is_named(tmp_path):
    bare, whole = tmp_path / "bare.pdparams", tmp_path / "whole.safetensors"
    save_model(bare, {name: value.numpy() for name, value in bearpaw().state_dict().items()}, {})
    options = [f"network.{key}={value}" for key, value in NARROW.items()]
    assert convert(bare, whole, "--config", "configs/hourglass/hg2_mpii_256x256.yaml", "--opts", *options) == 0
    assert_same_outputs(paddle_pose.load_network(str(whole)), bearpaw())


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
