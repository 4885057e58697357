"""A damaged dataset or photo ends in one line on stderr and exit code 2, and costs nothing that was there before."""

import json
import math
import os
import re
import shutil

import numpy as np
import pytest
from cli_cases import (
    SHORT,
    assert_one_error,
    best_model,
    cut_in_half,
    fingerprint,
    train,
    validate,
)


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


def test_predictions_of_another_split(run, synthetic_mpii, tmp_path, capsys):
    np.save(tmp_path / "p.npy", np.zeros((2, 16, 2)))
    assert validate("--predictions", tmp_path / "p.npy", "--config", run[1], "--dataset_root", synthetic_mpii) == 2
    assert_one_error(capsys.readouterr(), r"p\.npy", "2 predictions")
