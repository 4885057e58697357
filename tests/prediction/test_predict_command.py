"""predict.py from end to end with photos: what it writes, for each way of use."""

import csv
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_cases import names, predict, results
from prediction_cases import photo, write_json

from paddle_pose import Predictor


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
