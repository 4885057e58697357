"""What writes the poses of a run to files, picture by picture."""

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Optional, Union

from paddle_pose.errors import DataError
from paddle_pose.frames import Frame, FramePoses


class PoseWriter:
    """A context: its files are in place when the block has ended well.

    When it ends by an exception, files of single pictures that were finished stay, and a file of the whole run is kept
    as `<stem>.partial<suffix>` with the pictures that were finished; under a final name there is never half a file.
    """

    def add(self, frame: Frame, poses: FramePoses) -> None:
        """Takes the next picture of a source and who was found in it; UserError where it cannot be written."""
        raise NotImplementedError

    def close(self) -> None:
        """The run has ended well: whole files take their places."""

    def give_up(self) -> None:
        """The run has ended by an exception."""

    def __enter__(self):
        return self

    def __exit__(self, kind: Optional[type], error: Optional[BaseException], trace) -> None:
        if kind is None:
            self.close()
        else:
            self.give_up()


class Writers(PoseWriter):
    """Several writers as one; each is ended, also when another could not be."""

    def __init__(self, writers: Iterable[PoseWriter]) -> None:
        with contextlib.ExitStack() as stack:  # where one cannot be opened, those before it give up
            self._writers = [stack.enter_context(writer) for writer in writers]
            stack.pop_all()

    def add(self, frame: Frame, poses: FramePoses) -> None:
        """To each writer in turn."""
        for writer in self._writers:
            writer.add(frame, poses)

    def close(self) -> None:
        """Closes each."""
        self.__exit__(None, None, None)

    def __exit__(self, kind: Optional[type], error: Optional[BaseException], trace) -> None:
        with contextlib.ExitStack() as stack:
            for writer in reversed(self._writers):
                stack.callback(writer.__exit__, kind, error, trace)


def check_writable(folder: Union[str, Path], flag: str = "--save_dir") -> None:
    """Makes a folder for outputs, before anything is computed; DataError if nothing can be written in it.

    Args:
        folder: path.
        flag: that named it.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError:
        raise DataError(f"{folder} is a file, not a folder; choose another {flag}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot write in {folder} ({reason}); choose another {flag}") from None
