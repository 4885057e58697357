"""Losses over the list of stage outputs.

JointsMSE: Newell et al., "Stacked Hourglass Networks", ECCV 2016 (MSE on maps, every stack supervised); the
weight of a joint as in HRNet `lib/core/loss.py` and mmpose.
JointsOHKMMSE: Chen et al., "Cascaded Pyramid Network", CVPR 2018, Sec. 3.2 (online hard keypoints mining), as in
HRNet `lib/core/loss.py`.
"""

from typing import Literal, Optional

import paddle
from paddle import Tensor

from paddle_pose.errors import ConfigError
from paddle_pose.registry import LOSSES
from paddle_pose.skeletons import Skeleton

SIDES = ("left_", "right_")


@LOSSES.register("JointsMSE")
class JointsMSE:
    """Weighted mean squared error of maps, summed over stages.

    Each stage adds factor * mean over (B, K, h, w) of
        once:    weight * (prediction - target)^2                  mmpose late 0.x and 1.x, factor 1
        squared: (weight * prediction - weight * target)^2         HRNet, factor 0.5; mmpose <= 0.17, factor 1
    With weights of 0 and 1 both are the same. Joints of weight 0 count in the mean's denominator.

    A joint's own weight multiplies its `weight` before either rule: an error of weight 1.5 counts 1.5 times under
    `once` (WZMIAOMIAO's HRNet, mmpose) and 2.25 times under `squared` (HRNet, USE_DIFFERENT_JOINTS_WEIGHT).

    Args:
        weighting: whether the weight stands outside or inside the square.
        factor: multiplies the loss; HRNet has 0.5.
        joint_weights: weight of some joints, by name (`left_elbow`) or for both sides (`elbow`); where both are
            given the name counts. The others have 1. The public codes have elbow and knee 1.2, wrist and ankle 1.5.
        skeleton: whose joints they are.

    Raises:
        ConfigError: `joint_weights` names an unknown joint, or a weight is negative.
    """

    def __init__(
        self,
        weighting: Literal["once", "squared"] = "once",
        factor: float = 1.0,
        joint_weights: Optional[dict[str, float]] = None,
        skeleton: Optional[Skeleton] = None,
    ) -> None:
        if weighting not in ("once", "squared"):
            raise ConfigError(f"unknown loss weighting {weighting!r}; known: once, squared")
        self.weighting = weighting
        self.factor = float(factor)
        self.joint_weights = _in_joint_order(joint_weights, skeleton) if joint_weights else None

    def __call__(self, stages: list[Tensor], target: Tensor, weight: Tensor) -> Tensor:
        """The loss.

        Args:
            stages: stage outputs (B, K, h, w); half precision is cast to float32.
            target: (B, K, h, w) float32, the same for every stage.
            weight: (B, K) of any type.

        Returns:
            A scalar, float32 or as wide as the target.
        """
        weight = weight.astype(target.dtype)
        if self.joint_weights is not None:
            weight = weight * paddle.to_tensor(self.joint_weights, dtype=target.dtype)
        if self.weighting == "squared":
            weight = weight * weight
        return self.factor * sum(self._over_joints(weight * _mean_square(stage, target)) for stage in stages)

    def _over_joints(self, errors: Tensor) -> Tensor:
        """Weighted errors (B, K) -> scalar."""
        return errors.mean()


@LOSSES.register("JointsOHKMMSE")
class JointsOHKMMSE(JointsMSE):
    """JointsMSE over the `topk` worst joints of each person instead of all K: online hard keypoints mining.

    Joints are ranked by their weighted error, so an unlabelled one is never hard; where fewer than `topk` are
    labelled, zeros fill the rest, and the denominator stays `topk`.

    Args:
        topk: joints of each person that count; HRNet has 8.
        weighting, factor, joint_weights, skeleton: as in JointsMSE, with HRNet's values.

    Raises:
        ConfigError: as in JointsMSE, or `topk` is not between 1 and the number of joints.
    """

    def __init__(
        self,
        topk: int = 8,
        weighting: Literal["once", "squared"] = "squared",
        factor: float = 0.5,
        joint_weights: Optional[dict[str, float]] = None,
        skeleton: Optional[Skeleton] = None,
    ) -> None:
        super().__init__(weighting, factor, joint_weights, skeleton)
        if topk < 1 or (skeleton is not None and topk > len(skeleton)):
            most = len(skeleton) if skeleton is not None else "the number of joints"
            raise ConfigError(f"loss.topk={topk}: must be between 1 and {most}")
        self.topk = topk

    def _over_joints(self, errors: Tensor) -> Tensor:
        return paddle.topk(errors, self.topk, axis=1)[0].mean()


def _mean_square(prediction: Tensor, target: Tensor) -> Tensor:
    """(B, K): mean over the cells of each map."""
    error = prediction.astype(target.dtype) - target
    return (error * error).flatten(2).mean(-1)


def _in_joint_order(joint_weights: dict[str, float], skeleton: Optional[Skeleton]) -> tuple[float, ...]:
    """(K,) weights, 1 where none is given."""
    if skeleton is None:
        raise ConfigError("loss.joint_weights: a skeleton is needed to know the joints")
    parts = {joint: _without_side(joint) for joint in skeleton.joints}
    known = [*skeleton.joints, *sorted(set(parts.values()) - set(skeleton.joints))]
    for name, value in joint_weights.items():
        if name not in known:
            raise ConfigError(f"loss.joint_weights: no joint {name!r} in {skeleton.name}; known: {', '.join(known)}")
        if value < 0:
            raise ConfigError(f"loss.joint_weights.{name}={value}: must not be negative")
    return tuple(float(joint_weights.get(joint, joint_weights.get(part, 1.0))) for joint, part in parts.items())


def _without_side(joint: str) -> str:
    for side in SIDES:
        if joint.startswith(side):
            return joint[len(side) :]
    return joint
