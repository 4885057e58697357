"""A model that export.py wrote, ready to run: pixels in, joints out."""

from pathlib import Path
from typing import Literal, Optional, Union, get_args

import numpy as np

from paddle_pose.deployment.deploy_file import ONNX, PREFIX, PROGRAMS, WEIGHTS, read_deploy_file
from paddle_pose.deployment.description import Description
from paddle_pose.deployment.onnx_model import OnnxModel, has_onnxruntime
from paddle_pose.deployment.static_model import StaticModel
from paddle_pose.errors import UserError

Engine = Literal["auto", "paddle", "onnxruntime", "tensorrt"]
ENGINES: tuple[str, ...] = get_args(Engine)


class DeployedModel:
    """An exported model; several threads may call it.

    Attributes:
        description: what it takes and gives.
        engine: what runs it: `paddle`, `onnxruntime` or `tensorrt`.
        device: `cpu` or `gpu:i`.
    """

    def __init__(self, description: Description, model: Union[StaticModel, OnnxModel], engine: str, name: str) -> None:
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
    folder: Union[str, Path], device: str = "auto", threads: Optional[int] = None, engine: Engine = "auto"
) -> DeployedModel:
    """Opens a folder that export.py wrote.

    Args:
        folder: with `deploy.yaml`.
        device: `auto`, `cpu`, `gpu` or `gpu:i`; `auto` is a GPU if this build of Paddle runs on the one that is there.
        threads: of the CPU; all cores by default.
        engine: what runs it; `auto`: see `choose_engine`.

    Raises:
        CheckpointError: files are missing or damaged.
        UserError: the engine or the device is not there.
    """
    folder = Path(folder)
    about = read_deploy_file(folder)
    if engine == "onnxruntime" and device not in ("auto", "cpu"):
        raise UserError(f"--device {device}: onnxruntime runs on the CPU here; take --engine paddle")
    chosen = choose_engine(folder, engine, device)
    about.check_intact(folder, (ONNX,) if chosen == "onnxruntime" else (*PROGRAMS, WEIGHTS))
    if chosen == "onnxruntime":
        model = OnnxModel(folder / ONNX, threads)
    else:
        model = StaticModel(folder / PREFIX, device, threads, chosen)
    return DeployedModel(about.description(), model, chosen, str(folder))


def choose_engine(folder: Path, engine: str, device: str) -> Literal["paddle", "onnxruntime", "tensorrt"]:
    """Which engine runs the model of a folder: the asked one, or with `auto` the fastest that is there.

    On a GPU that is Paddle. On a CPU it is onnxruntime, if it is installed and `model.onnx` is there: up to a sixth
    less time than Paddle with AVX-512, a third less without (docs/inference_speed.md); else Paddle.
    """
    if engine not in ENGINES:
        raise UserError(f"--engine {engine}: unknown; use {', '.join(ENGINES)}")
    if engine != "auto":
        return engine
    if not (folder / ONNX).is_file():
        return "paddle"
    if not any((folder / name).is_file() for name in PROGRAMS):
        return "onnxruntime"
    on_cpu = device == "cpu" or (device == "auto" and not _is_gpu_build())
    return "onnxruntime" if on_cpu and has_onnxruntime() else "paddle"


def _is_gpu_build() -> bool:
    import paddle

    return paddle.is_compiled_with_cuda()
