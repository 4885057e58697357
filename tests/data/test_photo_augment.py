"""Random views of whole photos: joints, masks and pixels stay together, and ranges are kept."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from paddle_pose.builder import build_crop_maker, build_test_crop_maker
from paddle_pose.config import check_config
from paddle_pose.data.augment import AUGMENTATIONS
from paddle_pose.data.crops import CropMaker, view_matrix
from paddle_pose.data.multi_scale import MultiScaleCrops
from paddle_pose.data.photo_augment import OpenPoseAugmentation, WholePhotoAugmentation
from paddle_pose.errors import ConfigError
from paddle_pose.samples import Sample
from paddle_pose.skeletons import OPENPOSE_18

WIDTH, HEIGHT = 200, 120
JOINTS = len(OPENPOSE_18)
BOTH = {
    "OpenPose": OpenPoseAugmentation(),
    "OpenPose with colours": OpenPoseAugmentation(color_gain=(0.8, 1.2)),
    "WholePhoto": WholePhotoAugmentation(crop_pixels=128),
    "WholePhoto turned": WholePhotoAugmentation(crop_pixels=128, rotation_deg=40.0),
}


class OnePhoto:
    """A black photo with a white square around each of two joints, of two people; the second's square is unknown."""

    skeleton = OPENPOSE_18

    def __init__(self, folder):
        self.pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        self.path = str(folder / "photo.png")
        self.joints_image = np.zeros((2, JOINTS, 2))
        self.labelled = np.zeros((2, JOINTS), bool)
        left, right = OPENPOSE_18.index("left_wrist"), OPENPOSE_18.index("right_wrist")
        for person, (joint, at) in enumerate([(left, (60, 50)), (right, (130, 80))]):
            self.joints_image[person, joint], self.labelled[person, joint] = at, True
            self.pixels[at[1] - 4 : at[1] + 5, at[0] - 4 : at[0] + 5] = 255
        self.unknown = np.zeros((HEIGHT, WIDTH), np.uint8)
        self.unknown[76:85, 126:135] = 1
        cv2.imwrite(self.path, self.pixels)

    def __len__(self):
        return 1

    def sample(self, index):
        return Sample(
            index=index,
            image_path=self.path,
            joints_image=self.joints_image[0],
            labelled=self.labelled[0],
            visible=self.labelled[0],
            center_image_xy=np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2]),
            size_image_wh=np.array([WIDTH, HEIGHT], float),
            others_image=self.joints_image[1:],
            others_labelled=self.labelled[1:],
            unknown_image=self.unknown,
            photo_wh=(WIDTH, HEIGHT),
        )


@pytest.fixture
def one_photo(tmp_path):
    return OnePhoto(tmp_path)


def inside(point, size, edge):
    return (point > edge).all() and (point < size - edge).all()


def middle(shown):
    ys, xs = np.indices(shown.shape)
    return np.array([(xs * shown).sum(), (ys * shown).sum()]) / shown.sum()


@pytest.mark.parametrize("name", BOTH)
def test_joints_and_masks_go_where_the_pixels_go(one_photo, name):
    """Mirrored or not, turned, shrunk, moved: a joint is in the middle of its square, the mask is its square."""
    size, seen, mirrored = 256, 0, set()
    make_crop = CropMaker(one_photo, (size, size), False, BOTH[name], border=(0, 0, 0))
    for seed in range(40):
        crop = make_crop(0, np.random.default_rng(seed))
        is_mirrored = np.linalg.det(crop.crop_from_image[:, :2]) < 0
        mirrored.add(bool(is_mirrored))
        names = ("right_wrist", "left_wrist") if is_mirrored else ("left_wrist", "right_wrist")
        first, second = (OPENPOSE_18.index(joint) for joint in names)
        assert np.flatnonzero(crop.weight).tolist() == [first]
        assert np.flatnonzero(crop.others_weight[0]).tolist() == [second]
        spots = crop.joints_crop[first], crop.others_crop[0, second]
        unit = np.sqrt(abs(np.linalg.det(crop.crop_from_image[:, :2])))
        if not all(inside(spot, size, 8 * unit) for spot in spots):
            continue
        seen += 1
        grey = crop.image[..., 0] / 255
        for spot in spots:
            ys, xs = np.mgrid[:size, :size]
            near = (np.abs(xs - spot[0]) < 8 * unit) & (np.abs(ys - spot[1]) < 8 * unit)
            assert np.abs(middle(grey * near) - spot).max() < 0.2
        assert np.abs((grey * near > 0.5) ^ (crop.unknown_crop > 0)).sum() <= 2  # that of the second
    assert seen >= 8
    assert mirrored == {False, True}


def test_unknown_ends_at_the_photo_whatever_the_border_colour(one_photo):
    one_photo.unknown[:] = 1
    crop = CropMaker(one_photo, (100, 100), False, border=(10, 20, 30))(0, np.random.default_rng(0))
    outside = (crop.image == (10, 20, 30)).all(axis=-1)
    assert outside[:18].all()
    assert outside[82:].all()
    assert not crop.unknown_crop[outside].any()
    assert crop.unknown_crop[22:78, 2:98].all()


def test_crops_of_several_scales_have_the_border_colour_too(one_photo):
    make_crop = MultiScaleCrops(one_photo, (100, 100), False, (0.5, 1.0), border=(10, 20, 30))
    small, large = np.split(make_crop(0, np.random.default_rng(0)).image, 2)
    assert (small[[0, 50, 99], 5] == (10, 20, 30)).all()
    assert (large[[0, 99], 5] == (10, 20, 30)).all()
    assert not large[30, 5].any()


def test_the_border_colour_is_that_of_the_configuration(one_photo):
    sections = {name: {"type": "Any"} for name in ("network", "codec", "dataset", "metric")}
    config = {**sections, "input_wh": [100, 100], "normalise": {"border": [10, 20, 30]}}
    for scales in ([1.0], [0.5, 1.0]):
        checked = check_config({**config, "valid": {"test_scales": scales}}, "test")
        parts = SimpleNamespace(config=checked, codec=SimpleNamespace(pixel_centres=False))
        for make_crop in (build_crop_maker(parts, one_photo, True), build_test_crop_maker(parts, one_photo)):
            assert make_crop(0, np.random.default_rng(0)).image[0, 0].tolist() == [10, 20, 30]


@pytest.mark.parametrize("name", BOTH)
def test_the_same_generator_state_gives_the_same_view(one_photo, name):
    draws = [BOTH[name].draw(np.random.default_rng(seed), one_photo.sample(0), OPENPOSE_18) for seed in (1, 1, 2)]
    np.testing.assert_equal(vars(draws[0]), vars(draws[1]))
    assert draws[0].size_image_wh[0] != draws[2].size_image_wh[0]


def views(augmentation, sample, count=2000):
    rng = np.random.default_rng(0)
    return [augmentation.draw(rng, sample, OPENPOSE_18) for _ in range(count)]


def test_openpose_draws_evenly_within_its_ranges(one_photo):
    sample = one_photo.sample(0)
    drawn = views(OpenPoseAugmentation(), sample)
    scales = np.array([WIDTH / view.size_image_wh[0] for view in drawn])
    angles = np.array([view.angle_deg for view in drawn])
    assert (scales.min(), scales.max()) == pytest.approx((0.5, 1.1), abs=0.005)
    assert scales.mean() == pytest.approx(0.8, abs=0.02)
    assert (angles.min(), angles.max()) == pytest.approx((-40, 40), abs=0.5)
    assert np.mean([view.mirrored for view in drawn]) == pytest.approx(0.5, abs=0.05)
    assert all(view.color_gain == (1.0, 1.0, 1.0) for view in drawn)


def test_openpose_moves_the_person_by_40_pixels_of_368_in_the_crop(one_photo):
    sample = one_photo.sample(0)
    moves = []
    for view in views(OpenPoseAugmentation(), sample):
        matrix = view_matrix(view, (368, 368), False)
        moves.append(matrix[:, :2] @ sample.center_image_xy + matrix[:, 2] - 184)
    longest = np.abs(moves).max(axis=0)
    assert longest[0] == pytest.approx(40, abs=0.2)
    assert longest[1] == pytest.approx(40 * HEIGHT / WIDTH, abs=0.2)  # a share of the region's height


def test_openpose_without_draws_is_the_person_as_it_is(one_photo):
    still = OpenPoseAugmentation((1.0, 1.0), 0.0, 0.0, 0.0)
    view, sample = still.draw(np.random.default_rng(0), one_photo.sample(0), OPENPOSE_18), one_photo.sample(0)
    np.testing.assert_array_equal(view.center_image_xy, sample.center_image_xy)
    np.testing.assert_array_equal(view.size_image_wh, sample.size_image_wh)
    assert (view.angle_deg, view.mirrored) == (0.0, False)


def test_openposes_reach_holds_its_views(one_photo):
    sample, augmentation = one_photo.sample(0), OpenPoseAugmentation()
    reach = augmentation.reach
    for view in views(augmentation, sample):
        factor = view.size_image_wh / sample.size_image_wh
        assert (factor >= reach.smallest - 1e-9).all()
        assert (factor <= reach.largest + 1e-9).all()
        assert (np.abs(view.center_image_xy - sample.center_image_xy) <= reach.shift * WIDTH).all()
        assert abs(view.angle_deg) <= reach.angle_deg


def edges(view):
    """Left, top and right, bottom edges of the part of the photo in the crop, edge of the photo at 0."""
    first = view.center_image_xy + 0.5 - view.size_image_wh / 2
    return first, first + view.size_image_wh


def test_whole_photo_stays_in_the_photo_or_has_it_in_the_middle(one_photo):
    """Crop of 100 pixels, scales 0.5 to 1: 100 to 200 photo pixels of 200 x 120."""
    at_edge = 0
    drawn = views(WholePhotoAugmentation(crop_pixels=100.0), one_photo.sample(0))
    for view in drawn:
        first, last = edges(view)
        side = view.size_image_wh[0]
        assert 100 <= side <= 200
        assert first[0] > -1e-9
        assert last[0] < WIDTH + 1e-9
        if side > HEIGHT:
            assert first[1] + last[1] == pytest.approx(HEIGHT)
        else:
            assert first[1] > -1e-9
            assert last[1] < HEIGHT + 1e-9
        at_edge += abs(first[0]) < 1e-9 or abs(last[0] - WIDTH) < 1e-9
    assert {view.angle_deg for view in drawn} == {0.0}
    # P(edge) = side / (side + room) = side / 200, on average 0.69 over scales drawn evenly
    assert at_edge / len(drawn) == pytest.approx(0.69, abs=0.04)


def test_whole_photo_is_photo_pixel_for_crop_pixel_at_scale_1(one_photo):
    augmentation = WholePhotoAugmentation((1.0, 1.0), crop_pixels=64.0, mirror_probability=0.0)
    crop = CropMaker(one_photo, (64, 64), True, augmentation)(0, np.random.default_rng(3))
    np.testing.assert_allclose(crop.crop_from_image[:, :2], np.eye(2) * 63 / 64)
    crop = CropMaker(one_photo, (64, 64), False, augmentation)(0, np.random.default_rng(3))
    np.testing.assert_allclose(crop.crop_from_image[:, :2], np.eye(2))


def test_whole_photo_turns_if_asked(one_photo):
    angles = [view.angle_deg for view in views(WholePhotoAugmentation(rotation_deg=40.0), one_photo.sample(0))]
    assert (min(angles), max(angles)) == pytest.approx((-40, 40), abs=0.5)


def test_whole_photo_has_no_packed_cache():
    with pytest.raises(ConfigError, match="no packed cache holds; set packed=null"):
        _ = WholePhotoAugmentation().reach


def test_impossible_settings_are_refused():
    for augmentation in (OpenPoseAugmentation, WholePhotoAugmentation):
        for wrong in ((0.0, 1.0), (1.1, 0.5), (-1.0, 1.0)):
            with pytest.raises(ConfigError, match="scale_range"):
                augmentation(scale_range=wrong)
    with pytest.raises(ConfigError, match="crop_pixels"):
        WholePhotoAugmentation(crop_pixels=0.0)


def test_the_registry_knows_them():
    assert AUGMENTATIONS["OpenPose"] is OpenPoseAugmentation
    assert AUGMENTATIONS["WholePhoto"] is WholePhotoAugmentation
