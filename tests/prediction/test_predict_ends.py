"""How predict.py ends before its time: signals and errors, and what is kept."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_cases import names, predict, results, write_video

from paddle_pose.frames import Frame
from paddle_pose.outputs.coco_json import CocoWriter

ROOT = Path(__file__).parents[2]


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
        code = "import signal, sys; from paddle_pose.cli import predict, prediction_setup;"
        code += "prediction_setup.check_boxes = lambda *arguments: signal.raise_signal(signal.SIGTERM);"
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
