"""Video files by OpenCV's FFmpeg: kept quiet, and an mp4 file that is playable whatever happened."""

import contextlib
import math
import os
import shutil
from pathlib import Path
from typing import Union

import cv2
import numpy as np

from paddle_pose.errors import DataError
from paddle_pose.opencv_messages import quiet_opencv

CODEC = "mp4v"  # MPEG-4 part 2: the only one that every OpenCV wheel can write at the speed of reading
LONGEST_SIDE = 8190  # of MPEG-4
SLOWEST, FASTEST = 0.1, 500.0  # frames per second; a header that says otherwise is wrong (1000 and 90000 are clocks)
USUAL_RATE = 25.0  # where nobody knows
SPARE_BYTES = 16 << 20  # of the disk: enough to finish a file with
FRAMES_PER_CHECK = 32

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # nothing; OpenCV reads it once, when it first meets a video


def is_sane_rate(rate: float) -> bool:
    """Whether so many frames per second can be true."""
    return math.isfinite(rate) and SLOWEST <= rate <= FASTEST


class Mp4File:
    """One mp4 file without sound. It lies beside its place under a hidden name until `close`.

    All frames have the first one's size. Odd sides grow by a copy of their last row or column, for the codec wants
    even ones; a later frame of another size is fitted in, on black.
    """

    def __init__(self, path: Union[str, Path], frame_rate: float) -> None:
        """DataError if the folder cannot be made; the file itself is begun at the first frame.

        Args:
            path: what the file is called in the end, `.mp4`.
            frame_rate: frames per second.
        """
        self.path, self.num_frames = Path(path), 0
        # a fraction of 16-bit numbers is all that the codec can write
        self.frame_rate = round(frame_rate, 3 if frame_rate < 65 else 2)
        self._partial = self.path.with_name(f".{self.path.stem}.{os.getpid()}.partial.mp4")  # OpenCV goes by the end
        self._writer, self._size_wh = None, (0, 0)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"cannot write {self.path}: {error.strerror}; choose another folder") from None

    def write(self, image: np.ndarray) -> None:
        """Appends a frame.

        Args:
            image: (H, W, 3) uint8, RGB.

        Raises:
            DataError: the file cannot be made, or the disk is nearly full; `close` still keeps what was written.
        """
        if self._writer is None:
            self._open(image.shape[1::-1])
        if self.num_frames % FRAMES_PER_CHECK == 0 and shutil.disk_usage(self.path.parent).free < SPARE_BYTES:
            raise DataError(f"{self.path}: the disk is full, stopped after {self.num_frames} frames; free some space")
        self._writer.write(cv2.cvtColor(_fitted(image, self._size_wh), cv2.COLOR_RGB2BGR))
        self.num_frames += 1

    def _open(self, image_wh: tuple[int, int]) -> None:
        scale = min(1.0, LONGEST_SIDE / max(image_wh))
        self._size_wh = tuple(max(int(side * scale) + 1 & ~1, 2) for side in image_wh)
        with quiet_opencv():
            writer = cv2.VideoWriter(
                str(self._partial), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*CODEC), self.frame_rate, self._size_wh
            )
        if not writer.isOpened():
            raise DataError(f"cannot write {self.path}: is its folder writable, and is there space on the disk?")
        self._writer = writer

    def close(self) -> None:
        """Finishes the file and gives it its name; nothing is left where no frame was written.

        Raises:
            DataError: it cannot be read again, as on a full disk, where OpenCV says nothing; it is removed.
        """
        if self._writer is None:
            return
        with quiet_opencv():
            self._writer.release()
        self._writer = None
        try:
            if self.num_frames:
                self._check()
                os.replace(self._partial, self.path)
        except OSError as error:
            raise DataError(f"cannot write {self.path}: {error.strerror}; choose another folder") from None
        finally:
            self.discard()

    def discard(self) -> None:
        """Removes what was written, unless `close` has kept it."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
        with contextlib.suppress(OSError):
            self._partial.unlink()

    def _check(self) -> None:
        with quiet_opencv():
            capture = cv2.VideoCapture(str(self._partial), cv2.CAP_FFMPEG)
            count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
            capture.release()
        if count != self.num_frames:
            raise DataError(f"{self.path}: not all of it could be written; is the disk full? Nothing is kept of it")
        with open(self._partial, "r+b") as file:
            os.fsync(file.fileno())


def _fitted(image: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """An image of the given size: an odd side grown by one, any other difference scaled and set on black."""
    (height, width), (out_width, out_height) = image.shape[:2], size_wh
    if (width, height) == size_wh:
        return image
    if 0 <= out_width - width <= 1 and 0 <= out_height - height <= 1:
        return cv2.copyMakeBorder(image, 0, out_height - height, 0, out_width - width, cv2.BORDER_REPLICATE)
    scale = min(out_width / width, out_height / height)
    inner_wh = max(round(width * scale), 1), max(round(height * scale), 1)
    inner = cv2.resize(image, inner_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (out_width - inner_wh[0]) // 2, (out_height - inner_wh[1]) // 2
    rest = (top, out_height - inner_wh[1] - top, left, out_width - inner_wh[0] - left)
    return cv2.copyMakeBorder(inner, *rest, cv2.BORDER_CONSTANT)
