"""Which boxes belong to which photo, and people found by their centres."""

import re

import numpy as np
import pytest
from prediction_cases import HOURGLASS, photo, write_json, write_model

from paddle_pose import geometry
from paddle_pose.cli.find_people import main as find_people
from paddle_pose.coco_samples import DETECTOR_56
from paddle_pose.errors import ConfigError, DataError
from paddle_pose.frames import Frame
from paddle_pose.prediction import cropping
from paddle_pose.prediction.finders import BoxFile, WholePhoto
from paddle_pose.prediction.person_centres import PersonCentreFinder

CENTRES = """
input_wh: [96, 96]
dataset: {type: PersonCentres, root: nowhere, of: {type: COCO, padding: 1.5}}
network: {type: PersonCentreCPM, sizes: 3, stages: 1, width: 4, trunk_kernel: 3, refining_kernel: 3, initial_std: null}
codec: {type: PersonCentreHeatmap, sizes: 3}
loss: {type: CPMLoss}
metric: {type: SurestPerson}
normalise: {border: [30, 60, 90]}
valid: {batch_size: 4, mirror_test: true, best: Found}
"""
ENTRIES = [
    {"image_id": 139, "category_id": 1, "bbox": [1, 2, 30, 40], "score": 0.9},
    {"image_id": "b.jpg", "category_id": 1, "bbox": [5.5, 2, 3, 4], "score": 0.8},
    {"image_id": 139, "category_id": 1, "bbox": [7, 7, 7, 7], "score": 0.1},
    {"image_id": 139, "category_id": 18, "bbox": [8, 8, 8, 8], "score": 1.0},  # a dog
    {"image_id": 5, "bbox": [-3, 0, 20, 0]},
]


def frame(source, time_s=None):
    return Frame(source, 0, np.zeros((4, 6, 3), np.uint8), time_s)


def found(finder, source):
    (regions,) = finder([frame(source)])
    return regions.boxes_image.tolist(), regions.scores.tolist()


def test_the_whole_photo_is_a_box_without_padding():
    (regions,) = WholePhoto()([frame("a")])
    assert regions.boxes_image.tolist() == [[-0.5, -0.5, 6.0, 4.0]]
    assert (regions.scores.tolist(), regions.padding) == ([1.0], 1.0)


class TestBoxFile:
    @pytest.fixture
    def path(self, tmp_path):
        return write_json(tmp_path / "boxes.json", ENTRIES)

    @pytest.mark.parametrize(
        ("source", "boxes", "scores"),
        [
            ("photos/000000000139.jpg", [[1, 2, 30, 40], [7, 7, 7, 7]], [0.9, 0.1]),
            ("COCO_val2014_000000000139.jpg", [[1, 2, 30, 40], [7, 7, 7, 7]], [0.9, 0.1]),
            ("139.png", [[1, 2, 30, 40], [7, 7, 7, 7]], [0.9, 0.1]),
            ("/x/b.jpg", [[5.5, 2, 3, 4]], [0.8]),
            ("0005", [[-3, 0, 20, 0]], [1.0]),
            ("COCO_139.jpg", [], []),
            ("b.png", [], []),
        ],
    )
    def test_names_and_ids(self, path, source, boxes, scores):
        assert found(BoxFile(path), source) == (boxes, scores)

    def test_the_threshold_is_inclusive(self, path):
        assert found(BoxFile(path, 0.9), "139.jpg") == ([[1, 2, 30, 40]], [0.9])
        assert found(BoxFile(path, 0.9), "b.jpg") == ([], [])

    def test_an_annotation_file_says_which_photo_an_id_is(self, path, tmp_path):
        listed = {"images": [{"id": 139, "file_name": "deep/beach.jpg"}, {"id": 4, "file_name": "139.jpg"}]}
        finder = BoxFile(path, annotations=write_json(tmp_path / "listed.json", listed))
        assert found(finder, "mine/beach.jpg") == ([[1, 2, 30, 40], [7, 7, 7, 7]], [0.9, 0.1])
        assert found(finder, "139.jpg") == ([], [])  # the file says that its id is another
        assert found(finder, "b.jpg") == ([[5.5, 2, 3, 4]], [0.8])  # not listed: as without the file
        finder.check(["mine/beach.jpg"])

    def test_photos_of_which_it_has_none(self, path):
        finder = BoxFile(path)
        finder.check(["a.jpg", "139.jpg"])
        with pytest.raises(DataError, match=r"none of its boxes is of a photo .*139, b\.jpg, 5.*a\.jpg, c\.jpg"):
            finder.check(["a.jpg", "x/c.jpg"])

    def test_a_video_has_no_boxes(self, path):
        with pytest.raises(DataError, match="139.mp4: a file of boxes is of photos, not of a video; use a detector"):
            BoxFile(path)([frame("139.mp4", 0.0)])

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ({"annotations": []}, "should be a list of boxes.*is a dict"),
            ([], "none of its 0 entries is a person"),
            ([{"image_id": 1, "category_id": 3, "bbox": [0, 0, 1, 1]}], "none of its 1 entries is a person"),
            ([{"image_id": 1}], "entry 0 has no image_id and bbox"),
            ([3], "entry 0 has no image_id and bbox"),
            ([{"image_id": 1.5, "bbox": [0, 0, 1, 1]}], "image_id 1.5 must be a whole number"),
            ([{"image_id": 1, "bbox": [0, 0, 0, 0]}], r"entry 0: \[0.0, 0.0, 0.0, 0.0\] is no box"),
            ([{"image_id": 1, "bbox": [0, 0, -4, 9]}], r"entry 0: \[.*\] is no box"),
            ([{"image_id": 1, "bbox": [0, 0, 4]}], r"boxes are \(P, 4\) numbers"),
            ([{"image_id": 1, "bbox": [0, 0, float("nan"), 4]}], "is no box"),
            ([{"image_id": 1, "bbox": "wide"}], r"boxes are \(P, 4\) numbers"),
            ([{"image_id": 1, "bbox": [0, 0, 4, 4], "score": "high"}], "score 'high' is not a number"),
            ([{"image_id": 1, "bbox": [0, 0, 4, 4], "score": 10**400}], "score 1000+ is not a number that"),
            ([{"image_id": 1, "bbox": [0, 0, 4, 4], "score": float("nan")}], "score nan is not a number"),
            ([{"image_id": 1, "bbox": [10**400, 0, 4, 4]}], r"boxes are \(P, 4\) numbers"),
        ],
    )
    def test_bad_content(self, content, words, tmp_path):
        with pytest.raises(DataError, match=words):
            BoxFile(write_json(tmp_path / "bad.json", content))

    def test_an_annotation_file_whose_id_is_a_list(self, path, tmp_path):
        images = write_json(tmp_path / "images.json", {"images": [{"id": [1], "file_name": "a.jpg"}]})
        with pytest.raises(DataError, match="has no list `images`"):
            BoxFile(path, annotations=images)

    def test_bad_files(self, path, tmp_path):
        with pytest.raises(DataError, match="no such file of boxes"):
            BoxFile(tmp_path / DETECTOR_56)
        (tmp_path / "cut.json").write_text('[{"image_id": 1')
        with pytest.raises(DataError, match="not a readable .json file"):
            BoxFile(tmp_path / "cut.json")
        with pytest.raises(DataError, match="has no list `images`"):
            BoxFile(path, annotations=write_json(tmp_path / "other.json", {"images": [3]}))


class TestCropping:
    def test_a_long_strip_is_cut_where_it_should_be(self):
        """OpenCV warps no side above 32766 pixels; one in two of 40000 will do."""
        from prediction_cases import make_parts

        from paddle_pose.deployment.description import describe

        description = describe(make_parts(HOURGLASS), ("joints", "scores"), False)
        strip = np.zeros((30, 40000, 3), np.uint8)
        strip[:, 39000:39040] = 255
        regions = cropping.Regions(np.array([[38980.0, -20, 80, 70]]), np.ones(1), padding=1.0)
        (matrix,) = cropping.crop_matrices(regions, description)
        crop = cropping.cut(strip, matrix, description)
        seen = crop[:, :, 0].max(axis=0) > 200
        middle_crop = np.flatnonzero(seen).mean()
        middle_image = geometry.apply(geometry.invert(matrix), np.array([[middle_crop, 0]]))[0, 0]
        assert middle_image == pytest.approx(39019.5, abs=2.5)
        assert crop.shape == (96, 64, 3)

    def test_beyond_the_photo_is_the_border_colour(self):
        from prediction_cases import make_parts

        from paddle_pose.deployment.description import describe

        description = describe(make_parts(HOURGLASS), ("joints", "scores"), False)
        regions = cropping.Regions(np.array([[-50.0, -50, 10, 10]]), np.ones(1))
        (matrix,) = cropping.crop_matrices(regions, description)
        assert (cropping.cut(photo(1), matrix, description) == (90, 20, 160)).all()


class TestPersonCentres:
    @pytest.fixture(scope="class")
    def model(self, tmp_path_factory):
        return write_model(tmp_path_factory.mktemp("centres") / "model.pdparams", CENTRES)

    def test_the_boxes_are_those_of_find_people(self, model, synthetic_coco, tmp_path, capsys):
        import json

        from paddle_pose.data.photos import read_photo

        out = tmp_path / "boxes.json"
        flags = ["--pretrained_model", model, "--dataset_root", synthetic_coco, "--out", out, "--device", "cpu"]
        assert find_people([str(flag) for flag in flags] + ["--threshold", "0"]) == 0
        assert re.search(r"\d+ boxes of 12 photos written", capsys.readouterr().out)
        wanted = json.loads(out.read_text())
        images = json.loads((synthetic_coco / "annotations" / "person_keypoints_val2017.json").read_text())["images"]
        paths = {image["id"]: str(synthetic_coco / "val2017" / image["file_name"]) for image in images}
        finder = PersonCentreFinder(model, 0.0)
        frames = [Frame(path, 0, read_photo(path)) for path in paths.values()]
        number = 0
        for image_id, regions in zip(paths, finder(frames)):
            of_photo = [entry for entry in wanted if entry["image_id"] == image_id]
            number += len(of_photo)
            np.testing.assert_allclose(regions.boxes_image, [entry["bbox"] for entry in of_photo], atol=1e-3)
            np.testing.assert_allclose(regions.scores, [entry["score"] for entry in of_photo], atol=1e-5)
            assert regions.padding is None  # the pose model pads as it was trained
        assert number > 12

    def test_a_model_of_poses_is_refused(self, tmp_path):
        with pytest.raises(ConfigError, match="is not a model of dataset PersonCentres"):
            PersonCentreFinder(write_model(tmp_path / "m.pdparams", HOURGLASS))
