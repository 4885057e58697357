"""Photo and joints must go to the same place, and to the place that HRNet and UDP mean."""

from pathlib import Path

import numpy as np
import pytest

from paddle_pose import geometry

GOLDEN = Path(__file__).parent / "data" / "golden_codecs"


@pytest.mark.parametrize("pixel_centres", [False, True])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("input_wh", [(64, 64), (48, 64)])
@pytest.mark.parametrize("angle_deg", [0, 30, -90, 180])
@pytest.mark.parametrize("point_xy", [(60, 40), (75, 90)])
def test_warp_moves_pixels_and_joints_to_the_same_place(point_xy, angle_deg, input_wh, mirrored, pixel_centres):
    y, x = np.indices((120, 160))
    image = 255 * np.exp(-((x - point_xy[0]) ** 2 + (y - point_xy[1]) ** 2) / (2 * 4**2))
    matrix = geometry.crop_matrix((70, 60), 100, angle_deg, input_wh, mirrored, pixel_centres)

    crop = geometry.warp(image.astype(np.float32), matrix, input_wh)
    y, x = np.indices(crop.shape)
    dot_xy = np.array([(x * crop).sum(), (y * crop).sum()]) / crop.sum()

    joint_xy = geometry.apply(matrix, np.array([point_xy], float))[0]
    np.testing.assert_allclose(dot_xy, joint_xy, atol=1 / 32)  # OpenCV's sampling grid


def test_known_corners():
    """100 photo pixels across, centre (70, 60): 20 ... 120 by 10 ... 110."""
    corners = np.array([[20.0, 10.0], [120.0, 110.0]])
    by_width = geometry.crop_matrix((70, 60), 100, 0, (64, 64))
    np.testing.assert_allclose(geometry.apply(by_width, corners), [[0, 0], [64, 64]], atol=1e-12)
    by_centres = geometry.crop_matrix((70, 60), 100, 0, (64, 64), pixel_centres=True)
    np.testing.assert_allclose(geometry.apply(by_centres, corners), [[0, 0], [63, 63]], atol=1e-12)
    mirrored = geometry.crop_matrix((70, 60), 100, 0, (64, 64), mirrored=True)
    np.testing.assert_allclose(geometry.apply(mirrored, corners), [[64, 0], [0, 64]], atol=1e-12)


def test_known_corners_of_an_upright_crop():
    """96 photo pixels across 48 crop pixels: scale 1/2, so 128 photo pixels down 64."""
    matrix = geometry.crop_matrix((70, 60), 96, 0, (48, 64))
    corners = geometry.apply(matrix, np.array([[22.0, -4.0], [118.0, 124.0]]))
    np.testing.assert_allclose(corners, [[0, 0], [48, 64]], atol=1e-12)


def test_up_turned_clockwise_is_up_in_the_crop():
    """Clockwise by 90 degrees, up becomes right: the photo point to the right lands above the middle."""
    matrix = geometry.crop_matrix((70, 60), 100, 90, (64, 64))
    np.testing.assert_allclose(geometry.apply(matrix, np.array([[120.0, 60.0]])), [[32, 0]], atol=1e-12)


@pytest.mark.parametrize("pixel_centres", [False, True])
@pytest.mark.parametrize("angle_deg", [0, 25])
def test_mirrored_is_the_crop_of_the_mirrored_photo(angle_deg, pixel_centres):
    """x -> 159 - x on the photo, then the plain crop around the mirrored centre."""
    mirror_photo = np.array([[-1.0, 0, 159], [0, 1, 0], [0, 0, 1]])
    plain = geometry.crop_matrix((159 - 70, 60), 100, angle_deg, (48, 64), False, pixel_centres)
    mirrored = geometry.crop_matrix((70, 60), 100, angle_deg, (48, 64), True, pixel_centres)
    np.testing.assert_allclose(mirrored, plain @ mirror_photo, atol=1e-9)


@pytest.mark.parametrize(("pixel_centres", "shift"), [(True, 0), (False, 1)])
def test_crop_of_a_mirrored_photo_is_the_mirrored_crop(pixel_centres, shift):
    """Exact between pixel centres; by crop widths x becomes W - x, one pixel off W - 1 - x."""
    y, x = np.indices((120, 160))
    image = (127 + 60 * np.sin(x / 9) + 60 * np.cos((x + y) / 11)).astype(np.float32)
    plain, turned = (
        geometry.warp(image, geometry.crop_matrix((70, 60), 80, 0, (48, 64), mirrored, pixel_centres), (48, 64))
        for mirrored in (False, True)
    )
    # OpenCV places samples on a grid of 1/32 pixel; the picture rises by less than 20 per crop pixel.
    np.testing.assert_allclose(turned[:, shift:], plain[:, ::-1][:, : 48 - shift], atol=2 * 20 / 32)


def test_invert_and_apply_broadcast_over_batches():
    rng = np.random.default_rng(0)
    centers, widths, angles = rng.uniform(0, 500, (5, 2)), rng.uniform(50, 500, 5), rng.uniform(-180, 180, 5)
    matrices = np.stack([geometry.crop_matrix(c, w, a, (192, 256)) for c, w, a in zip(centers, widths, angles)])
    points = rng.uniform(-100, 600, (5, 7, 2))
    there = geometry.apply(matrices, points)
    np.testing.assert_allclose(there[2, 3], matrices[2, :, :2] @ points[2, 3] + matrices[2, :, 2], atol=1e-9)
    np.testing.assert_allclose(geometry.apply(geometry.invert(matrices), there), points, atol=1e-9)


def test_fix_aspect_grows_the_shorter_side():
    np.testing.assert_allclose(geometry.fix_aspect(np.array([50, 100]), (192, 256)), [75, 100])
    np.testing.assert_allclose(geometry.fix_aspect(np.array([90, 100]), (192, 256)), [90, 120])
    np.testing.assert_allclose(geometry.fix_aspect(np.array([75, 100]), (192, 256)), [75, 100])


def test_hrnet_matrices():
    """HRNet rounds three points of the photo to float32 before it solves for the matrix.

    Coordinates below 2048 are then off by at most 2^-14 px, and the far corners of a crop, which lie up to
    H / W + 1 < 4 levers away, by less than eight times as much.
    """
    golden = np.load(GOLDEN / "affine_hrnet.npz")
    keys = ("center", "scale", "rot_deg", "output_wh", "forward", "inverse")
    for center, scale, angle, wh, forward, inverse in zip(*(golden[key] for key in keys)):
        matrix = geometry.crop_matrix(center, 200 * scale[0], angle, tuple(wh))
        corners_crop = np.array([[0, 0], [wh[0], 0], [0, wh[1]], wh], float)
        corners_image = geometry.apply(geometry.invert(matrix), corners_crop)
        off_image = 8 * 2.0**-14
        np.testing.assert_allclose(corners_image, geometry.apply(inverse, corners_crop), atol=off_image)
        off_crop = off_image * wh[0] / (200 * scale[0])
        np.testing.assert_allclose(geometry.apply(forward, corners_image), corners_crop, atol=off_crop)
