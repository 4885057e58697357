"""Pictures from video files and cameras, one after the other, by OpenCV."""

import math
import os
import statistics
import sys
import time
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Optional, Union

import cv2
import numpy as np

from paddle_pose.errors import DataError
from paddle_pose.frames import Frame
from paddle_pose.opencv_messages import quiet_opencv
from paddle_pose.video_files import USUAL_RATE, is_sane_rate

RETRIES = 100  # failed frames in a row, after which a video has ended
MOST_FRAMES = 10**9  # a longer video is a wrong header
FRAMES_FOR_RATE = 30
SHORTFALL_S = 0.25  # a header may promise so much more than there is, for rounding and for sound


class VideoSource:
    """A video file.

    Args:
        path: the file; any kind that OpenCV's FFmpeg reads.

    The file is opened when its facts or frames are asked for: a broken one among many stops nobody before its turn.

    Raises:
        DataError: there is no such file; when iterated: no picture can be read from it.
    """

    kind = "video"

    def __init__(self, path: Union[str, Path]) -> None:
        self.name = str(path)
        if os.path.isdir(self.name):
            raise DataError(f"{self.name} is a folder, not a video")
        if not os.path.isfile(self.name):
            raise DataError(f"{self.name}: there is no such file")

    @property
    def frame_rate(self) -> Optional[float]:
        """Frames per second; None where nobody knows."""
        return self._header[0]

    @property
    def num_frames(self) -> Optional[int]:
        """An estimate; None where nobody knows."""
        return self._header[1]

    @cached_property
    def _header(self) -> tuple[Optional[float], Optional[int]]:
        try:
            capture = self._open()
        except DataError:
            return None, None
        rate: Optional[float] = capture.get(cv2.CAP_PROP_FPS)
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        if not is_sane_rate(rate):
            times_ms = [capture.get(cv2.CAP_PROP_POS_MSEC) for _ in islice(_grabbed(capture), FRAMES_FOR_RATE)]
            rate = _rate_by_times(times_ms)
        capture.release()
        return rate, int(count) if 1 <= count < MOST_FRAMES else None

    def _open(self) -> cv2.VideoCapture:
        with quiet_opencv():
            capture = cv2.VideoCapture(self.name, cv2.CAP_FFMPEG)
            capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        if not capture.isOpened():
            raise self._unreadable()
        return capture

    def _unreadable(self) -> DataError:
        return DataError(f"{self.name}: no video can be read from it; is it whole? Convert it, for instance to mp4")

    def __iter__(self) -> Iterator[Frame]:
        """The frames from the first one on; those that cannot be decoded are left out, and how many is said on stderr.

        `index` counts these too; `time_s` comes from the file's own times, and grows from frame to frame.
        """
        capture = self._open()
        clock = _Clock(1 / (self.frame_rate or USUAL_RATE))
        lost = index = 0
        try:
            for failed in _grabbed(capture):
                with quiet_opencv():
                    image = _retrieve(capture)
                    position_ms = capture.get(cv2.CAP_PROP_POS_MSEC)
                index, lost = index + failed, lost + failed
                if image is None:
                    lost += 1
                else:
                    yield Frame(self.name, index, image, clock.time_s(position_ms))
                index += 1
        finally:
            capture.release()
        if clock.last_s < 0:
            raise self._unreadable()
        self._tell(lost, clock.last_s + clock.step_s)

    def _tell(self, lost: int, end_s: float) -> None:
        """Says on stderr, once, what was lost."""
        if lost:
            print(f"{self.name}: frames that could not be read and are left out: {lost}", file=sys.stderr)
        promised_s = (self.num_frames or 0) / (self.frame_rate or math.inf)
        if promised_s - end_s > SHORTFALL_S:
            said = f"it ends at {end_s:.2f} s, although its header says {promised_s:.2f} s"
            print(f"{self.name}: {said}; is the file whole?", file=sys.stderr)


class CameraSource:
    """A camera of this machine; its pictures come until the caller stops asking.

    Args:
        number: from 0, as the system counts.

    Attributes:
        name: `camera 0`.
        kind: "camera".
        frame_rate: what the camera says, if that can be true.
        num_frames: None.

    Raises:
        DataError: there is no such camera, or another program has it.
    """

    kind = "camera"
    num_frames = None

    def __init__(self, number: int) -> None:
        self.name, self._number = f"camera {number}", number
        self._capture: Optional[cv2.VideoCapture] = self._open()
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.frame_rate: Optional[float] = rate if is_sane_rate(rate) else None

    def _open(self) -> cv2.VideoCapture:
        device = Path(f"/dev/video{self._number}")
        if sys.platform.startswith("linux") and not device.exists():  # OpenCV would try one driver after the other
            raise DataError(f"there is no {self.name} ({device}); connect one or choose another number")
        with quiet_opencv():
            capture = cv2.VideoCapture(self._number)
            works = capture.isOpened() and capture.grab()
        if not works:
            capture.release()
            raise DataError(f"{self.name} gives no picture; is it connected, and does no other program use it?")
        return capture

    def __iter__(self) -> Iterator[Frame]:
        """Frames as they come, `time_s` by this machine's clock; says on stderr if the camera stops."""
        capture, self._capture = self._capture or self._open(), None
        start_s = time.monotonic()
        try:
            for index, _ in enumerate(_grabbed(capture)):
                time_s = time.monotonic() - start_s
                with quiet_opencv():
                    image = _retrieve(capture)
                if image is not None:
                    yield Frame(self.name, index, image, time_s)
        finally:
            capture.release()
        print(f"{self.name} gives no more pictures", file=sys.stderr)


class _Clock:
    """Times that grow: those of a file where they do, else one step after the last."""

    def __init__(self, step_s: float) -> None:
        self.step_s, self.last_s = step_s, -step_s
        self._zero_s: Optional[float] = None

    def time_s(self, position_ms: float) -> float:
        position_s = position_ms / 1000 if math.isfinite(position_ms) else 0.0
        if self._zero_s is None:
            self._zero_s = position_s
        said_s = position_s - self._zero_s
        # OpenCV 4.6 says 0 for the last frames of some files
        self.last_s = said_s if said_s > self.last_s else self.last_s + self.step_s
        return self.last_s


def _grabbed(capture: cv2.VideoCapture) -> Iterator[int]:
    """For each frame that was grabbed, how many failed before it; ends where `RETRIES` fail in a row."""
    failed = 0
    while failed < RETRIES:
        with quiet_opencv():
            is_there = capture.grab()
        if is_there:
            yield failed
        failed = 0 if is_there else failed + 1


def _retrieve(capture: cv2.VideoCapture) -> Optional[np.ndarray]:
    """(H, W, 3) uint8 RGB of the frame that was grabbed; None where it cannot be decoded."""
    try:
        is_read, image = capture.retrieve()
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if is_read and image is not None else None
    except cv2.error:
        return None


def _rate_by_times(times_ms: list[float]) -> Optional[float]:
    """Frames per second from the median step; None where that cannot be true either."""
    steps = [after - before for before, after in zip(times_ms, times_ms[1:]) if after > before]
    rate = 1000 / statistics.median(steps) if steps else math.nan
    return rate if is_sane_rate(rate) else None
