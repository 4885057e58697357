"""Five classic human-pose networks in PaddlePaddle, each number checkable against its PyTorch reference."""

from paddle_pose import runtime
from paddle_pose.version import VERSION as __version__

runtime.prepare_environment()

__all__ = ["Predictor", "__version__", "build", "load_network", "load_people_estimator"]


def __getattr__(name: str):
    """Loads the heavy names on first use, so that `--help` does not import paddle."""
    homes = {
        "Predictor": "prediction.predictor",
        **dict.fromkeys(("build", "load_network", "load_people_estimator"), "builder"),
    }
    if name in homes:
        import importlib

        return getattr(importlib.import_module(f"paddle_pose.{homes[name]}"), name)
    raise AttributeError(f"module 'paddle_pose' has no attribute {name!r}")
