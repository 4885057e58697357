"""A photo as a person sees it: turned by its orientation tag, over white where it is transparent, 8 bits, RGB.

JPEG, PNG, WebP, BMP and TIFF, by OpenCV: no further dependency, and its JPEG decoder is the fastest here. OpenCV turns
JPEG and TIFF files itself; PNG and WebP it does not turn where it reads alpha, and older ones never, so that is done
here. Colour profiles are not applied, of an animation or a TIFF of many pages the first picture is taken.
"""

import cv2
import numpy as np

from paddle_pose.data.photo_headers import checked_size_wh, chunks, photo_kind, tiff_numbers
from paddle_pose.data.photos import decoded, read_content
from paddle_pose.errors import DataError

KINDS = "JPEG, PNG, WebP, BMP and TIFF"
_ORIENTATION = 0x0112  # Exif 2.32, section 4.6.4
_OTHERS = {
    b"GIF8": "a GIF",
    b"%PDF": "a PDF",
    b"\0\0\0\x0cjP": "a JPEG 2000",
    b"II+\0": "a BigTIFF",
    b"II": "a raw photo",
}
_BRANDS = {b"heic": "an HEIC", b"heix": "an HEIC", b"mif1": "an HEIC", b"avif": "an AVIF"}


def read_shown_photo(path: str) -> np.ndarray:
    """The pixels of a photo file as viewers show them.

    Grey and palette photos become RGB; 16 bits are scaled to 8 (65535 is 255), CMYK is taken as the inks' complement;
    what is transparent shows white, as on a page.

    Returns:
        (H, W, 3) uint8, RGB.

    Raises:
        DataError: the file is missing, unreadable, empty, cut off, no picture of a kind above, over 100 megapixels
            (refused before it is decoded), or a TIFF of 32-bit numbers.
    """
    return shown_photo(path, read_content(path))


def shown_photo(path: str, content: bytes) -> np.ndarray:
    """`read_shown_photo` of bytes that have been read; `path` only stands in messages."""
    kind = photo_kind(content)
    if kind is None or checked_size_wh(path, content) is None:
        raise DataError(f"{path} is {_named(content)}; photos are read from {KINDS} files, convert it to one")
    # Colour for JPEG: grey and CMYK too, and turned by OpenCV. Unchanged for the others: with alpha, and all 16 bits.
    image = decoded(path, content, cv2.IMREAD_COLOR if kind == "JPEG" else cv2.IMREAD_UNCHANGED)
    if image.dtype == np.uint16:
        image = cv2.convertScaleAbs(image, alpha=1 / 257)
        kind = "16 bits"  # of which OpenCV gives colours as they are stored, in TIFF too
    if image.dtype != np.uint8:
        raise DataError(f"{path} has pixels of type {image.dtype}, whose white nobody knows; save it with 8 or 16 bits")
    rgb = _over_white(image, premultiplied=kind == "TIFF")
    return np.ascontiguousarray(_turned(rgb, _orientation(content)))


def _named(content: bytes) -> str:
    if content[4:8] == b"ftyp" and content[8:12] in _BRANDS:
        return f"{_BRANDS[content[8:12]]} file"
    named = next((name for start, name in _OTHERS.items() if content.startswith(start)), None)
    return f"{named} file" if named else "not a picture"


def _over_white(image: np.ndarray, premultiplied: bool) -> np.ndarray:
    """(H, W), (H, W, 3) BGR or (H, W, 4) BGR and alpha -> (H, W, 3) RGB."""
    if image.ndim == 2:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    rgb = cv2.cvtColor(image[:, :, :3], cv2.COLOR_BGR2RGB)
    if image.shape[2] == 3 or image[:, :, 3].min() == 255:
        return rgb
    white = cv2.cvtColor(255 - image[:, :, 3], cv2.COLOR_GRAY2RGB)
    if premultiplied:
        return cv2.add(rgb, white)
    alpha = image[:, :, 3:].astype(np.uint16)
    return ((rgb * alpha + np.uint16(127)) // np.uint16(255)).astype(np.uint8) + white


def _orientation(content: bytes) -> int:
    """The tag of a PNG's or WebP's Exif data, 1 to 8; 1 of other kinds, which OpenCV has turned."""
    if photo_kind(content) not in ("PNG", "WebP"):
        return 1
    exif = bytes(next((data for name, data in chunks(content) if name in (b"eXIf", b"EXIF")), b""))
    return tiff_numbers(exif[6:] if exif.startswith(b"Exif\0\0") else exif).get(_ORIENTATION, 1)


def _turned(image: np.ndarray, orientation: int) -> np.ndarray:
    """The stored picture as it is to be shown: row 0 and column 0 are where the tag says (Exif 2.32, table 6)."""
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return image
