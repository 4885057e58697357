"""The folder of an exported model appears whole or not at all, and replaces nothing but an older export."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

from paddle_pose.deployment.deploy_file import BESIDE, DEPLOY_FILE
from paddle_pose.errors import UserError

OURS = (DEPLOY_FILE, *BESIDE)


def check_target(folder: Path) -> None:
    """UserError unless an export may be written to `folder`: nothing is there, or an older export."""
    if folder.is_dir():
        strange = next((path.name for path in folder.iterdir() if path.name not in OURS), None)
        if strange is not None and not (folder / DEPLOY_FILE).is_file():
            raise UserError(f"{folder}: holds {strange} and is not an exported model; choose another --save_dir")
    elif os.path.lexists(folder):
        raise UserError(f"{folder}: is not a folder; choose another --save_dir")


@contextlib.contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder to write to, which becomes `folder` when the block ends well.

    What an older export's folder holds beside its own files is kept.

    Raises:
        UserError: the folder cannot be written, or holds something else; an older export is then untouched.
    """
    check_target(folder)
    folder = folder.resolve()
    temporary, old = (folder.with_name(f".{folder.name}.{os.getpid()}.{what}") for what in ("tmp", "old"))
    try:
        try:
            temporary.mkdir(parents=True)
            yield temporary
            _move_into_place(temporary, folder, old)
        except OSError as error:
            raise UserError(f"cannot write {folder}: {error.strerror or error}; {_advice(folder)}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _advice(folder: Path) -> str:
    kept = "the older export there is intact; " if (folder / DEPLOY_FILE).is_file() else ""
    return f"{kept}choose another --save_dir"


def _move_into_place(temporary: Path, folder: Path, old: Path) -> None:
    moved: Optional[Path] = None
    if folder.exists():
        os.rename(folder, old)
        moved = old
    try:
        os.rename(temporary, folder)
    except OSError:
        if moved:
            os.rename(old, folder)
        raise
    if moved:
        for path in old.iterdir():
            if path.name not in OURS:
                os.rename(path, folder / path.name)
        shutil.rmtree(old)
