"""From a name to a file that can be loaded."""

from pathlib import Path
from typing import Union

from paddle_pose.digests import sha256_of
from paddle_pose.errors import CheckpointError
from paddle_pose.zoo.index import Bundled, entries, find

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


def named_model(text: Union[str, Path]) -> Path:
    """What `--pretrained_model TEXT` means: a name of the zoo, else the path of a file.

    A name has no suffix and no path separator, so `./NAME` is always a file.
    """
    return model_path(str(text)) if str(text) in entries() else Path(text)


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
