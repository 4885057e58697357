"""A network that knows what each photo shows and draws perfect maps of it, at any size: the people must come back."""

import numpy as np
import paddle
import pytest

from paddle_pose import geometry
from paddle_pose.codecs.gaussian import GaussianHeatmap
from paddle_pose.codecs.part_affinity import PartAffinity
from paddle_pose.codecs.person_centre import PersonCentreHeatmap
from paddle_pose.engine.people_estimator import PeopleEstimator
from paddle_pose.engine.preprocess import Normaliser
from paddle_pose.errors import ConfigError, DataError
from paddle_pose.samples import FoundPeople
from paddle_pose.skeletons import OPENPOSE_18

STRIDE, SIDE = 8, 160
NORMALISE = Normaliser((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
SIGMA_CROP, LIMB_WIDTH_CROP = 7.0, 8.0
# nose, neck, right arm, left arm, right leg, left leg, eyes and ears of somebody 1 high; the right is on the left
FIGURE = np.array(
    [
        *((0, 0.08), (0, 0.18), (-0.11, 0.19), (-0.17, 0.33), (-0.21, 0.47), (0.11, 0.19), (0.17, 0.33), (0.22, 0.46)),
        *((-0.07, 0.5), (-0.09, 0.74), (-0.1, 0.97), (0.07, 0.5), (0.09, 0.73), (0.1, 0.98)),
        *((-0.035, 0.055), (0.035, 0.055), (-0.08, 0.065), (0.08, 0.065)),
    ]
)
# width, height, and x, y of the head and height of each person
PHOTOS = (
    (240, 160, ((60.3, 9.0, 140.0), (170.6, 20.2, 125.0))),
    (150, 230, ((70.1, 33.3, 180.0),)),
    (240, 160, ()),
    (501, 170, ((60.0, 12.0, 150.0), (180.4, 10.0, 120.0), (300.2, 21.7, 140.0), (430.0, 15.1, 140.0))),
    (239, 161, ((110.7, 14.4, 130.0),)),
)


def people_of(number):
    return [np.array([x, y]) + height * FIGURE for x, y, height in PHOTOS[number][2]]


def photo_of(number):
    """Red tells the photo's number, green grows to the right: a mirrored photo is known by it."""
    width, height, _ = PHOTOS[number]
    photo = np.zeros((height, width, 3), np.uint8)
    photo[..., 0], photo[..., 1] = 20 * (number + 1), np.linspace(0, 255, width).astype(np.uint8)
    return photo


def make_codec(input_wh):
    skeleton = OPENPOSE_18
    return PartAffinity(skeleton.mirror, skeleton, input_wh, STRIDE, SIGMA_CROP, LIMB_WIDTH_CROP)


class Oracle(paddle.nn.Layer):
    """Perfect maps of the photos above; `pyramid` tells it how large the photo is in the input."""

    stride = STRIDE

    def __init__(self):
        super().__init__()
        self.pyramid, self.batches = None, []

    def forward(self, images):
        self.batches.append(tuple(images.shape))
        assert not self.training
        return [None, paddle.concat([self._maps(image) for image in images.numpy()])]

    def _maps(self, image):
        number = int(round(float(image[0].max()) * 255)) // 20 - 1
        height, width = image.shape[1:]
        if number < 0:  # a photo without number shows nobody
            return self._draw([], (width, height))
        levels = self.pyramid(photo_of(number))
        level = next(level for level in levels if level.image.shape[:2] == (height, width))
        people = [geometry.apply(level.input_from_image, joints) for joints in people_of(number)]
        if image[1, :, : width // 3].mean() > image[1, :, width // 3 :].mean():
            people = [np.array([width - 1, 0]) + joints[list(OPENPOSE_18.mirror)] * (-1, 1) for joints in people]
        return self._draw(people, (width, height))

    def _draw(self, people, input_wh):
        joints = paddle.to_tensor(np.array(people, np.float32).reshape(1, -1, 18, 2))
        nobody = paddle.zeros([1, 18, 2]), paddle.zeros([1, 18])
        others = (joints, paddle.ones(joints.shape[:3])) if people else None
        return make_codec(input_wh).encode(*nobody, others)[0]


def make_estimator(**settings):
    network = Oracle()
    estimator = PeopleEstimator(network, make_codec((SIDE, SIDE)), NORMALISE, SIDE, **settings)
    network.pyramid = estimator.pyramid
    return estimator, network


def assert_same_people(found, number, tolerance_image):
    wanted = people_of(number)
    assert len(found) == len(wanted)
    for joints in wanted:
        errors = np.linalg.norm(found.joints_xy - joints, axis=-1)  # NaN for a joint that is not found
        assert errors.max(axis=1).min() < tolerance_image


def cell_image(number, fit="shorter"):
    width, height = PHOTOS[number][:2]
    return STRIDE * {"shorter": min(width, height), "longer": max(width, height), "height": height}[fit] / SIDE


@pytest.mark.parametrize("fit", ["shorter", "height", "longer"])
@pytest.mark.parametrize("number", range(len(PHOTOS)))
def test_everybody_comes_back_in_photo_pixels(number, fit):
    estimator, network = make_estimator(fit=fit, scales=(2.0,) if fit == "longer" else (1.0,))
    found = estimator(photo_of(number))
    assert_same_people(found, number, 0.3 * cell_image(number, fit))
    assert len(network.batches) == 1


@pytest.mark.parametrize("settings", [{"mirror_test": True}, {"scales": (0.8, 1.0, 1.5), "mirror_test": True}], ids=str)
@pytest.mark.parametrize("number", range(len(PHOTOS)))
def test_scales_and_mirror_find_the_same_people_in_the_same_places(number, settings):
    estimator, network = make_estimator(**settings)
    assert_same_people(estimator(photo_of(number)), number, 0.5 * cell_image(number))
    assert len(network.batches) == 2 * len(settings.get("scales", (1.0,)))


def test_one_scale_hands_the_maps_on_as_they_are(monkeypatch):
    estimator, network = make_estimator()
    seen = []
    monkeypatch.setattr(estimator._codec, "people", lambda output: seen.append(output) or [no_people()])
    estimator(photo_of(0))
    drawn = network._draw(
        [geometry.apply(estimator.pyramid(photo_of(0))[0].input_from_image, joints) for joints in people_of(0)],
        (240, 160),
    )
    assert np.array_equal(seen[0].numpy(), drawn.numpy())


def no_people():
    return FoundPeople(np.zeros((0, 18, 2)), np.zeros((0, 18)), np.zeros(0))


def test_many_photos_share_batches_of_bounded_size_and_each_has_its_people():
    order = [0, 1, 2, 3, 4, 0, 2, 1, 0, 2]
    estimator, network = make_estimator(batch_size=5)
    found = dict(estimator.many(photo_of(number) for number in order))
    assert sorted(found) == list(range(len(order)))
    for index, number in enumerate(order):
        assert_same_people(found[index], number, 0.3 * cell_image(number))
    assert sum(shape[0] for shape in network.batches) == len(order)
    assert max(shape[0] for shape in network.batches) == 3
    assert all(shape[0] * shape[2] * shape[3] <= 5 * SIDE**2 for shape in network.batches)


def test_photos_of_other_sizes_do_not_wait_for_ever():
    estimator, network = make_estimator(batch_size=2)
    taken = []

    def photos():
        for k in range(40):
            taken.append(k)
            yield np.zeros((160, 161 + 8 * k, 3), np.uint8)

    next(estimator.many(photos()))
    assert len(taken) < 10


def test_the_network_is_left_as_it_was():
    estimator, network = make_estimator()
    network.train()
    estimator(photo_of(0))
    assert network.training


def test_joints_in_the_padding_are_put_on_the_photos_edge(monkeypatch):
    estimator, _ = make_estimator()
    joints = np.full((1, 18, 2), np.nan)
    joints[0, :3] = (-3, 170), (246, -2), (100, 80)
    people = FoundPeople(joints, np.ones((1, 18)), np.ones(1))
    monkeypatch.setattr(estimator._codec, "people", lambda output: [people])
    found = estimator(photo_of(0)[:, :235]).joints_xy[0]
    np.testing.assert_allclose(found[:3], [(0, 159), (234, 0), (100, 80)])
    assert np.isnan(found[3:]).all()


@pytest.mark.parametrize("size_wh", [(1, 1), (1, 3000), (2500, 2), (3, 5)])
@pytest.mark.parametrize("settings", [{}, {"scales": (0.1, 1.0), "mirror_test": True}], ids=str)
def test_odd_photos_show_nobody_and_break_nothing(size_wh, settings):
    estimator, _ = make_estimator(**settings)
    assert len(estimator(np.zeros((size_wh[1], size_wh[0], 3), np.uint8))) == 0


def test_what_is_no_photo_is_refused():
    with pytest.raises(DataError, match="uint8"):
        make_estimator()[0](np.zeros((10, 10, 3)))


@pytest.mark.parametrize("kind", [GaussianHeatmap, PersonCentreHeatmap])
def test_a_codec_of_one_person_is_refused(kind):
    with pytest.raises(ConfigError, match=f"{kind.__name__} does not find everybody in a photo; use .*PartAffinity"):
        PeopleEstimator(Oracle(), kind((0, 1), (64, 64), STRIDE), NORMALISE, SIDE)
