"""Losses on coordinates, over the list of stage outputs.

SmoothL1Joints: `SmoothL1Loss` of mmpose, the loss of its DeepPose rows (Girshick, "Fast R-CNN", ICCV 2015, Eq. 3).
MSEJoints: Toshev & Szegedy, "DeepPose", CVPR 2014, Sec. 3.1 (squared error of the labelled joints).
"""

from typing import Callable

from paddle import Tensor
from paddle.nn import functional as F  # noqa: N812

from paddle_pose.errors import ConfigError
from paddle_pose.registry import LOSSES


@LOSSES.register("SmoothL1Joints")
class SmoothL1Joints:
    """Smooth L1 distance, summed over stages.

    Each stage adds the mean over (B, K, 2) of s(weight * prediction - weight * target) with s(d) = d^2 / (2 beta)
    where |d| < beta, and |d| - beta / 2 elsewhere. Joints of weight 0 add nothing but count in the mean's
    denominator, as in mmpose.

    Args:
        beta: where the parabola ends, in the codec's units. mmpose has 1 on [0, 1], so all of its errors lie on the
            parabola.
    """

    def __init__(self, beta: float = 1.0) -> None:
        if not beta > 0:
            raise ConfigError(f"loss beta must be positive, but is {beta}")
        self.beta = float(beta)

    def __call__(self, stages: list[Tensor], target: Tensor, weight: Tensor) -> Tensor:
        """The loss.

        Args:
            stages: stage outputs (B, K, 2); half precision is cast to float32.
            target: (B, K, 2) float32, the same for every stage; finite also where weight is 0.
            weight: (B, K) of any type.

        Returns:
            A scalar, float32 or as wide as the target.
        """
        return _sum_over_stages(stages, target, weight, self._distance)

    def _distance(self, prediction: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        # Paddle multiplies by beta: its smooth_l1_loss is Huber's
        return F.smooth_l1_loss(prediction * weight, target * weight, delta=self.beta) / self.beta


@LOSSES.register("MSEJoints")
class MSEJoints:
    """Squared error, summed over stages.

    Each stage adds the mean over (B, K, 2) of weight * (prediction - target)^2. Joints of weight 0 add nothing but
    count in the mean's denominator; so this is the paper's sum over labelled joints divided by the constant
    2 B K, and where all joints are labelled it is the plain MSE of the Keras model.
    """

    def __call__(self, stages: list[Tensor], target: Tensor, weight: Tensor) -> Tensor:
        """The loss; shapes as in `SmoothL1Joints`."""
        return _sum_over_stages(stages, target, weight, _squared)


def _squared(prediction: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    error = prediction - target
    return (weight * error * error).mean()


def _sum_over_stages(
    stages: list[Tensor], target: Tensor, weight: Tensor, distance: Callable[[Tensor, Tensor, Tensor], Tensor]
) -> Tensor:
    weight = weight.astype(target.dtype).unsqueeze(-1)
    for stage in stages:
        if stage.shape != target.shape:  # it would broadcast, or a sigma would be taken for a coordinate
            raise ConfigError(
                f"this loss compares outputs (B, K, 2), but the network gives {tuple(stage.shape)} for targets "
                f"{tuple(target.shape)}; use loss RLE for a network with sigma, and set sigma to false for this one"
            )
    return sum(distance(stage.astype(target.dtype), target, weight) for stage in stages)
