"""Losses over the list of stage outputs.

JointsMSE: Newell et al., "Stacked Hourglass Networks", ECCV 2016 (MSE on maps, every stack supervised); the
weight of a joint as in HRNet `lib/core/loss.py` and mmpose.
"""

from typing import Literal

from paddle import Tensor

from paddle_pose.errors import ConfigError
from paddle_pose.registry import LOSSES


@LOSSES.register("JointsMSE")
class JointsMSE:
    """Weighted mean squared error of maps, summed over stages.

    Each stage adds factor * mean over (B, K, h, w) of
        once:    weight * (prediction - target)^2                  mmpose late 0.x and 1.x, factor 1
        squared: (weight * prediction - weight * target)^2         HRNet, factor 0.5; mmpose <= 0.17, factor 1
    With weights of 0 and 1 both are the same. Joints of weight 0 count in the mean's denominator.

    Args:
        weighting: whether the weight stands outside or inside the square.
        factor: multiplies the loss; HRNet has 0.5.
    """

    def __init__(self, weighting: Literal["once", "squared"] = "once", factor: float = 1.0) -> None:
        if weighting not in ("once", "squared"):
            raise ConfigError(f"unknown loss weighting {weighting!r}; known: once, squared")
        self.weighting = weighting
        self.factor = float(factor)

    def __call__(self, stages: list[Tensor], target: Tensor, weight: Tensor) -> Tensor:
        """The loss.

        Args:
            stages: stage outputs (B, K, h, w); half precision is cast to float32.
            target: (B, K, h, w) float32, the same for every stage.
            weight: (B, K) of any type.

        Returns:
            A float32 scalar.
        """
        weight = weight.astype("float32")
        if self.weighting == "squared":
            weight = weight * weight
        return self.factor * sum(_weighted_mse(stage.astype("float32"), target, weight) for stage in stages)


def _weighted_mse(prediction: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    error = prediction - target.astype("float32")
    per_joint = (error * error).flatten(2).mean(-1)  # (B, K)
    return (weight * per_joint).mean()
