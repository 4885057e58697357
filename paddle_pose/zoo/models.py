"""From a name to a file that can be loaded."""

import os
from pathlib import Path
from typing import Union

from paddle_pose.digests import sha256_of
from paddle_pose.errors import CheckpointError, UserError
from paddle_pose.zoo.index import Bundled, entries, find, unknown

DEFAULT_MODEL = "synthetic_hourglass"


def model_path(name: str) -> Path:
    """The model file of a name: bundled, or in the cache, else fetched, checked and converted first.

    Raises:
        UserError: there is no such model, or it cannot be fetched (the message says what to fetch by hand).
        CheckpointError: the file is damaged.
    """
    entry = find(name)
    if not isinstance(entry, Bundled):
        from paddle_pose.zoo.fetching import fetch

        return fetch(name, entry)
    return intact(entry.path, entry.sha256, "install paddle_pose anew")


def named_model(text: Union[str, Path]) -> str:
    """What `--pretrained_model TEXT` means: the path of a file, or a name of the zoo.

    A name has no suffix and no path separator, so `./NAME` is always a file.

    Raises:
        UserError: a name that the zoo does not have and that is no file either; or it cannot be had, as `model_path`.
    """
    text = str(text)
    if os.path.splitext(text)[1] or os.path.basename(text) != text:
        return text
    if text in entries():
        return str(model_path(text))
    if os.path.exists(text):
        return text
    raise UserError(f"{text}: no such file, and {unknown(text)}")


def default_photo(name: str = DEFAULT_MODEL) -> Path:
    """A rendered photo that a model can be shown on: that of a bundled one, for others the default's."""
    entry = entries().get(name)
    return (entry if isinstance(entry, Bundled) else find(DEFAULT_MODEL)).photo_path


def intact(path: Path, sha256: str, remedy: str) -> Path:
    """The path, if the file there has this hash; CheckpointError otherwise."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; {remedy}")
    if sha256_of(path) != sha256:
        raise CheckpointError(f"{path}: damaged: its SHA-256 is not {sha256[:8]}...; {remedy}")
    return path
