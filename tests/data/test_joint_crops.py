"""Crops of single joints: where they lie, what they are displaced by, and the way back to the photo."""

import cv2
import numpy as np
import paddle
import pytest

from paddle_pose import geometry
from paddle_pose.codecs.regression import Regression
from paddle_pose.data import joint_crops
from paddle_pose.data.augment import HRNetAugmentation
from paddle_pose.data.crops import CropMaker
from paddle_pose.data.joint_crops import Displaced, JointCrops, JointErrors, LastPhoto
from paddle_pose.data.loader import Loader
from paddle_pose.errors import ConfigError, DataError
from paddle_pose.samples import Predictions, Sample, Truth
from paddle_pose.skeletons import LSP_14, MPII_16, Skeleton

K = len(LSP_14)
TORSO = ("left_shoulder", "right_hip")
ENDS = [LSP_14.index(joint) for joint in TORSO]
WIDTH, HEIGHT = 160, 120


class Crowd:
    """People of whom all joints are labelled but those in `unlabelled`, two in each photo."""

    skeleton, protocol = LSP_14, "a crowd"

    def __init__(self, joints_image, folder="photos", unlabelled=()):
        self.joints_image, self.folder = np.asarray(joints_image, float), folder
        self.labelled = np.ones(self.joints_image.shape[:2], bool)
        for person, joint in unlabelled:
            self.labelled[person, joint] = False
        self.num_images = -(-len(self) // 2)

    def __len__(self):
        return len(self.joints_image)

    def sample(self, index):
        center, size = np.array([80.0, 60.0]), np.array([60.0, 100.0])
        labelled = self.labelled[index]
        path = f"{self.folder}/{index // 2}.png"
        return Sample(index, path, self.joints_image[index], labelled, labelled, center, size)

    def truth(self):
        return Truth(self.joints_image, self.labelled)


def crowd_of(people, **more) -> Crowd:
    joints_image = np.random.default_rng(2).uniform((50, 40), (110, 80), (people, K, 2))
    joints_image[:, ENDS] = [[60.0, 40.0], [76.0, 70.0]]  # 34 pixels apart
    return Crowd(joints_image, **more)


def crops_of(crowd, training, estimate=None, sigma=2.0, between=TORSO):
    return JointCrops(crowd, crowd.joints_image + 3 if estimate is None else estimate, sigma, between, training)


class TestRegions:
    def test_of_evaluation_are_centred_on_the_estimate_joint_by_joint_of_each_person(self):
        crowd = crowd_of(3, unlabelled=[(1, 4)])
        crops = crops_of(crowd, training=False, sigma=1.5)
        assert (len(crops), crops.num_images) == (3 * K, 2)
        for index in range(len(crops)):
            sample = crops.sample(index)
            person, joint = divmod(index, K)
            assert sample.index == index
            assert sample.image_path == f"photos/{person // 2}.png"
            np.testing.assert_array_equal(sample.center_image_xy, crowd.joints_image[person, joint] + 3)
            np.testing.assert_allclose(sample.size_image_wh, 1.5 * 34)
            labelled = [] if (person, joint) == (1, 4) else [joint]
            np.testing.assert_array_equal(np.flatnonzero(sample.labelled), labelled)
            np.testing.assert_array_equal(np.flatnonzero(sample.visible), labelled)

    def test_all_labels_are_those_of_the_person_and_only_in_training(self):
        crowd = crowd_of(2, unlabelled=[(0, 1), (1, 0)])
        estimate = crowd.joints_image + 3
        crops = JointCrops(crowd, estimate, 2.0, TORSO, training=True, all_labels=True)
        assert [crops.joint_of(index) for index in range(len(crops))] == [0, *range(2, K), *range(1, K)]
        for index in range(len(crops)):
            person, joint = int(index >= K - 1), crops.joint_of(index)
            sample = crops.sample(index)
            np.testing.assert_array_equal(sample.labelled, crowd.labelled[person])
            np.testing.assert_array_equal(sample.center_image_xy, crowd.joints_image[person, joint])
        alone = JointCrops(crowd, estimate, 2.0, TORSO, training=False, all_labels=True).sample(3)
        np.testing.assert_array_equal(np.flatnonzero(alone.labelled), [3])

    def test_of_training_are_the_labelled_joints_centred_on_the_truth(self):
        crowd = crowd_of(2, unlabelled=[(0, 1), (1, 0)])
        crops = crops_of(crowd, training=True)
        shown = [int(np.flatnonzero(crops.sample(i).labelled)[0]) for i in range(len(crops))]
        assert shown == [0, *range(2, K), *range(1, K)]
        np.testing.assert_array_equal(crops.sample(0).center_image_xy, crowd.joints_image[0, 0])

    def test_are_sized_by_the_estimate_and_not_by_the_truth(self):
        crowd = crowd_of(1)
        estimate = crowd.joints_image.copy()
        estimate[0, ENDS] = [[10.0, 10.0], [40.0, 50.0]]  # 50 pixels apart
        for training in (True, False):
            np.testing.assert_allclose(crops_of(crowd, training, estimate).sample(0).size_image_wh, 100)

    def test_have_an_area_even_if_both_ends_of_the_diameter_are_seen_in_one_place(self):
        crowd = crowd_of(1)
        crops = crops_of(crowd, training=False, estimate=np.zeros((1, K, 2)))
        np.testing.assert_allclose(crops.sample(0).size_image_wh, 2.0 * 0.1 * 100)

    def test_predictions_of_crops_become_people(self):
        crops = crops_of(crowd_of(2), training=False)
        joints_image = np.random.default_rng(0).uniform(size=(2 * K, K, 2))
        scores = np.random.default_rng(1).uniform(size=(2 * K, K)).astype(np.float32)
        people = crops.whole_people(Predictions(joints_image, scores))
        assert people.joints_image.shape == (2, K, 2)
        for index in range(2 * K):
            person, joint = divmod(index, K)
            np.testing.assert_array_equal(people.joints_image[person, joint], joints_image[index, joint])
            assert people.scores[person, joint] == scores[index, joint]


class TestErrors:
    MEAN, COVARIANCE = np.array([0.1, -0.05]), np.array([[0.04, 0.01], [0.01, 0.02]])

    def estimate(self, crowd, outliers=0):
        """Each joint k has the errors of k + 1 times the normal above over K, in diameters of 34 pixels."""
        rng = np.random.default_rng(3)
        factors = (np.arange(K) + 1.0) / K
        draws = rng.multivariate_normal(self.MEAN, self.COVARIANCE, crowd.joints_image.shape[:2])
        estimate = crowd.joints_image + 34 * draws * factors[:, None]
        estimate[:outliers] += 5000.0  # left and right exchanged, say
        estimate[:, ENDS] = crowd.joints_image[:, ENDS]  # the diameter stays
        return estimate, factors

    @pytest.mark.parametrize("outliers", [0, 400])
    def test_known_normals_are_found_again(self, outliers):
        crowd = crowd_of(4000)
        estimate, factors = self.estimate(crowd, outliers)
        crops = crops_of(crowd, training=True, estimate=estimate)
        errors = crops.errors()
        others = [k for k in range(K) if k not in ENDS]
        # standard errors: 0.2 / 60 of a mean, 0.04 * sqrt(2) / 60 of a variance
        np.testing.assert_allclose(errors.mean[others], (self.MEAN * factors[:, None])[others], atol=0.014)
        wanted = self.COVARIANCE * factors[:, None, None] ** 2
        np.testing.assert_allclose(errors.covariance[others], wanted[others], atol=0.004)
        np.testing.assert_allclose(errors.covariance[ENDS], 0, atol=1e-12)
        reach = 1 - outliers / 4000 * len(others) / K
        assert crops.share_in_reach() == pytest.approx(reach, abs=1e-3)

    def test_typical_is_their_root_mean_square(self):
        errors = JointErrors(np.array([[0.3, 0.4], [0, 0]]), np.array([np.zeros((2, 2)), np.diag([0.04, 0.05])]))
        assert errors.typical == pytest.approx(np.sqrt((0.25 + 0.09) / 2))

    def test_of_unlabelled_joints_are_not_looked_at(self):
        unlabelled = [(person, 3) for person in range(1, 5)]
        errors = crops_of(crowd_of(5, unlabelled=unlabelled), training=True).errors()
        assert np.isfinite(errors.mean).all()
        assert np.isfinite(errors.covariance).all()
        np.testing.assert_array_equal(errors.mean[3], 0)  # one label is no statistic
        np.testing.assert_allclose(errors.mean[4], 3 / 34)

    def test_views_are_displaced_by_draws_from_them(self):
        mean, covariance = np.zeros((K, 2)), np.zeros((K, 2, 2))
        mean[5], covariance[5] = self.MEAN, self.COVARIANCE
        crops = crops_of(crowd_of(1), training=True)
        displaced = Displaced(None, JointErrors(mean, covariance), crops.sigma, crops.joint_of)
        rng = np.random.default_rng(0)
        views = np.array([displaced.draw(rng, crops.sample(5), LSP_14).center_image_xy for _ in range(4000)])
        draws = (views - crops.sample(5).center_image_xy) / 34
        np.testing.assert_allclose(draws.mean(axis=0), self.MEAN, atol=0.014)
        np.testing.assert_allclose(np.cov(draws, rowvar=False), self.COVARIANCE, atol=0.004)
        still = displaced.draw(rng, crops.sample(6), LSP_14)
        np.testing.assert_array_equal(still.center_image_xy, crops.sample(6).center_image_xy)


@pytest.fixture
def photos(tmp_path):
    """One person and a photo with a soft white dot on the left wrist."""
    crowd = crowd_of(1, folder=str(tmp_path))
    wrist = LSP_14.index("left_wrist")
    crowd.joints_image[0, wrist] = [90.0, 55.0]
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    dot = 255 * np.exp(-((x - 90) ** 2 + (y - 55) ** 2) / (2 * 2.0**2))
    cv2.imwrite(str(tmp_path / "0.png"), dot.astype(np.uint8))
    return crowd, wrist


def dot_position(image) -> np.ndarray:
    mass = image[..., 0].astype(float)
    y, x = np.indices(mass.shape)
    return np.array([(x * mass).sum(), (y * mass).sum()]) / mass.sum()


def displaced_crops(crowd, spread=0.2, rotation_deg=30.0):
    crops = crops_of(crowd, training=True)
    errors = JointErrors(np.full((K, 2), 0.1), np.tile(np.eye(2) * spread**2, (K, 1, 1)))
    augmentation = HRNetAugmentation(scale=0.2, rotation_deg=rotation_deg)
    return CropMaker(crops, (64, 64), True, Displaced(augmentation, errors, crops.sigma, crops.joint_of), LastPhoto())


def test_the_dot_is_where_the_joint_is_and_a_mirrored_wrist_is_the_other_wrist(photos):
    crowd, wrist = photos
    make_crop, other = displaced_crops(crowd), LSP_14.mirror[wrist]
    codec = Regression(LSP_14.mirror, (64, 64))
    seen, places = set(), []
    for seed in range(40):
        crop = make_crop(wrist, np.random.default_rng(seed))
        (joint,) = np.flatnonzero(crop.weight)
        seen.add(int(joint))
        place = crop.joints_crop[joint]
        if (place < 6).any() or (place > 57).any():  # the dot's flank would be cut off
            continue
        places.append(place)
        np.testing.assert_allclose(dot_position(crop.image), place, atol=0.1)
        # the target is the displacement from the crop's middle, and decoding it leads back to the photo
        target, weight = codec.encode(paddle.to_tensor(crop.joints_crop[None]), paddle.to_tensor(crop.weight[None]))
        assert float(weight.sum()) == 1
        np.testing.assert_allclose(target.numpy()[0, joint], place / 31.5 - 1, atol=1e-6)
        decoded = codec.decode(target)[0].numpy().astype(float)
        found = geometry.apply(geometry.invert(crop.crop_from_image[None]), decoded)[0, joint]
        np.testing.assert_allclose(found, [90.0, 55.0], atol=1e-4)
    assert seen == {wrist, other}
    assert len(places) > 20
    assert np.ptp(places, axis=0).min() > 15  # they are really displaced


def test_an_evaluation_crop_of_a_right_estimate_shows_the_joint_in_its_middle(photos):
    crowd, wrist = photos
    crops = crops_of(crowd, training=False, estimate=crowd.joints_image)
    crop = CropMaker(crops, (64, 64), True)(wrist, np.random.default_rng(0))
    np.testing.assert_allclose(crop.joints_crop[wrist], [31.5, 31.5], atol=1e-5)
    np.testing.assert_allclose(dot_position(crop.image), [31.5, 31.5], atol=0.1)


def test_draws_depend_on_seed_epoch_and_index_alone(photos):
    crowd, wrist = photos

    def crop(seed=0, epoch=0, workers=0, index=wrist):
        order = [np.array([0, 1]), np.array([index])]
        return list(Loader(displaced_crops(crowd), workers, seed).batches(order, epoch))[1].crop_from_image

    np.testing.assert_array_equal(crop(), crop(workers=2))
    others = [crop(seed=1), crop(epoch=1), crop(index=wrist + 1)]
    assert not any(np.array_equal(other, crop()) for other in others)


class TestLastPhoto:
    def test_a_photo_is_read_once_for_the_crops_of_its_joints(self, tmp_path, monkeypatch):
        crowd = crowd_of(3, folder=str(tmp_path))
        for photo in range(2):
            cv2.imwrite(str(tmp_path / f"{photo}.png"), np.full((HEIGHT, WIDTH), 50 + photo, np.uint8))
        read, paths = joint_crops.read_photo, []
        monkeypatch.setattr(joint_crops, "read_photo", lambda path: (paths.append(path), read(path))[1])
        make_crop = CropMaker(crops_of(crowd, training=False), (32, 32), True, None, LastPhoto())
        crops = [make_crop(index, np.random.default_rng(0)) for index in range(3 * K)]
        assert [path[-5:] for path in paths] == ["0.png", "1.png"]
        assert (crops[0].image.max(), crops[-1].image.max()) == (50, 51)

    def test_a_missing_photo_is_an_error_or_black(self, tmp_path):
        crops = crops_of(crowd_of(1, folder=str(tmp_path)), training=False)
        with pytest.raises(DataError, match="is missing"):
            CropMaker(crops, (32, 32), True, None, LastPhoto())(0, np.random.default_rng(0))
        crop = CropMaker(crops, (32, 32), True, None, LastPhoto(or_black=True))(0, np.random.default_rng(0))
        assert crop.image.max() == 0


@pytest.mark.parametrize("between", [("left_shoulder", "tail"), ("left_hip", "left_hip"), ("left_hip",)])
def test_a_diameter_needs_two_joints_of_the_skeleton(between):
    with pytest.raises(ConfigError, match="diameter_between.*two joints of lsp_14.*neck"):
        crops_of(crowd_of(1), training=True, between=between)


def test_skeletons_without_a_torso_say_which_joints_they_have():
    joint_crops.check_diameter(MPII_16, TORSO)
    with pytest.raises(ConfigError, match="two joints of plate.*top, bottom"):
        joint_crops.check_diameter(Skeleton("plate", ("top", "bottom")), TORSO)


def test_an_estimate_must_be_finite():
    crowd = crowd_of(1)
    with pytest.raises(DataError, match="not finite"):
        crops_of(crowd, training=True, estimate=crowd.joints_image * np.nan)
