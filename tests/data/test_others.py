"""The other people of a photo travel with the person, through crop and batch to the codec."""

import json

import numpy as np
import paddle
from engine.engine_cases import make_batch

from paddle_pose.data.augment import View
from paddle_pose.data.crops import cut
from paddle_pose.data.loader import Loader
from paddle_pose.data.mpii import MPII
from paddle_pose.engine import preprocess
from paddle_pose.samples import Crop
from paddle_pose.skeletons import MPII_16


def write_people(folder, names):
    """MPII annotations of one person for each name; joint k of person n at (10 n + k + 1, 1)."""
    (folder / "annot").mkdir()
    people = [
        {
            "joints_vis": [int(k != n) for k in range(16)],
            "joints": [[10.0 * n + k + 1, 1.0] for k in range(16)],
            "image": name,
            "scale": 1.0,
            "center": [50.0, 50.0],
        }
        for n, name in enumerate(names)
    ]
    (folder / "annot" / "train.json").write_text(json.dumps(people))
    return MPII(str(folder), "train")


def test_a_sample_knows_who_else_is_in_its_photo(tmp_path):
    dataset = write_people(tmp_path, ["b.jpg", "a.jpg", "b.jpg", "b.jpg"])
    assert [dataset.people_of_photo(photo).tolist() for photo in range(2)] == [[1], [0, 2, 3]]
    assert dataset.sample(1).others_image.shape == (0, 16, 2)
    sample = dataset.sample(2)
    np.testing.assert_array_equal(sample.others_image[:, 5, 0], [5.0, 35.0])  # people 0 and 3
    assert np.flatnonzero(~sample.others_labelled[0]).tolist() == [0]
    assert np.flatnonzero(~sample.others_labelled[1]).tolist() == [3]


def test_they_are_cut_and_mirrored_like_the_person(tmp_path):
    dataset = write_people(tmp_path, ["a.jpg", "a.jpg"])
    sample, other = dataset.sample(0), dataset.sample(1)
    image = np.zeros((100, 100, 3), np.uint8)
    for mirrored in (False, True):
        view = View(np.array([20.0, 10.0]), np.array([60.0, 60.0]), 20.0, mirrored)
        crop = cut(image, sample, view, MPII_16, (32, 32), pixel_centres=False)
        expected = cut(image, other, view, MPII_16, (32, 32), pixel_centres=False)
        np.testing.assert_array_equal(crop.others_crop[0], expected.joints_crop)
        np.testing.assert_array_equal(crop.others_weight[0], expected.weight)


def test_a_batch_fills_up_with_people_of_no_weight():
    class Maker:
        """Crop n has n other people at (n, n)."""

        def __call__(self, index, rng):
            people = np.full((index, 2, 2), index, np.float32), np.ones((index, 2), np.float32)
            joints = np.zeros((2, 2), np.float32), np.ones(2, np.float32)
            return Crop(np.zeros((4, 4, 3), np.uint8), *joints, np.zeros((2, 3)), np.ones(3), *people)

    batch = next(Loader(Maker(), 0, 0).batches([np.array([2, 0, 3])]))
    assert batch.others_crop.shape == (3, 3, 2, 2)
    np.testing.assert_array_equal(batch.others_weight[..., 0], [[1, 1, 0], [0, 0, 0], [1, 1, 1]])
    np.testing.assert_array_equal(batch.others_crop[..., 0, 0], [[2, 2, 0], [0, 0, 0], [3, 3, 3]])


def test_the_codec_gets_them_only_where_there_are_any():
    assert preprocess._others(make_batch([0])) is None
    batch = next(Loader(_maker_of(alone=True), 0, 0).batches([np.arange(2)]))
    assert preprocess._others(batch) is None
    batch = next(Loader(_maker_of(alone=False), 0, 0).batches([np.arange(2)]))
    joints, weight = preprocess._others(batch)
    assert isinstance(joints, paddle.Tensor)
    assert (tuple(joints.shape), tuple(weight.shape)) == ((2, 1, 2, 2), (2, 1, 2))


def _maker_of(alone):
    class Maker:
        def __call__(self, index, rng):
            joints = np.zeros((2, 2), np.float32), np.ones(2, np.float32)
            people = np.zeros((1, 2, 2), np.float32), np.full((1, 2), 0.0 if alone else 1.0, np.float32)
            return Crop(np.zeros((4, 4, 3), np.uint8), *joints, np.zeros((2, 3)), np.ones(3), *people)

    return Maker()
