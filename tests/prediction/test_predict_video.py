"""predict.py from end to end with videos."""

import csv

import cv2
import numpy as np
import pytest
from command_cases import names, predict, results, write_video
from prediction_cases import write_json


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
