"""What the user names, as a list of sources of pictures: photos, folders, patterns, videos, cameras."""

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Optional, Protocol

from paddle_pose.errors import DataError
from paddle_pose.frames import Frame
from paddle_pose.media.shown_photos import read_shown_photo
from paddle_pose.media.videos import CameraSource, VideoSource

PHOTO_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
VIDEO_SUFFIXES = (".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv")
_KNOWN = f"photos ({', '.join(PHOTO_SUFFIXES)}) and videos ({', '.join(VIDEO_SUFFIXES)})"


class Source(Protocol):
    """Pictures in a row. Iterating reads them one by one; DataError where one cannot be read.

    Args:
        name: the path as the user named it, or `camera 0`; `Frame.source` of its pictures.
        kind: what it is.
        frame_rate: pictures in a second; None for a photo, and where nobody knows.
        num_frames: how many pictures there are; None where nobody knows.
    """

    name: str
    kind: Literal["photo", "video", "camera"]
    frame_rate: Optional[float]
    num_frames: Optional[int]

    def __iter__(self) -> Iterator[Frame]:
        """The pictures, from the first."""


@dataclass(frozen=True)
class PhotoSource:
    """One photo file, read when it is iterated."""

    name: str
    kind: Literal["photo"] = "photo"
    frame_rate: None = None
    num_frames: int = 1

    def __iter__(self) -> Iterator[Frame]:
        yield Frame(self.name, 0, read_shown_photo(self.name))


def open_sources(inputs: Sequence[str]) -> list[Source]:
    """The sources that the user names, in this order; what is named twice is taken once.

    Args:
        inputs: each of them
            - a photo, or a video by its suffix; a file with any other suffix is tried as a photo;
            - a folder: its photos and videos in natural order (2 before 10), without hidden files and without those in
              folders below it;
            - a pattern of glob: the same of all files that fit; `photos/**/*.jpg` takes a whole tree;
            - the number of a camera: up to three digits and nothing else.

    Raises:
        DataError: there is no such file, or no photo or video in a folder or under a pattern.
    """
    paths: dict[str, str] = {}
    for text in inputs:
        for path in _paths(text):
            paths.setdefault(str(int(path)) if _is_camera(path) else os.path.abspath(path), path)
    return [_source(path) for path in paths.values()]


def _paths(text: str) -> list[str]:
    if _is_camera(text):
        return [text]
    if os.path.isdir(text):
        return _of_folder(text)
    if os.path.lexists(text):
        return [text]
    if glob.has_magic(text):
        return _of_pattern(text)
    if "://" in text:
        raise DataError(f"{text} is an address; download the photo or video and name its file")
    raise DataError(f"{text}: there is no such file or folder; check the path")


def _of_folder(folder: str) -> list[str]:
    try:
        names = [entry.name for entry in os.scandir(folder) if _may_be_read(entry) and not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"folder {folder} cannot be read ({error.strerror}); check its permissions") from None
    found = _known(os.path.join(folder, name) for name in names)
    if not found:
        raise DataError(
            f"folder {folder} has none of the {_KNOWN} that are read; folders below it are not searched, "
            f"'{os.path.join(folder, '**', '*')}' does that"
        )
    return found


def _may_be_read(entry: os.DirEntry) -> bool:
    """A file; or a link that leads nowhere or around in a circle, which is told of when its turn comes."""
    return os.path.isfile(entry.path) or (entry.is_symlink() and not os.path.exists(entry.path))


def _of_pattern(pattern: str) -> list[str]:
    fitting = [path for path in glob.iglob(pattern, recursive=True) if os.path.isfile(path)]
    found = _known(fitting)
    if not found:
        what = f"what fits it, {fitting[0]} for one, is none of the {_KNOWN}" if fitting else "no file fits it"
        raise DataError(f"{pattern}: {what}; check the pattern")
    return found


def _known(paths: Iterator[str]) -> list[str]:
    """Those of a known suffix, in natural order."""
    return sorted((path for path in paths if _suffix(path) in PHOTO_SUFFIXES + VIDEO_SUFFIXES), key=_natural)


def _natural(path: str) -> tuple:
    """Folder by folder, numbers by their value, letters whatever their case."""
    parts = [
        [(int(run), "") if run.isdecimal() else (-1, run) for run in re.split(r"(\d+)", part.casefold())]
        for part in Path(path).parts
    ]
    return parts, path


def _source(path: str) -> Source:
    if _is_camera(path):
        return CameraSource(int(path))
    if _suffix(path) in VIDEO_SUFFIXES:
        return VideoSource(path)
    return PhotoSource(path)


def _is_camera(text: str) -> bool:
    return re.fullmatch("[0-9]{1,3}", text) is not None


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()
