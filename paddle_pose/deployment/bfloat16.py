"""An exported model of crops in bfloat16 on a CPU: its network in bfloat16, its joints read from the maps in float32.

Paddle runs in bfloat16 whatever oneDNN has in it, decoding included, whose 8 bits of a number blur cells and pixels,
and can name a cell behind the last one, where Paddle fails. `set_bfloat16_op`, which should keep it to convolutions,
does nothing to a `.json` program of Paddle 3.2. So the program ends with the maps, which are decoded outside.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Optional

import numpy as np

from paddle_pose.deployment.description import Description
from paddle_pose.deployment.static_model import StaticModel
from paddle_pose.errors import UserError


class Bfloat16Model:
    """Stands for the `StaticModel` of the whole program: the same inputs and outputs.

    Args:
        prefix: `folder/model`, of a model that finds the joints of one person.
        device, threads: as of `StaticModel`.
        description: what deploy.yaml says of it.

    Raises:
        UserError: the network's own output does not come out.
    """

    def __init__(self, prefix: Path, device: str, threads: Optional[int], description: Description) -> None:
        if "maps" not in description.outputs:
            raise UserError(
                f"{prefix.parent}: --precision bf16 needs the network's own output; export again with --raw"
            )
        output = description.outputs.index("maps")
        self._network = StaticModel(prefix, device, threads, precision="bf16", output=output)
        self._codec = _codec(description)
        self.input_names, self.output_names = self._network.input_names, description.outputs
        self.device = self._network.device

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Joints (B, K, 2) in crop pixels, scores (B, K) and maps."""
        import paddle

        (maps,) = self._network(inputs)
        with paddle.no_grad():
            joints_crop, scores = self._codec.decode(paddle.to_tensor(maps))
        return [joints_crop.numpy(), scores.numpy(), maps]


def _codec(description: Description):
    """That of the network."""
    from paddle_pose.builder import build_codec
    from paddle_pose.config import check_config

    config = check_config(description.config, "deploy.yaml")
    return build_codec(config, description.skeleton, description.stride)
