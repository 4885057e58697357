"""What an exported PaddleDetection model does to a photo before its network sees it: the steps of `infer_cfg.yml`.

Format and meaning: PaddleDetection, `ppdet/engine/export_utils.py` (writes the file) and `deploy/python/preprocess.py`
(runs the steps). Written anew from those; what a step does to a picture is the same to the last pixel.

Letters: H W height and width of the photo, h w of what a step leaves.
"""

import inspect
from dataclasses import dataclass, replace
from typing import Any, Callable, Union

import cv2
import numpy as np

from paddle_pose.errors import DataError


@dataclass(frozen=True)
class DetectorInput:
    """A photo on its way to the network.

    Args:
        image: (h, w, 3), or (3, h, w) after Permute.
        im_shape: height and width after the resizing, before padding.
        scale_factor: how much the photo was enlarged, down and across.
    """

    image: np.ndarray
    im_shape: tuple[float, float]
    scale_factor: tuple[float, float] = (1.0, 1.0)


Step = Callable[[DetectorInput], DetectorInput]


def resize(target_size: Union[int, list], keep_ratio: bool = True, interp: int = cv2.INTER_LINEAR) -> Step:
    """To `target_size` (height, width), or as near to it as the photo's aspect allows."""
    target_hw = _pair(target_size)

    def run(photo: DetectorInput) -> DetectorInput:
        sides = np.array(photo.image.shape[:2], np.float64)
        if keep_ratio:
            factor = min(target_hw) / sides.min()
            if np.round(factor * sides.max()) > max(target_hw):
                factor = max(target_hw) / sides.max()
            down = across = float(factor)
        else:
            down, across = (float(factor) for factor in target_hw / sides)
        # its size by OpenCV's rounding, and never 0
        if min(np.rint(sides * (down, across))) < 1:
            size_wh = tuple(int(max(1, side)) for side in np.rint(sides * (down, across))[::-1])
            image = cv2.resize(photo.image, size_wh, interpolation=interp)
        else:
            image = cv2.resize(photo.image, None, fx=across, fy=down, interpolation=interp)
        return DetectorInput(image, image.shape[:2], (down, across))

    return run


def normalise(mean: list, std: list, is_scale: bool = True, norm_type: str = "mean_std") -> Step:
    """Colours in RGB order: divided by 255 if `is_scale`; then (colour - mean) / std unless `norm_type` is none."""

    def run(photo: DetectorInput) -> DetectorInput:
        image = photo.image.astype(np.float32) * np.float32(1 / 255 if is_scale else 1)
        if norm_type == "mean_std":
            image = (image - np.array(mean, np.float32)) / np.array(std, np.float32)
        return replace(photo, image=image)

    if norm_type not in ("mean_std", "none"):
        raise ValueError(f"norm_type {norm_type!r} is not known")
    return run


def permute() -> Step:
    """(h, w, 3) -> (3, h, w)."""
    return lambda photo: replace(photo, image=np.ascontiguousarray(photo.image.transpose(2, 0, 1)))


def pad_stride(stride: int = 0) -> Step:
    """Zeros on the right and below, after Permute, until both sides are multiples of `stride`."""

    def run(photo: DetectorInput) -> DetectorInput:
        if stride <= 0:
            return photo
        extra = [(0, 0), *((0, -side % stride) for side in photo.image.shape[1:])]
        return replace(photo, image=np.pad(photo.image, extra))

    return run


def pad(size: Union[int, list], fill_value: Union[list, tuple] = (114.0, 114.0, 114.0)) -> Step:
    """One colour on the right and below, before Permute, up to `size` (height, width)."""
    height, width = _pair(size)

    def run(photo: DetectorInput) -> DetectorInput:
        canvas = np.empty((height, width, 3), np.float32)
        canvas[:] = fill_value
        canvas[: photo.image.shape[0], : photo.image.shape[1]] = photo.image
        return replace(photo, image=canvas)

    return run


STEPS = {"Resize": resize, "NormalizeImage": normalise, "Permute": permute, "PadStride": pad_stride, "Pad": pad}


def read_steps(entries: Any, where: str) -> list[Step]:
    """The steps of the list `Preprocess`; DataError names one that is not known here."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and "type" in entry for entry in entries):
        raise DataError(f"{where}: Preprocess should be a list of steps with a type; export the detector again")
    return [_step(entry, where) for entry in entries]


def _step(entry: dict[str, Any], where: str) -> Step:
    name, arguments = entry["type"], {key: value for key, value in entry.items() if key != "type"}
    if name not in STEPS:
        raise DataError(
            f"{where}: the step {name} of Preprocess is not supported, {', '.join(STEPS)} are; use another detector"
        )
    unknown = sorted(set(arguments) - set(inspect.signature(STEPS[name]).parameters))
    if unknown:
        raise DataError(f"{where}: Preprocess, {name}: the setting {unknown[0]} is not supported")
    try:
        return STEPS[name](**arguments)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: Preprocess, {name}: {error}; export the detector again") from None


def _pair(size: Union[int, list]) -> np.ndarray:
    sides = np.array([size, size] if isinstance(size, int) else size)
    if sides.shape != (2,) or sides.dtype.kind != "i" or sides.min() < 1:
        raise ValueError(f"{size!r} is no size: height and width in pixels")
    return sides
