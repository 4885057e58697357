"""Drawn videos: one mp4 for each video or camera, without sound, at the speed of its source."""

import os
import sys
from pathlib import Path
from typing import Callable, Optional, Union

import numpy as np

from paddle_pose.errors import DataError
from paddle_pose.frames import Frame, FramePoses
from paddle_pose.outputs.names import OutputNames
from paddle_pose.outputs.writer import PoseWriter
from paddle_pose.video_files import USUAL_RATE, Mp4File, is_sane_rate

LONGEST_HOLD_S = 5.0  # a longer gap between the times of two frames is taken for a wrong time


class VideoWriter(PoseWriter):
    """Frames of a source, drawn, to `<save_dir>/<stem>.mp4`.

    Every frame is written once, and shown again for as long as the source shows no other: where frames were lost,
    where a camera is slower than it says, and where the times between frames vary, the file keeps the source's time.
    Photos (frames without a time) are left to others. Whatever ends the writing, what was written so far is finished
    and kept as a playable file.

    Args:
        save_dir: folder, made where missing.
        drawing: (frame, poses) -> (H, W, 3) uint8 RGB.
        frame_rate_of: source name -> frames per second, or None where it is not known (25 then).
        names: of the run's outputs, where there are other writers.
    """

    def __init__(
        self,
        save_dir: Union[str, Path],
        drawing: Callable[[Frame, FramePoses], np.ndarray],
        frame_rate_of: Callable[[str], Optional[float]],
        names: Optional[OutputNames] = None,
    ) -> None:
        self._save_dir, self._drawing, self._frame_rate_of = Path(save_dir), drawing, frame_rate_of
        self._names = OutputNames() if names is None else names
        self._source: Optional[str] = None
        self._file: Optional[Mp4File] = None
        self._start_s = 0.0
        self._last: Optional[np.ndarray] = None

    def add(self, frame: Frame, poses: FramePoses) -> None:
        """Draws and appends a frame; DataError where the file cannot be written."""
        if frame.time_s is None:
            return
        image = self._drawing(frame, poses)
        if frame.source != self._source:
            self.close()
            self._begin(frame)
        self._hold(frame.time_s)
        self._file.write(image)
        self._last = image

    def _begin(self, frame: Frame) -> None:
        path = self._save_dir / self._names.video(frame.source)
        if os.path.exists(path) and os.path.exists(frame.source) and os.path.samefile(path, frame.source):
            raise DataError(f"{path} is the video itself, and would be replaced; choose another folder")
        rate = self._frame_rate_of(frame.source)
        self._file = Mp4File(path, rate if rate is not None and is_sane_rate(rate) else USUAL_RATE)
        self._source, self._start_s = frame.source, frame.time_s

    def _hold(self, time_s: float) -> None:
        """Shows the last frame until this time."""
        rate, written = self._file.frame_rate, self._file.num_frames
        missing = round((time_s - self._start_s) * rate) - written
        if missing > LONGEST_HOLD_S * rate:
            self._start_s, missing = time_s - written / rate, 0
        for _ in range(missing):
            self._file.write(self._last)

    def close(self) -> None:
        """Finishes the file that is being written; DataError if it cannot be read again."""
        file, self._file, self._source, self._last = self._file, None, None, None
        if file is not None:
            file.close()

    def give_up(self) -> None:
        """After an error: what was written is kept all the same."""
        try:
            self.close()
        except DataError as second:  # the first error is what ended the writing
            print(second, file=sys.stderr)
