"""The loss of OpenPose: fields and confidence maps of every stage, except where nobody knows the truth.

Cao, Simon, Wei, Sheikh. Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields. CVPR 2017, Eq. 5.
Reference code: ZheC/Realtime_Multi-Person_Pose_Estimation, `training/setLayers.py` (`setLayers_twoBranches`), and the
loss of tensorboy/pytorch_Realtime_Multi-Person_Pose_Estimation, `train/train_VGG19.py` (`get_loss`).

Letters: B batch, L limbs, K joints, C = 2 L + K + 1 maps, h w map.
"""

from typing import Literal

import paddle
from paddle import Tensor

from paddle_pose.errors import ConfigError
from paddle_pose.registry import LOSSES
from paddle_pose.skeletons import Skeleton

SCALES = ("mean", "caffe")


@LOSSES.register("PartAffinityLoss")
class PartAffinityLoss:
    """Squared error times the cell's weight, summed over both branches and all stages.

    Args:
        skeleton: its limbs have the first 2 L maps.
        scale: what the squared errors of a stage are divided by.
            mean: each branch by all of its numbers, B * 2 L * h * w for fields and B * (K + 1) * h * w for confidence
                maps and background; cells of weight 0 count. Without mask this is tensorboy's loss.
            caffe: 2 B, as Caffe's EuclideanLoss. A cell's weight multiplies prediction and target there, so that it
                counts squared; with weights of 0 and 1 both are the same.
            With 38 and 19 maps of 46x46 cells, caffe is 40204 times mean for fields and 20102 times for confidence
            maps. A rate of 1.0 on mean is thus one of 2.5e-5 and 5.0e-5 on caffe, whose published rate is 4e-5. For
            other map sizes the rate has to be worked out again.
        masked: whether cells are weighted at all; false is the loss of tensorboy.
        foreground: weight of a number whose target is not that of an empty photo. 1 is the paper. A narrow network that
            starts from nothing stays at empty maps for long where people are few and small: not one number in a
            hundred is then of a person.
    """

    def __init__(
        self, skeleton: Skeleton, scale: Literal["mean", "caffe"] = "mean", masked: bool = True, foreground: float = 1.0
    ) -> None:
        if scale not in SCALES:
            raise ConfigError(f"unknown loss scale {scale!r}; known: {', '.join(SCALES)}")
        self._num_fields = 2 * len(skeleton.limbs)
        if not foreground > 0:
            raise ConfigError(f"loss.foreground={foreground:g} must be above 0; 1 is the paper's")
        self.scale, self.masked, self.foreground = scale, masked, float(foreground)

    def __call__(self, stages: list[Tensor], target: Tensor, weight: Tensor) -> Tensor:
        """The loss.

        Args:
            stages: stage outputs (B, C, h, w); half precision is cast to float32.
            target: (B, C, h, w) float32, the same for every stage.
            weight: (B, 1, h, w) in [0, 1], the codec's.

        Returns:
            A float32 scalar.
        """
        return sum(self._stage(stage, target, weight.astype("float32")) for stage in stages)

    def _emphasised(self, squared: Tensor, target: Tensor) -> Tensor:
        """Squared errors, larger where there is somebody: an empty photo is 0 everywhere, its background 1."""
        if self.foreground == 1:
            return squared
        somebody = paddle.concat([target[:, :-1] != 0, target[:, -1:] != 1], axis=1).astype("float32")
        return squared * (1.0 + (self.foreground - 1.0) * somebody)

    def _stage(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        if output.shape != target.shape:  # it might broadcast
            raise ConfigError(
                f"this loss compares maps {tuple(target.shape)}, but the network gives {tuple(output.shape)}; "
                "it needs a network with fields, as OpenPose, and codec PartAffinity"
            )
        error = output.astype("float32") - target
        if self.masked and self.scale == "caffe":
            error = error * weight
        squared = self._emphasised(error * error, target)
        if self.scale == "caffe":
            return squared.sum() / (2 * squared.shape[0])
        if self.masked:
            squared = squared * weight
        return squared[:, : self._num_fields].mean() + squared[:, self._num_fields :].mean()
