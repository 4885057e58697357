"""Photo files: safe paths, the size in the header, and pixels in the frame that annotations use.

Annotations of MPII, LSP, FLIC and COCO count pixels as they are stored, so the orientation tag of a JPEG is
not applied, as in HRNet (`cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION`) and mmpose. Photos as a person sees them:
media/shown_photos.py.
"""

import os
import stat
from typing import Optional

import cv2
import numpy as np

from paddle_pose.data.photo_headers import check_pixels, checked_size_wh
from paddle_pose.errors import DataError
from paddle_pose.opencv_messages import quiet_opencv

_MAX_BYTES = 2**30  # 100 megapixels of four 16-bit channels take 0.8e9


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
    content = read_content(path)
    checked_size_wh(path, content)
    image = decoded(path, content, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    height, width = image.shape[:2]
    if annotated_wh is not None and (width, height) != tuple(annotated_wh):
        raise DataError(
            f"photo {path} has {width} x {height} pixels, but {annotated_wh[0]} x {annotated_wh[1]} "
            "in the annotation file: joints and masks would not fit; use the photo that was annotated"
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def photo_size_wh(path: str) -> tuple[int, int]:
    """Width and height of a photo as stored, from its header where that is of a kind in photo_headers.py."""
    size_wh = checked_size_wh(path, read_content(path))
    if size_wh is None:
        height, width = read_photo(path).shape[:2]
        return width, height
    return size_wh


def read_content(path: str) -> bytes:
    """The bytes of a photo file; DataError where it is missing, unreadable, empty, or no file of a photo's size."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
                what = "is larger than 1 GiB" if stat.S_ISREG(status.st_mode) else "is a device or a pipe"
                raise DataError(f"{path} is no photo: it {what}; name the file of a photo")
            content = file.read()
    except FileNotFoundError:
        raise DataError(f"photo {path} is missing; put it there, or correct the path (a dataset's: its root)") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"photo {path} cannot be read ({reason}); check the path and its permissions") from None
    if not content:
        raise DataError(f"photo {path} is an empty file; copy or download it again")
    return content


def decoded(path: str, content: bytes, flags: int) -> np.ndarray:
    """What OpenCV makes of a file with `cv2.IMREAD_*` flags: BGR; DataError where it makes nothing of it."""
    try:
        with quiet_opencv():
            image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise DataError(f"{path} is not a picture that OpenCV can decode; replace the file{_limit()}")
    check_pixels(path, (image.shape[1], image.shape[0]))
    return image


def _limit() -> str:
    """OpenCV says nothing of a limit that the user's environment sets."""
    name = "OPENCV_IO_MAX_IMAGE_PIXELS"
    return f", or unset {name} ({os.environ[name]}) if it has more pixels" if name in os.environ else ""


def _without_waiting(path: str, flags: int) -> int:
    """Opens a pipe that nobody writes to, so that it can be refused."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
