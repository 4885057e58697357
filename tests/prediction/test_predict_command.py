"""predict.py from end to end: what it writes, and how it ends, for each way of use."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from detector_cases import export, photo_with
from prediction_cases import HOURGLASS, OPENPOSE, photo, write_json, write_model
from test_finders import CENTRES

from paddle_pose import Predictor
from paddle_pose.cli import predict as command
from paddle_pose.frames import Frame
from paddle_pose.outputs.coco_json import CocoWriter

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        name: write_model(folder / f"{name}.pdparams", recipe)
        for name, recipe in (("one", HOURGLASS), ("everybody", OPENPOSE), ("centres", CENTRES))
    }


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    return export(tmp_path_factory.mktemp("detector"))


@pytest.fixture
def photos(tmp_path):
    """A folder of three photos, of which the second is damaged."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (1, 2, 10):
        cv2.imwrite(str(folder / f"{number}.png"), photo(number)[..., ::-1])
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes()[:100])
    return folder


def write_video(path, frames=12, rate=10.0):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), rate, (200, 150))
    for index in range(frames):
        writer.write(photo_with(20 + 5 * index, 30, 80 + 5 * index, 130))
    writer.release()
    return path


def predict(capsys, *arguments):
    """Exit code, stdout lines, stderr lines."""
    code = command.main([str(argument) for argument in ("--device", "cpu", *arguments)])
    captured = capsys.readouterr()
    return code, captured.out.splitlines(), captured.err.splitlines()


def results(folder):
    return json.loads((folder / "coco_results.json").read_text())


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


class TestPhotos:
    def test_a_folder_with_a_damaged_photo(self, models, photos, tmp_path, capsys):
        out = tmp_path / "out"
        more = ["--save", "pictures", "coco", "csv", "openpose", "--overlay", "heatmaps"]
        code, said, errors = predict(
            capsys, "--input", photos, "--pretrained_model", models["one"], "--save_dir", out, *more
        )
        assert code == 2
        assert len(errors) == 1
        assert errors[0].startswith("error: ")
        assert "2.png" in errors[0]
        assert names(out) == sorted(
            ["1.png", "10.png", "coco_images.json", "coco_results.json", "poses.csv"]
            + [f"openpose/{stem}_keypoints.json" for stem in ("1", "10")]
        )
        assert re.fullmatch(rf"2 photos, 2 people, \d+\.\d s: pictures, coco, csv, openpose in {out}", said[-1])
        found = results(out)
        predictor = Predictor(models["one"], device="cpu")
        for entry, number in zip(found, (1, 10)):
            wanted = predictor(photos / f"{number}.png").people
            keypoints = np.reshape(entry["keypoints"], (17, 3))
            np.testing.assert_allclose(keypoints[:, :2], wanted.joints_xy[0], atol=0.01)
        with open(out / "poses.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [Path(row["source"]).name for row in rows] == ["1.png", "10.png"]
        drawn = cv2.imread(str(out / "1.png"))
        assert drawn.shape == (90, 120, 3)
        assert (drawn[..., ::-1] != photo(1)).any()

    def test_boxes(self, models, photos, tmp_path, capsys):
        boxes = [{"image_id": 10, "bbox": [5, 5, 40, 60], "score": 0.5}, {"image_id": 10, "bbox": [50, 5, 40, 60]}]
        file = write_json(tmp_path / "boxes.json", boxes)
        (photos / "2.png").unlink()
        arguments = ["--input", photos / "*.png", "--pretrained_model", models["one"], "--save_dir", tmp_path / "out"]
        code, said, errors = predict(capsys, *arguments, "--boxes", file)
        assert (code, errors) == (0, [])
        assert said[-1].startswith("2 photos, 2 people, ")
        assert len(results(tmp_path / "out")) == 2
        assert names(tmp_path / "out") == ["1.png", "10.png", "coco_images.json", "coco_results.json"]

    def test_boxes_of_other_photos_end_it_before_anything_is_computed(
        self, models, photos, tmp_path, capsys, monkeypatch
    ):
        monkeypatch.setattr(Predictor, "stream", lambda *_: pytest.fail("computed"))
        file = write_json(tmp_path / "boxes.json", [{"image_id": 77, "bbox": [5, 5, 40, 60]}])
        arguments = ["--input", photos, "--pretrained_model", models["one"], "--save_dir", tmp_path / "out"]
        code, _, errors = predict(capsys, *arguments, "--boxes", file)
        assert code == 2
        assert len(errors) == 1
        assert "none of its boxes is of a photo in --input (its image_ids: 77" in errors[0]
        assert names(tmp_path / "out") == []

    def test_people_found_by_their_centres(self, models, photos, tmp_path, capsys):
        (photos / "2.png").unlink()
        arguments = ["--input", photos, "--pretrained_model", models["one"], "--save_dir", tmp_path / "out"]
        more = ["--people_model", models["centres"], "--box_threshold", 0, "--save", "coco"]
        code, said, errors = predict(capsys, *arguments, *more)
        assert (code, errors) == (0, [])
        assert len(results(tmp_path / "out")) == int(re.match(r"2 photos, (\d+) people", said[-1])[1]) > 2

    def test_everybody(self, models, photos, tmp_path, capsys):
        (photos / "2.png").unlink()
        arguments = ["--input", photos, "--pretrained_model", models["everybody"], "--save_dir", tmp_path / "out"]
        code, said, errors = predict(capsys, *arguments, "--overlay", "fields")
        assert (code, errors) == (0, [])
        found = results(tmp_path / "out")
        assert len(found) == int(re.match(r"2 photos, (\d+) people", said[-1])[1]) > 2
        assert {len(entry["keypoints"]) for entry in found} == {51}  # as COCO has them

    def test_without_arguments_a_person_is_found_in_the_bundled_photo(self, tmp_path, capsys):
        code, said, errors = predict(capsys, "--save_dir", tmp_path)
        assert (code, errors) == (0, [])
        assert len(said) == 1
        assert said[0].startswith("1 photo, 1 person, ")
        (entry,) = results(tmp_path)
        assert entry["score"] > 0.5
        assert entry["keypoints"][9 * 3 + 1] < entry["keypoints"][1] - 200  # the head is above the right ankle

    def test_an_own_photo_and_the_bundled_model(self, photos, tmp_path, capsys):
        code, said, _ = predict(capsys, "--input", photos / "1.png", "--save_dir", tmp_path / "out")
        assert code == 0
        assert said[1:] == [
            "this model was trained on rendered people only; for real photos name one with --pretrained_model "
            "(python -m paddle_pose.zoo lists them)"
        ]

    def test_a_changed_configuration(self, models, photos, tmp_path, capsys):
        arguments = ["--input", photos / "1.png", "--pretrained_model", models["one"], "--save_dir", tmp_path / "out"]
        assert predict(capsys, *arguments)[0] == 0
        plain = results(tmp_path / "out")
        assert predict(capsys, *arguments, "--opts", "codec.refine=argmax")[0] == 0
        assert np.abs(np.subtract(plain[0]["keypoints"], results(tmp_path / "out")[0]["keypoints"])).max() > 0.1
        code, _, errors = predict(capsys, *arguments, "--opts", "codec.refine=guess")
        assert code == 2
        assert "codec.refine='guess' is wrong" in errors[0]


class TestVideo:
    @pytest.fixture(scope="class")
    def video(self, tmp_path_factory):
        return write_video(tmp_path_factory.mktemp("video") / "walk.mp4")

    def test_people_are_detected_and_tracked(self, models, detector, video, tmp_path, capsys):
        arguments = ["--input", video, "--pretrained_model", models["one"], "--detector", detector]
        code, said, errors = predict(capsys, *arguments, "--save_dir", tmp_path, "--save", "video", "coco", "csv")
        assert (code, errors) == (0, [])
        assert said[-1].startswith("12 frames, 12 people, ")
        assert names(tmp_path) == ["coco_images.json", "coco_results.json", "poses.csv", "walk.mp4"]
        with open(tmp_path / "poses.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [int(row["frame"]) for row in rows] == list(range(12))
        lefts = [float(row["box_left"]) for row in rows]
        np.testing.assert_allclose(np.diff(lefts), 5, atol=2.6)  # the rectangle goes 5 pixels a frame
        assert {row["id"] for row in rows} == {"1"}
        assert all(entry["track_id"] == 1 for entry in results(tmp_path))
        drawn = cv2.VideoCapture(str(tmp_path / "walk.mp4"))
        assert drawn.get(cv2.CAP_PROP_FPS) == pytest.approx(10.0)
        assert int(drawn.get(cv2.CAP_PROP_FRAME_COUNT)) == 12

    def test_smoothing_and_tracking_can_be_left_out(self, models, detector, video, tmp_path, capsys):
        arguments = ["--input", video, "--pretrained_model", models["one"], "--detector", detector, "--max_frames", 5]
        joints = {}
        for flag in ("--smooth", "--no_smooth", "--no_track"):
            code, said, errors = predict(capsys, *arguments, "--save_dir", tmp_path / flag, "--save", "coco", flag)
            assert (code, errors) == (0, [])
            assert said[-1].startswith("5 frames, 5 people, ")
            found = results(tmp_path / flag)
            assert all(("track_id" in entry) == (flag != "--no_track") for entry in found)
            joints[flag] = np.array([entry["keypoints"] for entry in found])
        assert np.abs(joints["--smooth"] - joints["--no_smooth"]).max() > 0.05
        np.testing.assert_array_equal(joints["--no_smooth"], joints["--no_track"])
        code, _, errors = predict(capsys, *arguments, "--save_dir", tmp_path, "--no_track", "--smooth")
        assert code == 2
        assert "--smooth needs to know who is who" in errors[0]

    def test_photos_and_a_broken_video_beside_it(self, models, video, photos, tmp_path, capsys):
        (tmp_path / "broken.mp4").write_bytes(b"\0" * 500)
        inputs = [photos / "1.png", tmp_path / "broken.mp4", video]
        arguments = ["--pretrained_model", models["one"], "--save_dir", tmp_path / "out", "--max_frames", 3]
        code, said, errors = predict(capsys, "--input", *inputs, *arguments)
        assert code == 2
        assert [line for line in errors if line.startswith("error: ")] == errors
        assert len(errors) == 1
        assert "broken.mp4" in errors[0]
        assert said[-1].startswith("1 photo and 3 frames, 4 people, ")
        assert names(tmp_path / "out") == ["1.png", "coco_images.json", "coco_results.json", "walk.mp4"]

    def test_boxes_are_not_for_videos(self, models, video, photos, tmp_path, capsys):
        file = write_json(tmp_path / "boxes.json", [{"image_id": 1, "bbox": [5, 5, 40, 60]}])
        arguments = ["--input", photos / "1.png", video, "--pretrained_model", models["one"], "--boxes", file]
        code, _, errors = predict(capsys, *arguments, "--save_dir", tmp_path / "out")
        assert code == 2
        assert "walk.mp4: a file of boxes is of photos, not of a video" in errors[-1]


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
        monkeypatch.setattr(command, "_open_predictor", lambda *_: pytest.fail("a model was opened"))
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


class TestHowItEnds:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_in_the_middle_of_a_picture_waits_for_its_end(
        self, number, models, photos, tmp_path, capsys, monkeypatch
    ):
        code, said, errors = self.signalled(number, 1, models, photos, tmp_path, capsys, monkeypatch)
        assert (code, errors) == (130, [])
        assert said[-1].startswith("interrupted after 1 photo, 1 person, ")
        assert names(tmp_path / "out") == ["1.png", "coco_images.json", "coco_results.json"]
        assert len(results(tmp_path / "out")) == 1

    def test_a_second_ctrl_c_does_not(self, models, photos, tmp_path, capsys, monkeypatch):
        code, said, errors = self.signalled(signal.SIGINT, 2, models, photos, tmp_path, capsys, monkeypatch)
        assert (code, said, errors) == (130, [], ["interrupted"])
        assert names(tmp_path / "out") == ["1.png", "coco_images.partial.json", "coco_results.partial.json"]

    def signalled(self, number, times, models, photos, tmp_path, capsys, monkeypatch):
        (photos / "2.png").unlink()
        add = CocoWriter.add

        def signalling(self, frame, poses):
            for _ in range(times):
                signal.raise_signal(number)
            add(self, frame, poses)

        monkeypatch.setattr(CocoWriter, "add", signalling)
        arguments = ["--input", photos, "--pretrained_model", models["one"], "--save_dir", tmp_path / "out"]
        return predict(capsys, *arguments)

    def test_sigterm_before_the_first_picture(self, tmp_path):
        code = "import signal, sys, paddle_pose.cli.predict as predict;"
        code += "predict._check_boxes = lambda *arguments: signal.raise_signal(signal.SIGTERM);"
        code += "sys.exit(predict.main(sys.argv[1:]))"
        arguments = [sys.executable, "-c", code, "--save_dir", str(tmp_path)]
        done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")
        assert names(tmp_path) == []

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal(self, number, models, tmp_path):
        """For real: a long video, interrupted after its first frames."""
        video = write_video(tmp_path / "long.mp4", frames=1500)
        flags = ["--input", video, "--pretrained_model", models["one"], "--save_dir", tmp_path / "out"]
        arguments = [sys.executable, "predict.py", "--device", "cpu", *map(str, flags)]
        process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        end_s = time.monotonic() + 120
        while time.monotonic() < end_s and not any((tmp_path / "out").glob(".long.*.mp4")):
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(number)
        out, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors
        assert "Traceback" not in errors
        frames = int(re.search(r"interrupted after (\d+) frames?", out)[1])
        assert 0 < frames < 1500
        assert len(results(tmp_path / "out")) == frames
        assert names(tmp_path / "out") == ["coco_images.json", "coco_results.json", "long.mp4"]

    def test_an_error_in_the_middle_leaves_no_half_file(self, models, photos, tmp_path, capsys, monkeypatch):
        (photos / "2.png").unlink()
        add = CocoWriter.add

        def failing(self, frame: Frame, poses):
            if frame.source.endswith("10.png"):
                raise OSError(28, os.strerror(28))
            add(self, frame, poses)

        monkeypatch.setattr(CocoWriter, "add", failing)
        arguments = ["--input", photos, "--pretrained_model", models["one"], "--save_dir", tmp_path / "out"]
        code, _, errors = predict(capsys, *arguments)
        assert code == 2
        assert any("no space is left on the disk" in line for line in errors)
        left = names(tmp_path / "out")
        assert not {"coco_results.json", "coco_images.json"} & set(left)
        assert "1.png" in left
        assert len(json.loads((tmp_path / "out" / "coco_results.partial.json").read_text())) == 1
