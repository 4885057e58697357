"""`model.onnx` -> `model_int8.onnx`: convolutions in 8 bits, with scales from inputs like those that it will see.

Post-training static quantisation by onnxruntime: weights of each output channel, and the input and output of each
convolution, get a scale from the largest value seen (Jacob et al., "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference", CVPR 2018, section 2). Only networks have convolutions: normalisation and
decoding stay float32, and so do the first and the last convolutions, which cost least time and most accuracy.
"""

import contextlib
import importlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from paddle_pose.deployment.deploy_file import INPUT_NAME
from paddle_pose.deployment.onnx_model import OnnxModel
from paddle_pose.deployment.precision import check_int8_cpu
from paddle_pose.errors import UserError

FEWEST = 8  # inputs: below, the largest values of a layer may not have been seen
MOST_MEDIAN, MOST_SHARE = 0.02, 0.2  # of the crop's longer side, for half of the joints; of scores or maps
_NEEDED = ("onnxruntime", "onnx", "ml_dtypes")
_COMPARED = 32  # inputs


@dataclass(frozen=True)
class Int8Difference:
    """Between the int8 model and the float32 one, on inputs that it was calibrated with: no measure of its accuracy.

    Args:
        median_px, most_px: distance of two joints in crop pixels, of half of them and of 99 %; 0 where maps come out.
        share: of maps, or scores: root of the mean squared difference, as a share of that of the values.
        inputs: that were compared.
    """

    median_px: float
    most_px: float
    share: float
    inputs: int

    def said(self) -> str:
        """For people."""
        if not self.most_px:
            return f"maps of {self.inputs} calibration photos differ from float32's by {self.share:.1%} of them"
        return (
            f"joints of {self.inputs} calibration crops: median {self.median_px:.2g} px from float32's, 99 % within "
            f"{self.most_px:.2g} px; scores differ by {self.share:.1%} of them"
        )


def check_quantising(inputs: int) -> None:
    """UserError unless so many inputs can calibrate, and this machine can quantise and run the result."""
    if inputs < FEWEST:
        raise UserError(
            f"--calibrate: {inputs} crops or photos are too few (with --boxes: people in them); give {FEWEST} or more, "
            "better some dozens, of the kind that the model will see"
        )
    check_int8_cpu("--calibrate")
    missing = [name for name in _NEEDED if not _has(name)]
    if missing:
        raise UserError(
            f"--calibrate needs {' and '.join(missing)}, not installed here: pip install onnxruntime onnx ml_dtypes; "
            "or leave it out"
        )


def quantise(source: Path, target: Path, inputs: Sequence[np.ndarray]) -> None:
    """Writes the int8 model.

    Args:
        source: the float32 one.
        target: what is written.
        inputs: each (B, H, W, 3) uint8 RGB, as the network gets them.

    Raises:
        UserError: onnxruntime cannot.
        OSError: a disk is full.
    """
    with tempfile.TemporaryDirectory() as folder, _one_line_for(source), _quiet():
        import onnx
        from onnxruntime.quantization import QuantType, quantize_static

        folded = Path(folder) / "folded.onnx"
        _fold(source, folded)
        quantize_static(
            str(folded),
            str(target),
            _Reader(inputs),
            op_types_to_quantize=["Conv"],
            nodes_to_quantize=inner_convolutions(onnx.load(str(folded)).graph),
            per_channel=True,
            activation_type=QuantType.QUInt8,  # by int8: what VNNI multiplies
            weight_type=QuantType.QInt8,
        )


def compare_int8(source: Path, target: Path, inputs: Sequence[np.ndarray]) -> Int8Difference:
    """Runs both; UserError if the int8 one says something else than the float32 one, not just a little less exactly."""
    exact, model = OnnxModel(source), OnnxModel(target)
    inputs = inputs[:: -(-len(inputs) // _COMPARED)]
    pairs = [(exact({INPUT_NAME: one}), model({INPUT_NAME: one})) for one in inputs]
    far = [np.linalg.norm(got[0] - want[0], axis=-1).ravel() for want, got in pairs if len(want) > 1]
    median_px, most_px = np.percentile(np.concatenate(far), (50, 99)) if far else (0.0, 0.0)
    wrong, size = (sum(np.square(value).sum() for value in values) for values in _differences(pairs))
    share = float(np.sqrt(wrong / max(size, 1e-30)))
    found = Int8Difference(round(float(median_px), 4), round(float(most_px), 4), round(share, 5), len(inputs))
    if not (median_px <= MOST_MEDIAN * max(inputs[0].shape[1:3]) and share <= MOST_SHARE):  # so that nan is refused
        raise UserError(
            f"int8: {found.said()}: more than {MOST_MEDIAN:.0%} of the crop or {MOST_SHARE:.0%}; nothing was "
            "written; calibrate with more photos, of the kind that it was trained on, or leave --calibrate out"
        )
    return found


def _differences(pairs: Sequence[tuple]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Of scores, or of maps where they come out alone: int8's less float32's, and float32's."""
    which = min(1, len(pairs[0][0]) - 1)
    return [got[which] - want[which] for want, got in pairs], [want[which] for want, _ in pairs]


def _has(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _fold(source: Path, folded: Path) -> None:
    """Constants computed and biases put into their convolutions, where the quantiser looks for them."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath, options.log_severity_level = str(folded), 3
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def inner_convolutions(graph: Any) -> list[str]:
    """Names of the convolutions of an ONNX graph that have others both before and behind them."""
    nodes = list(graph.node)  # in the order in which they run
    behind = _preceded([(node, node.input, node.output) for node in nodes])
    before = _preceded([(node, node.output, node.input) for node in reversed(nodes)])
    return [node.name for node in nodes if node.name in behind & before]


def _preceded(nodes: Sequence[tuple]) -> set[str]:
    """Names of convolutions that another one precedes; nodes are (node, tensors taken, tensors given)."""
    passed, found = set(), set()
    for node, taken, given in nodes:
        is_conv, is_preceded = node.op_type == "Conv", not passed.isdisjoint(taken)
        if is_conv and is_preceded:
            found.add(node.name)
        if is_conv or is_preceded:
            passed.update(given)
    return found


class _Reader:
    """Hands inputs to the quantiser one by one."""

    def __init__(self, inputs: Sequence[np.ndarray]) -> None:
        self._waiting = iter(inputs)

    def get_next(self) -> Any:
        """The next, by its name; None after the last."""
        return next(({INPUT_NAME: one} for one in self._waiting), None)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser logs advice, of which `_fold` has done what serves."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _one_line_for(source: Path) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # of a library, whatever it is
        line = " ".join(str(error).split())[:200]
        raise UserError(
            f"{source.name}: onnxruntime cannot quantise it ({type(error).__name__}: {line}); leave --calibrate out"
        ) from None
