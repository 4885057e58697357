"""Several people in a photo in two steps: centres, then a pose for each box. Networks of a few steps, real commands."""

import contextlib
import io
import json
import re

import pytest
from cli_cases import assert_one_error, best_model, eval_values, train, validate

from paddle_pose.cli.find_people import main as find_people

NARROW = "stages: 2, width: 8, trunk_kernel: 3, refining_kernel: 3, initial_std: null"
COMMON = """
input_wh: [64, 64]
loss: {type: CPMLoss}
augment: {type: HRNet, scale: 0.1, rotation_deg: 5}
optimizer: {type: Adam, lr: 5.0e-3}
schedule: {type: constant}
"""
FINDER = COMMON + (
    "dataset: {type: PersonCentres, root: nowhere, of: {type: COCO}}\n"
    f"network: {{type: PersonCentreCPM, sizes: 4, {NARROW}}}\n"
    "codec: {type: PersonCentreHeatmap, sizes: 4}\n"
    "metric: {type: SurestPerson}\n"
    "train: {epochs: 8, batch_size: 4, workers: 0, log_steps: 100}\n"
    "valid: {best: Found, every_epochs: 8}\n"
)
POSES = COMMON + (
    "dataset: {type: COCO, root: nowhere}\n"
    f"network: {{type: CPM, {NARROW}}}\n"
    "codec: {type: CPMHeatmap}\n"
    "metric: {type: COCOKeypoints}\n"
    "train: {epochs: 1, batch_size: 4, workers: 0, log_steps: 100}\n"
    "valid: {best: AP}\n"
)


@pytest.fixture(scope="module")
def models(synthetic_coco, tmp_path_factory):
    """Checkpoints of both networks."""
    folder = tmp_path_factory.mktemp("two_step")
    for name, text in (("finder", FINDER), ("poses", POSES)):
        (folder / f"{name}.yaml").write_text(text)
        with contextlib.redirect_stdout(io.StringIO()):
            assert train(folder / f"{name}.yaml", synthetic_coco, folder / name) == 0
    return best_model(folder / "finder"), best_model(folder / "poses")


def test_boxes_of_the_first_step_are_those_of_the_second(models, synthetic_coco, tmp_path, capsys):
    boxes = tmp_path / "boxes.json"
    arguments = ["--pretrained_model", models[0], "--out", boxes, "--threshold", "0", "--device", "cpu"]
    assert find_people([str(argument) for argument in arguments]) == 0
    entries = json.loads(boxes.read_text())
    printed = capsys.readouterr().out
    assert f"{len(entries)} boxes of 12 photos written to {boxes}" in printed
    found, annotated = (int(n) for n in re.search(r"found (\d+) of (\d+) annotated people", printed).groups())
    assert 0 < found <= annotated  # eight epochs are enough for some
    content = json.loads((synthetic_coco / "annotations" / "person_keypoints_val2017.json").read_text())
    assert {entry["image_id"] for entry in entries} <= {image["id"] for image in content["images"]}
    assert all(entry["bbox"][2] == entry["bbox"][3] > 0 for entry in entries)
    assert all(0 <= entry["score"] < 2 for entry in entries)

    assert validate("--pretrained_model", models[1], "--boxes", boxes) == 0
    printed = capsys.readouterr().out
    assert f"boxes of boxes.json ({len(entries)} of them" in printed
    assert "AP" in eval_values(printed)


def test_a_model_of_joints_is_refused(models, tmp_path, capsys):
    arguments = ["--pretrained_model", str(models[1]), "--out", str(tmp_path / "boxes.json")]
    assert find_people(arguments) == 2
    assert_one_error(capsys.readouterr(), "is not a model of dataset PersonCentres", "docs/methods/cpm.md")
    assert not (tmp_path / "boxes.json").exists()


@pytest.mark.parametrize("value", ["-0.1", "1.5", "much"])
def test_shares_are_checked(value, capsys):
    with pytest.raises(SystemExit) as stop:
        find_people(["--pretrained_model", "a", "--out", "b", "--threshold", value])
    assert stop.value.code == 2
    assert "is not a number from 0 to 1" in capsys.readouterr().err
