"""A model that export.py wrote, ready to run: pixels in, joints out."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Callable, Literal, Optional, Union, get_args

import numpy as np

from paddle_pose.deployment import fastest_engine
from paddle_pose.deployment.bfloat16 import Bfloat16Model
from paddle_pose.deployment.deploy_file import (
    BESIDE,
    INT8,
    ONNX,
    PREFIX,
    PROGRAMS,
    WEIGHTS,
    DeployFile,
    read_deploy_file,
)
from paddle_pose.deployment.description import Description
from paddle_pose.deployment.onnx_model import OnnxModel, has_onnxruntime
from paddle_pose.deployment.precision import Precision, check_precision
from paddle_pose.deployment.static_model import StaticModel
from paddle_pose.digests import sha256_of
from paddle_pose.environment import version_of
from paddle_pose.errors import CheckpointError, UserError
from paddle_pose.runtime import default_threads

Engine = Literal["auto", "paddle", "onnxruntime", "tensorrt"]
ENGINES: tuple[str, ...] = get_args(Engine)


class DeployedModel:
    """An exported model; several threads may call it.

    Attributes:
        description: what it takes and gives.
        engine: what runs it: `paddle`, `onnxruntime` or `tensorrt`.
        device: `cpu` or `gpu:i`.
        choice: for people: by which figures `auto` chose the engine; None where there was nothing to choose.
    """

    choice: Optional[str] = None

    def __init__(
        self, description: Description, model: Union[StaticModel, OnnxModel, Bfloat16Model], engine: str, name: str
    ) -> None:
        self.description, self.engine, self.device = description, engine, model.device
        self._model, self._name = model, name
        outputs = len(model.output_names)
        if len(model.input_names) != 1 or outputs != len(description.outputs):
            raise UserError(
                f"{name}: the model has {len(model.input_names)} input(s) and {outputs} outputs, but deploy.yaml names "
                f"1 and {list(description.outputs)}; export again"
            )

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Looks at a batch.

        Args:
            images: (B, H, W, 3) uint8 RGB: crops of `description.input_wh`, or photos of one size.

        Returns:
            An array for each of `description.outputs`.

        Raises:
            UserError: the images do not fit, or the model has other joints than deploy.yaml says.
        """
        outputs = self._model({self._model.input_names[0]: self._checked(images)})
        found = dict(zip(self.description.outputs, outputs))
        wanted = (len(images), len(self.description.skeleton))
        if "joints" in found and (found["joints"].shape != (*wanted, 2) or found["scores"].shape != wanted):
            raise UserError(
                f"{self._name}: joints and scores have shapes {found['joints'].shape} and {found['scores'].shape}, but "
                f"deploy.yaml names {wanted[1]} joints: it is of another model; export again"
            )
        return found

    def _checked(self, images: np.ndarray) -> np.ndarray:
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or 0 in images.shape:
            raise UserError(
                f"{self._name}: takes images (B, H, W, 3) of type uint8, but got {images.shape}, {images.dtype}"
            )
        width_height, wanted, stride = images.shape[2:0:-1], self.description.input_wh, self.description.stride
        if wanted is not None and width_height != wanted:
            raise UserError(f"{self._name}: takes crops of {wanted} (width, height), but got {width_height}")
        if wanted is None and any(side % stride for side in width_height):
            raise UserError(f"{self._name}: sides must be multiples of {stride}, but are {width_height}")
        return np.ascontiguousarray(images)


def open_deployed(
    folder: Union[str, Path],
    device: str = "auto",
    threads: Optional[int] = None,
    engine: Engine = "auto",
    precision: Precision = "float32",
) -> DeployedModel:
    """Opens a folder that export.py wrote.

    Args:
        folder: with `deploy.yaml`.
        device: `auto`, `cpu`, `gpu` or `gpu:i`; `auto` is a GPU if this build of Paddle runs on the one that is there.
        threads: of the CPU; all cores by default.
        engine: what runs it; `auto`: the fastest of `possible_engines`. Where there are several, the first use on a
            machine times them, which takes a second or two, and `fastest_engine` remembers.
        precision: `float32`; or on a CPU that has it `bf16`, for which `auto` takes `paddle`, or `int8`, of a folder
            that was calibrated, for which it takes `onnxruntime`.

    Raises:
        CheckpointError: files are missing or damaged.
        UserError: the engine, the device or the precision is not there.
    """
    folder = Path(folder)
    check_precision(precision, engine, device)
    about = read_deploy_file(folder)
    if engine == "onnxruntime" and device not in ("auto", "cpu"):
        raise UserError(f"--device {device}: onnxruntime runs on the CPU here; take --engine paddle")
    if precision == "bf16":
        return _opened(folder, about, device, threads, "paddle", precision)
    if precision == "int8":
        if not (folder / INT8).is_file():
            raise CheckpointError(f"{folder}: has no {INT8}; export again with --format onnx --calibrate PHOTOS")
        return _opened(folder, about, device, threads, "onnxruntime", precision)
    engines, threads = possible_engines(folder, engine, device), threads or default_threads()
    if len(engines) == 1:
        return _opened(folder, about, device, threads, engines[0])
    openers = {name: partial(_opened, folder, about, device, threads, name) for name in engines}
    files = [name for name in BESIDE if (folder / name).is_file()]
    key = fastest_engine.key_of({name: about.sha256.get(name) or sha256_of(folder / name) for name in files}, threads)
    return _fastest(openers, about.input.wh or about.config["input_wh"], key)


def _opened(
    folder: Path,
    about: DeployFile,
    device: str,
    threads: Optional[int],
    engine: str,
    precision: Precision = "float32",
) -> DeployedModel:
    onnx, description = INT8 if precision == "int8" else ONNX, about.description()
    about.check_intact(folder, (onnx,) if engine == "onnxruntime" else (*PROGRAMS, WEIGHTS))
    if engine == "onnxruntime":
        model = OnnxModel(folder / onnx, threads)
    elif precision == "bf16" and description.finds == "one":
        model = Bfloat16Model(folder / PREFIX, device, threads, description)
    else:
        model = StaticModel(folder / PREFIX, device, threads, engine, precision)
    return DeployedModel(description, model, engine, str(folder))


def _fastest(openers: Mapping[str, Callable[[], DeployedModel]], input_wh: tuple[int, int], key: str) -> DeployedModel:
    """The model by the engine that took least time for one picture, now or when it was measured under this key."""
    times_ms, models = fastest_engine.remembered_ms(key, set(openers)), {}
    if not times_ms:
        models = {name: opened() for name, opened in openers.items()}
        picture = np.random.default_rng(0).integers(0, 256, (1, *input_wh[::-1], 3), np.uint8)
        times_ms = fastest_engine.measured_ms(models, picture)
        fastest_engine.remember_ms(key, times_ms)
    chosen, *others = sorted(times_ms, key=times_ms.get)
    model = models[chosen] if models else openers[chosen]()
    figures = ", ".join(f"{name} {times_ms[name]:.3g} ms" for name in others)
    when = "measured now" if models else "measured before"
    model.choice = f"engine {chosen}: {times_ms[chosen]:.3g} ms a picture, {figures} ({when})"
    return model


def possible_engines(folder: Path, engine: str, device: str) -> tuple[str, ...]:
    """Engines that can run the model of a folder: the asked one, or with `auto` those that are there.

    On a GPU that is Paddle. Where nothing is there, it is the one that then says what is missing.
    """
    if engine not in ENGINES:
        raise UserError(f"--engine {engine}: unknown; use {', '.join(ENGINES)}")
    if engine != "auto":
        return (engine,)
    if not (folder / ONNX).is_file():
        return ("paddle",)
    readable = PROGRAMS[1:] if version_of("paddlepaddle").startswith("2.") else PROGRAMS
    if not any((folder / name).is_file() for name in readable):
        return ("onnxruntime",)
    on_cpu = device == "cpu" or (device == "auto" and not _is_gpu_build())
    return ("paddle", "onnxruntime") if on_cpu and has_onnxruntime() else ("paddle",)


def _is_gpu_build() -> bool:
    import paddle

    return paddle.is_compiled_with_cuda()
