"""Small networks and batches made of numbers: what the tests of the engine run on."""

import numpy as np
import paddle
from paddle import nn

from paddle_pose.builder import Parts
from paddle_pose.builder_training import build_trainer
from paddle_pose.codecs.gaussian import GaussianHeatmap
from paddle_pose.config import check_config
from paddle_pose.engine.optimizers import make_optimizer
from paddle_pose.engine.preprocess import Normaliser
from paddle_pose.engine.schedule import Schedule
from paddle_pose.engine.trainer import Trainer
from paddle_pose.losses.heatmaps import JointsMSE
from paddle_pose.samples import Batch

NUM_JOINTS, MIRROR, SIZE = 3, (1, 0, 2), 32


class TinyNet(nn.Layer):
    """Three convolutions, stride 4, optionally with batch norm and dropout."""

    stride = 4

    def __init__(self, batch_norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.first = nn.Conv2D(3, 8, 3, stride=2, padding=1)
        self.bn = nn.BatchNorm2D(8) if batch_norm else nn.Identity()
        self.second = nn.Conv2D(8, 8, 3, stride=2, padding=1)
        self.drop = nn.Dropout(dropout)
        self.to_maps = nn.Conv2D(8, NUM_JOINTS, 1)

    def forward(self, images):
        x = nn.functional.relu(self.bn(self.first(images)))
        return [self.to_maps(self.drop(nn.functional.relu(self.second(x))))]


def filled(network, seed: int = 0):
    """The network with weights that depend on nothing but names' order and `seed`."""
    rng = np.random.default_rng(seed)
    for parameter in network.parameters():
        if not parameter.stop_gradient:
            parameter.set_value(rng.normal(0, 0.2, parameter.shape).astype("float32"))
    return network


def make_batch(indices, size: int = SIZE) -> Batch:
    """People that depend on their index only: noise, joints anywhere in the crop, a photo of double size."""
    rows = [np.random.default_rng((11, int(index))) for index in indices]
    return Batch(
        images=np.stack([rng.integers(0, 256, (size, size, 3), dtype=np.uint8) for rng in rows]),
        joints_crop=np.stack([rng.uniform(4, size - 5, (NUM_JOINTS, 2)) for rng in rows]).astype(np.float32),
        weight=np.ones((len(rows), NUM_JOINTS), np.float32),
        crop_from_image=np.tile(np.array([[0.5, 0, 3], [0, 0.5, -2]]), (len(rows), 1, 1)),
        color_gain=np.stack([rng.uniform(0.6, 1.4, 3) for rng in rows]).astype(np.float32),
        index=np.asarray(indices, np.int64),
        image_paths=tuple(f"photo_{index}.jpg" for index in indices),
    )


def make_codec(size: int = SIZE, **options) -> GaussianHeatmap:
    return GaussianHeatmap(MIRROR, (size, size), 4, **{"sigma_map": 1.0, "target": "unbiased", **options})


def optimizer_of(network, **options):
    """An optimiser with the defaults of the configuration."""
    settings = {
        **{"type": "SGD", "lr": 0.1, "weight_decay": 0.0, "betas": (0.9, 0.999), "momentum": 0.9},
        **{"nesterov": False, "rho": 0.99, "epsilon": 1e-8, "clip_norm": None},
    }
    return make_optimizer(network, **{**settings, **options})


def make_trainer(network, optimizer=None, parallel=None, schedule=None, **options) -> Trainer:
    optimizer = optimizer or optimizer_of(network)
    return Trainer(
        network=network,
        parallel=parallel or network,
        codec=make_codec(),
        loss=JointsMSE(),
        optimizer=optimizer,
        schedule=schedule or Schedule("constant", lr=optimizer.get_lr(), steps_per_epoch=10, epochs=1),
        normalise=Normaliser((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        **options,
    )


def build_tiny(network, ranks: int = 1, steps: int = 2, optimizer=None, schedule=None, **train) -> Trainer:
    """What the builder makes of `train` settings; by default Nesterov's momentum, the rate halved by a plateau."""
    sections = {section: {"type": "X"} for section in ("dataset", "network", "codec", "metric")}
    optimizer = optimizer or {"type": "Momentum", "lr": 0.05, "nesterov": True}
    schedule = schedule or {"type": "plateau", "gamma": 0.5, "patience": 0}
    config = {**sections, "input_wh": [SIZE, SIZE], "optimizer": optimizer, "schedule": schedule, "train": train}
    normalise = Normaliser((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    parts = Parts(check_config(config, "here"), None, network, make_codec(), JointsMSE(), normalise)
    return build_trainer(parts, steps, ranks)


def arrays(network) -> dict[str, np.ndarray]:
    return {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}


def assert_same_arrays(left: dict, right: dict) -> None:
    """Every entry equal to the last bit."""
    assert set(left) == set(right)
    different = [name for name in left if not np.array_equal(left[name], right[name])]
    assert different == []


def assert_close_arrays(left: dict, right: dict, rtol: float, atol: float) -> None:
    assert set(left) == set(right)
    for name in left:
        np.testing.assert_allclose(left[name], right[name], rtol=rtol, atol=atol, err_msg=name)


def numpy_of(tensor) -> np.ndarray:
    return paddle.to_tensor(tensor).numpy()
