"""Published rows as users meet them: val.py on published predictions, --reference, and a training run."""

import contextlib
import io
import json
import os
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import paddle
import pytest
from cli_cases import CONFIG, ROOT, assert_one_error, best_model, rows_of, train, validate, write_config
from scipy.io import loadmat

from paddle_pose import references
from paddle_pose.data.mpii import MPII
from paddle_pose.data.prediction_files import digest, read_predictions, write_predictions
from paddle_pose.engine.checkpoint import load_model, save_model
from paddle_pose.engine.meter import RECENT_STEPS, Meter
from paddle_pose.samples import Predictions
from paddle_pose.skeletons import FLIC_10

TOMPSON = "tompson_mpii_valid"
# joints in the order of CPM's file
CPM_FLIC = ("left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist")
CPM_FLIC += ("left_hip", "right_hip", "nose")


@pytest.fixture
def real(request):
    """A folder of the real annotations."""
    name = request.param
    root = Path(os.environ.get("PADDLE_POSE_DATA", "nowhere")) / name
    if not root.is_dir():
        pytest.skip(f"needs {name}: set PADDLE_POSE_DATA to the folder that holds {name}/")
    return root


@pytest.mark.parametrize("real", ["mpii"], indirect=True)
class TestTompson:
    def test_the_file_names_its_row(self, real, capsys):
        assert validate("--predictions", real / "annot" / "gt_valid.mat", "--dataset_root", real) == 0
        lines = capsys.readouterr().out.splitlines()
        assert "these are the published predictions of Tompson et al., MPII valid" in lines
        for name, published in {"Mean": "82.337", "Mean@0.1": "28.975", "Mean@0.11": "33.138"}.items():
            assert f"  {name}: published {published}, here {published}, difference +0.000" in lines
        assert not any("warning" in line for line in lines)

    @pytest.mark.parametrize("suffix", [".mat", ".npy", ".json"])
    def test_also_in_another_form(self, real, tmp_path, suffix, capsys):
        found = read_predictions(real / "annot" / "gt_valid.mat", 2958, 16)
        write_predictions(tmp_path / f"copy{suffix}", found)
        record = tmp_path / "record.json"
        flags = ["--predictions", tmp_path / f"copy{suffix}", "--dataset_root", real, "--save_record", record]
        assert validate(*flags) == 0
        assert f"({TOMPSON})" in capsys.readouterr().out
        assert json.loads(record.read_text())["scored"]["published"] == TOMPSON

    def test_moved_by_a_pixel_they_are_somebody_elses(self, real, tmp_path, capsys):
        found = read_predictions(real / "annot" / "gt_valid.mat", 2958, 16)
        write_predictions(tmp_path / "moved.npy", Predictions(found.joints_image + 1, found.scores))
        assert validate("--predictions", tmp_path / "moved.npy", "--dataset_root", real) == 0
        assert "published" not in capsys.readouterr().out

    def test_another_row_by_the_flag(self, real, capsys):
        flags = ["--predictions", real / "annot" / "gt_valid.mat", "--dataset_root", real]
        assert validate(*flags, "--reference", "hrnet_w32_mpii_256x256") == 0
        out = capsys.readouterr().out
        assert "Mean@0.1 (at 0.11): published 37.700, here 33.138, difference -4.562" in out
        assert out.count("warning: ") == 1
        assert "warning: the reference used 0.11" in out


@pytest.mark.parametrize("real", ["lsp"], indirect=True)
@pytest.mark.parametrize(("labels", "mean", "warnings"), [("PC", 90.5, 0), ("OC", 72.643, 1)])
def test_cpm_on_lsp(real, labels, mean, warnings, capsys):
    config = ROOT / "configs" / "cpm" / "cpm_lsp_368x368.yaml"
    flags = ["--config", config, "--dataset_root", real, "--opts", f"dataset.joints_file=joints_{labels}.mat"]
    assert validate("--predictions", real / "cpm_predictions_mpii_lsp.mat", *flags) == 0
    out = capsys.readouterr().out
    assert "(cpm_lsp_pc_mpii)" in out
    assert f"  Mean: published 90.500, here {mean:.3f}, " in out
    assert out.count("warning: labels: the reference's person-centric, here observer-centric") == warnings
    assert out.count("warning: ") == warnings


@pytest.mark.parametrize("real", ["flic"], indirect=True)
def test_cpm_on_flic(real, tmp_path, capsys):
    found = loadmat(real / "cpm_predictions_flic.mat")["prediction_all"].transpose(2, 0, 1).astype(float) - 1
    joints = np.full((len(found), 10, 2), np.nan)  # the neck is not predicted
    joints[:, [FLIC_10.index(joint) for joint in CPM_FLIC]] = found
    np.save(tmp_path / "found.npy", joints)
    config = ROOT / "configs" / "cpm" / "cpm_flic_368x368.yaml"
    flags = ["--config", config, "--dataset_root", real, "--opts", "dataset.annotations=joints_test_OC.mat"]
    assert validate("--predictions", tmp_path / "found.npy", *flags) == 0
    out = capsys.readouterr().out
    assert "  Elbow: published 97.590, here 97.589, difference -0.001" in out
    assert "  Wrist: published 95.030, here 95.030, difference +0.000" in out
    assert "warning: " not in out


def test_the_digest_is_of_hundredths_and_of_what_is_known():
    joints = np.array([[[1.234, 5.0], [np.nan, 2.0]]])
    same, other = joints.copy(), joints.copy()
    same[0, 0, 0] = 1.2349999  # 123 hundredths, too
    other[0, 0, 0] = 1.236
    marks = [digest(Predictions(j, np.full((1, 2), s, np.float32))) for j, s in ((joints, 1), (same, 0.5), (other, 1))]
    assert marks[0] == marks[1] != marks[2]
    assert len(marks[0]) == 64


@pytest.fixture(scope="module")
def run(synthetic_mpii, tmp_path_factory):
    """(folder, what the command printed) of a run that names a row of another network, size and people."""
    folder = tmp_path_factory.mktemp("named")
    config = write_config(folder, CONFIG + "reference: mmpose_hourglass52_mpii_256x256\n")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert train(config, synthetic_mpii, folder / "out", "--opts", "train.epochs=1") == 0
    return folder / "out", printed.getvalue()


class TestTraining:
    def test_the_row_is_named_once_and_each_validation_stands_beside_it(self, run):
        lines = run[1].splitlines()
        named = [k for k, line in enumerate(lines) if line.startswith("compared with: mmpose 0.x and 1.x hourglass_52")]
        assert len(named) == 1
        warnings = [line for line in lines if line.startswith("  warning: ")]
        assert [line.split(":")[1].split()[0] for line in warnings] == ["another", "the", "input", "decoding"]
        valid = next(k for k, line in enumerate(lines) if line.startswith("[VALID] epoch: 1"))
        assert lines[valid + 1].startswith("epoch 1 beside the end of mmpose_hourglass52_mpii_256x256: Mean ")
        assert named[0] < valid

    def test_val_prints_the_row_that_the_checkpoint_names(self, run, capsys):
        assert validate("--pretrained_model", best_model(run[0])) == 0
        out = capsys.readouterr().out
        assert (
            "published: mmpose 0.x and 1.x hourglass_52, MPII valid, 256x256 (mmpose_hourglass52_mpii_256x256)" in out
        )
        assert out.count("  warning: ") == 4
        assert out.rstrip().splitlines()[-1].startswith("[EVAL] ")

    def test_a_row_that_only_another_version_knows(self, run, tmp_path, capsys):
        weights, facts = load_model(best_model(run[0]))
        facts["config"]["reference"] = "somebody_hourglass52_mpii_256x256"
        save_model(tmp_path / "m.pdparams", weights, facts)
        assert validate("--pretrained_model", tmp_path / "m.pdparams") == 0
        captured = capsys.readouterr()
        assert "no published row 'somebody_hourglass52_mpii_256x256'" in captured.err
        assert "published: " not in captured.out

    def test_an_inline_row_of_an_old_checkpoint(self, run, tmp_path, capsys):
        weights, facts = load_model(best_model(run[0]))
        facts["config"]["reference"] = {"source": "a paper", "values": {"Mean": 50.0}, "note": ""}
        save_model(tmp_path / "m.pdparams", weights, facts)
        assert validate("--pretrained_model", tmp_path / "m.pdparams") == 0
        out = capsys.readouterr().out
        assert "published: a paper\n  Mean: published 50.000, here " in out


def test_a_run_beside_a_curve(synthetic_mpii, tmp_path, monkeypatch, capsys):
    """With the published run made to be of this network, input and people."""
    name = "first_paddle_hourglass52_mpii_256x256"
    ours = {"type": "StackedHourglass", "width": 16}
    people = len(MPII(str(synthetic_mpii), "valid"))
    row = references.find(name).model_copy(update={"ours": ours, "input_wh": (64, 64), "people": people})
    monkeypatch.setitem(references.rows(), name, row)
    config = write_config(tmp_path, CONFIG + f"reference: {name}\n")
    assert train(config, synthetic_mpii, tmp_path / "out", "--opts", "codec.sigma_map=2.0", "codec.target=msra") == 0
    lines = capsys.readouterr().out.splitlines()
    beside = [line for line in lines if line.startswith("epoch ") and " beside " in line]
    logged = rows_of(tmp_path / "out")
    for epoch, line in enumerate(beside, 1):
        values = r"Mean (\S+), there (\S+) \(.*\); Mean@0.1 .*; training loss (\S+), there (\S+)$"
        match = re.match(rf"epoch {epoch} beside {name}: " + values, line)
        valid = [entry["valid/Mean"] for entry in logged if "valid/Mean" in entry][epoch - 1]
        curve = references.curves()[name]
        assert float(match[1]) == pytest.approx(valid, abs=6e-3)
        assert float(match[2]) == pytest.approx(curve.values["Mean"][epoch - 1], abs=6e-3)
        assert float(match[4]) == pytest.approx(curve.loss[epoch - 1], abs=1e-6)
    losses = [entry["train/loss"] for entry in logged if "train/loss" in entry]  # a line for each step
    assert float(match[3]) == pytest.approx(np.mean(losses[-RECENT_STEPS:]), abs=1e-6)
    assert len(beside) == 2


def test_the_recent_loss_is_of_the_last_steps():
    meter = Meter(1, 100, 1, 1)
    meter.start_epoch(SimpleNamespace(step=0, epoch=0, batch=0))
    assert meter.recent_loss is None
    for first in (0, 40):
        for step in range(first, first + 40):
            meter.add(paddle.to_tensor(np.float32(step)), ["photo.jpg"])
        meter.summary(1e-3)
    assert meter.recent_loss == np.arange(30, 80).mean()


@pytest.mark.parametrize("where", ["flag", "file", "opts"])
def test_an_unknown_row(where, synthetic_mpii, tmp_path, capsys):
    config = write_config(tmp_path, CONFIG + ("reference: hrnet_w32_mpi\n" if where == "file" else ""))
    more = {"flag": ["--reference", "hrnet_w32_mpi"], "opts": ["--opts", "reference=hrnet_w32_mpi"], "file": []}[where]
    assert validate("--baseline", "--config", config, "--dataset_root", synthetic_mpii, *more) == 2
    said = assert_one_error(capsys.readouterr(), "no published row 'hrnet_w32_mpi'", "did you mean 'hrnet_w32_mpii_")
    assert ("--reference" in said) == (where == "flag")


def test_a_reference_that_is_neither_id_nor_row(synthetic_mpii, tmp_path, capsys):
    config = write_config(tmp_path, CONFIG + "reference: 5\n")
    assert validate("--baseline", "--config", config, "--dataset_root", synthetic_mpii) == 2
    assert_one_error(capsys.readouterr(), "reference: 5 is not the id")
