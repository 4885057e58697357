"""export.py from a checkpoint on; wrong input ends with code 2 and one line."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from paddle_pose.builder import build, checkpoint_facts
from paddle_pose.cli.export import main
from paddle_pose.config import load_config
from paddle_pose.deployment.deploy_file import read_deploy_file
from paddle_pose.engine.checkpoint import save_model, to_arrays

SMALL = "configs/hourglass/hg1_small_synthetic_96x96.yaml"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "model.pdparams"
    parts = build(load_config(SMALL, ("network.width=16",)))
    facts = {**checkpoint_facts(parts), "epoch": 7, "values": {"Mean": 12.5}, "rules": "PCKh@0.5"}
    save_model(path, to_arrays(parts.network.state_dict()), facts)
    return path


def test_a_checkpoint_becomes_a_folder(checkpoint, tmp_path, capsys):
    folder = tmp_path / "inference"
    flags = ["--save_dir", str(folder), "--image_size", "64", "--raw", "--opts", "codec.refine=argmax"]
    assert main(["--pretrained_model", str(checkpoint), *flags]) == 0
    said = capsys.readouterr().out
    assert "paddle: joints differ from the network's by at most" in said
    assert f"written to {folder}" in said
    read = read_deploy_file(folder)
    assert read.input.wh == (64, 64)
    assert read.outputs == ("joints", "scores", "maps")
    assert read.config["codec"]["refine"] == "argmax"
    assert read.facts["source"] == {
        "checkpoint": "model.pdparams",
        "sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        "epoch": 7,
        "values": {"Mean": 12.5},
        "rules": "PCKh@0.5",
    }
    assert read.facts["made_by"]["paddle_pose"]
    assert "/" not in yaml.safe_dump(read.config["dataset"])  # no folder of the machine
    files = set(read.sha256)
    assert files == {"model.pdiparams", "model.json"} or files == {"model.pdiparams", "model.pdmodel"}
    assert {path.name for path in folder.iterdir()} == files | {"deploy.yaml"}


def refused(capsys, *flags: str) -> str:
    assert main([*flags]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    return said


def test_wrong_input_is_refused_before_anything_is_written(checkpoint, tmp_path, capsys):
    model, out = ("--pretrained_model", str(checkpoint)), str(tmp_path / "out")
    assert "no such file" in refused(capsys, "--pretrained_model", "nowhere.pdparams", "--save_dir", out)
    assert "first stage" in refused(capsys, "--pretrained_model", "run/cascade.json", "--save_dir", out)
    assert "check --config" in refused(capsys, *model, "--config", "configs/hrnet/small_synthetic_96x96.yaml")
    assert "multiple of the stride" in refused(capsys, *model, "--image_size", "70", "--save_dir", out)
    assert "did you mean" in refused(capsys, *model, "--opts", "codec.refin=dark", "--save_dir", out)
    (tmp_path / "photo.jpg").touch()
    assert "is not an exported model" in refused(capsys, *model, "--save_dir", str(tmp_path))
    assert "cannot write" in refused(capsys, *model, "--save_dir", str(tmp_path / "photo.jpg" / "out"))
    assert not Path(out).exists()


def test_a_file_that_does_not_say_which_network_it_is(checkpoint, tmp_path, capsys):
    bare = tmp_path / "bare.pdparams"
    parts = build(load_config(SMALL, ("network.width=16",)))
    save_model(bare, to_arrays(parts.network.state_dict()), json.loads("{}"))
    assert "give --config" in refused(capsys, "--pretrained_model", str(bare), "--save_dir", str(tmp_path / "out"))
