"""A dataset's folder: there as a whole or not at all, made once, never over something else."""

import json
import os
import shutil
from dataclasses import asdict
from typing import Callable

from paddle_pose.errors import DataError
from paddle_pose.synthetic.recipe import Recipe

MARKER = "synthetic.json"
VERSION = 1  # of the pictures: raise it when the same arguments give other files


def make_folder(root: str, format_name: str, recipe: Recipe, fill: Callable[[str], None]) -> bool:
    """Fills a folder beside `root` and renames it to `root` when it is complete.

    Args:
        root: the folder to make; it may exist if it is empty.
        format_name: whose files these are; with `recipe`, all that they depend on, and kept in `MARKER`.
        recipe: what the dataset is asked to be.
        fill: writes everything into the folder that it is given.

    Returns:
        False if `root` is there already, of the same format and recipe; nothing is done then.

    Raises:
        DataError: `root` holds something else, or cannot be written.
    """
    root = os.path.realpath(root)
    arguments = {"format": format_name, **asdict(recipe)}
    marker = {"written_by": "paddle_pose.synthetic", "version": VERSION, "arguments": arguments}
    if _holds(root, marker):
        return False
    partial = os.path.join(os.path.dirname(root), f".{os.path.basename(root)}.partial-{os.getpid()}")
    try:
        os.makedirs(partial)
        fill(partial)
        with open(os.path.join(partial, MARKER), "w", encoding="utf-8") as file:
            json.dump(marker, file, indent=1)
        os.rename(partial, root)
    except OSError as error:
        raise DataError(f"cannot write {root}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return True


def _holds(root: str, marker: dict) -> bool:
    """Whether `root` was made as `marker` says; DataError if it holds anything else."""
    if not os.path.lexists(root):
        return False
    if not os.path.isdir(root):
        raise DataError(f"{root} is a file; give --root a folder that is new or empty")
    if not os.listdir(root):
        return False
    path = os.path.join(root, MARKER)
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        raise DataError(f"{root} holds something that is no synthetic dataset; give --root a new folder") from None
    if found != marker:
        made = {key: found.get(key) for key in ("version", "arguments")} if isinstance(found, dict) else found
        wanted = {key: marker[key] for key in ("version", "arguments")}
        raise DataError(
            f"{root} holds a synthetic dataset made with {made}, not with {wanted}; "
            "give --root a new folder or delete this one"
        )
    return True
