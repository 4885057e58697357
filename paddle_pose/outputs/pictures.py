"""Drawn photos as files."""

from pathlib import Path

import cv2
import numpy as np

from paddle_pose.atomic_files import written_beside
from paddle_pose.errors import DataError
from paddle_pose.frames import Frame, FramePoses
from paddle_pose.outputs.drawing import Drawing
from paddle_pose.outputs.names import OutputNames
from paddle_pose.outputs.writer import PoseWriter

_QUALITY = {".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95]}


class PictureWriter(PoseWriter):
    """Writes each photo with its people: a JPEG (quality 95) for a JPEG, else a PNG. Frames of videos: see video.py.

    Args:
        save_dir: folder of the pictures.
        drawing: draws them.
        names: of the run's outputs.
    """

    def __init__(self, save_dir: Path, drawing: Drawing, names: OutputNames) -> None:
        self._save_dir, self._drawing, self._names = save_dir, drawing, names

    def add(self, frame: Frame, poses: FramePoses) -> None:
        """Draws and writes a photo."""
        if frame.time_s is None:
            write_picture(self._save_dir / self._names.picture(frame.source), self._drawing(frame, poses))


def write_picture(path: Path, image: np.ndarray) -> None:
    """Writes an (H, W, 3) uint8 RGB picture in the form that the suffix names, whole or not at all; UserError."""
    try:
        done, encoded = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), _QUALITY.get(path.suffix, []))
    except cv2.error:
        done = False
    if not done:
        height, width = image.shape[:2]
        raise DataError(f"cannot write {path}: {width} x {height} is no size for a {path.suffix} file")
    with written_beside(path) as beside:
        beside.write_bytes(encoded.tobytes())
