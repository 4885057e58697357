"""What OpenCV prints by itself."""

import contextlib
import threading
from collections.abc import Iterator

import cv2

_lock = threading.Lock()
_inside, _level = 0, 0  # how many threads are in such a block, and what OpenCV printed before the first came


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keeps OpenCV from printing what a caller says better; several threads may do so at once."""
    global _inside, _level
    log = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging  # OpenCV 4, OpenCV 5
    with _lock:
        if not _inside:
            _level = log.getLogLevel()
            log.setLogLevel(0)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                log.setLogLevel(_level)
