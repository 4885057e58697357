"""A file appears whole or not at all: written beside its place, flushed to the disk, then renamed."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Union

from paddle_pose.errors import CheckpointError


@contextlib.contextmanager
def written_beside(path: Union[str, Path]) -> Iterator[Path]:
    """A temporary path to write to, which becomes `path` when the block ends well.

    Raises:
        CheckpointError: the disk is full, the folder cannot be written, or `path` is a device; an older file at
            `path` is untouched.
    """
    path = Path(path)
    refuse_device(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        kept = "; the older file there is intact" if os.path.isfile(path) else ""
        raise CheckpointError(
            f"cannot write {path}: {error.strerror or error}{kept}. Free some space or choose another folder"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def refuse_device(path: Path) -> None:
    """CheckpointError for /dev/null, a pipe and the like, which a renamed file would take the place of."""
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise CheckpointError(f"cannot write {path}: it is no ordinary file; choose another one")
