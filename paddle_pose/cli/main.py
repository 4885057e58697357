"""paddle-pose COMMAND ...: all commands of the package behind one name."""

import importlib
import sys

COMMANDS = {  # module under paddle_pose.cli whose `main` it is -> what it is for
    "train": "train a network",
    "val": "score a network, or predictions that any system wrote",
    "predict": "find people and their joints in photos and videos",
    "export": "write a network for deployment, by Paddle Inference or ONNX",
    "convert": "turn a PyTorch checkpoint into one of ours, or one of ours into PyTorch's",
    "align": "compare a network with its PyTorch reference, rung by rung",
    "flops": "parameters and multiply-accumulates of configurations",
    "plot_log": "draw loss and validation curves of runs",
    "demo": "a page in the browser: a photo goes in, the pose comes out",
    "results": "make the tables of results in the documents from results/*.json",
    "zoo": "models by name: list them, fetch published ones and convert them",
}


def main(argv=None) -> int:
    """Entry point; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_usage())
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        print(f"error: paddle-pose has no command {name!r}; choose from {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    sys.argv = [f"paddle-pose {name}", *rest]  # what the command's own usage says, and a record of it
    return importlib.import_module(f"paddle_pose.cli.{name}").main(rest)


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {purpose}" for name, purpose in COMMANDS.items()]
    return "\n".join(["usage: paddle-pose COMMAND ...", "", *lines, "", "paddle-pose COMMAND --help says more."])
