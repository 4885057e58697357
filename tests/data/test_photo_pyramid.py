"""What is painted at a place of the photo must be where the matrix says, whatever the photo's shape and the scale."""

import cv2
import numpy as np
import pytest

from paddle_pose import geometry
from paddle_pose.data.photo_pyramid import LONGEST, PhotoPyramid, read_pyramids
from paddle_pose.errors import DataError

STRIDE = 8


def photo_with_dot(width, height, place_xy, sigma=5.0):
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    distance = (x - place_xy[0]) ** 2 + (y - place_xy[1]) ** 2
    return np.rint(255 * np.exp(-distance / (2 * sigma**2)))[..., None].repeat(3, 2).astype(np.uint8)


def centroid(image):
    weight = image[..., 0].astype(np.float64)
    y, x = np.indices(weight.shape)
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@pytest.mark.parametrize("fit", ["shorter", "height", "longer"])
@pytest.mark.parametrize("scale", [0.3, 0.71, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("size_wh", [(123, 97), (90, 161), (200, 60)])
def test_a_dot_is_where_the_matrix_says(fit, scale, size_wh):
    place = np.array([0.43, 0.55]) * size_wh
    (scaled,) = PhotoPyramid(96, fit, (scale,), STRIDE)(photo_with_dot(*size_wh, place))
    wanted = geometry.apply(scaled.input_from_image, place[None])[0]
    np.testing.assert_allclose(centroid(scaled.image), wanted, atol=0.02)


def test_a_single_pixel_enlarged_is_centred_where_the_matrix_says():
    photo = np.zeros((10, 20, 3), np.uint8)
    photo[6, 3] = 255
    (scaled,) = PhotoPyramid(50, "shorter", (1.0,), STRIDE)(photo)
    np.testing.assert_allclose(scaled.input_from_image, [[5, 0, 2], [0, 5, 2]])
    np.testing.assert_allclose(centroid(scaled.image), [17, 32], atol=1e-9)


@pytest.mark.parametrize(
    ("fit", "photo_wh"), [("shorter", (128, 96)), ("height", (128, 96)), ("longer", (96, 72))], ids=str
)
def test_which_side_is_fitted(fit, photo_wh):
    (scaled,) = PhotoPyramid(96, fit, (1.0,), STRIDE)(np.zeros((300, 400, 3), np.uint8))
    assert scaled.photo_wh == photo_wh
    (upright,) = PhotoPyramid(96, fit, (1.0,), STRIDE)(np.zeros((400, 300, 3), np.uint8))
    assert upright.photo_wh == {"height": (72, 96)}.get(fit, photo_wh[::-1])


def test_the_border_is_right_and_below_and_less_than_a_cell():
    photo = np.full((75, 101, 3), 200, np.uint8)
    for scaled in PhotoPyramid(60, "shorter", (0.5, 1.0, 1.4), STRIDE, (1, 2, 3))(photo):
        width, height = scaled.photo_wh
        assert np.all(scaled.image[:height, :width] == 200)
        assert np.all(scaled.image[height:] == (1, 2, 3))
        assert np.all(scaled.image[:, width:] == (1, 2, 3))
        for side, padded in zip((height, width), scaled.image.shape):
            assert padded % STRIDE == 0
            assert 0 <= padded - side < STRIDE


@pytest.mark.parametrize("size_wh", [(1, 1), (1, 5000), (5000, 1), (20, 4000), (3, 2), (900, 30)])
@pytest.mark.parametrize("fit", ["shorter", "height", "longer"])
def test_any_shape_gives_an_input_of_bounded_size(size_wh, fit):
    photo = np.full((size_wh[1], size_wh[0], 3), 9, np.uint8)
    small, large = PhotoPyramid(64, fit, (0.1, 2.0), STRIDE)(photo)
    for scaled, scale in ((small, 0.1), (large, 2.0)):
        assert max(scaled.image.shape) <= LONGEST * 64 * scale + STRIDE
        assert min(scaled.image.shape[:2]) >= STRIDE
        assert min(scaled.photo_wh) >= 1
        assert np.isfinite(geometry.invert(scaled.input_from_image)).all()


def test_fine_patterns_are_averaged_when_a_photo_becomes_much_smaller():
    photo = (np.indices((400, 400)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2)
    (scaled,) = PhotoPyramid(96, "shorter", (1.0,), STRIDE)(photo)
    assert np.ptp(scaled.image[:96, :96].astype(int)) < 40  # a chessboard is grey


def test_a_turned_view_of_an_array_is_a_photo():
    photo = np.random.default_rng(0).integers(0, 256, (31, 40, 3), np.uint8)
    pyramid = PhotoPyramid(64, "shorter", (1.0,), STRIDE)
    turned = photo[::-1, :, ::-1]  # as of a video that OpenCV has read
    assert np.array_equal(pyramid(turned)[0].image, pyramid(turned.copy())[0].image)


@pytest.mark.parametrize(
    "photo",
    [
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5, 5, 3)),
        np.zeros((0, 5, 3), np.uint8),
        None,
    ],
    ids=["grey", "four channels", "floats", "no rows", "cv2.imread of no file"],
)
def test_what_is_no_photo_is_refused(photo):
    with pytest.raises(DataError, match=r"a photo is an \(H, W, 3\) array of uint8, RGB, but got"):
        PhotoPyramid(64, "shorter", (1.0,), STRIDE)(photo)


@pytest.mark.parametrize("workers", [0, 2])
def test_files_are_read_in_order_and_a_bad_one_is_named(tmp_path, workers):
    paths = []
    for number in range(7):
        paths.append((10 * number, str(tmp_path / f"{number}.png"), (8, 8 + number)))
        cv2.imwrite(paths[-1][1], np.full((8 + number, 8, 3), number, np.uint8))
    pyramid = PhotoPyramid(16, "longer", (1.0,), STRIDE)
    read = list(read_pyramids(paths, pyramid, workers))
    assert [index for index, _ in read] == [index for index, _, _ in paths]
    assert [int(scaled.image[0, 0, 0]) for _, (scaled,) in read] == list(range(7))
    with pytest.raises(DataError, match=r"0\.png has 8 x 8 pixels, but 9 x 8 in the annotation file"):
        list(read_pyramids([(0, paths[0][1], (9, 8))], pyramid, workers))
    (tmp_path / "4.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"4\.png"):
        list(read_pyramids(paths, pyramid, workers))
