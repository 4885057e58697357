"""People found by a detector that PaddleDetection exported: `infer_cfg.yml` beside a static model.

Inputs of the model, by name, of one photo: `image` (1, 3, h, w), `im_shape` (1, 2) and `scale_factor` (1, 2), those of
them that it takes. Outputs: boxes (N, 6), each class, score, left, top, right, bottom in photo pixels, and how many
they are; doubles are suppressed in the model.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, Optional, Union

import cv2
import numpy as np

from paddle_pose.deployment.static_model import StaticModel
from paddle_pose.errors import DataError
from paddle_pose.frames import Frame
from paddle_pose.prediction.cropping import Regions
from paddle_pose.prediction.detector_steps import DetectorInput, read_steps

CONFIG, PERSON_LABELS = "infer_cfg.yml", ("person", "pedestrian")
THRESHOLD = 0.5  # where the file has no draw_threshold


class DetectorFinder:
    """Boxes of the class `person`.

    Args:
        folder: as PaddleDetection's `tools/export_model.py` leaves it.
        threshold: lowest score of a box; None: the file's `draw_threshold`.
        device: auto, cpu, gpu or gpu:i.
        threads: of the CPU; None: all.

    Raises:
        DataError: the folder has no `infer_cfg.yml`, its steps are not known here, or it finds no people.
        CheckpointError: the model is missing or damaged.
    """

    def __init__(
        self,
        folder: Union[str, Path],
        threshold: Optional[float] = None,
        device: str = "auto",
        threads: Optional[int] = None,
    ) -> None:
        self._where = str(Path(folder) / CONFIG)
        settings = _read(Path(folder))
        self._steps = read_steps(settings["Preprocess"], self._where)
        self._person = _person_class(settings["label_list"], self._where)
        self._threshold = settings.get("draw_threshold", THRESHOLD) if threshold is None else threshold
        self._model: Callable = StaticModel(folder, device=device, threads=threads)
        self._inputs = _wanted(self._model.input_names, self._where)

    def __call__(self, frames: Sequence[Frame]) -> list[Regions]:
        """The people of each frame, as sure as `threshold` or more, in the model's order."""
        return [self._regions(frame) for frame in frames]

    def _regions(self, frame: Frame) -> Regions:
        photo = DetectorInput(frame.image, frame.image.shape[:2])
        try:
            for step in self._steps:
                photo = step(photo)
        except (cv2.error, ValueError) as error:  # of settings that do not go together
            reason = " ".join(str(error).split())
            raise DataError(f"{self._where}: Preprocess fails: {reason:.150}; export the detector again") from None
        outputs = self._model({name: _input(photo, kind) for name, kind in self._inputs.items()})
        rows = _rows(outputs, self._where)
        corners_image, sides = rows[:, 2:4], rows[:, 4:] - rows[:, 2:4]
        kept = (rows[:, 0] == self._person) & (rows[:, 1] >= self._threshold) & (sides > 0).all(axis=1)
        return Regions(np.hstack([corners_image, sides])[kept], rows[kept, 1])


def _rows(outputs: list[np.ndarray], where: str) -> np.ndarray:
    """(N, 6) float64 of a model's outputs for one photo."""
    boxes = np.asarray(outputs[0], np.float64)
    if boxes.ndim != 2 or (boxes.size and boxes.shape[1] != 6):
        raise DataError(
            f"{where}: the model's first output has shape {boxes.shape}, not (N, 6); export it with its "
            "post-processing and NMS"
        )
    count = int(np.asarray(outputs[1]).sum()) if len(outputs) > 1 else len(boxes)
    rows = boxes.reshape(-1, 6)[:count]
    return rows[np.isfinite(rows).all(axis=1)]


def _input(photo: DetectorInput, kind: str) -> np.ndarray:
    return np.asarray(getattr(photo, kind), np.float32)[None]


def _wanted(names: Sequence[str], where: str) -> dict[str, str]:
    """Name of each input of the model -> what of a `DetectorInput` it gets."""
    kinds = {"image": "image", "x": "image", "im_shape": "im_shape", "scale_factor": "scale_factor"}
    unknown = [name for name in names if name not in kinds]
    if unknown:
        raise DataError(
            f"{where}: the model wants an input {unknown[0]}; a detector wants image, im_shape, scale_factor"
        )
    return {name: kinds[name] for name in names}


def _read(folder: Path) -> dict[str, Any]:
    import yaml

    path = folder / CONFIG
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); give a folder that PaddleDetection's export_model.py made"
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise DataError(f"{path}: not valid YAML ({' '.join(str(error).split())}); export the detector again") from None
    lacking = {"Preprocess", "label_list"} - set(settings if isinstance(settings, dict) else ())
    if lacking:
        raise DataError(f"{path}: has no {min(lacking)}; export the detector again")
    threshold = settings.get("draw_threshold", THRESHOLD)
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
        raise DataError(f"{path}: draw_threshold={threshold!r} is not a number")
    return settings


def _person_class(labels: Any, where: str) -> int:
    """Number of the class of people."""
    known = [label for label in PERSON_LABELS if isinstance(labels, list) and label in labels]
    if not known:
        named = ", ".join(str(label) for label in labels[:5]) if isinstance(labels, list) else repr(labels)
        raise DataError(f"{where}: label_list has no person ({named}); use a detector that was trained on people")
    return labels.index(known[0])
