"""TensorRT under Paddle Inference, for GPU builds of Paddle that have it. Not run: no GPU was there.

Paddle 2.6 (`.pdmodel`) builds TensorRT's engines while the predictor is created. Paddle 3 (`.json`) converts the
program first, `paddle.tensorrt.convert`, into a program with the engines inside; it is kept in a folder beside the
model, and made again when the model is newer or the build of Paddle another one.
Documentation: Paddle Inference 2.6 and 3.0, "GPU TensorRT"; `paddle.tensorrt.{Input, TensorRTConfig, convert}`.
"""

import os
from pathlib import Path

from paddle_pose.deployment.static_files import StaticFiles
from paddle_pose.errors import UserError

_WORKSPACE_BYTES = 1 << 30
_SMALLEST_GROUP = 3  # operators that are worth an engine
_MOST = 32  # crops of a batch
_SIDES = (128, 368, 1024)  # smallest, usual and largest where a side may be any


def tensorrt_config(files: StaticFiles, device: str):
    """The configuration of a predictor that runs in TensorRT.

    Raises:
        UserError: this is no GPU, or this build of Paddle has no TensorRT.
    """
    from paddle.inference import Config

    _check_there(device)
    gpu = int(device[4:])
    program, weights = (files.program, files.weights) if not files.is_json else _converted(files)
    config = Config(str(program), str(weights))
    config.disable_glog_info()
    config.enable_use_gpu(256, gpu)
    if files.is_json:
        config.enable_new_executor(True)
    else:
        _ask_for_engines(config, files)
    config.enable_memory_optim()
    return config


def _check_there(device: str) -> None:
    """UserError unless TensorRT can run on this device with this Paddle."""
    import paddle
    from paddle.inference import get_trt_compile_version

    if not paddle.is_compiled_with_cuda():
        raise UserError("--engine tensorrt: this is the CPU build of Paddle; take --engine paddle, or a GPU build")
    if device == "cpu":
        raise UserError("--engine tensorrt: runs on a GPU; take --device gpu, or --engine paddle")
    if tuple(get_trt_compile_version()) == (0, 0, 0):
        raise UserError("--engine tensorrt: this build of Paddle has no TensorRT; take --engine paddle")


def input_shapes(files: StaticFiles) -> dict[str, tuple[list[int], list[int], list[int]]]:
    """Smallest, usual and largest shape of each input: of any axis the first is the batch, others are sides."""
    shapes = {}
    for one in files.inputs:
        at = [[1, 1, _MOST], *[list(_SIDES)] * (len(one.shape) - 1)]
        smallest, usual, largest = (
            [length if length > 0 else at[axis][which] for axis, length in enumerate(one.shape)] for which in range(3)
        )
        shapes[one.name] = (smallest, usual, largest)
    return shapes


def _ask_for_engines(config, files: StaticFiles) -> None:
    """Paddle 2.6: engines for the shapes that may come; they are kept beside the model."""
    from paddle.inference import PrecisionType

    config.set_optim_cache_dir(str(files.program.parent / "tensorrt_cache"))
    config.enable_tensorrt_engine(
        workspace_size=_WORKSPACE_BYTES,
        max_batch_size=_MOST,
        min_subgraph_size=_SMALLEST_GROUP,
        precision_mode=PrecisionType.Float32,
        use_static=True,
        use_calib_mode=False,
    )
    smallest, usual, largest = ({name: row[i] for name, row in input_shapes(files).items()} for i in range(3))
    config.set_trt_dynamic_shape_info(smallest, largest, usual)


def _converted(files: StaticFiles) -> tuple[Path, Path]:
    """Paddle 3: program and weights with the engines inside, made unless they are there."""
    import paddle

    prefix = files.program.parent / f"tensorrt_{paddle.__version__}" / files.program.stem
    program, weights = prefix.with_suffix(".json"), prefix.with_suffix(".pdiparams")
    newest = max(os.path.getmtime(path) for path in (files.program, files.weights))
    if not (program.is_file() and weights.is_file() and os.path.getmtime(program) >= newest):
        _convert(files, prefix)
    return program, weights


def _convert(files: StaticFiles, prefix: Path) -> None:
    try:
        from paddle.tensorrt import Input, TensorRTConfig, convert
    except ImportError as error:
        raise UserError(f"--engine tensorrt: Paddle does not find TensorRT ({error}); take --engine paddle") from None
    shapes, inputs = input_shapes(files), []
    for one in files.inputs:
        smallest, usual, largest = shapes[one.name]
        sizes = {"min_input_shape": smallest, "optim_input_shape": usual, "max_input_shape": largest}
        inputs.append(Input(**sizes, input_data_type=one.dtype, name=one.name))
    settings = TensorRTConfig(inputs=inputs, min_subgraph_size=_SMALLEST_GROUP, workspace_size=_WORKSPACE_BYTES)
    settings.save_model_dir = str(prefix)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    convert(str(files.program.with_suffix("")), settings)
