"""val.py --save_record: the numbers, and what made them."""

import json
import math
import re
import shutil

import numpy as np
import pytest
from cli_cases import best_model, eval_values, state_of, validate, write_config

from paddle_pose.cli.record import FORM, _plain
from paddle_pose.cli.result_records import read_records
from paddle_pose.config import check_config
from paddle_pose.config_hash import config_hash
from paddle_pose.data.mpii import MPII
from paddle_pose.data.split_hash import split_hash


@pytest.fixture(scope="module")
def record(run, tmp_path_factory):
    """The record of a finished run, written as a user does."""
    path = tmp_path_factory.mktemp("records") / "tiny.json"
    assert validate("--pretrained_model", best_model(run[0]), "--save_record", path) == 0
    return path


def read(path):
    return json.loads(path.read_text())


def test_numbers_rules_and_boxes(run, record, capsys):
    assert validate("--pretrained_model", best_model(run[0])) == 0
    content = read(record)
    assert content["form"] == FORM
    assert content["values"] == eval_values(capsys.readouterr().out)
    assert content["rules"].startswith("PCKh: distance / head size <= 0.5")
    assert content["box_source"] == "ground-truth centre and scale"
    assert set(content["table"]) >= {"Head", "Wrist"}
    assert content["reference"] is None


def test_who_evaluated_and_who_trained(run, record):
    content, state = read(record), state_of(run[0])
    made, trained = content["made_by"], content["trained_by"]
    for facts in (made, trained):
        assert re.fullmatch(r"[0-9a-f]{7,}\+?", facts["commit"])
        assert re.fullmatch(r"\d+\.\d+\.\d+", facts["paddlepaddle"])
        assert facts["device"] == "cpu"
        assert facts["processes"] == 1
        assert facts["seconds"] > 0
        assert facts["processor"]
    assert trained["images"] == state["progress"]["step"] * 2 * 2  # batches of 2, two of them a step
    assert trained["seed"] == content["seed"] == 5
    assert trained["resumed"] == 0
    assert trained["config_hash"] == content["config_hash"]


def test_hashes_are_those_of_people_and_settings(run, record, synthetic_mpii):
    content = read(record)
    splits = {split: split_hash(MPII(str(synthetic_mpii), split=split)) for split in ("train", "valid")}
    assert content["splits"] == splits
    assert content["config_hash"] == config_hash(check_config(content["config"], "record"))


def test_no_path_of_the_machine_is_in_it(run, record, synthetic_mpii, tmp_path):
    for folder in (run[0], synthetic_mpii, record.parent):
        assert str(folder) not in record.read_text()
    joints = np.zeros((len(MPII(str(synthetic_mpii), split="valid")), 16, 2))
    np.save(tmp_path / "p.npy", joints)
    flags = ["--predictions", tmp_path / "p.npy", "--config", write_config(tmp_path), "--dataset_root", synthetic_mpii]
    assert validate(*flags, "--save_record", tmp_path / "p.json") == 0
    text = (tmp_path / "p.json").read_text()
    assert str(tmp_path) not in text
    content = json.loads(text)
    assert content["scored"] == {"predictions": "p.npy"}
    assert content["reference"] is None
    assert content["config"]["dataset"]["root"] == synthetic_mpii.name
    assert content["trained_by"] is None
    assert content["splits"]["train"] is None
    assert (content["seed"], content["config_hash"], content["box_source"]) == (None, None, None)
    assert content["row"]["title"] == "predictions of p.npy"


def test_the_published_row_and_the_rules_that_differ(run, tmp_path):
    flags = ["--pretrained_model", best_model(run[0]), "--reference", "mmpose_hourglass52_mpii_256x256"]
    assert validate(*flags, "--save_record", tmp_path / "r.json") == 0
    content = read(tmp_path / "r.json")
    assert content["reference"] == "mmpose_hourglass52_mpii_256x256"
    assert any("people" in words for words in content["differences"])


def test_the_command_by_names(run, tmp_path, monkeypatch):
    model = best_model(run[0])
    words = ["/somewhere/val.py", "--pretrained_model", str(model), "--opts", "valid.batch_size=4"]
    monkeypatch.setattr("sys.argv", words)
    assert validate(*words[1:], "--save_record", tmp_path / "r.json") == 0
    expected = ["val.py", "--pretrained_model", "model.pdparams", "--opts", "valid.batch_size=4"]
    assert read(tmp_path / "r.json")["made_by"]["command"] == expected


def test_the_same_hashes_from_another_folder(run, record, synthetic_mpii, tmp_path):
    shutil.copytree(synthetic_mpii, tmp_path / "moved")
    flags = ["--pretrained_model", best_model(run[0]), "--dataset_root", tmp_path / "moved"]
    assert validate(*flags, "--save_record", tmp_path / "r.json") == 0
    there, here = read(tmp_path / "r.json"), read(record)
    assert (there["splits"], there["config_hash"]) == (here["splits"], here["config_hash"])


def test_the_mean_pose_names_the_people_it_is_of(run, synthetic_mpii, tmp_path):
    flags = ["--baseline", "--config", run[1], "--dataset_root", synthetic_mpii]
    assert validate(*flags, "--save_record", tmp_path / "r.json") == 0
    content = read(tmp_path / "r.json")
    assert content["splits"]["train"] == split_hash(MPII(str(synthetic_mpii), split="train"))
    assert (content["trained_by"], content["config_hash"]) == (None, None)
    assert re.fullmatch(r"mean pose of \d+ training people", content["row"]["title"])


def test_a_new_record_can_be_shown_at_once(record):
    (shown,) = read_records(record.parent)
    assert (shown.title, shown.note, shown.metric) == ("StackedHourglass, 64x64", "MPII, valid split", "PCKh@0.5")


def test_what_is_no_number_becomes_null():
    strange = {"a": math.nan, "b": [math.inf, 1.5, True, None, "x"], 3: np.zeros(2)}
    assert _plain(strange) == {"a": None, "b": [None, 1.5, True, None, "x"], "3": None}
