"""scripts/pack_dataset.py as users run it, and a training that never sees the photos."""

import json
import os
import shutil
import sys

import pytest
from cli_cases import ROOT, SHORT, assert_one_error, best_model, eval_values, run_python, train, validate, write_config

from paddle_pose.data.packed import PREAMBLE

SCRIPT = ROOT / "scripts" / "pack_dataset.py"


@pytest.fixture
def pack(monkeypatch):
    """pack(config, dataset, split, out, *more) -> exit code, in this process."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import pack_dataset

    def run(config, dataset, split, out, *more) -> int:
        flags = {"--config": config, "--dataset_root": dataset, "--split": split, "--out": out}
        return pack_dataset.main([*(str(part) for item in flags.items() for part in item), *more])

    yield run
    sys.modules.pop("pack_dataset")


@pytest.fixture
def dataset(synthetic_mpii, tmp_path):
    """A copy of the dataset that may be spoilt."""
    return shutil.copytree(synthetic_mpii, tmp_path / "dataset")


@pytest.fixture
def config(tmp_path):
    return write_config(tmp_path)


def test_training_and_scoring_without_the_photos(run, dataset, config, pack, tmp_path, capsys):
    for split in ("train", "valid"):
        assert pack(config, dataset, split, tmp_path / f"{split}.pack") == 0
    printed = capsys.readouterr().out
    people = len(json.loads((dataset / "annot" / "train.json").read_text()))
    assert f"train.pack: {people} people of " in printed
    assert f"=> train with --opts packed.train={tmp_path / 'train.pack'}" in printed
    options = [f"packed.{split}={tmp_path / split}.pack" for split in ("train", "valid")]
    assert validate("--pretrained_model", best_model(run[0]), "--dataset_root", dataset) == 0
    wanted = eval_values(capsys.readouterr().out)
    shutil.rmtree(dataset / "images")
    assert train(config, dataset, tmp_path / "out", "--opts", *SHORT, *options) == 0
    assert (
        f"=> train crops come from {tmp_path / 'train.pack'}; the photos need not be there" in capsys.readouterr().out
    )
    # the model knows where its caches are
    assert validate("--pretrained_model", best_model(tmp_path / "out"), "--dataset_root", dataset) == 0
    eval_values(capsys.readouterr().out)
    model = best_model(run[0])  # trained on photo files
    assert validate("--pretrained_model", model, "--dataset_root", dataset, "--opts", options[1]) == 0
    found = eval_values(capsys.readouterr().out)
    assert all(abs(found[name] - wanted[name]) < 2 for name in wanted)  # a few of 200 joints; crops differ by 1 / 255


def test_a_cache_for_smaller_views_needs_the_photos(dataset, config, pack, tmp_path, capsys):
    assert pack(config, dataset, "train", tmp_path / "t.pack", "--opts", "augment.rotation_deg=5") == 0
    options = [f"packed.train={tmp_path / 't.pack'}", *SHORT]
    assert train(config, dataset, tmp_path / "out", "--opts", *options) == 0
    assert "was packed for smaller views" in capsys.readouterr().out
    shutil.rmtree(dataset / "images")
    assert train(config, dataset, tmp_path / "out", "--overwrite", "--opts", *options) == 2
    assert_one_error(capsys.readouterr(), "photos are missing")


def test_wrong_caches_are_one_line_before_anything_is_touched(dataset, config, pack, tmp_path, capsys):
    assert pack(config, dataset, "train", tmp_path / "t.pack") == 0
    capsys.readouterr()
    for value, words in (
        ("nowhere.pack", ["nowhere.pack cannot be read", "pack_dataset.py"]),
        (config, ["is not a packed cache"]),
        (tmp_path, ["cannot be read"]),
    ):
        assert train(config, dataset, tmp_path / "out", "--opts", f"packed.train={value}") == 2
        assert_one_error(capsys.readouterr(), *words)
    assert train(config, dataset, tmp_path / "out", "--opts", f"packed.valid={tmp_path / 't.pack'}") == 2
    assert_one_error(capsys.readouterr(), "holds MPII train, but MPII valid is asked for", "packed.valid")
    assert train(config, dataset, tmp_path / "out", "--opts", "packed.test=x") == 2
    assert_one_error(capsys.readouterr(), "unknown key 'packed.test'")
    assert not (tmp_path / "out").exists()


def test_wrong_input_of_the_script(dataset, config, pack, tmp_path, capsys):
    out = tmp_path / "t.pack"
    out.write_bytes(b"precious")
    assert pack(config, dataset, "train", out) == 2
    assert_one_error(capsys.readouterr(), "exists already", "--overwrite")
    assert out.read_bytes() == b"precious"
    assert pack(config, dataset, "train", config / "below.pack") == 2
    assert_one_error(capsys.readouterr(), "cannot be written")
    photo = next((dataset / "images").iterdir())
    photo.write_bytes(photo.read_bytes()[:50])
    before = sorted(os.listdir(tmp_path))
    for split in ("train", "valid"):  # the photo is in one of them
        pack(config, dataset, split, out, "--overwrite", "--opts", "train.max_bad_photos=0")
    assert photo.name in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == before
    shutil.rmtree(dataset / "images")
    assert pack(config, dataset, "train", out, "--overwrite") == 2
    assert_one_error(capsys.readouterr(), "photos are missing")


def test_as_a_command(dataset, config, tmp_path):
    """In a process of its own: it needs no paddle, and answers --help."""
    out = tmp_path / "t.pack"
    flags = ["--config", config, "--dataset_root", dataset, "--split", "train", "--out", out, "--reduce"]
    done = run_python("-X", "importtime", SCRIPT, *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "paddle\n" not in done.stderr.replace(" ", "")
    assert out.stat().st_size > PREAMBLE.size
    assert "--reduce" in run_python(SCRIPT, "--help", cwd=tmp_path).stdout


def test_doing_without_a_cache_that_the_model_remembers(run, dataset, config, pack, tmp_path, capsys):
    assert pack(config, dataset, "valid", tmp_path / "v.pack") == 0
    assert train(config, dataset, tmp_path / "out", "--opts", *SHORT, f"packed.valid={tmp_path / 'v.pack'}") == 0
    (tmp_path / "v.pack").unlink()
    model = ["--pretrained_model", best_model(tmp_path / "out"), "--dataset_root", dataset]
    capsys.readouterr()
    assert validate(*model) == 2
    assert_one_error(capsys.readouterr(), "v.pack cannot be read", "--opts packed=null")
    assert validate(*model, "--opts", "packed=null") == 0
