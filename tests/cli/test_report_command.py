"""val.py --report, as users call it."""

import html
import json
import os
import re
import shutil

import numpy as np
import pytest
from cli_cases import assert_one_error, best_model, eval_values, validate, write_config
from coco_cases import write_list

from paddle_pose.data.coco import COCO
from paddle_pose.data.mpii import MPII


@pytest.fixture(scope="module")
def page(run, tmp_path_factory):
    """(text, what was printed) of the report of a finished run."""
    folder = tmp_path_factory.mktemp("report") / "new" / "folder"
    import contextlib
    import io

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert validate("--pretrained_model", best_model(run[0]), "--report", folder) == 0
    assert os.listdir(folder) == ["report.html"]
    return (folder / "report.html").read_text(encoding="utf-8"), said.getvalue()


def titles(text):
    return re.findall(r'<h2 id="s\d+">(.*?)</h2>', text)


def test_of_a_network(page):
    text, said = page
    assert titles(text) == [
        *("Numbers", "Over the threshold", "Error by joint", "By person size", "By visibility"),
        *("Left and right, and other joints", "Confidence", "Worst cases", "How it was made"),
    ]
    for name, value in eval_values(said).items():
        assert f'<div class="tile">{name}<b>{value:.2f}</b></div>' in text
    assert 1 <= text.count("data:image/jpeg;base64,") <= 16
    assert "could not be read" not in text
    assert "<td>commit</td>" in text
    assert '<td class="text">model.pdparams</td>' in text
    assert "report written to " in said
    assert "[EVAL]" in said.splitlines()[-1]


def test_no_path_of_the_machine_is_in_it(page, run, synthetic_mpii):
    for folder in (run[0], synthetic_mpii):
        assert str(folder) not in page[0]


def test_predictions_without_photos_and_a_hostile_name(synthetic_mpii, tmp_path, capsys):
    root = tmp_path / "data"
    shutil.copytree(synthetic_mpii / "annot", root / "annot")
    records = json.loads((root / "annot" / "valid.json").read_text())
    for record in records:
        record["image"] = "<script>alert(1)<b>.jpg"
    (root / "annot" / "valid.json").write_text(json.dumps(records))
    truth = MPII(str(root), split="valid").truth()
    joints = truth.joints_image + np.random.default_rng(0).normal(0, 9, truth.joints_image.shape)
    joints[0, 0] = np.nan
    np.save(tmp_path / "<i>.npy", joints)
    flags = ["--predictions", tmp_path / "<i>.npy", "--dataset_root", root, "--report", tmp_path / "out"]
    assert validate(*flags, "--reference", "hrnet_w32_mpii_256x256") == 0
    text = (tmp_path / "out" / "report.html").read_text()
    assert not re.search(r"<script|<i>|<b>\.jpg", text)
    assert html.escape("<script>alert(1)<b>.jpg") in text
    assert "photos could not be read where this page was made" in text
    assert "data:image/jpeg" not in text
    assert "These predictions have no scores" in text
    assert "the reference used 0.11" in text  # the rules that differ
    assert "37.700" in text  # published
    values = eval_values(capsys.readouterr().out)
    assert f"<b>{values['Mean']:.2f}</b>" in text


def test_the_mean_pose(synthetic_mpii, tmp_path):
    flags = ["--baseline", "--dataset_root", synthetic_mpii, "--config", write_config(tmp_path)]
    assert validate(*flags, "--report", tmp_path) == 0
    assert "Mean pose of" in (tmp_path / "report.html").read_text()


def test_coco_poses_with_missed_people_and_poses_of_nobody(synthetic_coco, tmp_path, capsys):
    dataset = COCO(str(synthetic_coco), split="valid")
    annotations = dataset.truth().coco.annotations
    people = np.flatnonzero(annotations.num_keypoints > 0)[1:]  # the first one is not found
    entries = [
        {
            "image_id": int(annotations.image_ids[row]),
            "category_id": annotations.category_id,
            "keypoints": annotations.keypoints_image[row].ravel().tolist(),
            "score": 0.9,
        }
        for row in people
    ]
    nobody = {**entries[0], "score": 0.1, "keypoints": [5000.0 + k for k in range(51)]}
    file = write_list(tmp_path / "poses.json", [*entries, nobody])
    config = tmp_path / "coco.yaml"
    text = "input_wh: [64, 64]\ndataset: {type: COCO, root: nowhere}\nmetric: {type: COCOKeypoints}\n"
    text += "network: {type: StackedHourglass, stacks: 1, width: 16, depth: 2}\ncodec: {type: GaussianHeatmap}\n"
    config.write_text(text + "optimizer: {type: Adam, lr: 1.0e-3}\nschedule: {type: constant}\nvalid: {best: AP}\n")
    common = ["--config", config, "--dataset_root", synthetic_coco, "--predictions", file]
    assert validate(*common, "--report", tmp_path / "out") == 0
    text = (tmp_path / "out" / "report.html").read_text()
    assert "People" in titles(text)
    for name, number in (
        ("annotated people with keypoints", len(people) + 1),
        ("not found", 1),
        ("poses of nobody", 1),
    ):
        assert f"<td>{name}</td><td>{number}</td>" in text
    assert "Not found, largest" in text
    assert "Poses of nobody, highest score" in text
    empty = write_list(tmp_path / "empty.json", [])
    assert validate(*common[:-1], empty, "--report", tmp_path / "none") == 0
    assert f"<td>not found</td><td>{len(people) + 1}</td>" in (tmp_path / "none" / "report.html").read_text()


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_read(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    flags = ["--predictions", "nowhere.npy", "--dataset_root", "nowhere"]
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        assert validate(*flags, "--report", folder) == 2
        assert_one_error(capsys.readouterr(), "--report", str(folder), "choose another --report")
    (tmp_path / "taken" / "report.html").mkdir(parents=True)
    assert validate(*flags, "--report", tmp_path / "taken") == 2
    assert_one_error(capsys.readouterr(), "is a folder")


def test_an_older_page_stays_where_nothing_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "report.html").write_text("older")

    def full(*arguments, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    from paddle_pose.errors import UserError
    from paddle_pose.reports.report import check_folder

    with pytest.raises(UserError, match="No space left"):
        check_folder(tmp_path)
    assert (tmp_path / "report.html").read_text() == "older"
    assert os.listdir(tmp_path) == ["report.html"]


def test_without_the_flag_nothing_of_it_is_imported():
    import subprocess
    import sys

    from cli_cases import ROOT

    code = "import sys, paddle_pose.cli.val as v; v.main(['--baseline', '--dataset_root', 'nowhere']);"
    code += "assert not {m for m in sys.modules if m.startswith(('paddle_pose.reports', 'matplotlib'))}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
