"""Files of predictions that any system wrote: `.mat`, `.npy`, `.json`; read and written.

Index bases are converted here, once; what is returned is in 0-based photo pixels.

- `.mat`, 1-based: `preds` (N, K, 2 or 3) as HRNet writes pred.mat (lib/dataset/mpii.py, `evaluate`), with our
  own optional `scores` (N, K); or `pos_pred_src` (K, 2, N) as Tompson et al. did for MPII, or `prediction_all`
  (K, 2, N) as Convolutional Pose Machines did for LSP.
- `.npy`, 0-based: (N, K, 2), or (N, K, 3) with the score last. Never a pickle.
- `.json`: {"index_base": 0 or 1, "joints": (N, K, 2 or 3), "scores": (N, K), "skeleton": name}, of which
  `scores` and `skeleton` are optional; or the bare list (N, K, 2 or 3), 0-based. An unknown value is null.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Optional, Union

import numpy as np

from paddle_pose.atomic_files import replacing
from paddle_pose.errors import DataError
from paddle_pose.samples import Predictions
from paddle_pose.skeletons import Skeleton

_LOG = logging.getLogger(__name__)
_JSON_KEYS = ("index_base", "joints", "scores", "skeleton")
_MAT_KEYS = ("preds", "pos_pred_src", "prediction_all")
_NO_NUMBER = -(2**40)


def read_predictions(
    path: Union[str, Path], num_people: int, num_joints: int, skeleton: Optional[Skeleton] = None
) -> Predictions:
    """Reads a file of predictions; DataError in one line where it cannot be scored.

    Args:
        path: a `.mat`, `.npy` or `.json` file.
        num_people: N that the ground truth has.
        num_joints: K that the ground truth has.
        skeleton: if given, a name of a skeleton in the file must be its.

    Returns:
        Joints in 0-based photo pixels, in the file's order. Those that are not finite are kept (they are
        scored as misses) and a warning says how many there are. Scores are 1 where the file has none.
    """
    path = Path(path)
    readers = {".mat": _read_mat, ".npy": _read_npy, ".json": _read_json}
    if path.suffix not in readers:
        raise DataError(f"{path}: predictions are read from {', '.join(readers)}, not from {path.suffix!r}")
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    joints, scores, index_base, name = readers[path.suffix](path)
    if skeleton is not None and name not in (None, skeleton.name):
        raise DataError(f"{path}: joints of {name}, but the dataset has {skeleton.name}")
    joints, scores = (
        _numbers(path, "joints", joints),
        None if scores is None else _numbers(path, "scores", scores),
    )
    _check_shape(path, joints, scores, num_people, num_joints)
    if scores is None:
        scores = joints[..., 2] if joints.shape[2] == 3 else np.ones(joints.shape[:2])
    joints = joints[..., :2] - index_base
    lost = int((~np.isfinite(joints).all(axis=-1)).sum())
    if lost:
        _LOG.warning("%s: %d joints are not finite numbers: scored as misses", path, lost)
    return Predictions(joints, scores.astype(np.float32))


def digest(predictions: Predictions) -> str:
    """SHA-256 of all joints in hundredths of a photo pixel, in hexadecimal: tells published predictions from others.

    The same for every file that the predictions are read from; scores are left out.
    """
    known = np.isfinite(predictions.joints_image)
    with np.errstate(over="ignore", invalid="ignore"):  # joints of 1e308 are nobody's published ones
        hundredths = np.where(known, np.round(100 * np.where(known, predictions.joints_image, 0.0)), _NO_NUMBER)
        return hashlib.sha256(hundredths.astype("<i8").tobytes()).hexdigest()


def write_predictions(path: Union[str, Path], predictions: Predictions, skeleton: Optional[Skeleton] = None) -> None:
    """Writes predictions in the form that the suffix names; the file appears whole or not at all.

    Args:
        path: a `.mat`, `.npy` or `.json` file; missing folders are made.
        predictions: in 0-based photo pixels.
        skeleton: if given, its name is written into a `.json` file.
    """
    path = Path(path)
    writers = {".mat": _write_mat, ".npy": _write_npy, ".json": _write_json}
    if path.suffix not in writers:
        raise DataError(f"{path}: predictions are written to {', '.join(writers)}, not to {path.suffix!r}")
    write_whole(path, lambda file: writers[path.suffix](file, predictions, skeleton))


def _read_mat(path: Path) -> tuple:
    from scipy.io import loadmat  # loads slowly

    try:
        content = loadmat(path)
    except NotImplementedError as error:
        raise DataError(f"{path}: MATLAB v7.3 file: save it with -v7") from error
    # A damaged file can raise anything from scipy's parser; all of it means the same to the user.
    except Exception as error:
        raise DataError(f"{path}: not a readable .mat file ({error})") from error
    if "preds" in content:
        return content["preds"], content.get("scores"), 1, None
    for key in _MAT_KEYS[1:]:
        if key in content:  # MATLAB drops a last axis of length 1; atleast_3d puts it back
            return np.atleast_3d(content[key]).transpose(2, 0, 1), None, 1, None
    keys = ", ".join(key for key in content if not key.startswith("__")) or "nothing"
    raise DataError(f"{path}: no 'preds' (N, K, 2), 'pos_pred_src' or 'prediction_all' (K, 2, N) in it; it has {keys}")


def _read_npy(path: Path) -> tuple:
    try:
        return np.load(path, allow_pickle=False), None, 0, None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: not a readable .npy array of numbers ({error})") from error


def _read_json(path: Path) -> tuple:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a readable .json file ({error})") from error
    if isinstance(content, list):
        return content, None, 0, None
    if not isinstance(content, dict) or not {"index_base", "joints"} <= set(content) <= set(_JSON_KEYS):
        keys = ", ".join(content) if isinstance(content, dict) else type(content).__name__
        raise DataError(
            f"{path}: needs a list, or 'index_base' and 'joints' (and at most 'scores', 'skeleton'); it has {keys}"
        )
    if content["index_base"] not in (0, 1):
        raise DataError(f"{path}: 'index_base' must be 0 or 1, not {content['index_base']!r}")
    return content["joints"], content.get("scores"), content["index_base"], content.get("skeleton")


def _numbers(path: Path, what: str, values: Any) -> np.ndarray:
    """A float64 array; null counts as NaN."""
    try:
        if isinstance(values, list) or values.dtype.kind in "fiu":
            return np.asarray(values, np.float64)
    except (ValueError, TypeError):
        pass
    raise DataError(f"{path}: {what} are not a full array of numbers")


def _check_shape(path: Path, joints: np.ndarray, scores: Optional[np.ndarray], people: int, count: int) -> None:
    if joints.ndim != 3 or joints.shape[2] not in (2, 3):
        raise DataError(f"{path}: joints of shape {joints.shape}, not ({people}, {count}, 2) or ({people}, {count}, 3)")
    if len(joints) != people:
        raise DataError(f"{path}: {len(joints)} predictions, but the ground truth has {people} people: wrong split?")
    if joints.shape[1] != count:
        raise DataError(f"{path}: {joints.shape[1]} joints a person, but the dataset has {count}: wrong dataset?")
    if scores is not None and scores.shape != joints.shape[:2]:
        raise DataError(f"{path}: scores of shape {scores.shape}, but joints of shape {joints.shape}")


def _write_mat(file: IO[bytes], predictions: Predictions, skeleton: Optional[Skeleton]) -> None:
    from scipy.io import savemat  # loads slowly

    savemat(file, {"preds": predictions.joints_image + 1.0, "scores": predictions.scores})


def _write_npy(file: IO[bytes], predictions: Predictions, skeleton: Optional[Skeleton]) -> None:
    with_scores = np.concatenate([predictions.joints_image, predictions.scores[..., None]], axis=-1)
    np.save(file, with_scores, allow_pickle=False)


def _write_json(file: IO[bytes], predictions: Predictions, skeleton: Optional[Skeleton]) -> None:
    content = {
        "index_base": 0,
        "joints": _or_null(predictions.joints_image),
        "scores": _or_null(predictions.scores),
    }
    if skeleton is not None:
        content["skeleton"] = skeleton.name
    file.write(json.dumps(content, allow_nan=False).encode())


def _or_null(array: np.ndarray) -> list:
    """Nested lists with None in place of NaN and infinity, which JSON does not have."""
    array = np.asarray(array, np.float64)
    return np.where(np.isfinite(array), array.astype(object), None).tolist()


def write_whole(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Writes beside `path` and renames, so that a crash leaves the old file or the new one."""
    try:
        with replacing(path) as beside, open(beside, "wb") as file:
            write(file)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error})") from error
