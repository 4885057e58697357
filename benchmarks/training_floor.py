"""What Paddle's fastest kernels take for a training step's operations on the CPU, beside PyTorch's: a floor.

The operations of a network (convolutions, batch norms, ReLUs, sums, upsamplings) are read off its traced program.
Each kind and shape then runs alone, forward and backward: in Paddle in every way there is (its own kernel; oneDNN's in
a program of one operation), of which the fastest counts, and in PyTorch. Times the counts of the network, they are the
floor: what is put together from these kernels is no faster, but for maps that are still in the cache. Our step
stands beside it.

    python -m benchmarks.training_floor --networks HRNet-W32

PyTorch and Paddle each run in a process of their own and take turns, operation by operation.
"""

import argparse
import collections
import json
import statistics
import sys

from benchmarks.comparison import Comparison
from benchmarks.network_step import median_seconds
from benchmarks.step_trainers import build
from benchmarks.training_step import engine_of, flags_of, run
from benchmarks.worker import Worker

KINDS = {"pd_op.conv2d": "conv", "pd_op.batch_norm_": "norm", "pd_op.relu": "relu", "pd_op.add": "sum"}
KINDS["pd_op.expand"] = "upsampling"  # what nearest upsampling is traced as
NAMES = {"conv": "convolutions", "norm": "batch norms", "relu": "ReLUs", "sum": "sums", "upsampling": "upsamplings"}
STEPS = 5  # of our network


def main() -> None:
    run(flags_of(__doc__, turns=7).parse_args(), measure, serve)


def measure(name: str, arguments: argparse.Namespace) -> list[Comparison]:
    """Rows of one network: each kind of operation, their sum, our step beside it."""
    command = [sys.executable, "-m", "benchmarks.training_floor", "--networks", name]
    command += [f"--{word}={getattr(arguments, word)}" for word in ("batch", "side", "threads", "turns")] + ["--one"]
    paddle, torch = (Worker([*command, engine], engine) for engine in ("paddle", "torch"))
    if not paddle.there:
        torch.end()
        return []
    ours, theirs, faster = collections.Counter(), collections.Counter(), collections.Counter()
    for operation, count in paddle.facts["operations"]:
        ways = paddle.ask(json.dumps(operation))
        best = min(ways, key=ways.get)
        faster[f"{NAMES[operation['kind']]} by {best}"] += count
        ours[operation["kind"]] += count * ways[best] / arguments.batch
        if torch.there:
            theirs[operation["kind"]] += count * torch.ask(json.dumps(operation))["PyTorch"] / arguments.batch
    paddle.end()
    torch.end()
    print(f"{name}, fastest: " + ", ".join(f"{count} {way}" for way, count in faster.items()))
    ours["all of these"], theirs["all of these"] = sum(ours.values()), sum(theirs.values())
    rows = [
        Comparison(f"{name}, floor: {NAMES.get(kind, kind)}", ours[kind], theirs[kind] or None, "PyTorch")
        for kind in ours
    ]
    return [*rows, Comparison(f"{name}, training step", our_step(name, arguments), ours["all of these"], "floor")]


def our_step(name: str, arguments: argparse.Namespace) -> float:
    """Median milliseconds an image."""
    worker = engine_of("ours", name, arguments)
    times = [worker.ask("steps 1")["seconds"] for _ in range(STEPS)]
    worker.end()
    return 1e3 * statistics.median(times) / arguments.batch


def serve(arguments: argparse.Namespace) -> None:
    """Answers operations as JSON with the milliseconds of each way to run them."""
    try:
        prepare, facts = (torch_ways, {}) if arguments.one == "torch" else (paddle_ways, paddle_facts(arguments))
        if arguments.one == "torch":
            import torch

            torch.set_num_threads(arguments.threads)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), flush=True)
        return
    print(json.dumps(facts), flush=True)
    for line in sys.stdin:
        ways = prepare(**json.loads(line))
        print(json.dumps({way: 1e3 * median_seconds(work, arguments.turns) for way, work in ways.items()}), flush=True)


def paddle_facts(arguments: argparse.Namespace) -> dict:
    """The network's operations and how many there are of each; or why that is not known."""
    from paddle_pose import runtime

    runtime.prepare_environment()
    import paddle

    if not paddle.__version__.startswith("3"):
        return {"missing": f"Paddle {paddle.__version__} names operations of a program in another way; needs Paddle 3"}
    runtime.keep_freed_memory(runtime.choose_device("cpu", arguments.threads))
    shape = [arguments.batch, 3, arguments.side, arguments.side]
    spec = [paddle.static.InputSpec(shape, "float32")]
    network = build(arguments.networks[0])
    traced = paddle.jit.to_static(network.forward, full_graph=True, input_spec=spec).concrete_program
    found = collections.Counter()
    for operation in traced.main_program.global_block().ops:
        if operation.name() in KINDS:
            found[json.dumps(described(operation))] += 1
    return {"operations": [(json.loads(operation), count) for operation, count in found.items()]}


def described(operation) -> dict:
    """What `paddle_ways` and `torch_ways` take."""
    kind, attributes = KINDS[operation.name()], operation.attrs()
    shapes = [list(value.shape) for value in operation.operands_source()]
    known = {"kind": kind, "shape": shapes[0]}
    if kind == "upsampling":
        batch, channels, height, _, width, _ = shapes[0]
        known["shape"] = [batch, channels, height, width]
    if kind == "conv":
        known.update(weight=shapes[1], stride=attributes["strides"], padding=attributes["paddings"])
    return known


def paddle_ways(kind: str, shape: list, weight: list = (), stride: list = (1, 1), padding: list = (0, 0)) -> dict:
    """Way -> a function that runs the operation forward and backward."""
    import paddle
    from paddle.nn import functional as F  # noqa: N812

    from paddle_pose.networks.blocks import upsample_nearest_2x
    from paddle_pose.networks.convolution import _program, has_onednn, training_by_onednn

    def leaf(size):
        tensor = paddle.randn(size)
        tensor.stop_gradient = False
        return tensor

    x = leaf(shape)
    if kind == "conv":
        w = leaf(weight)
        forwards = {"Paddle": lambda: F.conv2d(x, w, None, stride, padding)}
        if has_onednn() and weight[1] > 3:
            program = _program(tuple(shape), tuple(weight), False, False, tuple(stride), tuple(padding), (1, 1))
            forwards["oneDNN"] = lambda: program(x, w).squeeze(0)
    elif kind == "norm":
        mean, variance = paddle.zeros(shape[1:2]), paddle.ones(shape[1:2])
        scale, shift = leaf(shape[1:2]), leaf(shape[1:2])
        forwards = {"Paddle": lambda: F.batch_norm(x, mean, variance, scale, shift, training=True)}
    elif kind == "sum":
        y = leaf(shape)
        forwards = {"Paddle": lambda: x + y}
    else:
        forwards = {"Paddle": lambda: (F.relu if kind == "relu" else upsample_nearest_2x)(x)}
    slope = paddle.randn(forwards["Paddle"]().shape)

    def work(forward):
        with training_by_onednn():
            forward().backward(slope)

    return {way: lambda forward=forward: work(forward) for way, forward in forwards.items()}


def torch_ways(kind: str, shape: list, weight: list = (), stride: list = (1, 1), padding: list = (0, 0)) -> dict:
    """As `paddle_ways`."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    x = torch.randn(shape, requires_grad=True)
    if kind == "conv":
        w = torch.randn(weight, requires_grad=True)
        forward = lambda: F.conv2d(x, w, None, stride, padding)  # noqa: E731
    elif kind == "norm":
        mean, variance = torch.zeros(shape[1]), torch.ones(shape[1])
        scale, shift = (torch.randn(shape[1], requires_grad=True) for _ in range(2))
        forward = lambda: F.batch_norm(x, mean, variance, scale, shift, training=True)  # noqa: E731
    elif kind == "sum":
        y = torch.randn(shape, requires_grad=True)
        forward = lambda: x + y  # noqa: E731
    elif kind == "relu":
        forward = lambda: F.relu(x)  # noqa: E731
    else:
        forward = lambda: F.interpolate(x, scale_factor=2, mode="nearest")  # noqa: E731
    slope = torch.randn(forward().shape)
    return {"PyTorch": lambda: forward().backward(slope)}


if __name__ == "__main__":
    main()
