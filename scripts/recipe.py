"""What scripts/recipe.sh must know before it can train on several GPUs.

    python scripts/recipe.py GPUS --config FILE [further flags of train.py]

Prints three lines: `train.accumulate` for so many processes, the first part of the best model's folder name, and a note
for the user, which may be empty. Imports nothing heavy.
"""

import argparse
import os
import sys

# So that it runs from a checkout that is not installed.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from paddle_pose.cli.options import read_config, run_command  # noqa: E402
from paddle_pose.cli.train import parser  # noqa: E402


def main(arguments: list[str]) -> int:
    """Runs the command; returns its exit code."""
    flags = parser()
    flags.add_argument("gpus", type=int)
    return run_command(tell, flags.parse_args(arguments))


def tell(arguments: argparse.Namespace) -> int:
    """Prints the three lines."""
    config = read_config(arguments, "train")
    train, processes = config.train, max(1, arguments.gpus)
    accumulate = max(1, train.accumulate // processes)
    wanted, step = train.batch_size * train.accumulate, train.batch_size * accumulate * processes
    print(accumulate)
    print(config.size_name)
    print("" if step == wanted else note(f"{train.batch_size} x {accumulate} x {processes} = {step}", wanted, config))
    return 0


def note(step: str, wanted: int, config) -> str:
    """Why this is not quite the published recipe."""
    follows = config.optimizer.base_batch is not None
    rate = "the learning rate follows (optimizer.base_batch)" if follows else "the learning rate stays as it is written"
    return f"a step has {step} samples on these GPUs, not the published {wanted}; {rate}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
