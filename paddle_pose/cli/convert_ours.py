"""convert, from a checkpoint of ours: to PyTorch's names and file, or to the other of our two file formats."""

import argparse
from pathlib import Path

from paddle_pose.builder import build, checkpoint_facts, use_weights
from paddle_pose.config import load_config
from paddle_pose.conversion.torch_state import torch_state
from paddle_pose.conversion.torch_writer import write_torch
from paddle_pose.engine.checkpoint import load_model, save_model
from paddle_pose.errors import CheckpointError


def convert_ours(source: Path, target: Path, to_torch: bool, arguments: argparse.Namespace) -> int:
    """Writes TARGET; returns the exit code."""
    weights, facts = load_model(source)
    if "config" not in facts and not arguments.config:
        raise CheckpointError(f"{source}: does not say which network it is; give --config")
    if not to_torch and "config" in facts and (arguments.config or arguments.opts):
        raise CheckpointError(f"{source}: is written as it is, with its configuration; leave out --config and --opts")
    base = None if arguments.config else facts["config"]
    parts = build(load_config(arguments.config or str(source), tuple(arguments.opts), {}, base))
    use_weights(parts, weights, facts, source)
    kind = type(parts.network).__name__
    if not to_torch:
        save_model(target, weights, facts if "config" in facts else {**facts, **checkpoint_facts(parts)})
        print(f"{source}: {kind}, {len(weights)} entries; written as they are to {target}")
        return 0
    style, state = torch_state(parts.network, weights, arguments.style)
    write_torch(target, state)
    more = f", {len(state) - len(weights)} of them never used there and empty" if len(state) > len(weights) else ""
    print(f"{source}: {kind}, {len(weights)} entries")
    print(f"written to {target}: {len(state)} entries by the names of style {style}{more}; in PyTorch:")
    print(f"  network.load_state_dict(torch.load({str(target)!r}, weights_only=True))")
    return 0
