"""What tells files apart by their content."""

import hashlib
from pathlib import Path
from typing import Union


def sha256_of(path: Union[str, Path]) -> str:
    """The SHA-256 of a file, 64 hexadecimal digits; OSError where it cannot be read."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
