"""A painted dot goes where its joint goes: through rotation, scale, shift and mirror."""

import cv2
import numpy as np
import pytest

from paddle_pose import geometry
from paddle_pose.data.augment import HRNetAugmentation, MMPoseAugmentation, View
from paddle_pose.data.crops import CropMaker, cut
from paddle_pose.errors import DataError
from paddle_pose.samples import Sample
from paddle_pose.skeletons import MPII_16

WIDTH, HEIGHT = 160, 120
CENTER, SIZE = np.array([80.0, 60.0]), np.array([60.0, 90.0])
WRISTS = MPII_16.index("left_wrist"), MPII_16.index("right_wrist")


def sample_of(point_xy, joint: int, path: str = "x.png") -> Sample:
    """A person of whom one joint is labelled; the others lie at NaN."""
    joints_image = np.full((16, 2), np.nan)
    joints_image[joint] = point_xy
    labelled = np.arange(16) == joint
    return Sample(0, path, joints_image, labelled, labelled, CENTER, SIZE)


def dot_image(point_xy) -> np.ndarray:
    """Black, with a soft white dot on the given pixel."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    dot = 255 * np.exp(-((x - point_xy[0]) ** 2 + (y - point_xy[1]) ** 2) / (2 * 2.0**2))
    return np.repeat(dot.astype(np.uint8)[..., None], 3, 2)


def dot_position(crop: np.ndarray) -> np.ndarray:
    """Centre of mass, x and y."""
    mass = crop[..., 0].astype(float)
    y, x = np.indices(mass.shape)
    return np.array([(x * mass).sum(), (y * mass).sum()]) / mass.sum()


VIEWS = {
    "plain": View(CENTER, SIZE),
    "mirrored": View(CENTER, SIZE, mirrored=True),
    "turned": View(CENTER, SIZE, angle_deg=37.0),
    "all": View(CENTER + (4, -3), SIZE * 1.2, angle_deg=-25.0, mirrored=True),
}


@pytest.mark.parametrize("input_wh", [(96, 96), (96, 128), (128, 64)])
@pytest.mark.parametrize("pixel_centres", [False, True])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("point_xy", [(80, 60), (90, 75), (66, 48)])
def test_the_dot_is_where_the_joint_is(point_xy, view, pixel_centres, input_wh):
    left, right = WRISTS
    crop = cut(dot_image(point_xy), sample_of(point_xy, left), view, MPII_16, input_wh, pixel_centres)
    assert crop.image.shape == (input_wh[1], input_wh[0], 3)
    now = right if view.mirrored else left  # in a mirror the left wrist is a right one
    np.testing.assert_array_equal(np.flatnonzero(crop.weight), [now])
    # the bytes of the dot's flank are rounded: a few hundredths of a pixel
    np.testing.assert_allclose(dot_position(crop.image), crop.joints_crop[now], atol=0.1)


@pytest.mark.parametrize("flavour", [HRNetAugmentation, MMPoseAugmentation])
def test_the_dot_is_where_the_joint_is_in_random_views(flavour):
    augmentation, point_xy = flavour(), (84, 63)
    sample, image = sample_of(point_xy, WRISTS[0]), dot_image(point_xy)
    mirrored = 0
    for seed in range(40):
        view = augmentation.draw(np.random.default_rng(seed), sample, MPII_16)
        crop = cut(image, sample, view, MPII_16, (96, 128), pixel_centres=False)
        now = WRISTS[1] if view.mirrored else WRISTS[0]
        assert crop.weight[now] == 1
        np.testing.assert_allclose(dot_position(crop.image), crop.joints_crop[now], atol=0.1)
        mirrored += view.mirrored
    assert 5 < mirrored < 35


def test_known_positions_by_hand():
    """A 60 x 90 part in a 96 x 96 crop becomes 90 x 90: 96 / 90 crop pixels each, centre at 48."""
    left, right = WRISTS
    sample = sample_of((90, 75), left)
    crop = cut(dot_image((90, 75)), sample, VIEWS["plain"], MPII_16, (96, 96), False)
    np.testing.assert_allclose(crop.joints_crop[left], (48 + 10 * 96 / 90, 48 + 15 * 96 / 90), rtol=1e-6)
    crop = cut(dot_image((90, 75)), sample, VIEWS["mirrored"], MPII_16, (96, 96), False)
    np.testing.assert_allclose(crop.joints_crop[right], (48 - 10 * 96 / 90, 48 + 15 * 96 / 90), rtol=1e-6)
    # UDP: 95 / 90 crop pixels each, centre at 47.5
    crop = cut(dot_image((90, 75)), sample, VIEWS["plain"], MPII_16, (96, 96), True)
    np.testing.assert_allclose(crop.joints_crop[left], (47.5 + 10 * 95 / 90, 47.5 + 15 * 95 / 90), rtol=1e-6)
    # not square: 96 x 128 grows 60 x 90 to 67.5 x 90
    crop = cut(dot_image((90, 75)), sample, VIEWS["plain"], MPII_16, (96, 128), False)
    np.testing.assert_allclose(crop.joints_crop[left], (48 + 10 * 96 / 67.5, 64 + 15 * 128 / 90), rtol=1e-6)


def test_the_inverse_of_the_matrix_leads_back_to_the_photo():
    for view in VIEWS.values():
        crop = cut(dot_image((90, 75)), sample_of((90, 75), WRISTS[0]), view, MPII_16, (96, 128), False)
        now = WRISTS[1] if view.mirrored else WRISTS[0]
        back = geometry.apply(geometry.invert(crop.crop_from_image), crop.joints_crop[now : now + 1].astype(float))
        np.testing.assert_allclose(back[0], (90, 75), atol=1e-4)  # joints are float32


def test_with_udp_a_mirrored_crop_is_the_mirror_image_of_the_crop():
    image = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    sample = sample_of((90, 75), WRISTS[0])
    plain, mirrored = (cut(image, sample, VIEWS[n], MPII_16, (96, 128), True).image for n in ("plain", "mirrored"))
    assert np.abs(plain[:, ::-1].astype(int) - mirrored).max() <= 2 * 255 / 32  # OpenCV places to 1/32 pixel
    assert np.abs(plain[:, ::-1].astype(int) - mirrored).mean() < 3
    assert np.abs(plain.astype(int) - mirrored).mean() > 30


def test_unlabelled_joints_are_finite_and_weigh_nothing():
    crop = cut(dot_image((90, 75)), sample_of((90, 75), 3), VIEWS["all"], MPII_16, (96, 96), False)
    assert np.isfinite(crop.joints_crop).all()
    assert crop.weight.sum() == 1


def test_colours_are_left_to_the_device():
    view = View(CENTER, SIZE, color_gain=(0.5, 1.0, 1.5))
    plain, colored = (
        cut(dot_image((90, 75)), sample_of((90, 75), 3), v, MPII_16, (96, 96), False) for v in (VIEWS["plain"], view)
    )
    np.testing.assert_array_equal(plain.image, colored.image)
    np.testing.assert_allclose(colored.color_gain, (0.5, 1.0, 1.5))
    assert plain.color_gain.tolist() == [1, 1, 1]


class OnePerson:
    skeleton = MPII_16

    def __init__(self, path):
        self._sample = sample_of((90, 75), WRISTS[0], str(path))

    def __len__(self):
        return 1

    def sample(self, index):
        assert index == 0
        return self._sample


def test_the_maker_reads_the_photo_as_rgb(tmp_path):
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[...] = (10, 20, 200)  # RGB
    cv2.imwrite(str(tmp_path / "a.png"), image[..., ::-1])
    maker = CropMaker(OnePerson(tmp_path / "a.png"), (64, 96), pixel_centres=False)
    crop = maker(0, np.random.default_rng(0))
    assert crop.image.shape == (96, 64, 3)
    assert crop.image[48, 32].tolist() == [10, 20, 200]
    assert crop.image.dtype == np.uint8
    assert (len(maker), crop.image_path) == (1, str(tmp_path / "a.png"))


def test_without_augmentation_the_generator_is_not_asked(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), dot_image((90, 75)))
    maker = CropMaker(OnePerson(tmp_path / "a.png"), (64, 96), pixel_centres=True)
    first, second = (maker(0, np.random.default_rng(seed)) for seed in (1, 2))
    np.testing.assert_array_equal(first.image, second.image)
    udp = geometry.crop_matrix(CENTER, 60.0, 0.0, (64, 96), pixel_centres=True)
    np.testing.assert_array_equal(first.crop_from_image, udp)
    maker = CropMaker(OnePerson(tmp_path / "a.png"), (64, 96), True, HRNetAugmentation())
    first, second, again = (maker(0, np.random.default_rng(seed)) for seed in (1, 2, 1))
    np.testing.assert_array_equal(first.image, again.image)
    assert not np.array_equal(first.crop_from_image, second.crop_from_image)


def test_a_missing_photo_is_named(tmp_path):
    maker = CropMaker(OnePerson(tmp_path / "gone.png"), (64, 96), pixel_centres=False)
    with pytest.raises(DataError, match=r"gone\.png"):
        maker(0, np.random.default_rng(0))


def test_a_rendered_dataset(synthetic_mpii):
    """The real way: file, sample, crop; the labelled joints' box lies well inside the plain crop."""
    from paddle_pose.data.mpii import MPII

    dataset = MPII(str(synthetic_mpii), "valid")
    maker = CropMaker(dataset, (64, 64), pixel_centres=False)
    for index in range(len(dataset)):
        crop = maker(index, np.random.default_rng(0))
        labelled = crop.weight > 0
        np.testing.assert_array_equal(labelled, dataset.sample(index).labelled)
        assert (crop.joints_crop[labelled] > -8).all()
        assert (crop.joints_crop[labelled] < 72).all()
        middle = (crop.joints_crop[labelled].min(0) + crop.joints_crop[labelled].max(0)) / 2
        np.testing.assert_allclose(middle, (32, 32), atol=0.1)  # the writer centres the box on the joints
