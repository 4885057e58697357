"""Photos as people see them, in every form that cameras, scanners and web sites write."""

import io
import os
import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from paddle_pose.data.photo_headers import checked_size_wh
from paddle_pose.data.photos import read_photo
from paddle_pose.errors import DataError
from paddle_pose.media.shown_photos import read_shown_photo

RED, GREEN, BLUE, OCHRE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 160, 50)
EXACT = {"PNG": {}, "WEBP": {"lossless": True}, "TIFF": {}, "BMP": {}}


@pytest.fixture
def quarters():
    """(32, 48, 3): red, green above blue, ochre."""
    image = np.zeros((32, 48, 3), np.uint8)
    image[:16, :24], image[:16, 24:], image[16:, :24], image[16:, 24:] = RED, GREEN, BLUE, OCHRE
    return image


def written(folder, image, form, **options):
    """Path of a file that Pillow wrote."""
    path = folder / f"photo.{form.lower()}"
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(path, form, **options)
    return str(path)


def corners(image):
    return [tuple(image[y, x].tolist()) for y, x in ((4, 4), (4, -4), (-4, 4), (-4, -4))]


@pytest.mark.parametrize("form", EXACT)
def test_colours_come_back_as_rgb(tmp_path, quarters, form):
    image = read_shown_photo(written(tmp_path, quarters, form, **EXACT[form]))
    np.testing.assert_array_equal(image, quarters)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation_is_shown_upright(tmp_path, quarters, form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = EXACT.get(form, {"quality": 95, "subsampling": 0})
    path = written(tmp_path, quarters, form, exif=exif, **options)
    wanted = np.array(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    assert wanted.shape == ((32, 48, 3) if orientation < 5 else (48, 32, 3))
    image = read_shown_photo(path)
    assert image.shape == wanted.shape
    np.testing.assert_allclose(image.astype(int), wanted, atol=0 if form != "JPEG" else 6)  # two JPEG decoders


def test_annotations_still_count_the_stored_pixels(tmp_path, quarters):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = written(tmp_path, quarters, "JPEG", exif=exif)
    assert read_shown_photo(path).shape == (48, 32, 3)
    assert read_photo(path).shape == (32, 48, 3)


def test_an_orientation_that_does_not_exist_is_none(tmp_path, quarters):
    exif = Image.Exif()
    exif[0x0112] = 77
    np.testing.assert_array_equal(read_shown_photo(written(tmp_path, quarters, "PNG", exif=exif)), quarters)


@pytest.mark.parametrize(("form", "mode"), [("JPEG", "L"), ("PNG", "L"), ("PNG", "P"), ("PNG", "1"), ("BMP", "P")])
def test_grey_and_palette_photos_get_three_channels(tmp_path, quarters, form, mode):
    picture = Image.fromarray(quarters).convert(mode)
    image = read_shown_photo(written(tmp_path, picture, form))
    np.testing.assert_allclose(
        image.astype(int), np.array(picture.convert("RGB"), int), atol=8 if form == "JPEG" else 0
    )


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_the_transparent_shows_white_and_half_of_it_half(tmp_path, form):
    rgba = np.zeros((8, 12, 4), np.uint8)
    rgba[..., :3] = (200, 100, 50)
    rgba[:, 4:8, 3], rgba[:, 8:, 3] = 128, 255
    image = read_shown_photo(written(tmp_path, rgba, form, **EXACT[form]))
    assert tuple(image[0, 0]) == (255, 255, 255)
    half = np.array([200, 100, 50]) * 128 / 255 + 127
    np.testing.assert_allclose(image[0, 5].astype(int), half, atol=1)  # rounded once, in a TIFF twice
    assert tuple(image[0, 9]) == (200, 100, 50)


def test_a_transparent_palette_colour_shows_white(tmp_path, quarters):
    picture = Image.fromarray(quarters).convert("P", palette=Image.Palette.ADAPTIVE)
    path = written(tmp_path, picture, "PNG", transparency=picture.getpixel((0, 0)))
    assert corners(read_shown_photo(path)) == [(255, 255, 255), GREEN, BLUE, OCHRE]


def test_a_turned_photo_with_alpha(tmp_path, quarters):
    exif = Image.Exif()
    exif[0x0112] = 6  # its left side is up: what is stored below left is shown above left
    rgba = np.dstack([quarters, np.full((32, 48), 255, np.uint8)])
    rgba[16:, :24, 3] = 0
    for form in ("PNG", "WEBP"):
        image = read_shown_photo(written(tmp_path, rgba, form, exif=exif, **EXACT[form]))
        assert corners(image) == [(255, 255, 255), RED, OCHRE, GREEN]


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_16_bits_are_scaled_to_8(tmp_path, quarters, suffix):
    path = str(tmp_path / f"deep{suffix}")
    cv2.imwrite(path, quarters[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_shown_photo(path), quarters)
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    cv2.imwrite(path, ramp)
    nearest = np.round(ramp / 257).astype(np.uint8)  # 65535 is 255
    np.testing.assert_array_equal(read_shown_photo(path), np.dstack([nearest] * 3))


def test_16_bits_with_alpha(tmp_path):
    bgra = np.empty((4, 4, 4), np.uint16)
    bgra[:] = np.array([50, 100, 200, 128]) * 257
    cv2.imwrite(str(tmp_path / "deep.png"), bgra)
    wanted = np.array([200, 100, 50]) * 128 / 255 + 127
    np.testing.assert_allclose(read_shown_photo(str(tmp_path / "deep.png"))[0, 0].astype(int), wanted, atol=1)


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_is_no_negative(tmp_path, quarters, form):
    """A JPEG of inks is stored inverted, as Adobe began to."""
    path = written(
        tmp_path, Image.fromarray(quarters).convert("CMYK"), form, **({"quality": 95} if form == "JPEG" else {})
    )
    np.testing.assert_allclose(corners(read_shown_photo(path)), [RED, GREEN, BLUE, OCHRE], atol=6)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_photo_of_one_pixel(tmp_path, form):
    options = EXACT.get(form, {"quality": 100, "subsampling": 0})
    image = read_shown_photo(written(tmp_path, np.full((1, 1, 3), 77, np.uint8), form, **options))
    np.testing.assert_array_equal(image, np.full((1, 1, 3), 77))


def bomb(form):
    """The beginning of a picture of 20000 x 20000 pixels, long enough to be taken for whole."""
    if form == "bmp":
        return b"BM" + bytes(12) + struct.pack("<Iii", 40, 20000, -20000) + bytes(30)
    if form == "tiff":
        tags = b"".join(struct.pack("<HHII", tag, 4, 1, 20000) for tag in (256, 257))
        again = struct.pack("<HHII", 256, 4, 1, 1)  # libtiff goes by the first
        return b"II*\0" + struct.pack("<IH", 8, 3) + tags + again + bytes(4)
    if form == "jpg":
        head = b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 11, 8, 20000, 20000, 1) + b"\1\x11\0"
        return head + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + b"\xff\xd9"
    if form == "png":
        return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 20000, 20000) + b"\x08\2\0\0\0crc_\0\0\0\0IEND"
    size = struct.pack("<I", 19999)[:3]
    chunk = {
        "webp": b"VP8X" + struct.pack("<I", 10) + bytes(4) + size + size,
        "lossless.webp": b"VP8L" + struct.pack("<IBI", 10, 0x2F, 16383 | 16383 << 14) + bytes(5),
        "lossy.webp": b"VP8 " + struct.pack("<I", 10) + b"\0\0\0\x9d\1\x2a" + struct.pack("<HH", 16383, 16383),
    }[form]
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


@pytest.mark.parametrize("form", ["jpg", "png", "webp", "lossless.webp", "lossy.webp", "bmp", "tiff"])
def test_more_than_100_megapixels_are_refused_before_decoding(tmp_path, monkeypatch, form):
    path = tmp_path / f"bomb.{form}"
    path.write_bytes(bomb(form))
    monkeypatch.setattr(cv2, "imdecode", lambda *arguments: pytest.fail("it was decoded"))
    size = "16383 x 16383|16384 x 16384" if "loss" in form else "20000 x 20000"
    with pytest.raises(DataError, match=f"bomb.{form} has ({size}) pixels, more than 100 megapixels; shrink it"):
        read_shown_photo(str(path))


def test_100_megapixels_are_not_too_many():
    def png(width):
        head = b"\x89PNG\r\n\x1a\n\0\0\0\x08IHDR" + struct.pack(">II", width, 10000)
        return head + b"crc_\0\0\0\0IENDcrc_"

    assert checked_size_wh("photo.png", png(10000)) == (10000, 10000)
    with pytest.raises(DataError, match="10001 x 10000"):
        checked_size_wh("photo.png", png(10001))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_photo_that_is_cut_off_ends_in_one_line(tmp_path, capfd, form, share):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(noise).save(content, form)
    (tmp_path / "cut").write_bytes(content.getvalue()[: int(len(content.getvalue()) * share)])
    with pytest.raises(DataError, match="cut (is cut off|is not a picture)") as error:
        read_shown_photo(str(tmp_path / "cut"))
    assert "\n" not in str(error.value)
    assert "ERROR" not in capfd.readouterr().err  # OpenCV's own lines


def test_a_png_that_asks_for_gigabytes_gets_none(tmp_path, quarters, monkeypatch):
    """OpenCV 5 would zero 2 GB for this file of a few hundred bytes."""
    path = written(tmp_path, quarters, "PNG")
    with open(path, "rb") as file:
        content = file.read()
    at = content.index(b"IDAT")
    with open(path, "wb") as file:
        file.write(content[: at - 4] + struct.pack(">I", 2**31 - 2**16) + content[at:])
    monkeypatch.setattr(cv2, "imdecode", lambda *arguments: pytest.fail("it was decoded"))
    with pytest.raises(DataError, match="is cut off"):
        read_shown_photo(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is an empty file"),
        (b"<html>404</html>", "is not a picture; photos are read from JPEG, PNG"),
        (b"GIF89a" + bytes(40), "is a GIF file; .*convert it"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "is an HEIC file; .*convert it"),
        (b"\x89PNG\r\n\x1a\n", "is cut off after 8 bytes"),
        (b"BM", "is cut off"),
        (b"II*\0", "is cut off"),
        (b"MM\0*\xff\xff\xff\xff", "is cut off"),
        (b"RIFF\x04\0\0\0WEBP", "is cut off"),
        (b"RIFF\x1a\0\0\0WEBP" + bytes(30), "is not a picture"),
    ],
)
def test_bad_content_is_named(tmp_path, content, message):
    (tmp_path / "bad.jpg").write_bytes(content)
    with pytest.raises(DataError, match=rf"bad\.jpg {message}") as error:
        read_shown_photo(str(tmp_path / "bad.jpg"))
    assert "\n" not in str(error.value)


def test_numbers_without_a_white_are_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "float.tiff"), np.ones((4, 4), np.float32))
    with pytest.raises(DataError, match="float32.*save it with 8 or 16 bits"):
        read_shown_photo(str(tmp_path / "float.tiff"))


def test_what_is_no_file(tmp_path):
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    os.truncate(os.open(tmp_path / "huge.jpg", os.O_CREAT | os.O_WRONLY), 2**31)
    for name, message in (
        ("none.jpg", "is missing"),
        ("folder.jpg", "cannot be read .Is a directory"),
        ("pipe.jpg", "is no photo: it is a device or a pipe"),
        ("huge.jpg", "is no photo: it is larger than 1 GiB"),
    ):
        with pytest.raises(DataError, match=message):
            read_shown_photo(str(tmp_path / name))
    with pytest.raises(DataError, match="device"):
        read_shown_photo("/dev/zero")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_photo_without_permission(tmp_path, quarters):
    path = written(tmp_path, quarters, "PNG")
    os.chmod(path, 0)
    with pytest.raises(DataError, match="Permission denied"):
        read_shown_photo(path)


def test_the_users_own_limit_of_opencv_is_named(tmp_path, quarters, monkeypatch):
    path = written(tmp_path, quarters, "PNG")
    monkeypatch.setenv("OPENCV_IO_MAX_IMAGE_PIXELS", "4")
    monkeypatch.setattr(cv2, "imdecode", lambda *arguments: None)
    with pytest.raises(DataError, match=r"unset OPENCV_IO_MAX_IMAGE_PIXELS \(4\)"):
        read_shown_photo(path)
