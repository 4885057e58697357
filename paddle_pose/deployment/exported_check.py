"""Whether an exported model says what the network says: both see the same made-up pictures.

A joint is compared where its place is decided: where changes of the output as small as rounding leave it where it is.
Two equally high peaks, or two equally high neighbours of one, are told apart by rounding alone, in any program.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import cv2
import numpy as np
import paddle

from paddle_pose.deployment.deploy_file import INPUT_NAME, ONNX, PREFIX
from paddle_pose.deployment.deployable import Deployable
from paddle_pose.deployment.onnx_model import OnnxModel
from paddle_pose.deployment.static_model import StaticModel
from paddle_pose.errors import CheckpointError, UserError

MOST_PIXELS, MOST_SHARE = 0.01, 1e-3  # joints may differ by so many pixels; scores and maps by so much of the largest
BATCHES = (1, 3)
_ROUNDING, _DRAWS = 3e-6, 8  # of the largest value of an output; how many changes are tried
Run = Callable[[np.ndarray], list[np.ndarray]]


@dataclass(frozen=True)
class Difference:
    """Between an exported model and the network.

    Args:
        joints_px: largest distance of two joints on an axis, in crop pixels.
        share: largest difference of a score or map, as a share of the largest one.
        compared: joints that were compared.
        undecided: joints that were not, as rounding decides where they are.
    """

    joints_px: float
    share: float
    compared: int
    undecided: int

    def said(self) -> str:
        """For people."""
        share = f"differ from the network's by at most {self.share:.1e} of the largest"
        if not self.compared + self.undecided:
            return f"maps {share}"
        rest = f", {self.undecided} more are undecided by the network itself" if self.undecided else ""
        return (
            f"joints differ from the network's by at most {self.joints_px:.2g} px ({self.compared} compared{rest}); "
            f"scores {share}"
        )


def compare(layer: Deployable, run: Run, input_wh: tuple[int, int], stride: int, name: str) -> Difference:
    """Compares an exported model with the layer it was made of; UserError if they differ by more than rounding."""
    found = [_one(layer, run, images) for images in pictures(layer, input_wh, stride)]
    total = Difference(
        max(one.joints_px for one in found),
        max(one.share for one in found),
        sum(one.compared for one in found),
        sum(one.undecided for one in found),
    )
    if not (total.joints_px <= MOST_PIXELS and total.share <= MOST_SHARE):
        raise UserError(f"{name}: {total.said()}: more than {MOST_PIXELS:g} px or {MOST_SHARE:g}; nothing was written")
    return total


def pictures(layer: Deployable, input_wh: tuple[int, int], stride: int) -> Iterator[np.ndarray]:
    """Batches (B, H, W, 3) uint8 of coloured clouds; of several sizes where the model takes any."""
    draw = np.random.default_rng(0)
    width, height = input_wh
    sizes = [(width, height)]
    if layer.finds_everybody:
        sizes.append((width + 4 * stride, height))
    for width, height in sizes:
        for count in BATCHES:
            coarse = draw.uniform(-60, 315, (count, 8, 8, 3)).astype(np.float32)
            clouds = [cv2.resize(one, (width, height), interpolation=cv2.INTER_CUBIC) for one in coarse]
            yield np.clip(np.stack(clouds) + draw.normal(0, 8, (count, height, width, 3)), 0, 255).astype(np.uint8)


@paddle.no_grad()
def _one(layer: Deployable, run: Run, images: np.ndarray) -> Difference:
    output = layer.output(paddle.to_tensor(images))
    expected = [part.numpy() for part in layer.decoded(output)]
    got = run(images)
    if [part.shape for part in got] != [part.shape for part in expected]:
        shapes = [part.shape for part in got], [part.shape for part in expected]
        raise UserError(f"the exported model gives {shapes[0]} in place of {shapes[1]}; nothing was written")
    joints_px, decided = 0.0, np.zeros(0, bool)
    if not layer.finds_everybody:
        decided = _decided(layer, output, expected[0])
        joints_px = float(np.abs(got[0] - expected[0]).max(-1)[decided].max(initial=0.0))
        expected, got = expected[1:], got[1:]
    share = max(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30) for a, b in zip(got, expected))
    return Difference(joints_px, float(share), int(decided.sum()), int((~decided).sum()))


def _decided(layer: Deployable, output: paddle.Tensor, joints_crop: np.ndarray) -> np.ndarray:
    """(B, K) whether changes as small as rounding leave a joint within the tolerance."""
    draw = np.random.default_rng(1)
    values = output.numpy()
    size, decided = _ROUNDING * np.abs(values).max(), np.ones(joints_crop.shape[:2], bool)
    for _ in range(_DRAWS):
        changed = values + (size * draw.uniform(-1, 1, values.shape)).astype(np.float32)
        moved = layer.codec.decode(paddle.to_tensor(changed))[0].numpy() - joints_crop
        decided &= np.abs(moved).max(-1) <= MOST_PIXELS
    return decided


def paddle_runner(folder: Path) -> Run:
    """Runs the Paddle form on the CPU, as whoever opens the folder will."""
    with _read_again():
        model = StaticModel(folder / PREFIX, "cpu")
    return lambda images: model({INPUT_NAME: images})


def onnx_runner(folder: Path) -> Run:
    """Runs the ONNX form on the CPU by onnxruntime."""
    with _read_again():
        model = OnnxModel(folder / ONNX)
    return lambda images: model({INPUT_NAME: images})


@contextlib.contextmanager
def _read_again() -> Iterator[None]:
    """UserError where a model cannot be read that was just written: Paddle says nothing of a disk that is full."""
    try:
        yield
    except CheckpointError as error:
        raise UserError(f"the exported model cannot be read again; is there space on the disk? ({error})") from None
