"""A model as prediction sees it: pictures in, arrays out, whether it is a checkpoint or an exported folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional, Protocol, Union

import numpy as np
import paddle

from paddle_pose import runtime
from paddle_pose.builder import Parts, build_codec, load_parts
from paddle_pose.config import check_config
from paddle_pose.deployment.description import Description, describe
from paddle_pose.engine.evaluator import Evaluator
from paddle_pose.errors import ConfigError
from paddle_pose.interfaces import Codec


class PoseModel(Protocol):
    """What `EagerModel` and `deployment.deployed_model.DeployedModel` have in common."""

    description: Description

    def __call__(self, images: np.ndarray) -> Mapping[str, np.ndarray]:
        """(B, H, W, 3) uint8 RGB -> one array for each name of `description.outputs`."""


class EagerModel:
    """The network of a configuration, as training made it.

    Args:
        parts: what the configuration describes, weights loaded.
        mirror_test: average with the un-mirrored output for the mirrored pictures; twice the time.

    Raises:
        ConfigError: nobody says what a mirror does to these joints.
    """

    def __init__(self, parts: Parts, mirror_test: bool = False) -> None:
        if mirror_test and parts.skeleton.mirror_pairs is None:
            raise ConfigError(
                f"--mirror_test: nobody says which joints of {parts.skeleton.name} change places in a mirror; "
                "leave it out"
            )
        parts.network.eval()
        self._network, self._codec = parts.network, parts.codec
        self._evaluator = Evaluator(parts.codec, parts.normalise, mirror_test)
        outputs = ("maps",) if hasattr(parts.codec, "people") else ("joints", "scores", "maps")
        self.description = describe(parts, outputs, mirror_test)
        if not hasattr(parts.codec, "people") and len(parts.codec.output_shape(len(parts.skeleton))) != 3:
            self.description = describe(parts, outputs[:2], mirror_test)  # coordinates: there are no maps

    @paddle.no_grad()
    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """(B, H, W, 3) uint8 RGB -> `joints` (B, K, 2) crop pixels, `scores` (B, K), `maps` (B, C, h, w).

        A model of coordinates has no maps, one that finds everybody has nothing else.
        """
        output = self._evaluator.output(self._network, images, np.ones((len(images), 3), np.float32))
        found = {}
        if "joints" in self.description.outputs:
            joints_crop, scores = self._codec.decode(output)
            found = {"joints": joints_crop.numpy(), "scores": scores.numpy()}
        if "maps" in self.description.outputs:
            found["maps"] = output.astype("float32").numpy()
        return found


def open_checkpoint(
    path: Union[str, Path], mirror_test: bool = False, device: str = "auto", threads: Optional[int] = None
) -> EagerModel:
    """The model of a checkpoint of ours, on a device.

    Without `threads` the CPU uses as many as the checkpoint's configuration says, or all.

    Raises:
        CheckpointError: the file is damaged, hostile, or does not say which network it is.
        ConfigError: nobody says what a mirror does to its joints.
    """
    device = runtime.choose_device(device, threads)
    parts = load_parts(str(path))
    if threads is None and parts.config.cpu_threads is not None:
        runtime.choose_device(device, parts.config.cpu_threads)
    return EagerModel(parts, mirror_test)


def codec_of(description: Description) -> Codec:
    """The codec that a model was trained with; its network is not built."""
    return build_codec(check_config(description.config, "deploy.yaml"), description.skeleton, description.stride)


def without_maps(stages: Sequence[PoseModel]) -> Optional[str]:
    """Why a model, or the stages of a cascade, give no maps of people; None if they do."""
    description = stages[-1].description
    if len(stages) > 1:
        return "the maps of a cascade are of single joints"
    if "maps" in description.outputs:
        return None
    if len(codec_of(description).output_shape(len(description.skeleton))) == 3:
        return "this model was exported without its maps; export it again with --raw"
    return f"{description.network} gives coordinates, not maps"
