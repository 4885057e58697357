"""COCO by the commands: train, validate with either kind of boxes, results files, and whose boxes it was."""

import contextlib
import io
import json
import math
import re

import numpy as np
import pytest
from cli_cases import CONFIG, assert_one_error, best_model, eval_values, train, validate, write_config
from coco_cases import box_entry, write_list

from paddle_pose.data.derived_joints import found_from_annotated
from paddle_pose.frames import Frame, FramePoses
from paddle_pose.outputs.coco_json import CocoWriter
from paddle_pose.samples import FoundPeople
from paddle_pose.skeletons import COCO_17, OPENPOSE_18

RECIPE = (
    CONFIG.replace("type: MPII", "type: COCO")
    .replace("type: PCKh", "type: COCOKeypoints")
    .replace("best: Mean", "best: AP")
    .replace("epochs: 2", "epochs: 1")
) + "reference: {source: a paper, note: detected boxes, values: {AP: 74.4}}\n"
NAMES = {"AP", "AP50", "AP75", "APM", "APL", "AR", "AR50", "AR75", "ARM", "ARL"}


@pytest.fixture(scope="module")
def run(synthetic_coco, tmp_path_factory):
    """(folder, configuration, what the command printed) of a finished run."""
    folder = tmp_path_factory.mktemp("coco")
    config = write_config(folder, RECIPE)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert train(config, synthetic_coco, folder / "out") == 0
    return folder / "out", config, printed.getvalue()


@pytest.fixture(scope="module")
def boxes(synthetic_coco, tmp_path_factory):
    """A detector's file: the boxes of the ground truth, some twice, and one more of each photo."""
    content = json.loads((synthetic_coco / "annotations" / "person_keypoints_val2017.json").read_text())
    entries = [box_entry(a["image_id"], a["bbox"], 0.9) for a in content["annotations"] if not a["iscrowd"]]
    entries += [box_entry(a["image_id"], a["bbox"], 0.8) for a in content["annotations"][:4] if not a["iscrowd"]]
    entries += [box_entry(image["id"], [5, 5, 30, 60], 0.1) for image in content["images"]]
    return write_list(tmp_path_factory.mktemp("boxes") / "detected.json", entries)


def test_training_prints_ap_and_whose_boxes(run, synthetic_coco):
    lines = run[2].splitlines()
    people = [
        json.loads((synthetic_coco / "annotations" / f"person_keypoints_{s}2017.json").read_text())
        for s in ("train", "val")
    ]
    counts = [sum(a["num_keypoints"] > 0 for a in content["annotations"]) for content in people]
    assert re.findall(r"^=> num_images: (\d+)$", run[2], re.M) == [str(len(content["images"])) for content in people]
    assert re.findall(r"^=> load (\d+) samples$", run[2], re.M) == [str(count) for count in counts]
    line = next(line for line in lines if line.startswith("[EVAL]"))
    assert {part.split("=")[0] for part in line.split()[1:]} == NAMES
    assert any(re.match(r"ground-truth boxes( +(\d+\.\d\d|-)){10}$", row) for row in lines)
    assert any(re.match(r"\[VALID\] epoch: 1, AP: \d+\.\d{4} \(ground-truth boxes\), new best", row) for row in lines)
    assert any(re.match(r"left_elbow +(\d+\.\d\d|-)$", row) for row in lines)
    beside = (
        r"epoch 1 \(ground-truth boxes\) beside the end of a paper: AP \d+\.\d\d, published 74\.40 \([+-]\d+\.\d\d\)$"
    )
    assert any(re.match(beside, row) for row in lines)
    assert "compared with: a paper: AP 74.400" in lines


def evaluated(capsys, *arguments) -> tuple[dict, str]:
    assert validate(*arguments) == 0
    output = capsys.readouterr().out
    return eval_values(output), output


def same(left: dict, right: dict) -> bool:
    return all(left[name] == right[name] or math.isnan(left[name] + right[name]) for name in NAMES)


def test_detected_boxes_results_file_and_record(run, boxes, synthetic_coco, tmp_path, capsys):
    more = ["--boxes", boxes, "--save_predictions", tmp_path / "r.json", "--save_record", tmp_path / "record.json"]
    values, output = evaluated(capsys, "--pretrained_model", best_model(run[0]), *more)
    number = len(json.loads(boxes.read_text()))
    source = f"boxes of detected.json ({number} of them, score >= 0)"
    assert f"=> load {number} samples" in output
    assert sum(source in line for line in output.splitlines()) >= 4  # protocol, table, rules, reference
    record = json.loads((tmp_path / "record.json").read_text())
    assert source in record["protocol"]
    assert source in record["rules"]
    assert source in record["table"]
    assert str(tmp_path) not in record["rules"] + record["protocol"]
    poses = json.loads((tmp_path / "r.json").read_text())
    assert f"joints of {len(poses)} people written" in output
    assert len(poses) <= number
    assert all(set(pose) == {"image_id", "category_id", "keypoints", "score"} for pose in poses)
    assert all(len(pose["keypoints"]) == 51 and math.isfinite(sum(pose["keypoints"])) for pose in poses)
    common = ["--config", run[1], "--dataset_root", synthetic_coco]
    again, output = evaluated(capsys, "--predictions", tmp_path / "r.json", *common)
    assert same(again, values)
    assert "poses of r.json" in output


def test_either_file_of_ground_truth_boxes_gives_the_same_numbers(run, synthetic_coco, tmp_path, capsys):
    values, output = evaluated(
        capsys, "--pretrained_model", best_model(run[0]), "--save_predictions", tmp_path / "p.npy"
    )
    assert "ground-truth boxes" in output
    common = ["--config", run[1], "--dataset_root", synthetic_coco]
    more = ["--save_predictions", tmp_path / "p.json"]
    assert same(evaluated(capsys, "--predictions", tmp_path / "p.npy", *common, *more)[0], values)
    pictures = ["--save_pictures", tmp_path / "pictures", "--num_pictures", 2]
    assert same(evaluated(capsys, "--predictions", tmp_path / "p.json", *common, *pictures)[0], values)
    assert (tmp_path / "pictures" / "sheet.png").is_file()


@pytest.mark.parametrize("skeleton", [COCO_17, OPENPOSE_18], ids=lambda skeleton: skeleton.name)
def test_what_prediction_writes_is_scored(synthetic_coco, tmp_path, capsys, skeleton):
    """The true joints, written as poses of photos, are without fault: ids and the order of joints are right."""
    content = json.loads((synthetic_coco / "annotations" / "person_keypoints_val2017.json").read_text())
    with CocoWriter(tmp_path, skeleton) as writer:
        for image in content["images"][::-1]:
            people = [a["keypoints"] for a in content["annotations"] if a["image_id"] == image["id"]]
            joints, labels = np.split(np.array(people, float).reshape(-1, 17, 3), [2], axis=2)
            joints, scores = found_from_annotated(skeleton, joints, np.minimum(labels[..., 0], 1))
            frame = Frame(f"photos/{image['file_name']}", 0, np.zeros((image["height"], image["width"], 3), np.uint8))
            writer.add(frame, FramePoses(FoundPeople(joints, scores, scores.mean(axis=1))))
    common = ["--config", write_config(tmp_path, RECIPE), "--dataset_root", synthetic_coco]
    values, _ = evaluated(capsys, "--predictions", tmp_path / "coco_results.json", *common)
    assert values["AP"] == values["AR"] == 100


def test_wrong_files_and_flags_end_in_one_line(run, synthetic_coco, synthetic_mpii, tmp_path, capsys):
    model = ["--pretrained_model", best_model(run[0])]
    assert validate(*model, "--boxes", tmp_path / "none.json") == 2
    assert_one_error(
        capsys.readouterr(), r"none\.json", r"COCO_val2017_detections_AP_H_56_person\.json", "ground truth"
    )
    file = write_list(tmp_path / "other.json", [box_entry(139, [1, 2, 30, 40])])
    assert validate(*model, "--boxes", file) == 2
    assert_one_error(capsys.readouterr(), r"other\.json", "139", "use a file of this split")
    config = write_config(tmp_path, CONFIG)
    arguments = ["--predictions", tmp_path / "p.npy", "--config", config, "--dataset_root", synthetic_mpii]
    assert validate(*arguments, "--boxes", file) == 2
    assert_one_error(capsys.readouterr(), r"dataset\.boxes", "MPII takes no such key")
    arguments = ["--predictions", file, "--config", run[1], "--dataset_root", synthetic_coco]
    assert validate(*arguments) == 2
    assert_one_error(capsys.readouterr(), r"other\.json", "has no keypoints")


def test_a_metric_and_a_dataset_that_do_not_fit_fail_before_training(synthetic_coco, synthetic_mpii, tmp_path, capsys):
    config = write_config(tmp_path, RECIPE.replace("type: COCO,", "type: MPII,"))
    assert train(config, synthetic_mpii, tmp_path / "out") == 2
    assert_one_error(capsys.readouterr(), "mpii_16 has no OKS sigmas")
    config = write_config(tmp_path, RECIPE.replace("COCOKeypoints", "PCKh").replace("best: AP", "best: Mean"))
    assert train(config, synthetic_coco, tmp_path / "out") == 2
    assert_one_error(capsys.readouterr(), "PCKh needs head sizes")
    config = write_config(tmp_path, RECIPE.replace("best: AP", "best: Mean"))
    assert train(config, synthetic_coco, tmp_path / "out") == 2
    assert_one_error(capsys.readouterr(), r"valid\.best='Mean' is not a value of this metric", "AP, AP50")
    assert not (tmp_path / "out").exists()


def test_pycocotools_is_imported_only_where_it_is_needed(tmp_path):
    from cli_cases import run_python

    code = (
        "import sys; from paddle_pose.registry import DATASETS, METRICS; DATASETS.names(), METRICS.names(); "
        "import paddle_pose.cli.val; print('pycocotools' in sys.modules)"
    )
    assert run_python("-c", code, cwd=tmp_path).stdout.strip() == "False"
