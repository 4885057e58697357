"""The folder of what visitors send and get: what lies in it, how large it is, and that nothing stays there."""

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import Union

KEPT_S, EVERY_S = 600, 60


def lies_inside(path: str, folder: Union[str, Path]) -> bool:
    """Whether an absolute path, links followed, is a file of the folder or one below."""
    try:
        real = os.path.realpath(path)
        return os.path.isabs(path) and real.startswith(os.path.realpath(folder) + os.sep) and os.path.isfile(real)
    except ValueError:  # a zero byte
        return False


def folder_bytes(folder: Union[str, Path]) -> int:
    """Bytes of all files of a folder and those below."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # deleted in the meantime
                total += os.stat(os.path.join(place, name), follow_symlinks=False).st_size
    return total


def delete_old(folder: Union[str, Path], age_s: float) -> None:
    """Deletes the files of a folder and those below that are older than this, and old folders that are empty."""
    oldest = time.time() - age_s
    for place, _, names in os.walk(folder, topdown=False):
        was_old = os.stat(place).st_mtime < oldest
        for name in names:
            path = os.path.join(place, name)
            with contextlib.suppress(FileNotFoundError):
                if os.stat(path, follow_symlinks=False).st_mtime < oldest:
                    os.unlink(path)
        if was_old and place != str(folder):
            with contextlib.suppress(OSError):  # not empty
                os.rmdir(place)


def keep_clean(folder: Union[str, Path], age_s: float = KEPT_S, every_s: float = EVERY_S) -> threading.Thread:
    """Deletes what is old, again and again, beside the program, as long as it runs and the folder is there."""

    def clean() -> None:
        while os.path.isdir(folder):
            delete_old(folder, age_s)
            time.sleep(every_s)

    thread = threading.Thread(target=clean, name="old uploads", daemon=True)
    thread.start()
    return thread
