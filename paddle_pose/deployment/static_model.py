"""A static model of Paddle, run by Paddle Inference: one of ours, or any other.

On a CPU the convolutions run in oneDNN, folded with what follows them. GPU and TensorRT follow Paddle's documentation
of 2.6 and 3.x and were not run: no GPU was there.
"""

import threading
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Literal, Optional, Union

import numpy as np

from paddle_pose.deployment.precision import Precision, check_precision
from paddle_pose.deployment.static_files import StaticFiles, StaticInput, cut_to_output, find_static_files
from paddle_pose.errors import CheckpointError, UserError
from paddle_pose.runtime import choose_device, default_threads

StaticEngine = Literal["paddle", "tensorrt"]
_GPU_POOL_MB = 256  # taken at the start; more is taken when needed
_SHAPES_KEPT = 4  # shapes of the input whose oneDNN primitives are kept: each holds its own memory


class StaticModel:
    """Arrays in, arrays out. Several threads may call one model: it runs for one of them at a time.

        model = StaticModel("inference/picodet")
        boxes, counts = model({"image": image, "scale_factor": scale})

    Args:
        path: a folder, a prefix (`folder/model`) or a program file; of both formats `.json` is taken, by Paddle 3.
        device: `auto`, `cpu`, `gpu` or `gpu:i`, see `runtime.choose_device`.
        threads: of the CPU; all cores by default.
        engine: `paddle`, or `tensorrt` on a GPU.
        precision: `float32`, or `bf16` of whatever oneDNN has in it: by `paddle` on a CPU, see `check_precision`.
        output: the only one, by its place, that comes out and is computed, of a `.json` program; all by default.

    Attributes:
        input_names, output_names: in the model's order.
        inputs: name -> type and shape that it takes.
        device: `cpu` or `gpu:i`.

    Raises:
        CheckpointError: the files are missing, damaged, of two models, or of a newer Paddle.
        UserError: the device or the engine is not there.
    """

    def __init__(
        self,
        path: Union[str, Path],
        device: str = "auto",
        threads: Optional[int] = None,
        engine: StaticEngine = "paddle",
        precision: Precision = "float32",
        output: Optional[int] = None,
    ) -> None:
        import paddle

        check_precision(precision, engine, device)
        files = find_static_files(path, reads_json=not paddle.__version__.startswith("2."))
        threads = threads or default_threads()
        self.device = choose_device(device, threads)
        check_precision(precision, engine, self.device)  # `auto` may be a GPU
        self._name = str(files.program)
        with nullcontext(files) if output is None else cut_to_output(files, output) as run:
            config = _config(run, self.device, threads, engine, precision)
            self._predictor = _created(config, self._name)
        self._lock = threading.Lock()
        self.input_names = tuple(self._predictor.get_input_names())
        self.output_names = tuple(self._predictor.get_output_names())
        known = {one.name: one for one in files.inputs}
        self.inputs = {name: known.get(name, StaticInput(name, None, ())) for name in self.input_names}
        self._sources = {name: self._predictor.get_input_handle(name) for name in self.input_names}
        self._sinks = [self._predictor.get_output_handle(name) for name in self.output_names]

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Runs it once.

        Args:
            inputs: an array for each of `input_names`, of the type and shape that `inputs` tells.

        Returns:
            An array for each of `output_names`, in that order.

        Raises:
            UserError: an input is missing, unknown, or does not fit.
        """
        if set(inputs) != set(self.input_names):
            raise UserError(f"{self._name}: takes inputs {list(self.input_names)}, but got {sorted(inputs)}")
        arrays = {name: self._checked(name, inputs[name]) for name in self.input_names}
        with self._lock:
            for name, array in arrays.items():
                self._sources[name].copy_from_cpu(array)
            self._run()
            return [sink.copy_to_cpu() for sink in self._sinks]

    def _checked(self, name: str, array: np.ndarray) -> np.ndarray:
        """The array as Paddle wants it, in one piece of memory."""
        array, wanted = np.asarray(array), self.inputs[name]
        if wanted.dtype is not None and array.dtype != wanted.dtype:
            raise UserError(f"{self._name}: input {name!r} must be {wanted.dtype}, but is {array.dtype}")
        if wanted.shape and not _fits(array.shape, wanted.shape):
            shape = ["any" if length < 0 else length for length in wanted.shape]
            raise UserError(f"{self._name}: input {name!r} must have shape {shape}, but has {list(array.shape)}")
        return np.ascontiguousarray(array)

    def _run(self) -> None:
        try:
            self._predictor.run()
        except (RuntimeError, ValueError, IndexError, NotImplementedError, OSError, MemoryError) as error:
            raise UserError(f"{self._name}: Paddle cannot run it: {first_line(error)}") from None


def _config(files: StaticFiles, device: str, threads: int, engine: StaticEngine, precision: Precision):
    """What Paddle Inference is told."""
    if engine == "tensorrt":
        from paddle_pose.deployment.tensorrt import tensorrt_config

        return tensorrt_config(files, device)
    from paddle.inference import Config

    config = Config(str(files.program), str(files.weights))
    config.disable_glog_info()
    if device == "cpu":
        config.disable_gpu()
        config.set_cpu_math_library_num_threads(threads)
        config.enable_mkldnn()
        config.set_mkldnn_cache_capacity(_SHAPES_KEPT)
        if precision == "bf16":
            config.enable_mkldnn_bfloat16()
    else:
        config.enable_use_gpu(_GPU_POOL_MB, int(device[4:]))
    if files.is_json:
        config.enable_new_executor(True)  # without it the next line makes `create_predictor` fail
    config.enable_memory_optim()
    return config


def _created(config, name: str):
    """The predictor; what Paddle says against the model in one line."""
    from paddle.inference import create_predictor

    try:
        return create_predictor(config)
    except (RuntimeError, ValueError, NotImplementedError, OSError, IndexError, MemoryError) as error:
        raise CheckpointError(f"{name}: Paddle cannot load it: {first_line(error)}; export again") from None


def first_line(error: Exception) -> str:
    """What one of Paddle's long messages says: its last line that is not a hint."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if line.startswith("(")] or lines
    return said[-1][:200].rstrip(".") if said else type(error).__name__


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(length < 0 or length == got for got, length in zip(shape, wanted))
