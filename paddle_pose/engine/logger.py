"""What a run tells: lines on the screen and in a file, numbers in metrics.jsonl and VisualDL, a progress bar."""

import json
import sys
from pathlib import Path
from typing import Callable, Optional

import numpy as np
from tqdm import tqdm

from paddle_pose.errors import UserError


class Logger:
    """Writes for one process; the others of a launch get a silent one.

    Args:
        folder: where train.log, metrics.jsonl and vdl/ go; None writes no files.
        silent: say and write nothing.
        visualdl: also write scalars and images for VisualDL.
    """

    def __init__(self, folder: Optional[Path], silent: bool = False, visualdl: bool = False) -> None:
        self._silent = silent
        self._bar: Optional[tqdm] = None
        self._lines = self._numbers = self._vdl = None
        if folder is not None:
            self.open_files(folder, visualdl)

    def open_files(self, folder: Path, visualdl: bool = False) -> None:
        """Writes into files from here on; UserError if the folder cannot be written or VisualDL is not there."""
        if self._silent:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lines = open(folder / "train.log", "a", encoding="utf-8")  # noqa: SIM115 (closed in close)
            self._numbers = open(folder / "metrics.jsonl", "a", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            raise UserError(f"cannot write into {folder}: {error.strerror}; choose another --save_dir") from None
        self._vdl = visualdl_writer()(logdir=str(folder / "vdl")) if visualdl else None

    def line(self, text: str, screen: bool = True) -> None:
        """One line for people, on the screen (above a running bar) and in train.log."""
        if self._silent:
            return
        if screen:
            tqdm.write(text, file=sys.stdout)
            sys.stdout.flush()
        if self._lines:
            self._lines.write(text + "\n")
            self._lines.flush()

    def numbers(self, step: int, values: dict[str, float]) -> None:
        """One row of metrics.jsonl, and a point on each VisualDL curve."""
        if self._numbers:
            self._numbers.write(json.dumps({"step": step, **values}) + "\n")
            self._numbers.flush()
        if self._vdl:
            for name, value in values.items():
                self._vdl.add_scalar(name, value, step)

    def picture(self, step: int, name: str, image: np.ndarray) -> None:
        """An (H, W, 3) uint8 RGB picture for VisualDL."""
        if self._vdl:
            self._vdl.add_image(name, image, step, dataformats="HWC")

    @property
    def shows_pictures(self) -> bool:
        """True where `picture` has a reader, so that drawing is worth its time."""
        return self._vdl is not None

    def start_bar(self, total: int, done: int, title: str) -> None:
        """A progress bar, in a terminal only."""
        self.end_bar()
        if not self._silent and sys.stderr.isatty():
            self._bar = tqdm(total=total, initial=done, desc=title, leave=False, dynamic_ncols=True)

    def advance(self, count: int = 1, note: str = "") -> None:
        """Moves the bar on."""
        if self._bar is not None:
            self._bar.update(count)
            if note:
                self._bar.set_postfix_str(note, refresh=False)

    def end_bar(self) -> None:
        """Removes the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    @property
    def has_bar(self) -> bool:
        """True while a bar stands in for the lines of single steps."""
        return self._bar is not None

    def close(self) -> None:
        """Ends the bar and closes the files."""
        self.end_bar()
        for file in (self._lines, self._numbers, self._vdl):
            if file is not None:
                file.close()


def visualdl_writer() -> Callable:
    """VisualDL's class, whose import takes a while; UserError if it is not installed."""
    try:
        from visualdl import LogWriter
    except ImportError:
        raise UserError(
            "--use_vdl: VisualDL is not installed; pip install 'visualdl>=2.5.3' or leave the flag out"
        ) from None
    return LogWriter
