"""PyTorch twins of our losses: list of stages, target, weight (B, K) -> scalar."""

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812


def joints_mse(stages, target, weight):
    """Newell et al.: mean squared error of the maps of every stack; a joint without label does not count."""
    weight = weight[:, :, None, None]
    return sum((weight * F.mse_loss(stage, target, reduction="none")).mean() for stage in stages)


def cpm_loss(stages, target, weight):
    """Wei et al., Sec. 3.3; target (B, 2, C, h, w): everybody for the first stage, one person for the others."""
    weight = torch.cat([weight, torch.ones_like(weight[:, :1])], 1)  # the background's
    first = joints_mse(stages[:1], target[:, 0], weight)
    return first + joints_mse(stages[1:], target[:, 1], weight)


def smooth_l1(stages, target, weight, beta=0.05):
    """Girshick, Fast R-CNN, ICCV 2015, Eq. 3, with its kink at `beta`: Huber's loss over beta.

    Paddle's Huber loss keeps the place of the kink in float32, also for float64 numbers; 1.5e-8 of it.
    """
    weight, kink = weight[:, :, None], float(np.float32(beta))
    return sum(F.huber_loss(weight * stage, weight * target, delta=kink) / beta for stage in stages)
