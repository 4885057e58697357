"""Loads single files of a checkout, on stand-ins for what they import and is not installed. For record.py."""

import importlib.util
import pathlib
import sys
import types

from torch import nn


def load_file(name: str, path: pathlib.Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stand_in_for_mmcv() -> None:
    class ConvModule(nn.Sequential):
        def __init__(self, *shape, norm_cfg=None, act_cfg=True, **options):
            super().__init__()
            self.conv = nn.Conv2d(*shape, bias=norm_cfg is None, **options)
            if norm_cfg:
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
