"""Frames in, people out, in order, in batches; what maps say; wrong combinations."""

import itertools
import threading
import time

import numpy as np
import paddle
import pytest
from prediction_cases import CPM, DEEPPOSE, HOURGLASS, OPENPOSE, make_parts, photo, write_json, write_model

import paddle_pose
from paddle_pose import Predictor, geometry
from paddle_pose.errors import CheckpointError, ConfigError, DataError, UserError
from paddle_pose.frames import Frame
from paddle_pose.prediction import predictor as module
from paddle_pose.prediction.pose_model import EagerModel

QUARTER = HOURGLASS.replace("refine: dark", "refine: quarter")  # dark blurs maps first, which moves untrained peaks


class Counting:
    """A model that keeps the sizes of its batches."""

    def __init__(self, model):
        self._model, self.description, self.sizes = model, model.description, []

    def __call__(self, images):
        self.sizes.append(len(images))
        return self._model(images)


class Finder:
    """As many boxes as the frame's number says."""

    def __call__(self, frames):
        rows = [np.array([[3 + k, 2, 40, 60] for k in range(f.index % 4)], float).reshape(-1, 4) for f in frames]
        return [module.Regions(row, np.linspace(1, 0.5, len(row))) for row in rows]


def frames(number):
    return (Frame("video.mp4", index, photo(index), index / 25) for index in range(number))


@pytest.fixture(scope="module")
def eager():
    return EagerModel(make_parts(HOURGLASS))


class TestStream:
    def test_people_of_several_frames_share_batches_and_keep_their_order(self, eager):
        model = Counting(eager)
        predictor = Predictor(model, batch_size=4)
        predictor.finder = Finder()
        found = list(predictor.stream(frames(10)))
        assert [frame.index for frame, _ in found] == list(range(10))
        assert [len(poses) for _, poses in found] == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
        assert model.sizes == [4, 2, 4, 2, 1]  # of frames 0 to 3, 4 to 7, 8 and 9
        one_by_one = Predictor(eager, batch_size=1)
        for frame, poses in found:
            alone = [one_by_one(frame.image, [box]).people.joints_xy[0] for box in poses.boxes_image]
            np.testing.assert_allclose(poses.people.joints_xy, np.reshape(alone, (-1, 17, 2)), atol=1e-3)
            assert (np.diff(poses.people.scores) <= 0).all()

    def test_no_more_frames_are_taken_than_three_batches(self, eager):
        taken, threads = [], threading.active_count()

        def endless():
            for index in itertools.count():
                taken.append(index)
                yield Frame("camera 0", index, photo(index % 5), index / 25)

        stream = Predictor(eager, batch_size=3).stream(endless())
        assert [next(stream)[0].index for _ in range(4)] == [0, 1, 2, 3]
        time.sleep(0.5)
        assert len(taken) == 12  # frames 3 to 5 are in hand, 6 to 8 being looked at, 9 to 11 read
        stream.close()
        assert threading.active_count() == threads

    def test_large_photos_do_not_wait_for_each_other(self, eager, monkeypatch):
        monkeypatch.setattr(module, "MOST_PIXELS", 2 * 120 * 90)
        groups = [len(group) for group in module._groups(frames(8), 100)]
        assert groups == [3, 3, 2]

    def test_an_error_of_the_source_comes_through_after_what_was_before_it(self, eager):
        def broken():
            yield from frames(2)
            raise DataError("frame 2 is broken")

        stream = Predictor(eager, batch_size=2).stream(broken())
        assert [next(stream)[0].index, next(stream)[0].index] == [0, 1]
        with pytest.raises(DataError, match="frame 2"):
            next(stream)


class TestPhotos:
    def test_own_boxes(self, eager):
        predictor = Predictor(eager)
        poses = predictor(photo(1), [[10, 10, 50, 60], [0, 0, 30, 80]])
        assert poses.people.joints_xy.shape == (2, 17, 2)
        assert poses.maps is None
        assert poses.ids is None
        assert len(predictor(photo(1), [])) == 0
        assert predictor(photo(1), np.zeros((0, 4))).people.joints_xy.shape == (0, 17, 2)

    @pytest.mark.parametrize("size", [(1, 1), (1, 300), (3000, 2)])
    def test_photos_of_any_shape(self, eager, size):
        poses = Predictor(eager)(np.zeros((*size, 3), np.uint8))
        assert np.isfinite(poses.people.joints_xy).all()

    @pytest.mark.parametrize(
        ("image", "boxes", "words"),
        [
            (None, None, "a photo is a file or an .* array of uint8, RGB, but got NoneType"),
            (np.zeros((4, 4), np.uint8), None, r"but got \(4, 4\) of uint8"),
            (np.zeros((4, 4, 3)), None, r"but got \(4, 4, 3\) of float64"),
            (np.zeros((0, 4, 3), np.uint8), None, r"but got \(0, 4, 3\)"),
            (photo(1), [1, 2, 3, 4], r"boxes are \(P, 4\) numbers"),
            (photo(1), [[1, 2, 3, np.inf]], "is no box"),
            (photo(1), "many", r"boxes are \(P, 4\) numbers"),
        ],
    )
    def test_wrong_ones(self, eager, image, boxes, words):
        with pytest.raises(DataError, match=words):
            Predictor(eager)(image, boxes)


class TestMaps:
    @pytest.mark.parametrize("recipe", [QUARTER, CPM], ids=["hourglass", "with a background"])
    def test_peaks_lie_at_the_joints(self, recipe):
        """The codec refines within a cell or so: a joint is where its map is highest."""
        poses = Predictor(EagerModel(make_parts(recipe)), keep_maps=True)(photo(2), [[10, 5, 60, 70], [50, 20, 40, 60]])
        maps = poses.maps
        assert maps.joints.shape[:2] == (2, 17)
        assert maps.fields is None
        height, width = maps.joints.shape[2:]
        where = maps.joints.reshape(2, 17, -1).argmax(-1)
        peaks = geometry.apply(maps.image_from_map, np.stack([where % width, where // width], -1).astype(float))
        cell = maps.image_from_map[:, 0, 0].max()
        assert cell > 1
        seen = poses.people.joint_scores > 0  # the others are put into the corner
        assert seen.sum() > 10
        assert np.abs(peaks - poses.people.joints_xy)[seen].max() < 1.5 * cell

    def test_of_a_whole_photo(self):
        predictor = Predictor(EagerModel(make_parts(OPENPOSE)), keep_maps=True)
        poses = predictor(photo(3, 150, 90))
        assert poses.maps.joints.shape[:2] == (1, 18)
        assert poses.maps.fields.shape[:2] == (1, 38)
        corner = geometry.apply(poses.maps.image_from_map, np.array([[[0.0, 0.0]]]))[0, 0]
        # cell 0 is the mean of input pixels 0 to 7, the photo is enlarged by 96 / 90
        np.testing.assert_allclose(corner, (4 * 90 / 96 - 0.5), atol=1e-9)
        again = Predictor(EagerModel(make_parts(OPENPOSE)))(photo(3, 150, 90))
        np.testing.assert_array_equal(again.people.joints_xy, poses.people.joints_xy)

    def test_a_model_of_coordinates_has_none(self):
        parts = make_parts(DEEPPOSE)
        assert Predictor(EagerModel(parts))(photo(1)).people.joints_xy.shape == (1, 16, 2)
        with pytest.raises(ConfigError, match="DeepPose gives coordinates, not maps"):
            Predictor(EagerModel(parts), keep_maps=True)


class TestEverybody:
    def test_is_the_people_estimator_of_the_checkpoint(self, tmp_path):
        model = write_model(tmp_path / "model.pdparams", OPENPOSE)
        estimator = paddle_pose.load_people_estimator(str(model))
        predictor = Predictor(model, batch_size=3, device="cpu")
        sizes = [(120, 90), (90, 120), (120, 90), (130, 70), (120, 90)]
        photos = [photo(index, *size) for index, size in enumerate(sizes)]
        found = list(predictor.stream(Frame(f"{k}.jpg", 0, image) for k, image in enumerate(photos)))
        assert [frame.source for frame, _ in found] == [f"{k}.jpg" for k in range(5)]
        assert sum(len(poses) for _, poses in found) > 5
        for image, (_, poses) in zip(photos, found):
            wanted = estimator(image)
            np.testing.assert_allclose(poses.people.joints_xy, wanted.joints_xy, atol=1e-3)
            np.testing.assert_allclose(poses.people.scores, wanted.scores, atol=1e-4)
            assert poses.boxes_image is None

    def test_needs_no_boxes(self, tmp_path):
        model = EagerModel(make_parts(OPENPOSE))
        with pytest.raises(ConfigError, match="--boxes: OpenPose finds everybody by itself"):
            Predictor(model, boxes=tmp_path / "boxes.json")
        with pytest.raises(ConfigError, match="--box_threshold: OpenPose finds everybody by itself"):
            Predictor(model, box_threshold=0.5)
        with pytest.raises(DataError, match="boxes: OpenPose finds everybody by itself"):
            Predictor(model)(photo(1), [[1, 2, 3, 4]])


class TestWrongCombinations:
    def test_two_of_a_kind(self, eager, tmp_path):
        with pytest.raises(ConfigError, match="--boxes and --detector both say where people are"):
            Predictor(eager, boxes="a.json", detector="b")
        with pytest.raises(ConfigError, match="not both"):
            Predictor(eager, model_dir="b")
        with pytest.raises(UserError, match="--annotations lists the photos of --boxes"):
            Predictor(eager, annotations="a.json")
        with pytest.raises(UserError, match="--box_threshold is for"):
            Predictor(eager, box_threshold=0.3)
        with pytest.raises(ConfigError, match="--batch_size 0"):
            Predictor(eager, batch_size=0)
        boxes = write_json(tmp_path / "boxes.json", [{"image_id": 1, "bbox": [0, 0, 4, 4]}])
        with pytest.raises(DataError, match=r"with score >= 2; lower --box_threshold"):
            Predictor(eager, boxes=boxes, box_threshold=2)

    def test_models(self, tmp_path):
        model = write_model(tmp_path / "model.pdparams", HOURGLASS)
        with pytest.raises(ConfigError, match="--engine onnxruntime: is for exported models"):
            Predictor(model, engine="onnxruntime")
        with pytest.raises(CheckpointError, match="no such file"):
            Predictor(tmp_path / "none.pdparams")
        with pytest.raises(UserError, match="the zoo has no model 'synthetic_hourgless'; did you mean"):
            Predictor("synthetic_hourgless")
        with pytest.raises(UserError, match=r"cascade\.json: no such file"):
            Predictor(tmp_path / "cascade.json")
        write_json(tmp_path / "cascade.json", {"stages": [{"model": "model.pdparams"}] * 2})
        with pytest.raises(ConfigError, match=r"cascade\.json: whole people are for the first model"):
            Predictor(tmp_path / "cascade.json")

    def test_a_mirror_that_nobody_knows(self):
        skeleton = {"name": "two", "joints": ["one", "two"], "sigmas": 0.05}
        recipe = HOURGLASS.replace(
            "{type: COCO, root: nowhere}", f"{{type: COCO, root: nowhere, skeleton: {skeleton}}}"
        )
        parts = make_parts(recipe)
        EagerModel(parts)
        with pytest.raises(ConfigError, match="--mirror_test: nobody says which joints of two change places"):
            EagerModel(parts, mirror_test=True)


def test_the_models_mirror_test_is_that_of_evaluation():
    parts = make_parts(HOURGLASS)
    images = np.stack([photo(k, 64, 96) for k in range(2)])
    plain, mirrored = EagerModel(parts)(images), EagerModel(parts, mirror_test=True)(images)
    assert np.abs(plain["maps"] - mirrored["maps"]).max() > 1e-3
    twin = parts.codec.mirror(paddle.to_tensor(EagerModel(parts)(images[:, :, ::-1].copy())["maps"])).numpy()
    np.testing.assert_allclose(mirrored["maps"], (plain["maps"] + twin) / 2, atol=1e-5)
