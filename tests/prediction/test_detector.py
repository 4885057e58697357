"""A static model that finds the bright rectangle of a photo stands for a detector, in PaddleDetection's form."""

from types import SimpleNamespace

import numpy as np
import paddle
import pytest
from detector_cases import MEAN, NORMALISE, STD, BrightRectangle, export, photo_with, write_config
from prediction_cases import HOURGLASS, write_model

from paddle_pose import Predictor
from paddle_pose.errors import CheckpointError, DataError
from paddle_pose.frames import Frame
from paddle_pose.prediction.detector import DetectorFinder
from paddle_pose.prediction.detector_steps import DetectorInput, read_steps


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    return export(tmp_path_factory.mktemp("detector"))


def test_the_person_is_found_in_photo_pixels(detector):
    finder = DetectorFinder(detector, device="cpu")
    frames = [
        Frame("a.jpg", 0, photo_with(40, 30, 120, 130)),
        Frame("b.jpg", 0, photo_with(5, 200, 35, 400, width=90, height=450)),
    ]
    first, second = finder(frames)
    # found to a pixel of the 320 x 320 that the network sees
    np.testing.assert_allclose(first.boxes_image, [[40, 30, 80, 100]], atol=1.3)
    np.testing.assert_allclose(second.boxes_image, [[5, 200, 30, 200]], atol=3)
    assert first.scores.tolist() == pytest.approx([0.9])
    assert first.padding is None


def test_the_threshold_is_the_files_unless_another_is_given(detector):
    frame = Frame("a.jpg", 0, photo_with(40, 30, 120, 130))
    assert DetectorFinder(detector, 0.2, device="cpu")([frame])[0].scores.tolist() == pytest.approx([0.9, 0.3])
    assert len(DetectorFinder(detector, 0.95, device="cpu")([frame])[0]) == 0


def test_a_photo_without_people_has_no_poses(detector, tmp_path):
    predictor = Predictor(write_model(tmp_path / "m.pdparams", HOURGLASS), detector=detector, device="cpu")
    frames = [Frame("grey", 0, np.full((50, 60, 3), 110, np.uint8)), Frame("a", 0, photo_with(40, 30, 120, 130))]
    poses = [poses for _, poses in predictor.stream(frames)]
    assert [len(of_frame) for of_frame in poses] == [0, 1]
    assert poses[0].people.joints_xy.shape == (0, 17, 2)
    assert poses[0].boxes_image.shape == (0, 4)


class TestSteps:
    """Against the arithmetic of PaddleDetection's deploy/python/preprocess.py, done by hand."""

    def run(self, entries, image):
        photo = DetectorInput(image, image.shape[:2])
        for step in read_steps(entries, "infer_cfg.yml"):
            photo = step(photo)
        return photo

    @pytest.mark.parametrize(
        ("target", "size_hw", "scale"),
        [
            ([800, 1333], (800, 1067), 800 / 300),  # 300 x 400: the shorter side gets 800
            ([800, 1000], (750, 1000), 2.5),  # unless the longer side then exceeds 1000
            (150, (112, 150), 150 / 400),  # 112.5 rounds to even
        ],
    )
    def test_resize_keeps_the_ratio(self, target, size_hw, scale):
        photo = self.run(
            [{"type": "Resize", "target_size": target, "keep_ratio": True, "interp": 1}], photo_of(300, 400)
        )
        assert photo.image.shape[:2] == tuple(photo.im_shape) == size_hw
        assert photo.scale_factor == pytest.approx((scale, scale))

    def test_resize_without_the_ratio_gives_height_then_width(self):
        photo = self.run([{"type": "Resize", "target_size": [96, 192], "keep_ratio": False}], photo_of(300, 400))
        assert photo.image.shape == (96, 192, 3)
        assert photo.scale_factor == pytest.approx((96 / 300, 192 / 400))

    def test_a_strip_is_never_resized_to_nothing(self):
        photo = self.run([{"type": "Resize", "target_size": 100, "keep_ratio": True}], photo_of(1, 3000))
        assert photo.image.shape == (1, 100, 3)

    def test_colours(self):
        image = np.full((2, 2, 3), (255, 0, 51), np.uint8)
        wanted = (np.array([1, 0, 0.2]) - MEAN) / STD
        np.testing.assert_allclose(self.run([NORMALISE], image).image[0, 0], wanted, rtol=1e-5)
        plain = [{**NORMALISE, "norm_type": "none"}, {"type": "Permute"}]
        np.testing.assert_allclose(self.run(plain, image).image[:, 1, 1], [1, 0, 0.2], rtol=1e-6)
        unscaled = [{"type": "NormalizeImage", "mean": [100, 0, 0], "std": [2, 1, 1], "is_scale": False}]
        np.testing.assert_allclose(self.run(unscaled, image).image[0, 0], [77.5, 0, 51])

    def test_padding_is_right_and_below_and_no_part_of_im_shape(self):
        steps = [{"type": "Resize", "target_size": [60, 80]}, {"type": "Permute"}, {"type": "PadStride", "stride": 32}]
        photo = self.run(steps, np.full((300, 400, 3), 7, np.uint8))
        assert photo.image.shape == (3, 64, 96)
        assert tuple(photo.im_shape) == (60, 80)
        assert (photo.image[:, :60, :80] == 7).all()
        assert (photo.image[:, 60:] == 0).all()
        assert (photo.image[:, :, 80:] == 0).all()
        photo = self.run([{"type": "Pad", "size": [32, 40]}], np.full((20, 30, 3), 7, np.uint8))
        assert photo.image.shape == (32, 40, 3)
        assert photo.image[19, 29].tolist() == [7] * 3
        assert photo.image[20, 29].tolist() == photo.image[19, 30].tolist() == [114] * 3


def photo_of(height, width):
    return np.zeros((height, width, 3), np.uint8)


class TestBadFolders:
    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            (
                {"steps": [{"type": "LetterBoxResize", "target_size": [640, 640]}]},
                "the step LetterBoxResize of Preprocess",
            ),
            (
                {"steps": [{"type": "Resize", "target_size": [64, 64], "antialias": True}]},
                "Resize: the setting antialias",
            ),
            ({"steps": [{"type": "Resize", "target_size": "large"}]}, "Resize: 'large' is no size"),
            ({"steps": [{"type": "NormalizeImage", "mean": MEAN}]}, "NormalizeImage: .*std"),
            ({"steps": [{**NORMALISE, "norm_type": "odd"}]}, "norm_type 'odd'"),
            ({"steps": "Resize"}, "Preprocess should be a list"),
            ({"labels": ["car", "dog"]}, r"label_list has no person \(car, dog\)"),
            ({"draw_threshold": "high"}, "draw_threshold='high' is not a number"),
        ],
    )
    def test_settings(self, settings, words, detector, tmp_path):
        write_config(tmp_path, **settings)
        with pytest.raises(DataError, match=words):
            DetectorFinder(tmp_path)

    def test_steps_that_do_not_go_together(self, tmp_path, monkeypatch):
        model = SimpleNamespace(input_names=("image",))
        monkeypatch.setattr("paddle_pose.prediction.detector.StaticModel", lambda *_, **__: model)
        write_config(tmp_path, steps=[{**NORMALISE, "mean": [0.5, 0.5]}])
        with pytest.raises(DataError, match="Preprocess fails: .*; export the detector again"):
            DetectorFinder(tmp_path)([Frame("a", 0, photo_with(1, 1, 5, 5))])

    def test_files(self, tmp_path):
        with pytest.raises(DataError, match=r"infer_cfg\.yml: cannot be read .*export_model\.py"):
            DetectorFinder(tmp_path)
        (tmp_path / "infer_cfg.yml").write_text("a: [")
        with pytest.raises(DataError, match="not valid YAML"):
            DetectorFinder(tmp_path)
        (tmp_path / "infer_cfg.yml").write_text("- 1")
        with pytest.raises(DataError, match="has no Preprocess"):
            DetectorFinder(tmp_path)
        write_config(tmp_path)
        with pytest.raises(CheckpointError, match=r"no model of Paddle there \(\.json or \.pdmodel"):
            DetectorFinder(tmp_path)

    def test_a_model_without_its_post_processing(self, tmp_path):
        class Raw(BrightRectangle):
            def forward(self, image):
                return self.one * image.mean(axis=1), image.sum()

        spec = [paddle.static.InputSpec([-1, 3, 320, 320], "float32", "image")]
        paddle.jit.save(Raw(), str(tmp_path / "model"), input_spec=spec)
        write_config(tmp_path)
        finder = DetectorFinder(tmp_path, device="cpu")
        with pytest.raises(DataError, match=r"shape \(1, 320, 320\), not \(N, 6\); export it with its post-processing"):
            finder([Frame("a", 0, photo_with(1, 1, 5, 5))])
