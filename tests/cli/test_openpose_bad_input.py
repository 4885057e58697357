"""Bottom-up: wrong annotations, photos, settings and checkpoints end in one line; odd ones are gone through."""

import contextlib
import io
import json
import math
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from cli_cases import assert_one_error, best_model, eval_values, fingerprint, train, validate, write_config
from custom_cases import write_plates
from test_openpose_cli import RECIPE

from paddle_pose.engine.checkpoint import load_model, save_model

PAIR = "limbs: [[nose, left_eye], [nose, right_eye]], sigmas: 0.05"
NETWORK = "network={type: StackedHourglass, stacks: 1, width: 4, depth: 2}"


@pytest.fixture(scope="module")
def run(synthetic_coco, tmp_path_factory):
    """(folder, configuration) of a finished run."""
    folder = tmp_path_factory.mktemp("openpose")
    config = write_config(folder, RECIPE)
    with contextlib.redirect_stdout(io.StringIO()):
        assert train(config, synthetic_coco, folder / "out") == 0
    return folder / "out", config


@pytest.fixture
def dataset(synthetic_coco, tmp_path):
    """A copy of the dataset that may be spoilt."""
    return Path(shutil.copytree(synthetic_coco, tmp_path / "data"))


def change(root, split, spoil):
    path = root / "annotations" / f"person_keypoints_{split}2017.json"
    content = json.loads(path.read_text())
    spoil(content)
    path.write_text(json.dumps(content))


def without_people(content):
    content["annotations"] = []


def only_crowds(content):
    for person in content["annotations"]:
        person["iscrowd"] = 1


def without_category(content):
    content["categories"] = []


def half_a_pixel(content):
    content["images"][0]["width"] += 0.5


ANNOTATIONS = [
    ("train", without_people, ["train2017", "no people with keypoints"]),
    ("val", only_crowds, ["val2017", "no people with keypoints"]),
    ("val", without_people, ["no keypoints", "AP does not exist", "valid.best=loss"]),
    ("train", without_category, ["train2017", "no category named 'person'", r"dataset\.category"]),
    ("train", half_a_pixel, ["train2017", "whole numbers"]),
]


@pytest.mark.parametrize(
    ("split", "spoil", "words"), ANNOTATIONS, ids=[f"{row[0]} {row[1].__name__}" for row in ANNOTATIONS]
)
def test_wrong_annotations_are_named(run, dataset, tmp_path, capsys, split, spoil, words):
    change(dataset, split, spoil)
    assert train(run[1], dataset, tmp_path / "out") == 2
    assert_one_error(capsys.readouterr(), *words)
    assert not (tmp_path / "out").exists()


def test_damaged_masks_are_counted_and_boxes_stand_for_them(run, dataset, tmp_path, capsys):
    masks = [[[1, 2, 3]], {"counts": [5, 3], "size": [2, 2]}, [], None, {"counts": "garbage"}, "text", [["a"]], {}]

    def damage(content):
        for number, person in enumerate(content["annotations"]):
            person["segmentation"] = masks[number % len(masks)]
            if number % 2:
                person.update(keypoints=[0] * 51, num_keypoints=0)

    for split in ("train", "val"):
        change(dataset, split, damage)
    assert train(run[1], dataset, tmp_path / "out") == 0
    assert validate("--pretrained_model", best_model(run[0]), "--dataset_root", dataset) == 0


def replace_photo(root, split, number, image):
    """Another picture, of which the annotations say the size."""
    path = sorted((root / f"{split}2017").iterdir())[number]
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())

    def resize(content):
        entry = next(entry for entry in content["images"] if entry["file_name"] == path.name)
        entry.update(width=image.shape[1], height=image.shape[0])

    change(root, split, resize)


@pytest.mark.parametrize("fit", ["shorter", "height", "longer"])
def test_photos_of_odd_shapes_are_gone_through(run, dataset, tmp_path, capsys, fit):
    shapes = [(1, 1, 3), (2000, 3, 3), (20, 4000, 3), (40, 50), (40, 50, 4)]  # the last: grey, and with transparency
    for split in ("train", "val"):
        for number, shape in enumerate(shapes):
            replace_photo(dataset, split, number, np.full(shape, 90 + number, np.uint8))
    options = ["--opts", f"valid.photo_fit={fit}", "valid.photo_side=32", "valid.test_scales=[0.1,1]"]
    if fit == "longer":
        options += ["valid.batch_size=1", "train.workers=0", "valid.best=loss", "augment={type: WholePhoto}"]
        assert train(run[1], dataset, tmp_path / "out", *options) == 0
    pictures = tmp_path / "drawn"
    assert (
        validate(
            "--pretrained_model", best_model(run[0]), "--dataset_root", dataset, "--save_pictures", pictures, *options
        )
        == 0
    )
    assert len(list(pictures.iterdir())) == 13


def test_a_photo_of_another_size_than_annotated(run, dataset, tmp_path, capsys):
    path = sorted((dataset / "val2017").iterdir())[3]
    cv2.imwrite(str(path), np.zeros((30, 20, 3), np.uint8))
    assert validate("--pretrained_model", best_model(run[0]), "--dataset_root", dataset) == 2
    assert_one_error(capsys.readouterr(), path.name, r"has 20 x 30 pixels, but \d+ x \d+ in the annotation file")


SETTINGS = [
    (["input_wh=[64,60]"], [r"\[64, 60\]", "multiple of the stride 8"]),
    (["dataset.skeleton={limbs: [], sigmas: 0.05}"], ["has no limbs"]),
    (["dataset.skeleton={limbs: [[nose, left_eye]], sigmas: 0.05}"], [r"add \['nose', 'right_eye'\]"]),
    (["codec.grouping.peek=1"], ["codec.grouping.peek: no such key", "peak_threshold"]),
    (["codec.grouping.samples=1000000"], ["samples=1000000", "from 2 to 100"]),
    (["codec.grouping.min_score=.nan"], ["min_score=nan", "finite"]),
    (["codec.grouping.min_parts=19"], ["min_parts=19", "18 joints"]),
    (["loss={type: CPMLoss}"], ["CPMLoss does not fit", "PartAffinityLoss"]),
    ([NETWORK, "codec={type: GaussianHeatmap}"], ["PartAffinityLoss|COCO"]),
    (["normalise.order=GBR"], ["'RGB' or 'BGR'"]),
    (["augment={type: WholePhoto, color_gain: [2, 1]}"], [r"augment\.color_gain=\[2\.0, 1\.0\]"]),
    (["train.freeze=[vgg.99]"], ["vgg.99", "affinity, confidence"]),
    (["train.freeze=[vgg]", "train.freeze_epochs=5"], ["freeze_epochs=5 is more than epochs=1"]),
    (["cascade={stages: [{}], sigma: [1.0]}"], ["cascade", "COCOPhotos"]),
    (["metric={type: PCKh}", "valid.best=Mean"], ["PCKh"]),
]


@pytest.mark.parametrize(("options", "words"), SETTINGS, ids=[options[-1] for options, _ in SETTINGS])
def test_wrong_settings_are_named_before_any_work(run, synthetic_coco, tmp_path, capsys, options, words):
    assert train(run[1], synthetic_coco, tmp_path / "out", "--opts", *options) == 2
    assert_one_error(capsys.readouterr(), *words)
    assert not (tmp_path / "out").exists()


def test_what_to_observe_is_ignored_by_other_schedules(run, synthetic_coco, tmp_path):
    assert train(run[1], synthetic_coco, tmp_path / "out", "--opts", "schedule.observe=loss") == 0


def test_checkpoints_of_other_skeletons_are_refused(run, synthetic_coco, tmp_path, capsys):
    folder = shutil.copytree(run[0], tmp_path / "out")
    before = fingerprint(folder)
    options = ["--opts", f"dataset.skeleton={{{PAIR}}}", "train.epochs=2"]
    for arguments in (["--resume"], ["--overwrite", "--pretrained_model", best_model(run[0])]):
        assert train(run[1], synthetic_coco, folder, *arguments, *options) == 2
        assert_one_error(capsys.readouterr(), "trained on skeleton openpose_18, the dataset has person_17")
    assert validate("--pretrained_model", best_model(run[0]), *options) == 2
    assert_one_error(capsys.readouterr(), "trained on skeleton openpose_18", "--config")
    assert fingerprint(folder) == before


def test_weights_that_are_no_numbers_are_not_evaluated(run, tmp_path, capsys):
    weights, facts = load_model(best_model(run[0]))
    name = next(name for name in weights if name.startswith("confidence"))
    weights[name] = np.full_like(weights[name], np.nan)
    save_model(tmp_path / "m.pdparams", weights, facts)
    assert validate("--pretrained_model", tmp_path / "m.pdparams") == 2
    assert_one_error(capsys.readouterr(), r"m\.pdparams", name, "not finite")


def test_several_objects_of_ones_own_joints(tmp_path, capsys):
    write_plates(tmp_path, (1, 2, 3, 2))
    files = {
        f"{split}_{what}": name
        for split in ("train", "valid")
        for what, name in (("annotations", "plates.json"), ("photos", "."))
    }
    options = ["--opts", *(f"dataset.{key}={value}" for key, value in files.items()), "dataset.category=plate"]
    options += ["dataset.skeleton={mirror_pairs: [[corner_nw, corner_ne], [corner_sw, corner_se]], sigmas: 0.05}"]
    assert train(write_config(tmp_path, RECIPE), tmp_path, tmp_path / "out", *options) == 0
    assert "annotated with keypoints: 8" in capsys.readouterr().out
    assert validate("--pretrained_model", best_model(tmp_path / "out"), "--save_pictures", tmp_path / "drawn") == 0
    assert math.isfinite(eval_values(capsys.readouterr().out)["AP"])
    assert len(list((tmp_path / "drawn").iterdir())) == 5
