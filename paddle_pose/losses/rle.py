"""Residual log-likelihood: the likelihood of the true joint under a learned distribution of errors.

Li et al. Human Pose Regression with Residual Log-likelihood Estimation. ICCV 2021, Eq. 10 (Laplace).
Reference code: open-mmlab/mmpose `RLELoss(use_target_weight=True)`.
"""

import paddle
from paddle import Tensor, nn

from paddle_pose.errors import ConfigError
from paddle_pose.registry import LOSSES


@LOSSES.register("RLE")
class RLE:
    """Negative log-likelihood, summed over stages.

    With e = (prediction - target) / sigma, each stage adds, per person, the sum over joints and both coordinates of
        weight * (log sigma - log flow(e) + log(2 sigma) + |e|)
    and takes the mean over the B people. The flow sees both coordinates at once, so its term comes twice, and
    log sigma twice too, as in mmpose. Joints of weight 0 add nothing.

    Args:
        network: has `flow`, points (N, 2) -> log density (N,), and outputs (B, K, 4).
    """

    def __init__(self, network: nn.Layer) -> None:
        self._flow = getattr(network, "flow", None)
        if self._flow is None:
            raise ConfigError(f"loss RLE: {type(network).__name__} predicts no sigma; set network.sigma to true")

    def __call__(self, stages: list[Tensor], target: Tensor, weight: Tensor) -> Tensor:
        """The loss.

        Args:
            stages: stage outputs (B, K, 4): x, y and their sigmas in (0, 1); half precision is cast to float32.
            target: (B, K, 2), the same for every stage; finite also where weight is 0.
            weight: (B, K) of any type.

        Returns:
            A scalar, float32 or as wide as the target.
        """
        return sum(self._stage(stage.astype(target.dtype), target, weight.astype(target.dtype)) for stage in stages)

    def _stage(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        sigma = output[..., 2:]
        error = (output[..., :2] - target) / (sigma + 1e-9)  # (B, K, 2)
        log_flow = self._flow(error.reshape([-1, 2])).reshape([*error.shape[:2], 1])
        log_laplace = -paddle.log(2 * sigma) - error.abs()
        likelihood = log_flow - paddle.log(sigma) + log_laplace
        return -(weight.unsqueeze(-1) * likelihood).sum() / len(output)
