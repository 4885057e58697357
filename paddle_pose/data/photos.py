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

from paddle_pose.data.photo_headers import check_pixels, checked_size_wh, photo_kind
from paddle_pose.errors import DataError
from paddle_pose.opencv_messages import quiet_opencv

_MAX_BYTES = 2**30  # 100 megapixels of four 16-bit channels take 0.8e9
_RGB = getattr(cv2, "IMREAD_COLOR_RGB", None)  # OpenCV before 4.11 knows BGR alone
_REDUCED = {1: 0, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
REDUCTIONS = tuple(_REDUCED)  # what a JPEG's sides can be divided by while it is decoded


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
    return read_reduced(path, 1, annotated_wh)[0]


def read_reduced(path: str, reduction: int, annotated_wh: Optional[tuple[int, int]] = None) -> tuple[np.ndarray, int]:
    """As `read_photo`, but a JPEG is decoded at a fraction of its size, which is faster and smoother.

    A pixel (i, j) stands for photo pixels n i to n i + n - 1 and n j to n j + n - 1, and lies in the middle of them
    (`geometry.image_from_reduced`); those of the last column and row may stand for fewer.

    Args:
        path: of the file.
        reduction: n, one of `REDUCTIONS`.
        annotated_wh: width and height of the whole photo by the annotations; none: they do not say.

    Returns:
        (ceil(H / n), ceil(W / n), 3) uint8, RGB, and n; of a file of another kind all pixels, and 1.

    Raises:
        DataError: as `read_photo`.
    """
    content = read_content(path)
    size_wh = checked_size_wh(path, content)
    step = reduction if photo_kind(content) == "JPEG" else 1
    image = _decoded_rgb(path, content, step)
    width, height = size_wh if step > 1 else image.shape[1::-1]
    if annotated_wh is not None and (width, height) != tuple(annotated_wh):
        raise DataError(
            f"photo {path} has {width} x {height} pixels, but {annotated_wh[0]} x {annotated_wh[1]} "
            "in the annotation file: joints and masks would not fit; use the photo that was annotated"
        )
    return image, step


def _decoded_rgb(path: str, content: bytes, reduction: int) -> np.ndarray:
    flags = _REDUCED[reduction] | cv2.IMREAD_IGNORE_ORIENTATION
    if _RGB is None:
        return cv2.cvtColor(decoded(path, content, flags | cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return decoded(path, content, (flags & ~cv2.IMREAD_COLOR) | _RGB)


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
    """What OpenCV makes of a file with `cv2.IMREAD_*` flags, BGR by default; DataError where it makes nothing of it."""
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
