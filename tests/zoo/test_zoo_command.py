"""paddle-pose zoo, and names of the zoo in the other commands."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli.cli_cases import assert_one_error

from paddle_pose import zoo
from paddle_pose.cli.convert import main as convert
from paddle_pose.cli.val import main as val
from paddle_pose.cli.zoo import main
from paddle_pose.engine.checkpoint import load_model
from paddle_pose.zoo import models

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PADDLE_POSE_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("arguments", [[], ["list"]])
def test_all_are_listed(arguments, capsys):
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == list(zoo.names())
    table = {line.split()[0]: line for line in lines}
    assert "  here      Mean 86.7" in table["synthetic_hourglass"]
    assert "  to fetch  Mean 88.9" in table["mmpose_hourglass52_mpii_256x256"]
    assert "  by hand   AP 74.4" in table["hrnet_w32_coco_192x256"]


def test_what_is_known_of_one(capsys):
    assert main(["show", "princeton_hg8_mpii_256x256"]) == 0
    out = capsys.readouterr().out
    for words in ("Mean=90.2", "BSD-3-Clause", "sha256: nobody has published it", "fetched_by_this_project: no"):
        assert words in out
    assert main(["show", "synthetic_hourglass"]) == 0
    out = capsys.readouterr().out
    assert "made: bash scripts/quickstart.sh" in out
    assert "Mean=86.7155" in out.replace(",", "").split()


def test_what_lies_in_the_package_is_not_fetched(capsys):
    assert main(["fetch", "synthetic_hourglass"]) == 0
    assert "nothing to fetch" in capsys.readouterr().out
    assert main(["fetch", "synthetic_hourglass", "--from", "x"]) == 2
    assert_one_error(capsys.readouterr(), "leave out --from")


def test_what_cannot_be_fetched_ends_in_one_line(capsys):
    assert main(["fetch", "princeton_hg8_mpii_256x256"]) == 2
    assert_one_error(capsys.readouterr(), "no program can fetch it", "--from checkpoint.pt")


def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "paddle_pose.zoo", "show", "nothing"], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: the zoo has no model 'nothing'; did you mean")


def test_a_name_is_a_model_file_for_convert(tmp_path):
    assert convert(["synthetic_hourglass", str(tmp_path / "model.pdparams")]) == 0
    weights, facts = load_model(tmp_path / "model.pdparams")
    bundled, known = load_model(zoo.model_path("synthetic_hourglass"))
    assert facts == known
    assert all((weights[name] == bundled[name]).all() for name in bundled)


def test_a_name_that_is_neither_is_said(capsys):
    assert val(["--pretrained_model", "synthetic_hourglas"]) == 2
    assert_one_error(capsys.readouterr(), "no such file, and the zoo has no", "did you mean 'synthetic_hourglass'")


def test_a_path_is_never_a_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert val(["--pretrained_model", "./synthetic_hourglass"]) == 2
    assert_one_error(capsys.readouterr(), "no such file; check the path of the checkpoint")


def test_a_damaged_bundled_file_is_not_loaded(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "paddle_pose" / "zoo" / "weights", tmp_path / "weights")
    path = tmp_path / "weights" / "synthetic_hourglass.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    monkeypatch.setattr("paddle_pose.zoo.index.FOLDER", tmp_path)
    assert val(["--pretrained_model", "synthetic_hourglass"]) == 2
    assert_one_error(capsys.readouterr(), "damaged: its SHA-256 is not", "install paddle_pose anew")
    assert models.named_model("x.pdparams") == "x.pdparams"
