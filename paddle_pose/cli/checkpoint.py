"""A model file that a command is to use, and the configuration that goes with it."""

import argparse
from pathlib import Path
from typing import Any

from paddle_pose.cli.options import read_config


class Checkpoint:
    """Read at once; its network is built by `build`, when everything else has been found to be there.

    Args:
        arguments: parsed flags with `pretrained_model`, `config` and what else `read_config` asks for.

    Attributes:
        path: of the file.
        facts: what it says of itself.
        config: of `--config`; without that flag, what it was trained with; other flags change single values of both.

    Raises:
        UserError: the file cannot be used, or a flag is wrong.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        from paddle_pose.engine.checkpoint import load_model

        self.path = Path(arguments.pretrained_model)
        self._weights, self.facts = load_model(self.path)
        self.config = read_config(arguments, "valid", None if arguments.config else self.facts.get("config"))

    def build(self) -> Any:
        """The parts of the configuration, the network with these weights, on the device that was chosen before."""
        from paddle_pose.builder import build, use_weights

        parts = build(self.config)
        use_weights(parts, self._weights, self.facts, self.path)
        return parts
