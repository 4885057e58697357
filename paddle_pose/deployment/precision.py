"""bfloat16 for exported models: where it can be had, and joints that it does not blur.

Paddle then runs whatever oneDNN has in bfloat16, decoding included, whose 8 bits of a number blur cells of maps and
pixels of crops (`set_bfloat16_op`, which should keep it to convolutions, does nothing to a `.json` program of Paddle
3.2). So joints are read from the network's output outside, in float32.
"""

from typing import Callable, Literal, get_args

import numpy as np

from paddle_pose import runtime
from paddle_pose.deployment.description import Description
from paddle_pose.environment import version_of
from paddle_pose.errors import UserError

Precision = Literal["float32", "bf16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)
Decode = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def check_precision(precision: str, engine: str, device: str) -> None:
    """UserError, with what can be done instead, where an exported model cannot run so."""
    if precision not in PRECISIONS:
        raise UserError(f"--precision {precision}: unknown; use {', '.join(PRECISIONS)}")
    if precision == "float32":
        return
    if engine not in ("auto", "paddle"):
        raise UserError(f"--precision bf16: is not for --engine {engine}; take --engine paddle")
    if device not in ("auto", "cpu"):
        raise UserError(f"--precision bf16: is for the CPU, not for --device {device}; take --device cpu")
    if version_of("paddlepaddle").startswith("2."):
        raise UserError("--precision bf16: needs Paddle 3, here is Paddle 2; leave it out or install 3.2.2")
    if "avx512_bf16" not in runtime.cpu_flags():
        raise UserError("--precision bf16: this CPU has no avx512_bf16 (/proc/cpuinfo); leave it out")


def check_output(description: Description, name: str) -> None:
    """UserError if the network's own output, which is to be decoded outside, does not come out."""
    if "maps" not in description.outputs:
        raise UserError(f"{name}: --precision bf16 needs the network's own output; export again with --raw")


def float32_decoding(description: Description) -> Decode:
    """Joints (B, K, 2) in crop pixels and scores (B, K) of a network's output, by its own codec."""
    import paddle

    from paddle_pose.builder import build_codec
    from paddle_pose.config import check_config

    config = check_config(description.config, "deploy.yaml")
    codec = build_codec(config, description.skeleton, description.stride)

    def decode(output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with paddle.no_grad():
            joints_crop, scores = codec.decode(paddle.to_tensor(output))
        return joints_crop.numpy(), scores.numpy()

    return decode
