"""Wrong input ends in one line on stderr and exit code 2, and costs nothing that was there before."""

import json
import math
import os
import re
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from cli_cases import (
    ROOT,
    SHORT,
    assert_one_error,
    best_model,
    cut_in_half,
    eval_values,
    fingerprint,
    run_python,
    state_of,
    train,
    validate,
)

from paddle_pose.engine.checkpoint import load_model
from paddle_pose.errors import CheckpointError


@pytest.fixture
def dataset(synthetic_mpii, tmp_path):
    """A copy of the dataset that may be spoilt."""
    return shutil.copytree(synthetic_mpii, tmp_path / "dataset")


def people_of(root, split):
    return json.loads((root / "annot" / f"{split}.json").read_text())


def change_person(root, split, **entries):
    people = people_of(root, split)
    people[1].update(entries)
    (root / "annot" / f"{split}.json").write_text(json.dumps(people))


def no_folder(root):
    shutil.rmtree(root)


def no_annotations(root):
    (root / "annot" / "train.json").unlink()


def damaged_annotations(root):
    (root / "annot" / "train.json").write_text("{[")


def empty_split(root):
    (root / "annot" / "train.json").write_text("[]")


def wrong_joint_count(root):
    change_person(root, "train", joints=[[1, 2]] * 14, joints_vis=[1] * 14)


def number_that_is_none(root):
    change_person(root, "train", joints=[[math.nan, 2]] * 16)


def box_without_area(root):
    change_person(root, "train", scale=0)


def name_outside(root):
    change_person(root, "train", image="../../../etc/passwd")


def no_photos(root):
    shutil.rmtree(root / "images")


def missing_valid_photo(root):
    (root / "images" / people_of(root, "valid")[0]["image"]).unlink()


def truth_of_other_people(root):
    (root / "annot" / "valid.json").write_text(json.dumps(people_of(root, "valid")[1:]))


DATASETS = [
    (no_folder, ["dataset", "not a folder"]),
    (no_annotations, [r"train\.json", "missing"]),
    (damaged_annotations, [r"train\.json", "JSON"]),
    (empty_split, [r"train\.json", "no people"]),
    (wrong_joint_count, [r"train\.json", "person 1", "14 joints"]),
    (number_that_is_none, [r"train\.json", "person 1", "finite"]),
    (box_without_area, [r"train\.json", "person 1", "scale 0"]),
    (name_outside, ["outside", r"\.\./\.\./\.\./etc/passwd"]),
    (no_photos, ["photos are missing", "images"]),
    (missing_valid_photo, ["photos are missing", r"\.jpg"]),
    (truth_of_other_people, [r"gt_valid\.mat", "people"]),
]


@pytest.mark.parametrize(("spoil", "words"), DATASETS, ids=[spoil.__name__ for spoil, _ in DATASETS])
def test_a_spoilt_dataset_is_named_and_the_old_run_stays(run, dataset, tmp_path, capsys, spoil, words):
    folder = shutil.copytree(run[0], tmp_path / "out")
    before = fingerprint(folder)
    spoil(dataset)
    capsys.readouterr()
    assert train(run[1], dataset, folder, "--overwrite") == 2
    assert_one_error(capsys.readouterr(), *words)
    assert fingerprint(folder) == before


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


def spoilt_photos(root, count, spoil):
    """Spoils the photos of the first `count` people to train on; returns the names."""
    names = list(dict.fromkeys(person["image"] for person in people_of(root, "train")))[:count]
    for name in names:
        spoil(root / "images" / name)
    return names


def no_picture(path):
    path.write_bytes(b"not a picture at all")


@pytest.mark.parametrize("spoil", [cut_in_half, no_picture, os.unlink])
def test_some_bad_photos_are_skipped_and_counted(run, dataset, tmp_path, capsys, spoil):
    names = spoilt_photos(dataset, 2, spoil)
    options = [*SHORT, "train.max_bad_photos=0.4", "train.batch_size=4", "train.accumulate=1"]
    assert train(run[1], dataset, tmp_path / "out", "--opts", *options) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("skipped")]
    assert [re.search(r"bad photo number (\d+)", line).group(1) for line in lines] == [
        str(k + 1) for k in range(len(lines))
    ]
    assert {name for name in names if any(name in line for line in lines)} == set(names)
    assert (tmp_path / "out" / "64_training" / "train.log").read_text().count("skipped") == len(lines)


@pytest.mark.parametrize("spoil", [cut_in_half, os.unlink])
def test_too_many_bad_photos_end_the_training(run, dataset, tmp_path, capsys, spoil):
    spoilt_photos(dataset, 5, spoil)
    assert train(run[1], dataset, tmp_path / "out", "--opts", *SHORT, "train.max_bad_photos=0.05") == 2
    assert_one_error(capsys.readouterr(), "photos", r"\.jpg")
    assert not best_model(tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("spoil", "word"),
    [(cut_in_half, "cut off"), (no_picture, "not a picture"), (os.unlink, "photos are missing")],  # before any work
)
def test_a_bad_photo_in_evaluation_is_never_skipped(run, dataset, capsys, spoil, word):
    name = people_of(dataset, "valid")[3]["image"]
    spoil(dataset / "images" / name)
    assert validate("--pretrained_model", best_model(run[0]), "--dataset_root", dataset) == 2
    captured = capsys.readouterr()
    assert_one_error(captured, re.escape(name), word)
    assert "[EVAL]" not in captured.out


def test_a_loss_that_is_no_number_ends_the_run_and_leaves_the_checkpoint(run, synthetic_mpii, tmp_path, capsys):
    folder = tmp_path / "out"
    assert train(run[1], synthetic_mpii, folder, "--opts", *SHORT) == 0
    before = fingerprint(folder)
    capsys.readouterr()
    more = ["--resume", "--opts", *SHORT, "train.epochs=4", "schedule.type=constant", "schedule.warmup_steps=0"]
    # a rate that throws the weights to where no number reaches
    assert train(run[1], synthetic_mpii, folder, *more, "optimizer.lr=1e38", "optimizer.clip_norm=null") == 2
    assert_one_error(capsys.readouterr(), r"loss is (nan|inf) at epoch 2, step \d+", r"\.jpg", "--resume")
    after = fingerprint(folder)
    for name in ("64_training/training.pdstate", "64_best_model/model.pdparams"):
        assert after[name] == before[name]
    assert state_of(folder)["progress"]["epoch"] == 1


def test_weights_that_are_no_numbers_are_never_saved(run, synthetic_mpii, tmp_path, capsys, monkeypatch):
    from paddle_pose.engine.trainer import Trainer

    step = Trainer.train_step

    def spoilt(trainer, batches):
        loss = step(trainer, batches)
        if trainer.progress.step == 3:  # the loss of this step is still a number
            name, weight = next(iter(trainer.network.named_parameters()))
            weight.set_value(np.full(weight.shape, np.inf, "float32"))
        return loss

    monkeypatch.setattr(Trainer, "train_step", spoilt)
    assert train(run[1], synthetic_mpii, tmp_path, "--opts", "train.checkpoint_steps=1") == 2
    assert_one_error(capsys.readouterr(), "not finite after step 3", r"stem\.0\.conv\.weight")
    assert state_of(tmp_path)["progress"]["step"] == 2


@pytest.mark.parametrize("flag", ["--save_predictions", "--save_pictures"])
def test_output_that_cannot_be_written_does_not_cost_the_numbers(run, tmp_path, capsys, flag):
    (tmp_path / "taken").write_text("")
    target = tmp_path / "taken" / "p.json"
    assert validate("--pretrained_model", best_model(run[0]), flag, target) == 2
    captured = capsys.readouterr()
    assert_one_error(captured, "taken")
    assert eval_values(captured.out) == load_model(best_model(run[0]))[1]["values"]


def test_the_scripts_themselves_end_with_code_2_and_one_line(run, tmp_path):
    done = run_python(ROOT / "train.py", "--config", run[1], "--dataset_root", tmp_path / "none", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_error(SimpleNamespace(err=done.stderr), "none is not a folder")
    done = run_python(ROOT / "val.py", "--pretrained_model", "none.pdparams", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_error(SimpleNamespace(err=done.stderr), "none.pdparams: no such file")
    assert os.listdir(tmp_path) == []


def test_predictions_of_another_split(run, synthetic_mpii, tmp_path, capsys):
    np.save(tmp_path / "p.npy", np.zeros((2, 16, 2)))
    assert validate("--predictions", tmp_path / "p.npy", "--config", run[1], "--dataset_root", synthetic_mpii) == 2
    assert_one_error(capsys.readouterr(), r"p\.npy", "2 predictions")


def test_a_full_disk_while_the_best_model_is_written(run, synthetic_mpii, tmp_path, capsys, monkeypatch):
    from paddle_pose.engine import run as run_module

    def full(path, *rest):
        raise CheckpointError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr(run_module, "save_model", full)
    assert train(run[1], synthetic_mpii, tmp_path, "--opts", *SHORT) == 2
    assert_one_error(capsys.readouterr(), "No space left")
    assert state_of(tmp_path)["progress"]["best"] is None  # --resume validates again and saves the model then
