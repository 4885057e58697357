"""Hash of the settings that training depends on; configurations without folders of a machine."""

import hashlib

import pytest

from paddle_pose.config import check_config
from paddle_pose.config_hash import config_hash, named_config, without_folders

PLAIN = {
    "input_wh": [64, 64],
    "dataset": {"type": "COCO", "root": "/home/me/coco"},
    "network": {"type": "HRNet", "width": 32},
    "codec": {"type": "GaussianHeatmap", "sigma_map": 2.0},
    "metric": {"type": "COCOKeypoints"},
}


def config(**changes):
    return check_config({**PLAIN, **changes}, "test")


def test_what_is_hashed_is_canonical_json():
    """The text written out by hand: sorted keys, no spaces, defaults left out."""
    text = (
        '{"codec":{"sigma_map":2.0,"type":"GaussianHeatmap"},"dataset":{"type":"COCO"},"input_wh":[64,64],'
        '"network":{"type":"HRNet","width":32}}'
    )
    assert config_hash(config()) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": {"type": "COCO", "root": "elsewhere", "boxes": "/tmp/boxes.json"}},
        {"valid": {"mirror_test": False, "test_scales": [1, 1.2]}},
        {"train": {"workers": 1, "log_steps": 7, "checkpoint_steps": 9}},
        {"train": {"epochs": 210}, "seed": 0},  # the defaults, written out
        {"cpu_threads": 1, "packed": {"train": "a", "valid": "b"}},
        {"network": {"width": 32, "type": "HRNet"}},  # another order
    ],
)
def test_where_and_how_it_is_evaluated_changes_nothing(changes):
    assert config_hash(config(**changes)) == config_hash(config())


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"optimizer": {"lr": 1e-3}},
        {"train": {"batch_size": 32}},
        {"network": {"type": "HRNet", "width": 48}},
        {"dataset": {"type": "COCO", "root": "/home/me/coco", "train_annotations": "other.json"}},
    ],
)
def test_what_training_depends_on_changes_it(changes):
    assert config_hash(config(**changes)) != config_hash(config())


def test_named_config_has_names_in_place_of_paths():
    section = {
        "type": "COCO",
        "root": "/home/me/coco/",
        "boxes": "/tmp/b.json",
        "train_annotations": "annotations/t.json",
    }
    named = named_config(config(dataset=section, packed={"train": "/data/t.pack"}))
    assert named["dataset"] == {**section, "root": "coco", "boxes": "b.json"}
    assert named["packed"] == {"train": "t.pack", "valid": None}
    assert check_config(named, "again").input_wh == (64, 64)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("/usr/bin/val.py", "val.py"),
        ("--config=configs/hrnet/w32.yaml", "--config=w32.yaml"),
        ("dataset.boxes=/a/b.json", "dataset.boxes=b.json"),
        ("data/mpii/", "mpii"),
        ("x=[/a/b,/c/d]", "x=[b,d]"),
        ("optimizer.lr=5e-4", "optimizer.lr=5e-4"),
    ],
)
def test_words_of_a_command_without_folders(word, name):
    assert without_folders(word) == name
