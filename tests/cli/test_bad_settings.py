"""A wrong setting or flag ends in one line on stderr and exit code 2, and costs nothing that was there before."""

import os
import shutil
import sys
from types import SimpleNamespace

import pytest
from cli_cases import (
    ROOT,
    SHORT,
    assert_one_error,
    best_model,
    fingerprint,
    run_python,
    state_of,
    train,
)

SETTINGS = [
    (["--opts", "optimizer.lrr=1"], ["unknown key 'optimizer.lrr'", "did you mean 'lr'"]),
    (["--opts", "optimizer.lr=fast"], ["optimizer.lr='fast'"]),
    (["--opts", "optimizer.lr=-1"], ["optimizer.lr=-1"]),
    (["--opts", "network.type=StackedHourglas"], ["StackedHourglas", "did you mean 'StackedHourglass'"]),
    (["--opts", "network.widht=8"], ["network.widht", "did you mean 'width'"]),
    (["--opts", "network.num_joints=8"], ["network.num_joints", "follows from other settings"]),
    (["--opts", "network.width=2"], ["width=2"]),
    (["--opts", "optimizer.lr"], ["section.key=value"]),
    (["--opts", "train.freeze=[nothing]"], ["train.freeze", "nothing", "hourglasses"]),
    (["--image_size", "100"], ["100x100", "multiples of 16"]),
    (["--image_size", "102"], ["102", "multiple of the stride 4"]),
    (["--image_size", "0"], ["image_size"]),
    (["--batch_size", "4096"], ["people are fewer", "batch_size"]),
    (["--batch_size", "0"], ["batch_size"]),
    (["--device", "gpu:99"], ["--device gpu:99"]),
    (["--device", "abacus"], ["--device abacus", "auto, cpu, gpu"]),
    (["--config", "nowhere.yaml"], [r"nowhere\.yaml"]),
    (["--seed", "-3"], ["seed=-3"]),
    (["--opts", "valid.best=Meann"], ["valid.best='Meann'", "Mean@0.1"]),
    (["--opts", "metric.type=PCP"], ["PCP needs the joints of LSP"]),
    (["--opts", "augment.rotation=30"], ["augment.rotation", "rotation_deg"]),
    (["--pretrained_model", "nowhere.pdparams"], [r"nowhere\.pdparams", "no such file"]),
]


@pytest.mark.parametrize(("flags", "words"), SETTINGS, ids=[" ".join(flags) for flags, _ in SETTINGS])
def test_a_wrong_setting_is_named_and_the_old_run_stays(run, synthetic_mpii, tmp_path, capsys, flags, words):
    folder = shutil.copytree(run[0], tmp_path / "out")
    before = fingerprint(tmp_path)
    capsys.readouterr()
    assert train(run[1], synthetic_mpii, folder, "--overwrite", *flags) == 2
    assert_one_error(capsys.readouterr(), *words)
    assert fingerprint(tmp_path) == before


def test_a_run_is_not_overwritten_unasked(run, synthetic_mpii, tmp_path, capsys):
    folder = shutil.copytree(run[0], tmp_path / "out")
    before = fingerprint(folder)
    assert train(run[1], synthetic_mpii, folder) == 2
    assert_one_error(capsys.readouterr(), "holds a training run", "--resume", "--overwrite")
    assert fingerprint(folder) == before

    shutil.rmtree(folder / "64_training")  # a best model alone, as one that was downloaded
    for flags in ([], ["--resume"]):
        assert train(run[1], synthetic_mpii, folder, *flags) == 2
        assert_one_error(capsys.readouterr(), r"model\.pdparams", "without the run")
    assert best_model(folder).read_bytes() == best_model(run[0]).read_bytes()


def test_overwrite_starts_anew(run, synthetic_mpii, tmp_path, capsys):
    folder = shutil.copytree(run[0], tmp_path / "out")
    steps = state_of(folder)["progress"]["step"]
    assert train(run[1], synthetic_mpii, folder, "--overwrite", "--opts", *SHORT) == 0
    assert state_of(folder)["progress"]["step"] == steps
    log = (folder / "64_training" / "train.log").read_text()
    assert log.count("[EVAL]") == 1


def test_a_folder_that_cannot_be_written(run, synthetic_mpii, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file")
    assert train(run[1], synthetic_mpii, tmp_path / "taken" / "out") == 2
    assert_one_error(capsys.readouterr(), "cannot write into", "--save_dir")
    assert (tmp_path / "taken").read_text() == "a file"


def test_visualdl_asked_for_but_not_installed(run, synthetic_mpii, tmp_path, capsys, monkeypatch):
    folder = shutil.copytree(run[0], tmp_path / "out")
    before = fingerprint(folder)
    monkeypatch.setitem(sys.modules, "visualdl", None)
    assert train(run[1], synthetic_mpii, folder, "--use_vdl", "--overwrite") == 2
    assert_one_error(capsys.readouterr(), "--use_vdl", "pip install")
    assert fingerprint(folder) == before


def test_the_scripts_themselves_end_with_code_2_and_one_line(run, tmp_path):
    done = run_python(ROOT / "train.py", "--config", run[1], "--dataset_root", tmp_path / "none", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_error(SimpleNamespace(err=done.stderr), "none is not a folder")
    done = run_python(ROOT / "val.py", "--pretrained_model", "none.pdparams", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_error(SimpleNamespace(err=done.stderr), "none.pdparams: no such file")
    assert os.listdir(tmp_path) == []
