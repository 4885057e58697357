"""Where fetched models are kept: one folder each, with the model, the file it was made of, and how that was done.

    ~/.cache/paddle_pose/NAME/NAME.safetensors     the model
                              provenance.json      how it was made
                              ...                  the published file, if it was downloaded

`PADDLE_POSE_CACHE` names another folder than ~/.cache/paddle_pose.
"""

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from paddle_pose.atomic_files import replacing
from paddle_pose.digests import sha256_of
from paddle_pose.errors import UserError
from paddle_pose.user_cache import cache_folder


def cached_model(name: str) -> Optional[Path]:
    """The model of a name, if it was fetched and is intact; else None."""
    return Place(name).intact_model()


@dataclass(frozen=True)
class Place:
    """What the cache has of one model."""

    name: str

    @property
    def folder(self) -> Path:
        """Where all of it lies."""
        return cache_folder() / self.name

    @property
    def model(self) -> Path:
        """Where the converted model belongs."""
        return self.folder / f"{self.name}.safetensors"

    def provenance(self) -> dict[str, Any]:
        """What was written beside the model; empty where there is nothing, or nothing that can be read."""
        try:
            found = json.loads((self.folder / "provenance.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write_provenance(self, facts: dict[str, Any]) -> None:
        """Writes it, all at once."""
        with replacing(self.folder / "provenance.json") as temporary:
            temporary.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def intact_model(self) -> Optional[Path]:
        """The model, if it is there and is what was written; None where one or the other is not."""
        expected = self.provenance().get("model_sha256")
        try:
            return self.model if expected and sha256_of(self.model) == expected else None
        except OSError:
            return None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else writes here meanwhile: who comes second waits. What an ended process left half done is removed.

        Raises:
            UserError: the cache cannot be written, or its disk is full.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(self.folder / ".lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # gives way when the file is closed, however the process ends
                for rest in self.folder.glob(".*.tmp"):
                    rest.unlink()
                yield
        except OSError as error:
            raise UserError(
                f"{self.folder}: cannot be written ({error.strerror or error}); free some space there, or set "
                "PADDLE_POSE_CACHE to another folder"
            ) from None
