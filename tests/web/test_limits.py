"""What is refused of an upload before it is decoded, and what is left of one that is taken."""

import cv2
import numpy as np
import pytest

from paddle_pose.errors import DataError
from paddle_pose.web.limits import Limits, checked_photo
from tests.web.cases import GPS, jpeg, picture, png_that_says


@pytest.fixture
def undecoded(monkeypatch):
    def decode(*arguments):
        raise AssertionError("the photo was decoded")

    monkeypatch.setattr(cv2, "imdecode", decode)


def refused(content: bytes, limits: Limits) -> str:
    with pytest.raises(DataError) as caught:
        checked_photo(content, limits)
    message = str(caught.value)
    assert "/" not in message
    assert "\n" not in message
    return message


@pytest.mark.usefixtures("undecoded")
def test_one_byte_too_many():
    content = jpeg(picture())
    assert refused(content, Limits(upload_bytes=len(content) - 1)).startswith("the file is over the ")


@pytest.mark.usefixtures("undecoded")
def test_the_defaults_in_words():
    assert refused(b"\xff\xd8" + bytes(10_000_000), Limits()).startswith("the file is over the 10 MB that are taken")
    assert "5001 x 5000 pixels, more than the 25 megapixels" in refused(png_that_says(5001, 5000), Limits())


@pytest.mark.usefixtures("undecoded")
@pytest.mark.parametrize("size_wh", [(10_001, 10_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_of_a_few_bytes(size_wh):
    content = png_that_says(*size_wh)
    assert len(content) < 100
    assert f"{size_wh[0]} x {size_wh[1]} pixels" in refused(content, Limits())


def test_as_many_pixels_and_bytes_as_are_allowed():
    content = jpeg(picture(120, 100))
    exactly = Limits(upload_bytes=len(content), pixels=120 * 100)
    assert checked_photo(content, exactly).shape == (100, 120, 3)
    refused(content, Limits(pixels=120 * 100 - 1))


@pytest.mark.usefixtures("undecoded")
@pytest.mark.parametrize("content", [b"", b"GIF89a" + bytes(50), b"<svg onload='alert(1)'/>", b"%PDF-1.4 /etc", b"\0"])
def test_what_is_no_photo(content):
    refused(content, Limits())


def test_a_photo_that_is_cut_off():
    assert "cut off" in refused(jpeg(picture())[:-30], Limits())


def test_a_turned_photo_stands_upright_and_loses_its_exif_data():
    content = jpeg(picture(120, 100), orientation=6)
    assert GPS in content
    photo = checked_photo(content, Limits())
    assert photo.shape == (120, 100, 3)
    np.testing.assert_allclose(photo[20, 50], (0, 0, 200), atol=8)  # what was left is above
    np.testing.assert_allclose(photo[100, 50], (128, 128, 128), atol=8)
