import struct
import zlib

import cv2
import numpy as np
import pytest

from paddle_pose.data.photos import photo_path, photo_size_wh, read_photo
from paddle_pose.errors import DataError


@pytest.fixture
def picture():
    """30 x 50 RGB: red left half, blue right half."""
    image = np.zeros((30, 50, 3), np.uint8)
    image[:, :25, 0] = 255
    image[:, 25:, 2] = 255
    return image


def encoded(image, extension=".jpg"):
    return cv2.imencode(extension, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def with_exif_segment(jpeg, payload):
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + jpeg[2:]


def turned(jpeg):
    """The same JPEG with an Exif orientation tag that asks for a quarter turn."""
    tag = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    tiff = b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", 1) + tag + struct.pack("<I", 0)
    return with_exif_segment(jpeg, b"Exif\x00\x00" + tiff)


def test_a_png_comes_back_as_rgb(tmp_path, picture):
    (tmp_path / "a.png").write_bytes(encoded(picture, ".png"))
    image = read_photo(str(tmp_path / "a.png"))
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, picture)


def test_grey_photos_get_three_channels(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((4, 6), 77, np.uint8))
    np.testing.assert_array_equal(read_photo(str(tmp_path / "a.png")), np.full((4, 6, 3), 77))


def test_orientation_tag_is_not_applied(tmp_path, picture):
    path = tmp_path / "turned.jpg"
    path.write_bytes(turned(encoded(picture)))
    assert cv2.imread(str(path)).shape == (50, 30, 3), "the tag of this test is not understood by OpenCV"
    assert read_photo(str(path)).shape == (30, 50, 3)
    assert photo_size_wh(str(path)) == (50, 30)


@pytest.mark.parametrize("extension", [".jpg", ".png", ".bmp"])
def test_size_is_the_pixels(tmp_path, picture, extension):
    path = tmp_path / f"a{extension}"
    path.write_bytes(encoded(picture, extension))
    assert photo_size_wh(str(path)) == (50, 30)


def test_progressive_jpeg_with_bytes_after_its_end_is_read(tmp_path, picture):
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg + b"\x00" * 100)
    assert read_photo(str(path)).shape == (30, 50, 3)
    assert photo_size_wh(str(path)) == (50, 30)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_truncated_jpeg_is_refused_even_with_the_end_mark_of_a_thumbnail(tmp_path, keep):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    jpeg = encoded(noise)
    whole = with_exif_segment(jpeg, b"Exif\x00\x00" + encoded(noise[:8, :8]))
    path = tmp_path / "cut.jpg"
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(DataError, match=r"cut\.jpg is cut off after \d+ bytes"):
        read_photo(str(path))


def test_truncated_png_is_refused(tmp_path, picture):
    (tmp_path / "a.png").write_bytes(encoded(picture, ".png")[:-20])
    with pytest.raises(DataError, match="cut off"):
        read_photo(str(tmp_path / "a.png"))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is an empty file"), (b"<html>404</html>", "not a picture"), (b"\xff\xd8", "cut off")],
)
def test_bad_content_is_named(tmp_path, content, message):
    path = tmp_path / "bad.jpg"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read_photo(str(path))
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_and_unreadable_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.jpg is missing"):
        read_photo(str(tmp_path / "none.jpg"))
    with pytest.raises(DataError, match="cannot be read"):
        read_photo(str(tmp_path))
    with pytest.raises(DataError, match="cannot be read"):
        read_photo("nul\x00.jpg")


def test_absurd_size_is_refused_before_decoding(tmp_path):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 20000, 20000, 8, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(content)
    for read in (read_photo, photo_size_wh):
        with pytest.raises(DataError, match="20000 x 20000 pixels, more than 100 megapixels"):
            read(str(tmp_path / "bomb.png"))


def test_photo_path_stays_in_its_folder():
    assert photo_path("images", "a.jpg") == "images/a.jpg"
    assert photo_path("images", "train2017/a..b.jpg") == "images/train2017/a..b.jpg"
    for name in ("/etc/passwd", "../a.jpg", "a/../../b.jpg", "..\\a.jpg", "C:\\a.jpg", "", " "):
        with pytest.raises(DataError, match="outside"):
            photo_path("images", name)
