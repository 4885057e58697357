"""paddle-pose flops: parameters and multiply-accumulates of configurations, beside the convention that is meant."""

import argparse
import json
import re
from pathlib import Path
from typing import Any, Optional

from paddle_pose.cli.options import run_command, size_override

# Those for rendered people, a few photos or one core: nobody has published such sizes.
_OF_OUR_OWN = re.compile(r"_base_/|custom/|synthetic|overfit|small_lspet")
_PUBLISHED = (
    'Published "GFLOPs" are one or the other: HRNet\'s paper and README print GiMACs (7.1 for W32 at 192x256), '
    "mmpose prints GMACs plus a few operations for each value that batch norm, ReLU and pooling pass on (7.7). "
    "Parameters are trained numbers, without batch statistics."
)


def parser() -> argparse.ArgumentParser:
    """The flags of the command."""
    flags = argparse.ArgumentParser(description="Parameters and multiply-accumulates of configurations.")
    flags.add_argument("--config", nargs="+", metavar="FILE", help="YAML files; default: all of published size")
    flags.add_argument("--image_size", type=int, metavar="N", help="square input of N x N pixels instead of input_wh")
    return flags


def main(argv=None) -> int:
    """Entry point; returns the exit code."""
    return run_command(_flops, parser().parse_args(argv))


def published_sizes() -> list[Path]:
    """The configurations of sizes that somebody has published, sorted."""
    from paddle_pose.config import configs_folder

    folder = Path(configs_folder())
    files = sorted(folder.rglob("*.yaml"))
    return [path for path in files if not _OF_OUR_OWN.search(path.relative_to(folder).as_posix())]


def _flops(arguments: argparse.Namespace) -> int:
    from paddle_pose.complexity import RULE

    groups = _groups([Path(path) for path in arguments.config or published_sizes()], arguments.image_size)
    names = [f"{paths[0]}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "") for paths, _ in groups]
    width = max(map(len, names))
    print(f"{'configuration':<{width}}  {'w x h':>7}  {'parameters / M':>14}  {'GMACs':>8}  {'GiMACs':>8}", flush=True)
    for name, (_, config) in zip(names, groups):
        print(f"{name:<{width}}  {_numbers(config)}", flush=True)
    print(RULE)
    print(_PUBLISHED)
    return 0


def _groups(paths: list[Path], image_size: Optional[int]) -> list[tuple[list[Path], Any]]:
    """Configurations of one network, joints and input cost the same and share a line."""
    from paddle_pose.builder_data import skeleton_of
    from paddle_pose.config import load_config

    groups: dict[str, tuple[list[Path], Any]] = {}
    for path in paths:
        config = load_config(str(path), (), size_override(image_size))
        key = json.dumps([config.network.model_dump(mode="json"), config.input_wh, len(skeleton_of(config))])
        groups.setdefault(key, ([], config))[0].append(path)
    return list(groups.values())


def _numbers(config: Any) -> str:
    from paddle_pose.builder import build
    from paddle_pose.complexity import complexity

    cost = complexity(build(config).network, config.input_wh)
    size = "x".join(map(str, config.input_wh))
    return f"{size:>7}  {cost.parameters / 1e6:>14.3f}  {cost.macs / 1e9:>8.3f}  {cost.macs / 2**30:>8.3f}"
