"""The loss of Convolutional Pose Machines: every stage is supervised, the first one for everyone in the crop.

Wei, Ramakrishna, Kanade, Sheikh. Convolutional Pose Machines. CVPR 2016, Sec. 3.3.
Reference code: shihenw/convolutional-pose-machines-release, `training/genProto.py` (`EuclideanLoss`).

Letters: B batch, K joints, C maps (K, or K + 1 with the background last), h w map.
"""

from typing import Literal

import paddle
from paddle import Tensor

from paddle_pose.errors import ConfigError
from paddle_pose.registry import LOSSES


@LOSSES.register("CPMLoss")
class CPMLoss:
    """Squared error of belief maps, summed over stages, each of weight 1.

    A joint's weight multiplies the squared error of its map; the background's weight is 1.

    Args:
        scale: what the squared errors of a stage are divided by.
            mean: all numbers of it, B * C * h * w; joints of weight 0 count.
            caffe: 2 B, as Caffe's EuclideanLoss. It is C * h * w / 2 times as large as mean, so a published rate of
                SGD is that much smaller (by 1.6e4 for 15 maps of 46x46 cells).
    """

    def __init__(self, scale: Literal["mean", "caffe"] = "mean") -> None:
        if scale not in ("mean", "caffe"):
            raise ConfigError(f"unknown loss scale {scale!r}; known: mean, caffe")
        self.scale = scale

    def __call__(self, stages: list[Tensor], target: Tensor, weight: Tensor) -> Tensor:
        """The loss.

        Args:
            stages: stage outputs (B, C, h, w); half precision is cast to float32.
            target: (B, 2, C, h, w) float32: [:, 0] for the first stage, [:, 1] for all others.
            weight: (B, K) of any type.

        Returns:
            A scalar, float32 or as wide as the target.
        """
        weight = _with_background(weight.astype(target.dtype), target.shape[2])
        total = 0.0
        for stage, maps in enumerate(stages):
            error = maps.astype(target.dtype) - target[:, min(stage, 1)]
            per_map = (error * error).flatten(2)
            per_map = per_map.mean(-1) if self.scale == "mean" else per_map.sum(-1)
            per_map = per_map * weight  # (B, C)
            total = total + (per_map.mean() if self.scale == "mean" else per_map.sum() / (2 * per_map.shape[0]))
        return total


def _with_background(weight: Tensor, maps: int) -> Tensor:
    """(B, K) -> (B, C)."""
    missing = maps - weight.shape[1]
    return weight if missing == 0 else paddle.concat([weight, paddle.ones([weight.shape[0], missing], weight.dtype)], 1)
