"""Records training of the public PyTorch implementations in float64, for tests/networks. Needs torch.

    python tests/data/golden/record.py NAME CHECKOUT [KEYS_NPZ ...]

NAME is a key of NETWORKS below, CHECKOUT a checkout of the repository named there. Written into
tests/data/golden/NAME.npz, beside what is there: `losses` before each Adam step and `grad_names`, `grad_norms` of
the first. float64, since in float32 batch statistics of a few cells lose most of their gradient to rounding.

Input, target and weights follow from rules (tests/networks/golden.py), so they are not stored.
"""

import importlib.util
import pathlib
import sys
import types

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
from networks import golden  # noqa: E402  (tests/networks/golden.py)


def bearpaw(checkout: pathlib.Path, stacks: int) -> nn.Module:
    """anibali/pytorch-stacked-hourglass at d43449d."""
    model = load_file("model", checkout / "src/stacked_hourglass/model.py")
    return model.hg(num_stacks=stacks, num_blocks=1, num_classes=16)


def princeton(checkout: pathlib.Path, stacks: int) -> nn.Module:
    """princeton-vl/pytorch_stacked_hourglass at ceedc14; images first get their channels last, as it wants."""
    sys.path.insert(0, str(checkout))
    from models.posenet import PoseNet

    network = PoseNet(stacks, 256, 16)
    forward = network.forward
    network.forward = lambda images: list(forward(images.permute(0, 2, 3, 1)).unbind(1))
    return network


def mmpose(checkout: pathlib.Path, stacks: int) -> nn.Module:
    """open-mmlab/mmpose at 759b39c: its two files run on stand-ins for what they take from mmcv and mmengine."""
    stand_in_for_mmcv()
    folder = checkout / "mmpose/models/backbones"
    for name in ("base_backbone", "resnet", "hourglass"):
        module = load_file(f"mmpose.models.backbones.{name}", folder / f"{name}.py")
    network = nn.Module()
    network.backbone = module.HourglassNet(num_stacks=stacks)
    network.head = nn.Module()
    network.head.multi_final_layers = nn.ModuleList([nn.Conv2d(256, 16, 1) for _ in range(stacks)])
    layers = network.head.multi_final_layers
    network.forward = lambda images: [layer(x) for layer, x in zip(layers, network.backbone(images))]
    return network


def load_file(name: str, path: pathlib.Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stand_in_for_mmcv() -> None:
    class ConvModule(nn.Sequential):
        def __init__(self, *shape, norm_cfg, act_cfg=True, **options):
            super().__init__()
            self.conv = nn.Conv2d(*shape, bias=False, **options)
            self.bn = nn.BatchNorm2d(shape[1])
            if act_cfg:
                self.activate = nn.ReLU()

    class BaseModule(nn.Module):
        def __init__(self, init_cfg=None):
            super().__init__()

    class Sequential(BaseModule, nn.Sequential):
        def __init__(self, *layers, init_cfg=None):
            nn.Sequential.__init__(self, *layers)

    registry = types.SimpleNamespace(register_module=lambda *_: lambda cls: cls)
    fakes = {
        "mmcv": {},
        "mmcv.cnn": {
            "ConvModule": ConvModule,
            "build_conv_layer": lambda cfg, *shape, **options: nn.Conv2d(*shape, **options),
            "build_norm_layer": lambda cfg, width, postfix="": (f"bn{postfix}", nn.BatchNorm2d(width)),
        },
        "mmengine": {},
        "mmengine.model": {"BaseModule": BaseModule, "Sequential": Sequential, "constant_init": None},
        "mmengine.utils": {},
        "mmengine.utils.dl_utils": {},
        "mmengine.utils.dl_utils.parrots_wrapper": {"_BatchNorm": nn.BatchNorm2d},
        "mmpose": {"__path__": []},
        "mmpose.registry": {"MODELS": registry},
        "mmpose.models": {"__path__": []},
        "mmpose.models.backbones": {"__path__": []},
    }
    for name, content in fakes.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(content)


NETWORKS = {
    "bearpaw_hg2": lambda checkout: bearpaw(checkout, 2),
    "bearpaw_hg8": lambda checkout: bearpaw(checkout, 8),
    "princeton_hg8": lambda checkout: princeton(checkout, 8),
    "mmpose_hourglass52_mpii": lambda checkout: mmpose(checkout, 1),
}


def record(name: str, checkout: str) -> None:
    """Trains a few steps in float64 and adds the figures to the golden file."""
    stored = dict(np.load(HERE / f"{name}.npz"))
    network = NETWORKS[name](pathlib.Path(checkout)).train()
    weights = golden.weights(golden.shapes(stored), seed=0)
    counters = {key: value for key, value in network.state_dict().items() if key.endswith("_tracked")}
    network.load_state_dict({**{k: torch.from_numpy(v) for k, v in weights.items()}, **counters})
    network.double()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps = float(np.float32(layer.eps))  # Paddle keeps it in float32, for float64 maps too
    image, target = (torch.from_numpy(array) for array in golden.training_batch())
    optimiser = torch.optim.Adam(network.parameters(), lr=golden.ADAM_RATE)
    losses = []
    for step in range(golden.STEPS):
        optimiser.zero_grad()
        loss = sum(((maps - target) ** 2).mean() for maps in network(image))
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            grads = {k: p.grad.norm().item() for k, p in network.named_parameters() if p.grad is not None}
        optimiser.step()
        print(name, step, losses[-1], flush=True)
    stored |= {"losses": losses, "grad_names": list(grads), "grad_norms": list(grads.values())}
    np.savez_compressed(HERE / f"{name}.npz", **stored)


if __name__ == "__main__":
    record(*sys.argv[1:3])
