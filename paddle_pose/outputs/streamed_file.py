"""A text file that grows through a whole run and takes its place when the run ends well."""

import contextlib
import logging
import os
from pathlib import Path

from paddle_pose.atomic_files import one_line_for, replacing

_LOG = logging.getLogger(__name__)


class StreamedFile:
    """Text written beside `path`, piece by piece; nothing of it is held in memory.

    Args:
        path: the file's place; missing folders are made.
        end: what makes the file whole, written last.

    Raises:
        UserError: it cannot be written, or (in `write` and `close` too) the disk is full; an older file is untouched.
    """

    def __init__(self, path: Path, end: str = "") -> None:
        self._path, self._end = path, end
        self._replacing, self._ended = replacing(path), False
        with one_line_for(path):
            self._beside = self._replacing.__enter__()
            # The name of a file need not be text; what is no text is written as \udc.. escapes.
            self._file = open(self._beside, "w", encoding="utf-8", errors="backslashreplace", newline="")  # noqa: SIM115

    def write(self, text: str) -> None:
        """Appends text."""
        with one_line_for(self._path):
            self._file.write(text)

    def close(self) -> None:
        """The file takes its place; nothing where it has ended already."""
        if self._ended:
            return
        with one_line_for(self._path):
            try:
                self._finish()
            except OSError:
                self._remove()
                raise
            self._replacing.__exit__(None, None, None)

    def give_up(self) -> None:
        """After an error: what there is becomes a whole file called `<stem>.partial<suffix>`, where there is space."""
        if self._ended:
            return
        partial = self._path.with_name(f"{self._path.stem}.partial{self._path.suffix}")
        with contextlib.suppress(OSError):
            self._finish()
            os.replace(self._beside, partial)
            _LOG.warning("%s holds what was finished before the error", partial)
        self._remove()

    def _finish(self) -> None:
        self._ended = True
        with self._file as file:
            file.write(self._end)

    def _remove(self) -> None:
        with contextlib.suppress(_GivenUp):
            self._replacing.__exit__(_GivenUp, _GivenUp(), None)


class _GivenUp(Exception):
    """Makes `replacing` remove its file."""
