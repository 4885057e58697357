"""Pictures are checked where they are drawn: pixels, colours, sizes."""

import numpy as np
import pytest

from paddle_pose.skeletons import COCO_17, LSP_14, MPII_16
from paddle_pose.viewer import draw_pose, lay_heat, overlay_maps, sheet

ORANGE, BLUE, GREEN = (255, 140, 0), (30, 144, 255), (60, 200, 80)


def spread_out(skeleton=MPII_16) -> np.ndarray:
    """Joints 20 pixels apart."""
    k = np.arange(len(skeleton))
    return np.stack([20 + 20 * (k % 5), 20 + 20 * (k // 5)], 1).astype(float)


@pytest.mark.parametrize("skeleton", [MPII_16, LSP_14, COCO_17], ids=lambda s: s.name)
def test_joints_are_drawn_at_their_pixels_in_their_sides_colour(skeleton):
    joints = spread_out(skeleton)
    drawn = draw_pose(np.zeros((120, 140, 3), np.uint8), joints, skeleton, thickness=2)
    for name, (x, y) in zip(skeleton.joints, joints.astype(int)):
        color = ORANGE if name.startswith("right_") else BLUE if name.startswith("left_") else GREEN
        assert tuple(drawn[y, x]) == color, name


def only(names, at) -> np.ndarray:
    joints = np.full((16, 2), np.nan)
    for name, point in zip(names, at):
        joints[MPII_16.index(name)] = point
    return joints


@pytest.mark.parametrize(
    ("pair", "color"),
    [
        (("left_elbow", "left_wrist"), BLUE),
        (("right_knee", "right_ankle"), ORANGE),
        (("thorax", "upper_neck"), GREEN),
        (("thorax", "left_shoulder"), BLUE),
    ],
)
def test_limbs_join_their_joints(pair, color):
    drawn = draw_pose(np.zeros((60, 100, 3), np.uint8), only(pair, [(20, 30), (80, 30)]), MPII_16, thickness=2)
    assert tuple(drawn[30, 50]) == color
    assert drawn[10].max() == 0


def test_what_is_no_limb_is_not_joined():
    joints = only(("left_wrist", "left_ankle"), [(20, 30), (80, 30)])
    assert draw_pose(np.zeros((60, 100, 3), np.uint8), joints, MPII_16)[30, 50].max() == 0


def test_an_axis_is_not_swapped_and_a_fraction_is_rounded():
    drawn = draw_pose(np.zeros((60, 100, 3), np.uint8), only(("pelvis",), [(69.6, 20.4)]), MPII_16, thickness=1)
    mass = drawn.sum(2).astype(float)
    y, x = np.indices(mass.shape)
    middle = (x * mass).sum() / mass.sum(), (y * mass).sum() / mass.sum()
    np.testing.assert_allclose(middle, (70, 20), atol=0.1)


def test_the_input_is_not_changed():
    image = np.random.default_rng(0).integers(0, 255, (120, 140, 3), np.uint8)
    joints = spread_out()
    before = image.copy(), joints.copy()
    draw_pose(image, joints, MPII_16)
    overlay_maps(image, np.random.default_rng(0).random((16, 30, 35)).astype(np.float32))
    sheet([image, image], 2, (20, 20))
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(joints, before[1])


def test_joints_that_are_not_there():
    image = np.full((60, 100, 3), 7, np.uint8)
    nowhere = np.full((16, 2), np.nan)
    np.testing.assert_array_equal(draw_pose(image, nowhere, MPII_16), image)
    nowhere[:, 0] = np.inf
    np.testing.assert_array_equal(draw_pose(image, nowhere, MPII_16, shown=np.ones(16, bool)), image)
    np.testing.assert_array_equal(draw_pose(image, spread_out(), MPII_16, shown=np.zeros(16, bool)), image)


def test_a_joint_in_the_corner_and_joints_far_outside():
    drawn = draw_pose(np.zeros((60, 100, 3), np.uint8), only(("pelvis",), [(0, 0)]), MPII_16, thickness=2)
    assert tuple(drawn[0, 0]) == GREEN
    far = np.full((16, 2), 1e12)
    assert draw_pose(np.zeros((60, 100, 3), np.uint8), far, MPII_16).max() == 0


def test_a_mirrored_view_of_an_array_can_be_drawn_on():
    image = np.zeros((60, 100, 3), np.uint8)[:, ::-1]
    assert draw_pose(image, only(("pelvis",), [(50, 30)]), MPII_16).shape == (60, 100, 3)


def test_maps_are_laid_over_where_they_peak():
    maps = np.zeros((2, 6, 10), np.float32)
    maps[0, 1, 2] = maps[1, 4, 8] = 1.0
    laid = overlay_maps(np.zeros((60, 100, 3), np.uint8), maps).astype(int)
    assert laid.shape == (60, 100, 3)
    for y, x in ((15, 25), (45, 85)):
        assert (laid[y, x] > 50).all()
        assert laid[y, x, 0] > 150
    assert laid[55, 5].max() < 10  # cold
    assert overlay_maps(np.zeros((60, 100, 3), np.uint8), maps * 50 - 3).dtype == np.uint8  # outside [0, 1]


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (4, 2, 2), (5, 2, 3), (3, 4, 1)])
def test_sheet_sizes(count, columns, rows):
    images = [np.full((20, 30, 3), 10 + k, np.uint8) for k in range(count)]
    made = sheet(images, columns)
    assert made.shape == (rows * 20, columns * 30, 3)
    for k in range(count):
        y, x = k // columns * 20, k % columns * 30
        assert (made[y : y + 20, x : x + 30] == 10 + k).all()
    assert (made == 0).all(2).sum() == (rows * columns - count) * 600


def test_a_picture_is_fitted_into_its_cell_and_centred():
    made = sheet([np.full((40, 80, 3), 200, np.uint8)], 1, (40, 40))
    assert made.shape == (40, 40, 3)
    assert (made[10:30] == 200).all()
    assert made[:10].max() == made[30:].max() == 0
    assert (sheet([np.full((3, 3, 3), 200, np.uint8)], 1, (12, 12)) == 200).all()  # and a small one grows


@pytest.mark.parametrize("side", range(1, 120))
def test_a_cell_is_filled_to_its_edge(side):
    """1 / 49 * 49 is 0.9999999999999999."""
    assert (sheet([np.full((side, side, 3), 9, np.uint8)], 1, (49, 49)) == 9).all()


def test_a_picture_of_one_pixel_can_be_laid_over():
    assert lay_heat(np.zeros((1, 1, 3), np.uint8), np.ones((1, 1), np.float32)).shape == (1, 1, 3)
