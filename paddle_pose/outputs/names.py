"""What the outputs of a source are called: the one place where names are made."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from paddle_pose.errors import DataError

_LONGEST = 200  # bytes of a stem: file systems take names of 255, and `_000000000000_keypoints.json` comes behind


class OutputNames:
    """A stem of its own for each source: that of its file, `camera_0` for a camera.

    Where two sources have equal stems (`a/x.jpg`, `b/x.png`; upper and lower case count as equal), the second and
    further ones get a number: `x`, `x_2`, `x_3`, in the order in which they are named here, first of all those given
    at the start. So one object must serve all writers of a run.

    Args:
        sources: names of the run's sources, `Source.name`.
    """

    def __init__(self, sources: Iterable[str] = ()) -> None:
        self._stems: dict[str, str] = {}
        self._taken: set[str] = set()
        for source in sources:
            self.stem(source)

    def stem(self, source: str) -> str:
        """What the names of a source's outputs begin with."""
        if source not in self._stems:
            self._stems[source] = self._free(_stem(source))
        return self._stems[source]

    def picture(self, source: str) -> str:
        """Name of a drawn photo: a JPEG for a JPEG, else a PNG."""
        jpeg = Path(source).suffix.lower() in (".jpg", ".jpeg")
        return self.stem(source) + (".jpg" if jpeg else ".png")

    def video(self, source: str) -> str:
        """Name of a drawn video."""
        return f"{self.stem(source)}.mp4"

    def check_inputs_kept(self, save_dir: Path) -> None:
        """DataError if a picture or video in `save_dir` would get the place of one of the sources."""
        folders = {folder: os.path.realpath(folder) for folder in {os.path.dirname(name) for name in self._stems}}
        inside = os.path.realpath(save_dir)
        inputs = {os.path.basename(name): name for name in self._stems if folders[os.path.dirname(name)] == inside}
        for source in self._stems if inputs else ():
            lost = inputs.get(self.picture(source)) or inputs.get(self.video(source))
            if lost is not None:
                raise DataError(f"{lost} would be overwritten by an output; choose another --save_dir than {save_dir}")

    def _free(self, stem: str) -> str:
        name, number = stem, 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{stem}_{number}"
        self._taken.add(name.casefold())
        return name


def _stem(source: str) -> str:
    if re.fullmatch(r"camera \d+", source):
        return source.replace(" ", "_")
    return os.fsencode(Path(source).stem)[:_LONGEST].decode(errors="ignore") or "picture"
