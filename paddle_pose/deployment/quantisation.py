"""`model.onnx` -> `model_int8.onnx`: convolutions in 8 bits, with scales from inputs like those that it will see.

Post-training static quantisation by onnxruntime: weights of each output channel and every convolution's input and
output get a scale from the largest value seen (Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018, section 2). Normalisation, decoding, and the convolutions whose output is
decoded stay float32: 256 levels of a map would be seen in places between its cells.
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

FEWEST = 8  # inputs; the more of them, the likelier that the largest values are among them
MOST_SHARE = 0.05  # half of the joints may lie so far from float32's, of the crop's longer side; or maps, of their size
_COMPARED = 32  # inputs


@dataclass(frozen=True)
class Int8Difference:
    """Between the int8 model and the float32 one, on the inputs that it was calibrated with.

    Args:
        median_px, most_px: distance of two joints in crop pixels, of half of them and of 99 %; 0 of a model of maps.
        share: of maps, or scores: root of the mean squared difference, as a share of the values' own.
        inputs: that were compared.
    """

    median_px: float
    most_px: float
    share: float
    inputs: int

    def said(self) -> str:
        """For people."""
        joints = f"joints of {self.inputs} calibration crops: median {self.median_px:.2g} px from float32's, 99 % within"
        if not self.most_px:
            return f"output on {self.inputs} calibration inputs is {self.share:.1%} from float32's"
        return f"{joints} {self.most_px:.2g} px; scores {self.share:.1%} from float32's"


def check_quantising(inputs: int) -> None:
    """UserError unless so many inputs can calibrate, and this machine can quantise and run the result.

    Args:
        inputs: crops, or photos of everybody.
    """
    if inputs < FEWEST:
        raise UserError(
            f"--calibrate: {inputs} crops or photos are too few; give {FEWEST} or more (some dozens are better), of the "
            "kind that the model will see"
        )
    check_int8_cpu("--calibrate")
    for name in ("onnxruntime", "onnx", "ml_dtypes", "onnxruntime.quantization"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise UserError(
                f"--calibrate needs onnxruntime, onnx and ml_dtypes ({' '.join(str(error).split())}): pip install "
                "onnxruntime onnx ml_dtypes; or leave it out"
            ) from None


def quantise(source: Path, target: Path, inputs: Sequence[np.ndarray]) -> None:
    """Writes the int8 model.

    Args:
        source: the float32 one.
        target: what is written.
        inputs: each (B, H, W, 3) uint8 RGB, as the network gets them.

    Raises:
        UserError: onnxruntime cannot.
        OSError: `target` cannot be written.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_static

    with tempfile.TemporaryDirectory() as folder, _one_line_for(source), _quiet():
        folded = Path(folder) / "folded.onnx"
        _fold(source, folded)
        quantize_static(
            str(folded),
            str(target),
            _Reader(inputs),
            per_channel=True,
            nodes_to_quantize=_hidden_convolutions(onnx.load(str(folded)).graph),
            activation_type=QuantType.QUInt8,  # with int8 weights: what VNNI multiplies
            weight_type=QuantType.QInt8,
        )


def compare_int8(source: Path, target: Path, inputs: Sequence[np.ndarray]) -> Int8Difference:
    """Runs both; UserError if the int8 one says something else than the float32 one, not just a little less exactly."""
    step = -(-len(inputs) // _COMPARED)
    exact, model = OnnxModel(source), OnnxModel(target)
    pairs = [(exact({INPUT_NAME: one}), model({INPUT_NAME: one})) for one in inputs[::step]]
    far = [np.linalg.norm(got[0] - want[0], axis=-1).ravel() for want, got in pairs if len(want) > 1]
    median_px, most_px = np.percentile(np.concatenate(far), (50, 99)) if far else (0.0, 0.0)
    squares = [(np.square(got[-1] - want[-1]).sum(), np.square(want[-1]).sum()) for want, got in pairs]
    wrong, size = np.sum(squares, axis=0)
    share = float(np.sqrt(wrong / max(size, 1e-30)))
    found = Int8Difference(round(float(median_px), 4), round(float(most_px), 4), round(share, 5), len(pairs))
    measure = median_px / max(inputs[0].shape[1:3]) if far else share
    if not (measure <= MOST_SHARE and np.isfinite(share)):
        raise UserError(
            f"int8: {found.said()}: more than {MOST_SHARE:.0%} of the crop or of the maps; nothing was written; "
            "calibrate with more photos, of the kind that it was trained on, or leave --calibrate out"
        )
    return found


def _fold(source: Path, folded: Path) -> None:
    """Constants computed and biases put into their convolutions, where the quantiser looks for them."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath, options.log_severity_level = str(folded), 3
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def _hidden_convolutions(graph: Any) -> list[str]:
    """Names of the convolutions whose output passes another one, or a product of matrices, on its way out."""
    maker_of = {name: node for node in graph.node for name in node.output}
    waiting, seen = [output.name for output in graph.output], set()
    last = set()
    while waiting:
        node = maker_of.get(waiting.pop())
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        if node.op_type in ("Conv", "MatMul", "Gemm"):
            last.add(node.name)
        else:
            waiting += node.input
    return [node.name for node in graph.node if node.op_type == "Conv" and node.name not in last]


class _Reader:
    """Hands inputs to the quantiser one by one."""

    def __init__(self, inputs: Sequence[np.ndarray]) -> None:
        self._waiting = iter(inputs)

    def get_next(self) -> Any:
        """The next, by its name; None after the last."""
        return next(({INPUT_NAME: one} for one in self._waiting), None)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser advises through `logging` what has been done."""
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
