"""ResNet, global average pooling and one fully connected layer: mmpose's "DeepPose" networks.

Toshev, Szegedy. DeepPose. CVPR 2014, for the idea of regressing coordinates. Trunk: see resnet.py.
`sigma`: Li et al. Human Pose Regression with Residual Log-likelihood Estimation (RLE). ICCV 2021, Sec. 3.
Reference code: open-mmlab/mmpose, `RegressionHead` and `RLEHead` as in `td-reg_res50_8xb64-210e_mpii-256x256` and
`td-reg_res50_rle-8xb64-210e_mpii-256x256`.

Letters: B batch, K joints, H W crop.

Differs from the papers
    - A ResNet in place of DeepPose's AlexNet-like layers; no cascade.
    - With `sigma` the network ends in the sigmoid that mmpose has in its loss and in its decoder, so that averaging
      with the output of a mirrored photo averages sigmas.
"""

import re
from typing import Optional

import paddle
from paddle import nn
from paddle.nn import functional as F  # noqa: N812

from paddle_pose.networks.realnvp import RealNVP
from paddle_pose.networks.resnet import ResNetTrunk
from paddle_pose.registry import NETWORKS

MMPOSE_CONSTANTS = ("loc", "cov", "mask")  # of its flow: 0, the identity, and which coordinate each coupling keeps


@NETWORKS.register("ResNetRegression")
class ResNetRegression(nn.Layer):
    """A residual network that regresses the coordinates of all joints.

    Args:
        num_joints: K.
        depth: 18, 34, 50, 101 or 152.
        sigma: also predict a standard deviation for each coordinate, for the RLE loss. `flow`, which that loss
            trains along, is then a part of this network, so that checkpoints and averages hold it.
    """

    stride = 1  # the output has no cells; the codec works in crop pixels
    head = ("to_joints.",)
    beyond_trunk = ("to_joints.", "flow.")  # what a trunk from ImageNet does not have

    def __init__(self, num_joints: int, depth: int = 50, sigma: bool = False) -> None:
        super().__init__()
        self.num_joints = num_joints
        self.trunk = ResNetTrunk(depth)
        self.to_joints = nn.Linear(self.trunk.channels, num_joints * (4 if sigma else 2))
        self.flow = RealNVP() if sigma else None
        nn.initializer.Normal(0.0, 0.01)(self.to_joints.weight)

    def forward(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """(B, 3, H, W) normalised images -> one (B, K, 2) x, y, or (B, K, 4) with sigma_x, sigma_y in (0, 1)."""
        features = self.trunk(images)  # (B, 2048, H/32, W/32), of depths 18 and 34 (B, 512, H/32, W/32)
        # In an export: oneDNN has a fast kernel for pooling, and none for a mean.
        eager = paddle.in_dynamic_mode()
        features = features.mean([2, 3]) if eager else F.adaptive_avg_pool2d(features, 1).flatten(1)
        numbers = self.to_joints(features).reshape([0, self.num_joints, -1])
        if self.flow is None:
            return [numbers]
        return [paddle.concat([numbers[..., :2], F.sigmoid(numbers[..., 2:])], axis=-1)]

    def reference_name(self, key: str) -> Optional[str]:
        """Our name of the layer that an mmpose checkpoint (0.x or 1.x) calls `key`; None if it has no use here.

        A torchvision checkpoint is also understood: its trunk is ours, its classifier `fc` is None.
        """
        flow = re.match(r"^(?:keypoint_)?head\.loss(?:_module)?\.flow_model\.(.*)$", key)  # `loss` in mmpose 0.x
        if flow:
            return None if flow[1] in MMPOSE_CONSTANTS else f"flow.{RealNVP.reference_name(flow[1])}"
        if key.startswith("fc."):
            return None
        key = re.sub(r"^(keypoint_)?head\.fc\.", "to_joints.", key)
        if key.startswith("to_joints."):
            return key
        return f"trunk.{ResNetTrunk.reference_name(re.sub('^backbone[.]', '', key))}"
