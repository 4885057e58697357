"""What a photo file says before it is decoded: its kind, its size, whether it is whole.

A picture is refused by its header, so that a small file that unpacks to gigabytes never is unpacked.
"""

import struct
from collections.abc import Iterator
from typing import Optional

from paddle_pose.errors import DataError

MAX_PIXELS = 100_000_000
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_STARTS = {_JPEG_START: "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF"}
_START_OF_SCAN = 0xDA
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_FRAME_HEADERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_TIFF_NUMBERS = {3: "H", 4: "I"}  # types of entries: 16 and 32 bits

Size = Optional[tuple[int, int]]


def photo_kind(content: bytes) -> Optional[str]:
    """JPEG, PNG, WebP, BMP or TIFF by the first bytes; None for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    return next((kind for start, kind in _STARTS.items() if content.startswith(start)), None)


def checked_size_wh(path: str, content: bytes) -> Size:
    """Width and height as stored, by the header of a file of a kind in `photo_kind`; None for another.

    Raises:
        DataError: the file is cut off, or the picture is over 100 megapixels.
    """
    readers = {"JPEG": _jpeg, "PNG": _png, "WebP": _webp, "BMP": _bmp, "TIFF": _tiff}
    kind = photo_kind(content)
    if kind is None:
        return None
    size_wh, complete = readers[kind](content)
    if not complete:
        raise DataError(f"photo {path} is cut off after {len(content)} bytes; copy or download it again")
    check_pixels(path, size_wh)
    return size_wh


def check_pixels(path: str, size_wh: Size) -> None:
    """DataError for a picture of over 100 megapixels."""
    if size_wh is not None and size_wh[0] * size_wh[1] > MAX_PIXELS:
        raise DataError(
            f"photo {path} has {size_wh[0]} x {size_wh[1]} pixels, more than {MAX_PIXELS // 10**6} "
            "megapixels; shrink it"
        )


def chunks(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """(name, data) of the chunks of a PNG or a WebP file; stops at one that is not wholly there."""
    big_endian = not content.startswith(b"RIFF")
    at = 8 if big_endian else 12
    while at + 8 <= len(content):
        first, second = content[at : at + 4], content[at + 4 : at + 8]
        name, size = (second, first) if big_endian else (first, second)
        size = int.from_bytes(size, "big" if big_endian else "little")
        if at + 8 + size > len(content):
            return
        yield name, memoryview(content)[at + 8 : at + 8 + size]
        at += size + (12 if big_endian else 8 + size % 2)  # PNG: a checksum; WebP: filled up to an even size


def tiff_numbers(content: bytes) -> dict[int, int]:
    """Tag -> value of the whole numbers of a TIFF file's first directory; Exif data are such a file too."""
    order = "<" if content.startswith(b"II") else ">"
    numbers = {}
    try:
        (at,) = struct.unpack_from(order + "I", content, 4)
        (count,) = struct.unpack_from(order + "H", content, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, form = struct.unpack_from(order + "HH", content, entry)
            if form in _TIFF_NUMBERS:
                (number,) = struct.unpack_from(order + _TIFF_NUMBERS[form], content, entry + 8)
                numbers.setdefault(tag, number)  # of a tag that stands twice, libtiff takes the first
    except struct.error:  # an offset leads out of the file
        return {}
    return numbers


def _jpeg(content: bytes) -> tuple[Size, bool]:
    """Size and completeness (ITU T.81, Annex B)."""
    size_wh, at = None, len(_JPEG_START)
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == _START_OF_SCAN:
            # After the first scan 0xFFD9 is the end of the picture; before it, it may belong to a thumbnail.
            return size_wh, content.rfind(_JPEG_END, at) >= 0
        if marker == 0xFF or marker in _WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAME_HEADERS and at + 9 <= len(content):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            size_wh = (width, height)
        at += 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
    return size_wh, False


def _png(content: bytes) -> tuple[Size, bool]:
    """Size and completeness; OpenCV makes room for a chunk as large as it says it is, be it 2 GB in a file of 2 kB."""
    if len(content) < 24 or not any(name == b"IEND" for name, _ in chunks(content)):
        return None, False
    return struct.unpack(">II", content[16:24]), True


def _webp(content: bytes) -> tuple[Size, bool]:
    """RFC 9649, sections 2.4 to 2.7."""
    if len(content) < max(30, 8 + int.from_bytes(content[4:8], "little")):
        return None, False
    form, head = content[12:16], content[20:30]
    if form == b"VP8X":
        return (1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")), True
    if form == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return (1 + bits % 2**14, 1 + (bits >> 14) % 2**14), True
    width, height = struct.unpack("<HH", head[6:10])
    return (width % 2**14, height % 2**14), True


def _bmp(content: bytes) -> tuple[Size, bool]:
    if len(content) < 26:
        return None, False
    old = int.from_bytes(content[14:18], "little") == 12
    width, height = struct.unpack_from("<HH" if old else "<ii", content, 18)
    return (abs(width), abs(height)), True  # a height below 0: rows from the top


def _tiff(content: bytes) -> tuple[Size, bool]:
    numbers = tiff_numbers(content)
    size_wh = numbers.get(_TIFF_WIDTH), numbers.get(_TIFF_HEIGHT)
    return size_wh, None not in size_wh
