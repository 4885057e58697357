"""What predict.py refuses, in one line and before anything is computed."""

import re

import pytest
from command_cases import predict

from paddle_pose.cli import predict as command
from paddle_pose.cli import prediction_setup


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--input", "nowhere/*.jpg"], r"nowhere/\*\.jpg: no file fits it"),
            (["--input", "nowhere.jpg"], "nowhere.jpg: there is no such file or folder"),
            (["--input", "999"], "there is no camera 999"),
            (["--pretrained_model", "nowhere.pdparams"], "nowhere.pdparams: no such file"),
            (["--pretrained_model", "hourglas"], "hourglas"),
            (["--model_dir", "nowhere"], "nowhere"),
            (["--detector", "nowhere"], r"infer_cfg\.yml: cannot be read"),
            (["--boxes", "nowhere.json"], "nowhere.json: no such file of boxes"),
            (["--people_model", "nowhere.pdparams"], "nowhere.pdparams: no such file"),
            (["--overlay", "fields"], "--overlay fields: .* has no fields of limbs"),
            (["--batch_size", "0"], "--batch_size 0"),
            (["--engine", "onnxruntime"], "--engine onnxruntime: is for exported models"),
            (["--config", "a.yaml"], "--config and --opts are for a model file"),
            (["--device", "tpu"], "--device tpu: unknown"),
            (["--save", "video"], "--save video: nothing would be written; the inputs are drawn by pictures"),
        ],
    )
    def test_one_line(self, arguments, words, tmp_path, capsys, monkeypatch):
        monkeypatch.chdir(tmp_path)
        code, said, errors = predict(capsys, *arguments)
        assert code == 2
        assert said == []
        assert len(errors) == 1, errors
        assert re.search(words, errors[0])
        assert not (tmp_path / "output" / "predict" / "coco_results.json").exists()

    @pytest.mark.parametrize("flag", ["--joint_threshold", "--person_threshold", "--box_threshold"])
    def test_a_threshold_that_is_no_number(self, flag, capsys):
        with pytest.raises(SystemExit, match="2"):
            command.main([flag, "nan"])
        assert f"{flag}: 'nan' is not a number" in capsys.readouterr().err

    def test_a_folder_that_cannot_be_written_is_refused_first(self, tmp_path, capsys, monkeypatch):
        monkeypatch.setattr(prediction_setup, "open_predictor", lambda *_: pytest.fail("a model was opened"))
        (tmp_path / "file").write_text("")
        code, _, errors = predict(capsys, "--save_dir", tmp_path / "file")
        assert code == 2
        assert len(errors) == 1
        assert "is a file, not a folder" in errors[0]

    @pytest.mark.parametrize(("flag", "name"), [("boxes", "coco_results"), ("annotations", "coco_images")])
    def test_a_file_of_boxes_is_not_overwritten(self, flag, name, tmp_path, capsys):
        path = tmp_path / f"{name}.json"
        path.write_text("[]")
        code, _, errors = predict(capsys, "--boxes", "boxes.json", f"--{flag}", path, "--save_dir", tmp_path)
        assert code == 2
        assert len(errors) == 1
        assert f"--{flag} {path} would be overwritten by an output" in errors[0]
        assert path.read_text() == "[]"

    def test_an_input_is_not_overwritten(self, models, photos, capsys):
        before = (photos / "1.png").read_bytes()
        arguments = ["--input", photos / "1.png", "--pretrained_model", models["one"], "--save_dir", photos]
        code, _, errors = predict(capsys, *arguments)
        assert code == 2
        assert "would be overwritten by an output" in errors[0]
        assert (photos / "1.png").read_bytes() == before
