"""`model.onnx` or `model_int8.onnx`, run by onnxruntime on the CPU.

onnxruntime is an optional package: `pip install onnxruntime`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Optional, Union

import numpy as np

from paddle_pose.errors import CheckpointError, UserError
from paddle_pose.runtime import default_threads


class OnnxModel:
    """Arrays in, arrays out, as `StaticModel`; several threads may call one model.

    Args:
        path: of the file.
        threads: of the CPU; all cores by default.

    Attributes:
        input_names, output_names: in the model's order.

    Raises:
        CheckpointError: the file is missing or damaged.
        UserError: onnxruntime is not installed.
    """

    device = "cpu"

    def __init__(self, path: Union[str, Path], threads: Optional[int] = None) -> None:
        runtime = _onnxruntime()
        if not Path(path).is_file():
            raise CheckpointError(f"{path}: not there; write it with export.py --format onnx")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or default_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors: warnings of constant folding say nothing to a user
        try:
            self._session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its classes have no common base but this one
            raise CheckpointError(f"{path}: onnxruntime cannot load it: {_line(error)}; export again") from None
        self._name = str(path)
        self.input_names = tuple(one.name for one in self._session.get_inputs())
        self.output_names = tuple(one.name for one in self._session.get_outputs())

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Runs it once; UserError where an input does not fit."""
        try:
            return self._session.run(None, dict(inputs))
        except Exception as error:
            raise UserError(f"{self._name}: onnxruntime cannot run it: {_line(error)}") from None


def has_onnxruntime() -> bool:
    """Whether it is installed, without importing it."""
    import importlib.util

    return importlib.util.find_spec("onnxruntime") is not None


def _onnxruntime():
    try:
        import onnxruntime
    except ImportError:
        raise UserError("--engine onnxruntime: not installed; pip install onnxruntime, or --engine paddle") from None
    return onnxruntime


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".")
