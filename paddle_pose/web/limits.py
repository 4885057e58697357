"""What a visitor may send, checked before a photo is decoded."""

from dataclasses import dataclass

import numpy as np

from paddle_pose.data.photo_headers import checked_size_wh
from paddle_pose.errors import DataError
from paddle_pose.media.shown_photos import shown_photo

THE_PHOTO = "upload"  # stands in messages where a path would
MEGABYTE, MEGAPIXEL = 10**6, 10**6


@dataclass(frozen=True)
class Limits:
    """Args: bytes of an uploaded file; pixels of a photo, by its header."""

    upload_bytes: int = 10 * MEGABYTE
    pixels: int = 25 * MEGAPIXEL


def checked_photo(content: bytes, limits: Limits) -> np.ndarray:
    """The pixels of a photo of unknown origin.

    Args:
        content: of its file.
        limits: of its size.

    Returns:
        (H, W, 3) uint8 RGB, turned by its orientation tag. Nothing else of the file is kept: no place, no date.

    Raises:
        DataError: the file is too large, empty, no photo, or one of too many pixels. The message names no path.
    """
    if len(content) > limits.upload_bytes:
        raise DataError(too_large(limits))
    if not content:
        raise DataError("the file is empty; choose another photo")
    size_wh = checked_size_wh(THE_PHOTO, content)
    if size_wh is not None and size_wh[0] * size_wh[1] > limits.pixels:
        raise DataError(
            f"the photo has {size_wh[0]} x {size_wh[1]} pixels, more than the {limits.pixels / MEGAPIXEL:g} "
            "megapixels that are taken here; send a smaller one"
        )
    return shown_photo(THE_PHOTO, content)


def too_large(limits: Limits) -> str:
    """What to say of a file over `upload_bytes`."""
    return f"the file is over the {limits.upload_bytes / MEGABYTE:g} MB that are taken here; send a smaller one"
