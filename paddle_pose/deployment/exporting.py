"""A network of ours -> a folder that runs without this package: static model, or ONNX, and `deploy.yaml`."""

import dataclasses
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import paddle

from paddle_pose.builder import Parts
from paddle_pose.config_hash import named_config
from paddle_pose.deployment import onnx_conversion, quantisation
from paddle_pose.deployment.deploy_file import INPUT_NAME, INT8, ONNX, PREFIX, PROGRAMS, WEIGHTS, write_description
from paddle_pose.deployment.deployable import Deployable
from paddle_pose.deployment.description import describe
from paddle_pose.deployment.export_folder import replacing_folder
from paddle_pose.deployment.exported_check import Difference, compare, onnx_runner, paddle_runner
from paddle_pose.deployment.folding import fold_batch_norms
from paddle_pose.errors import ConfigError

FORMATS = ("paddle", "onnx")
_RUNNERS = {"paddle": paddle_runner, "onnx": onnx_runner}


def export(
    parts: Parts,
    folder: Path,
    formats: Sequence[str] = ("paddle",),
    raw: bool = False,
    mirror_test: bool = False,
    facts: Any = None,
    calibration: Optional[Sequence[np.ndarray]] = None,
) -> dict[str, Union[Difference, quantisation.Int8Difference]]:
    """Writes an exported model, checked against the network that it was made of.

    Args:
        parts: network with its weights, codec and normalisation, on the CPU.
        folder: what it becomes; an older export there is replaced.
        formats: of `FORMATS`. Paddle's form is that of the Paddle that runs: `.json` of 3.x, `.pdmodel` of 2.6.
        raw: the network's output comes out too.
        mirror_test: look at the mirrored input too.
        facts: what else `deploy.yaml` is to say: `source`, `made_by`.
        calibration: inputs (B, H, W, 3) uint8 RGB, as `prediction.calibration` makes them; with `onnx`, an
            int8 model is written too.

    Returns:
        format -> how far it is from the network; `int8` -> how far it is from `onnx`.

    Raises:
        ConfigError: the network is none that finds joints in a crop or a photo.
        UserError: a format cannot be made or differs from the network, or the folder cannot be written.
    """
    check_exportable(parts)
    if "onnx" in formats:
        onnx_conversion.check_packages()
    if calibration is not None:
        _check_calibration(formats, calibration)
    layer = Deployable(parts, mirror_test, raw)
    with replacing_folder(Path(folder)) as temporary:
        _write_programs(Deployable(_folded(parts), mirror_test, raw), parts.config.input_wh, temporary, formats)
        differences = {
            name: compare(layer, _RUNNERS[name](temporary), parts.config.input_wh, parts.network.stride, name)
            for name in formats
        }
        if calibration is not None:
            quantisation.quantise(temporary / ONNX, temporary / INT8, calibration)
            differences["int8"] = quantisation.compare_int8(temporary / ONNX, temporary / INT8, calibration)
        checked = {name: dataclasses.asdict(difference) for name, difference in differences.items()}
        description = dataclasses.replace(
            describe(parts, layer.outputs, mirror_test), config=named_config(parts.config)
        )
        write_description(temporary, description, {"checked": checked, **(facts or {})})
    return differences


def _write_programs(layer: Deployable, input_wh: tuple, folder: Path, formats: Sequence[str]) -> None:
    """Paddle's form, from which ONNX is made; it stays if it is asked for."""
    _save_paddle(layer, input_wh, folder)
    program = next(folder / name for name in PROGRAMS if (folder / name).is_file())
    if "onnx" in formats:
        onnx_conversion.convert(program, folder / WEIGHTS, folder / ONNX)
    if "paddle" not in formats:
        program.unlink()
        (folder / WEIGHTS).unlink()


def _check_calibration(formats: Sequence[str], calibration: Sequence[np.ndarray]) -> None:
    if "onnx" not in formats:
        raise ConfigError("--calibrate is for ONNX; give --format onnx, or leave it out")
    quantisation.check_quantising(len(calibration))


def check_exportable(parts: Parts) -> None:
    """ConfigError, with what can be done instead, unless the network finds joints in a crop or a photo."""
    if parts.config.dataset.type == "PersonCentres":
        raise ConfigError(
            "a network of person centres finds people, not joints, and is not exported; use its checkpoint as it is: "
            "predict.py --people_model FILE"
        )
    if parts.config.joint_crops is not None:
        raise ConfigError(
            "a later stage of a cascade sees crops around the joints that the stage before found, and is not exported "
            "alone; export the model of the first stage"
        )


def _folded(parts: Parts) -> Parts:
    """The same with a network that loads and runs faster."""
    width, height = parts.config.input_wh
    return dataclasses.replace(parts, network=fold_batch_norms(parts.network, paddle.zeros([1, 3, height, width])))


def _save_paddle(layer: Deployable, input_wh: tuple[int, int], folder: Path) -> None:
    width, height = (None, None) if layer.finds_everybody else input_wh
    spec = paddle.static.InputSpec([None, height, width, 3], "uint8", INPUT_NAME)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Paddle's own code about itself
        paddle.jit.save(layer, str(folder / PREFIX), input_spec=[spec])
    (folder / f"{WEIGHTS}.info").unlink(missing_ok=True)  # 2.6: of its training, no predictor reads it
