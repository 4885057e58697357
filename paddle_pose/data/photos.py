"""Photo files: safe paths, the size in the header, and pixels in the frame that annotations use.

Annotations of MPII, LSP, FLIC and COCO count pixels as they are stored, so the orientation tag of a JPEG is
not applied, as in HRNet (`cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION`) and mmpose.
"""

import os
import struct
from typing import Optional

import cv2
import numpy as np

from paddle_pose.errors import DataError

MAX_PIXELS = 100_000_000
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_START_OF_SCAN = 0xDA
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_FRAME_HEADERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def photo_path(folder: str, name: str) -> str:
    """The path of photo `name` in `folder`; DataError for a name that would leave the folder."""
    plain = name.replace("\\", "/")
    if not plain.strip() or os.path.isabs(plain) or ":" in plain or ".." in plain.split("/"):
        raise DataError(f"annotation names a photo outside {folder}: {name!r}; use an untampered annotation file")
    return os.path.join(folder, name)


def read_photo(path: str, annotated_wh: Optional[tuple[int, int]] = None) -> np.ndarray:
    """Pixels as stored, orientation tag ignored.

    Args:
        path: of the file.
        annotated_wh: width and height by the annotations; none: they do not say.

    Returns:
        (H, W, 3) uint8, RGB.

    Raises:
        DataError: the file is missing, unreadable, empty, cut off, no picture, over 100 megapixels, or of another size
            than annotated. OpenCV fills the lost part of a truncated JPEG with grey and reports nothing; this refuses
            it.
    """
    content = _read_bytes(path)
    _check_pixels(path, _header_size_wh(path, content))
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        image = None
    if image is None:
        raise DataError(f"{path} is not a picture that OpenCV can decode; replace the file")
    height, width = image.shape[:2]
    _check_pixels(path, (width, height))
    if annotated_wh is not None and (width, height) != tuple(annotated_wh):
        raise DataError(
            f"photo {path} has {width} x {height} pixels, but {annotated_wh[0]} x {annotated_wh[1]} "
            "in the annotation file: joints and masks would not fit; use the photo that was annotated"
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def photo_size_wh(path: str) -> tuple[int, int]:
    """Width and height of a photo as stored, from its header where that is JPEG or PNG."""
    size_wh = _header_size_wh(path, _read_bytes(path))
    if size_wh is None:
        height, width = read_photo(path).shape[:2]
        return width, height
    _check_pixels(path, size_wh)
    return size_wh


def _read_bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise DataError(f"photo {path} is missing; put it there, or correct the dataset root") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"photo {path} cannot be read ({reason}); check the path and its permissions") from None
    if not content:
        raise DataError(f"photo {path} is an empty file; copy or download it again")
    return content


def _check_pixels(path: str, size_wh: Optional[tuple[int, int]]) -> None:
    if size_wh is not None and size_wh[0] * size_wh[1] > MAX_PIXELS:
        raise DataError(
            f"photo {path} has {size_wh[0]} x {size_wh[1]} pixels, more than {MAX_PIXELS // 10**6} "
            "megapixels; shrink it"
        )


def _header_size_wh(path: str, content: bytes) -> Optional[tuple[int, int]]:
    """Size of a complete JPEG or PNG, None for another format; DataError for a file that is cut off."""
    if content.startswith(_JPEG_START):
        size_wh, scan_at = _jpeg_header(content)
        # After the first scan 0xFFD9 is the end of the picture; before it, it may belong to a thumbnail.
        complete = scan_at is not None and content.rfind(_JPEG_END, scan_at) >= 0
    elif content.startswith(_PNG_START):
        complete = len(content) >= 24 and content.rfind(b"IEND") >= 0
        size_wh = struct.unpack(">II", content[16:24]) if complete else None
    else:
        return None
    if not complete:
        raise DataError(f"photo {path} is cut off after {len(content)} bytes; copy or download it again")
    return size_wh


def _jpeg_header(content: bytes) -> tuple[Optional[tuple[int, int]], Optional[int]]:
    """(width, height) and the position of the first scan, None where not found (ITU T.81, Annex B)."""
    size_wh, at = None, len(_JPEG_START)
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == _START_OF_SCAN:
            return size_wh, at
        if marker == 0xFF or marker in _WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAME_HEADERS and at + 9 <= len(content):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            size_wh = (width, height)
        at += 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
    return size_wh, None
