"""A number for a split: two results on splits of one hash are of the same people in the same order."""

import hashlib

import numpy as np

from paddle_pose.interfaces import Dataset


def split_hash(dataset: Dataset) -> str:
    """SHA-256 of photo names and annotated joints, in the dataset's order, as 64 hexadecimal digits.

    Hashed are the names inside the photo folder, joined by line feeds, in UTF-8; then for each person the labelled
    flags as bytes; then the joints x, y in hundredths of a 0-based photo pixel, rounded half up, as little-endian
    int64, 0 where not labelled. Where the dataset lies, and whose boxes are looked at, is not in it.

    Args:
        dataset: its `identity` gives names (any number), joints (N, K, 2) and labelled (N, K).
    """
    names, joints_image, labelled = dataset.identity()
    hundredths = np.floor(np.where(labelled[..., None], joints_image, 0.0) * 100 + 0.5).astype("<i8")
    digest = hashlib.sha256("\n".join(map(str, names)).encode("utf-8", "surrogateescape"))
    digest.update(np.ascontiguousarray(labelled, np.uint8).tobytes())
    digest.update(hundredths.tobytes())
    return digest.hexdigest()
