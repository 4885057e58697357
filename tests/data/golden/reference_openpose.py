"""The public OpenPose network in PyTorch, for record.py: name -> (checkout -> network)."""

import pathlib

import torch
from stand_ins import load_file
from torch import nn


def tensorboy(checkout: pathlib.Path) -> nn.Module:
    """tensorboy/pytorch_Realtime_Multi-Person_Pose_Estimation at 02174bc; both branches of a stage as one output."""
    network = load_file("rtpose_vgg", checkout / "lib/network/rtpose_vgg.py").get_model("vgg19")
    forward = network.forward

    def stages(images: torch.Tensor) -> list:
        maps = forward(images)[1]  # affinity, confidence, affinity, ... of six stages
        return [torch.cat(pair, 1) for pair in zip(maps[::2], maps[1::2])]

    network.forward = stages
    return network


NETWORKS = {"openpose_vgg19": tensorboy}
