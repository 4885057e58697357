"""The mean-pose baseline, the spread and the multi-scale test, as users run them."""

import json
import re

import numpy as np
import pytest
from cli_cases import CONFIG, assert_one_error, best_model, eval_values, rows_of, run_python, validate

from paddle_pose.data.mean_pose import mean_pose, place
from paddle_pose.data.mpii import MPII
from paddle_pose.data.prediction_files import read_predictions
from paddle_pose.engine.checkpoint import load_model

SPREAD = re.compile(r"^spread of predictions: (\d+\.\d\d) of the truth's \(1 = as varied .*\)", re.M)


def baseline(config, dataset, *more) -> int:
    return validate("--baseline", "--config", config, "--dataset_root", dataset, *more)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(CONFIG + "reference: {source: someone, values: {Mean: 90.0}}\n")
    return path


class TestBaseline:
    def test_prints_the_table_and_says_what_it_is(self, config, synthetic_mpii, capsys):
        assert baseline(config, synthetic_mpii) == 0
        out = capsys.readouterr().out
        people = len(MPII(str(synthetic_mpii), "train"))
        note = f"mean-pose baseline, no network: mean pose of {people} training people, put into each region"
        lines = out.splitlines()
        assert lines[2:4] == [note, "MPII valid, ground-truth centre and scale"]
        assert "Shoulder" in out
        assert "published" not in out
        assert 0 < eval_values(out)["Mean"] < 100

    def test_the_files_that_it_writes(self, config, synthetic_mpii, tmp_path, capsys):
        files = ["--save_predictions", tmp_path / "p.json", "--save_record", tmp_path / "r.json"]
        assert baseline(config, synthetic_mpii, *files, "--save_pictures", tmp_path / "pictures") == 0
        values = eval_values(capsys.readouterr().out)
        assert (tmp_path / "pictures" / "sheet.png").is_file()
        record = json.loads((tmp_path / "r.json").read_text())
        assert re.fullmatch(r"mean pose of \d+ training people", record["scored"]["baseline"])
        assert record["scored"]["training_protocol"] == "MPII train, ground-truth centre and scale"
        assert record["values"] == values
        train, valid = (MPII(str(synthetic_mpii), split) for split in ("train", "valid"))
        saved = read_predictions(tmp_path / "p.json", len(valid), 16, valid.skeleton).joints_image
        np.testing.assert_allclose(saved, place(mean_pose(train), valid).joints_image)

    def test_needs_no_paddle_and_no_photos(self, config, synthetic_mpii, tmp_path):
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "annot").symlink_to(synthetic_mpii / "annot")
        flags = ["--baseline", "--config", str(config), "--dataset_root", "data"]
        code = f"import sys; from paddle_pose.cli.val import main; main({flags}); print('paddle' in sys.modules)"
        done = run_python("-c", code, cwd=tmp_path)
        assert "[EVAL] " in done.stdout
        assert done.stdout.splitlines()[-1] == "False", done.stderr

    def test_one_thing_is_scored_at_a_time(self, config, capsys):
        with pytest.raises(SystemExit):
            validate("--baseline", "--predictions", "p.json", "--config", config)
        assert "not allowed with" in capsys.readouterr().err

    def test_no_training_people(self, config, synthetic_mpii, tmp_path, capsys):
        (tmp_path / "annot").mkdir()
        for name in ("valid.json", "gt_valid.mat"):
            (tmp_path / "annot" / name).symlink_to(synthetic_mpii / "annot" / name)
        assert baseline(config, tmp_path) == 2
        assert_one_error(capsys.readouterr(), "train.json is missing")


class TestSpread:
    def test_training_logs_it_beside_the_values(self, run):
        valid = [row for row in rows_of(run[0]) if "valid/Mean" in row]
        assert valid[-1]["valid/spread"] > 0
        line = SPREAD.search((run[0] / "64_training" / "train.log").read_text())
        assert float(line[1]) == pytest.approx(valid[-1]["valid/spread"], abs=0.006)
        assert "spread" not in load_model(best_model(run[0]))[1]["values"]

    def test_val_prints_it_and_keeps_it_out_of_the_eval_line(self, run, tmp_path, capsys):
        assert validate("--pretrained_model", best_model(run[0]), "--save_record", tmp_path / "r.json") == 0
        out = capsys.readouterr().out
        record = json.loads((tmp_path / "r.json").read_text())["scored"]
        assert float(SPREAD.search(out)[1]) == pytest.approx(record["spread"], abs=0.006)
        assert record["spread"] == pytest.approx(rows_of(run[0])[-1]["valid/spread"])
        assert "spread" not in eval_values(out)

    def test_a_network_that_says_the_same_of_everybody_is_warned_of(self, run, tmp_path, capsys):
        """Weights of 0: every map is flat, every joint in one corner of its region."""
        from paddle_pose.engine.checkpoint import save_model

        weights, facts = load_model(best_model(run[0]))
        save_model(tmp_path / "model.pdparams", {name: 0 * array for name, array in weights.items()}, facts)
        assert validate("--pretrained_model", tmp_path / "model.pdparams") == 0
        line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("spread"))
        assert line.startswith("spread of predictions: 0.00 ")
        assert "WARNING" in line


class TestMultiScale:
    def test_scales_change_the_numbers_and_are_told(self, run, tmp_path, capsys):
        model = best_model(run[0])
        more = ["--save_record", tmp_path / "r.json", "--opts", "valid.test_scales=[0.8,1,1.2]"]
        assert validate("--pretrained_model", model, *more) == 0
        out = capsys.readouterr().out
        assert "\noutputs averaged over the scales 0.8, 1, 1.2\n" in out
        assert eval_values(out) != load_model(model)[1]["values"]
        record = json.loads((tmp_path / "r.json").read_text())
        assert record["scored"]["test_scales"] == record["config"]["valid"]["test_scales"] == [0.8, 1.0, 1.2]

    def test_scale_one_changes_nothing(self, run, capsys):
        model = best_model(run[0])
        assert validate("--pretrained_model", model, "--opts", "valid.test_scales=[1]") == 0
        out = capsys.readouterr().out
        assert eval_values(out) == load_model(model)[1]["values"]
        assert "scales" not in out

    @pytest.mark.parametrize("wrong", ["[]", "[0]", "[-1, 1]", "[1, big]", "[11]"])
    def test_wrong_scales(self, run, capsys, wrong):
        assert validate("--pretrained_model", best_model(run[0]), "--opts", f"valid.test_scales={wrong}") == 2
        assert_one_error(capsys.readouterr(), "valid.test_scales")
