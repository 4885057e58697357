"""A file appears whole or not at all: written beside its place, flushed to the disk, then renamed."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Union

from paddle_pose.errors import CheckpointError


@contextlib.contextmanager
def replacing(path: Union[str, Path]) -> Iterator[Path]:
    """A temporary path to write to, which becomes `path` when the block ends well; missing folders are made.

    Raises:
        OSError: the disk is full, the folder cannot be written, or `path` is a folder, a device or a pipe; an older
            file at `path` is untouched.
    """
    path = Path(path)
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):  # a renamed file would replace it
        raise OSError(errno.EINVAL, "it is a device or a pipe")
    if os.path.isdir(path) and not os.path.islink(path):  # said before the work, not after it
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        # Gone after the rename; and where the folder could not be made, it never was.
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def written_beside(path: Union[str, Path]) -> Iterator[Path]:
    """`replacing`, for files that no flag of their own names: CheckpointError in place of OSError."""
    with one_line_for(path), replacing(path) as temporary:
        yield temporary


@contextlib.contextmanager
def one_line_for(path: Union[str, Path]) -> Iterator[None]:
    """CheckpointError, which says how to mend it, in place of an OSError of writing `path`."""
    try:
        yield
    except OSError as error:
        kept = "; the older file there is intact" if os.path.isfile(path) else ""
        raise CheckpointError(
            f"cannot write {path}: {error.strerror or error}{kept}. Free some space or choose another folder"
        ) from None
