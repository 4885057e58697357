"""bfloat16 and int8 for exported models: where they can be had.

bfloat16.py and quantisation.py say how they are run. int8's convolutions multiply unsigned by signed bytes, which
without VNNI overflow 16 bits in silence.
"""

from typing import Literal, get_args

from paddle_pose import runtime
from paddle_pose.deployment.onnx_model import has_onnxruntime
from paddle_pose.environment import version_of
from paddle_pose.errors import UserError

Precision = Literal["float32", "bf16", "int8"]
PRECISIONS: tuple[str, ...] = get_args(Precision)


def check_precision(precision: str, engine: str, device: str) -> None:
    """UserError, with what can be done instead, where an exported model cannot run so."""
    if precision not in PRECISIONS:
        raise UserError(f"--precision {precision}: unknown; use {', '.join(PRECISIONS)}")
    if precision == "float32":
        return
    able = {"bf16": "paddle", "int8": "onnxruntime"}[precision]
    if engine not in ("auto", able):
        raise UserError(f"--precision {precision}: is not for --engine {engine}; take --engine {able}")
    if device not in ("auto", "cpu"):
        raise UserError(f"--precision {precision}: is for the CPU, not for --device {device}; take --device cpu")
    if precision == "int8":
        check_int8_cpu("--precision int8")
        if not has_onnxruntime():
            raise UserError("--precision int8: needs onnxruntime; pip install onnxruntime, or leave it out")
        return
    if version_of("paddlepaddle").startswith("2."):
        raise UserError("--precision bf16: needs Paddle 3, here is Paddle 2; leave it out or install 3.2.2")
    if "avx512_bf16" not in runtime.cpu_flags():
        raise UserError("--precision bf16: this CPU has no avx512_bf16 (/proc/cpuinfo); leave it out")


def check_int8_cpu(asked: str) -> None:
    """UserError, which begins with the flag that was asked for, where bytes cannot be multiplied as int8 needs it."""
    if not {"avx512_vnni", "avx_vnni"} & runtime.cpu_flags():
        raise UserError(f"{asked}: this CPU has neither avx512_vnni nor avx_vnni (/proc/cpuinfo); leave it out")
