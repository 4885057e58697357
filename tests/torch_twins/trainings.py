"""The four trainings that are compared: a configuration of ours, and the twins of its network, loss and inputs."""

from dataclasses import dataclass, field
from typing import Callable

from torch_twins import cpm, deeppose, hourglass, hrnet, inputs, losses


@dataclass(frozen=True)
class Training:
    """`overrides` change the configuration for both sides."""

    config: str
    twin: type
    loss: Callable
    targets: Callable
    overrides: dict = field(default_factory=dict)

    def build_twin(self, config, num_joints):
        known = {key: value for key, value in config.network.arguments.items() if key not in NOT_IN_A_TWIN}
        return self.twin(num_joints, **known)


NOT_IN_A_TWIN = {"dropout", "initial_std", "batch_norm"}  # none, not needed, always
RECIPES = {
    "published": {  # mmpose's for all four networks: Adam, 5e-4 after a warm-up of 500 steps
        "optimizer": {"type": "Adam", "lr": 5e-4},
        "schedule": {"type": "multistep", "milestones": [170, 200], "warmup_steps": 500, "warmup_ratio": 0.001},
    },
    "config": {},  # of the narrow configuration: four to twelve times that rate after 100 or 200 steps
}
TRAININGS = {
    "hourglass": Training(
        "configs/hourglass/hg1_small_lspet_128x128.yaml",
        hourglass.StackedHourglass,
        losses.joints_mse,
        inputs.heatmaps,
    ),
    "hrnet": Training("configs/hrnet/small_lspet_96x96.yaml", hrnet.HRNet, losses.joints_mse, inputs.heatmaps),
    "deeppose": Training(
        "configs/deeppose/small_lspet_96x96.yaml",
        deeppose.ResNetRegression,
        losses.smooth_l1,
        inputs.box_coordinates,
        {"network": {"type": "ResNetRegression", "depth": 18}, "train": {"batch_size": 8}},
    ),
    "cpm": Training(
        "configs/cpm/small_lspet_96x96.yaml",
        cpm.CPM,
        losses.cpm_loss,
        inputs.belief_maps,
        {"network": {"dropout": 0.0}},  # the frameworks draw other numbers
    ),
}
