"""A JPEG decoded at a fraction of its size: joints stay where they are, pixels nearly, and nothing else changes."""

import cv2
import numpy as np
import pytest

from paddle_pose import geometry
from paddle_pose.config import load_config
from paddle_pose.config_hash import config_hash
from paddle_pose.data.augment import HRNetAugmentation, View
from paddle_pose.data.crops import CropMaker, reduced_photo, view_matrix, whole_photo
from paddle_pose.data.multi_scale import MultiScaleCrops
from paddle_pose.data.photos import REDUCTIONS, read_photo, read_reduced
from paddle_pose.errors import ConfigError, DataError
from paddle_pose.samples import Sample
from paddle_pose.skeletons import MPII_16

WIDTH, HEIGHT, JOINT = 1283, 725, 9  # no multiple of 2, 4 or 8
INPUT_WH, DOT_XY = (64, 64), np.array([700.0, 350.0])
CONFIG = "configs/hourglass/hg1_small_synthetic_96x96.yaml"


class OnePerson:
    skeleton = MPII_16

    def __init__(self, path, side: float, photo_wh=(WIDTH, HEIGHT)) -> None:
        joints_image = np.tile(DOT_XY, (16, 1))
        labelled = np.arange(16) == JOINT
        center, size = DOT_XY + side * np.array([0.12, -0.07]), np.full(2, side)
        self._sample = Sample(0, str(path), joints_image, labelled, labelled, center, size, photo_wh=photo_wh)

    def __len__(self) -> int:
        return 1

    def sample(self, index: int) -> Sample:
        return self._sample


@pytest.fixture(scope="module")
def dot(tmp_path_factory):
    """dot(side) -> photo of a soft white dot on black, a tenth of a region of `side` photo pixels wide."""

    def make(side: float):
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        pixels = 255 * np.exp(-((x - DOT_XY[0]) ** 2 + (y - DOT_XY[1]) ** 2) / (2 * (side / 20) ** 2))
        return saved(tmp_path_factory, np.repeat(pixels.astype(np.uint8)[..., None], 3, 2))

    return make


@pytest.fixture(scope="module")
def clouds(tmp_path_factory):
    """Coloured clouds without edges."""
    noise = np.random.default_rng(0).normal(0, 1, (HEIGHT, WIDTH, 3))
    clouds = np.stack([cv2.GaussianBlur(noise[..., k], (0, 0), 40) for k in range(3)], -1)
    return saved(tmp_path_factory, np.clip(128 + 50 * clouds / clouds.std(), 0, 255).astype(np.uint8))


def saved(factory, pixels: np.ndarray):
    path = factory.mktemp("photos") / "photo.jpg"
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])
    return path


def center_of_mass(image: np.ndarray) -> np.ndarray:
    mass = image[..., 0].astype(float)
    mass[mass < 4] = 0  # JPEG's noise around the dot
    y, x = np.indices(mass.shape)
    return np.array([(x * mass).sum(), (y * mass).sum()]) / mass.sum()


@pytest.mark.parametrize("step", REDUCTIONS)
def test_sizes_are_rounded_up_and_pixels_are_means(clouds, step):
    whole = read_photo(str(clouds))
    pixels, found = read_reduced(str(clouds), step, (WIDTH, HEIGHT))
    assert (found, pixels.shape, pixels.dtype) == (step, (-(-HEIGHT // step), -(-WIDTH // step), 3), np.uint8)
    rows, columns = HEIGHT // step, WIDTH // step
    means = whole[: rows * step, : columns * step].reshape(rows, step, columns, step, 3).mean(axis=(1, 3))
    difference = np.abs(pixels[:rows, :columns] - means)
    assert difference.mean() < 1
    assert difference.max() < 8


def test_matrix_by_hand():
    """Of means of 4 x 4 pixels the first lies at photo pixel 1.5, the next at 5.5."""
    points = geometry.apply(geometry.image_from_reduced(4), np.array([[0.0, 0.0], [1.0, 2.0]]))
    np.testing.assert_array_equal(points, [[1.5, 1.5], [5.5, 9.5]])
    np.testing.assert_array_equal(geometry.image_from_reduced(1), np.eye(2, 3))
    np.testing.assert_array_equal(geometry.image_from_reduced(2, (10, 20)), [[2, 0, 10.5], [0, 2, 20.5]])


@pytest.mark.parametrize(
    ("span", "step"), [(0.7, 1), (1.99, 1), (2.01, 2), (3.99, 2), (4.01, 4), (7.99, 4), (8.01, 8), (30, 8)]
)
@pytest.mark.parametrize("turn", [{}, {"angle_deg": 33.0}, {"angle_deg": 33.0, "mirrored": True}])
def test_the_step_follows_the_span_of_a_crop_pixel(clouds, span, step, turn):
    sample = OnePerson(clouds, span * INPUT_WH[0]).sample(0)
    matrix = view_matrix(View(sample.center_image_xy, sample.size_image_wh, **turn), INPUT_WH, False)
    assert reduced_photo(sample, matrix, INPUT_WH)[0].shape[1] == -(-WIDTH // step)


@pytest.mark.parametrize("pixel_centres", [False, True])
@pytest.mark.parametrize("side", [140, 300, 600, 900])
def test_the_dot_is_where_the_joint_is(dot, side, pixel_centres):
    """Half a pixel of a picture at 1/8 would be 4 photo pixels, here up to 0.9 crop pixels."""
    maker = CropMaker(OnePerson(dot(side), side), INPUT_WH, pixel_centres, HRNetAugmentation(0.1), reduced_photo)
    for seed in range(12):
        crop = maker(0, np.random.default_rng(seed))
        (now,) = np.flatnonzero(crop.weight)
        np.testing.assert_allclose(center_of_mass(crop.image), crop.joints_crop[now], atol=0.06)


@pytest.mark.parametrize("side", [140, 300, 600])
def test_pixels_are_close_and_all_else_is_the_same(clouds, side):
    """Far from the photo's edge, where black begins."""
    makers = [CropMaker(OnePerson(clouds, side), INPUT_WH, False, read=read) for read in (whole_photo, reduced_photo)]
    whole, reduced = (maker(0, np.random.default_rng(0)) for maker in makers)
    for name in ("joints_crop", "weight", "crop_from_image", "color_gain"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(reduced, name))
    difference = np.abs(whole.image.astype(int) - reduced.image)
    assert difference.any()
    assert difference.mean() < 1
    assert difference.max() < 10


def test_a_crop_of_small_span_has_the_same_pixels(clouds):
    makers = [CropMaker(OnePerson(clouds, 120), INPUT_WH, False, read=read) for read in (whole_photo, reduced_photo)]
    whole, reduced = (maker(0, np.random.default_rng(0)) for maker in makers)
    np.testing.assert_array_equal(whole.image, reduced.image)


def test_fine_stripes_turn_grey_instead_of_flickering(tmp_path):
    """What is smoother: of stripes of one pixel bilinear warping alone picks light or dark ones."""
    stripes = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    stripes[:, ::2] = 255
    cv2.imwrite(str(tmp_path / "stripes.jpg"), stripes, [cv2.IMWRITE_JPEG_QUALITY, 98])
    person = OnePerson(tmp_path / "stripes.jpg", 300)
    makers = [CropMaker(person, INPUT_WH, False, read=read) for read in (whole_photo, reduced_photo)]
    whole, reduced = (maker(0, np.random.default_rng(0)).image for maker in makers)
    assert whole.std() > 50
    assert reduced.std() < 5
    assert abs(reduced.mean() - 127) < 5


def test_several_test_scales(dot):
    maker = MultiScaleCrops(OnePerson(dot(600), 600), INPUT_WH, False, (0.5, 1.0, 1.5), read=reduced_photo)
    crop = maker(0, np.random.default_rng(0))
    for image, scale in zip(np.split(crop.image, 3), (0.5, 1.0, 1.5)):
        joint = 32 + (crop.joints_crop[JOINT] - 32) * scale
        np.testing.assert_allclose(center_of_mass(image), joint, atol=0.06)


def test_other_files_are_read_whole(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (90, 130, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    found, step = read_reduced(str(tmp_path / "a.png"), 4)
    assert step == 1
    np.testing.assert_array_equal(found[..., ::-1], pixels)


def test_what_is_refused_stays_refused(clouds, tmp_path):
    with pytest.raises(DataError, match="1283 x 725 pixels, but 640 x 480"):
        read_reduced(str(clouds), 8, (640, 480))
    (tmp_path / "half.jpg").write_bytes(clouds.read_bytes()[:5000])
    with pytest.raises(DataError, match="cut off"):
        read_reduced(str(tmp_path / "half.jpg"), 8)


class TestConfiguration:
    def test_off_by_default_and_a_setting_that_training_depends_on(self):
        plain, off, on, scored = (
            load_config(CONFIG, options)
            for options in (
                (),
                ("train.reduced_decoding=false",),
                ("train.reduced_decoding=true",),
                ("valid.reduced_decoding=true",),
            )
        )
        assert (plain.train.reduced_decoding, plain.valid.reduced_decoding) == (False, False)
        assert config_hash(plain) == config_hash(off) == config_hash(scored) != config_hash(on)

    @pytest.mark.parametrize("split", ["train", "valid"])
    def test_not_with_a_packed_cache_of_the_same_split(self, split):
        other = {"train": "valid", "valid": "train"}[split]
        load_config(CONFIG, (f"{other}.reduced_decoding=true", f"packed.{split}=a.pack"))
        with pytest.raises(ConfigError, match=f"yaml: {split}.reduced_decoding and packed.{split} exclude each other"):
            load_config(CONFIG, (f"{split}.reduced_decoding=true", f"packed.{split}=a.pack"))
