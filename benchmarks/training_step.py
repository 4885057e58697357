"""One training step of the large networks on the CPU, per image, beside PyTorch eager.

Forward, mean squared error, backward and Adam, for Hourglass-52 and HRNet-W32 at 256x256: ours; ours with Paddle's own
convolutions (FLAGS_use_mkldnn=0); and the same network in PyTorch (torch_twin.py). Each runs in a
process of its own; they take turns, so that a busy machine is equally busy for all; medians over the turns count.
With `--losses 50` the losses of ours are compared with those of Paddle's own convolutions, step by step.

    python -m benchmarks.training_step --turns 5 --losses 50

PyTorch is optional: without it its rows are missing.
"""

import argparse
import importlib
import json
import os
import statistics
import sys
import time
from typing import Callable

from benchmarks.comparison import Comparison, print_table
from benchmarks.worker import Worker

NETWORKS = {"Hourglass-52": ("hourglass52", "Hourglass52"), "HRNet-W32": ("hrnet", "HRNet")}
JOINTS, SIDE, STRIDE, RATE = 17, 256, 4, 1e-4
PLAIN = "Paddle's own convolutions"


def main() -> None:
    flags = flags_of(__doc__, turns=5)
    flags.add_argument("--losses", type=int, default=0, metavar="STEPS")
    run(flags.parse_args(), measure, serve)


def flags_of(about: str, turns: int) -> argparse.ArgumentParser:
    """What benchmarks of training steps are told; `--one` is for the processes that they start."""
    flags = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    flags.add_argument("--batch", type=int, default=4)
    flags.add_argument("--threads", type=int, default=2)
    flags.add_argument("--turns", type=int, default=turns)
    flags.add_argument("--one", help=argparse.SUPPRESS)
    return flags


def run(arguments: argparse.Namespace, measure: Callable, serve: Callable) -> None:
    """Prints the table of all networks; in a process of one engine, serves."""
    if arguments.one:
        serve(arguments)
        return
    rows = [row for name in arguments.networks for row in measure(name, arguments)]
    print(f"batch {arguments.batch}, {arguments.threads} threads, {arguments.turns} turns; per image")
    print_table(rows)


def measure(name: str, arguments: argparse.Namespace) -> list[Comparison]:
    """Rows of one network."""
    engines = {"ours": engine_of("ours", name, arguments), PLAIN: engine_of(PLAIN, name, arguments)}
    torch = engine_of("torch", name, arguments)
    if torch.there:
        engines["PyTorch"] = torch
    times = {engine: [] for engine in engines}
    for turn in range(arguments.turns):
        order = list(engines)[turn % len(engines) :] + list(engines)[: turn % len(engines)]
        for engine in order:
            times[engine].append(engines[engine].ask("steps 1")["seconds"] / arguments.batch)
    rows = [
        compared(f"{name}, training step", times, "PyTorch", 1.0),
        compared(f"{name}, training step", times, PLAIN, None),
    ]
    if arguments.losses:
        print_losses(name, engines, arguments.losses)
    for engine in {*engines.values(), torch}:
        engine.end()
    return [row for row in rows if row]


def compared(what: str, times: dict, beside: str, limit):
    """Medians of both over the turns; None without the other."""
    if beside not in times:
        return None
    ours, other = (1e3 * statistics.median(times[engine]) for engine in ("ours", beside))
    return Comparison(what, ours, other, beside, limit)


def print_losses(name: str, engines: dict, steps: int) -> None:
    """How far losses of `steps` further steps from the same weights are apart, relative."""
    losses = {engine: engines[engine].ask(f"losses {steps}")["losses"] for engine in ("ours", PLAIN)}
    apart = [abs(a - b) / abs(b) for a, b in zip(losses["ours"], losses[PLAIN])]
    print(f"{name}: losses of {steps} steps, {losses[PLAIN][0]:.6f} to {losses[PLAIN][-1]:.6f}: ", end="")
    print(f"ours within {max(apart):.1e} of those of {PLAIN} (limit 1e-4)", flush=True)


def engine_of(engine: str, network: str, arguments: argparse.Namespace) -> Worker:
    """A process that takes training steps."""
    command = [sys.executable, "-m", "benchmarks.training_step", "--one", engine, "--networks", network]
    command += ["--batch", str(arguments.batch), "--threads", str(arguments.threads)]
    environment = {**os.environ, "FLAGS_use_mkldnn": "0"} if engine == PLAIN else None
    return Worker(command, f"{network}: no {engine}", environment)


def serve(arguments: argparse.Namespace) -> None:
    """Answers lines: `steps N` with the mean seconds of a step, `losses N` with the losses from fresh weights."""
    try:
        make = torch_trainer if arguments.one == "torch" else paddle_trainer
        step, reset = make(arguments.networks[0], arguments)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), flush=True)
        return
    for _ in range(2):  # programs are traced in the first
        step()
    print("{}", flush=True)
    for line in sys.stdin:
        what, count = line.split()
        if what == "losses":
            reset()
            answer = {"losses": [step() for _ in range(int(count))]}
        else:
            began = time.perf_counter()
            for _ in range(int(count)):
                step()
            answer = {"seconds": (time.perf_counter() - began) / int(count)}
        print(json.dumps(answer), flush=True)


def build(name: str):
    """The network, with weights at random; PyTorch's where its stand-in is installed."""
    module, made = NETWORKS[name]
    return getattr(importlib.import_module(f"paddle_pose.networks.{module}"), made)(JOINTS)


def batch_of(arguments: argparse.Namespace):
    """Images (B, 3, 256, 256) and target maps (B, 17, 64, 64)."""
    import numpy as np

    rng = np.random.default_rng(0)
    images = rng.standard_normal((arguments.batch, 3, SIDE, SIDE)).astype("float32")
    return images, rng.random((arguments.batch, JOINTS, SIDE // STRIDE, SIDE // STRIDE)).astype("float32")


def paddle_trainer(name: str, arguments: argparse.Namespace):
    """A step, which returns its loss, and what puts the weights back."""
    from paddle_pose import runtime

    runtime.prepare_environment()
    import paddle

    from paddle_pose.networks.convolution import training_by_onednn

    runtime.keep_freed_memory(runtime.choose_device("cpu", arguments.threads))
    images, target = (paddle.to_tensor(part) for part in batch_of(arguments))
    paddle.seed(0)
    network = build(name)
    first = {key: value.numpy().copy() for key, value in network.state_dict().items()}
    state = {}

    def reset() -> None:
        network.set_state_dict(first)
        network.train()
        trained = [parameter for parameter in network.parameters() if not parameter.stop_gradient]
        state["optimizer"] = paddle.optimizer.Adam(RATE, parameters=trained)

    def step() -> float:
        with training_by_onednn():
            loss = paddle.nn.functional.mse_loss(network(images)[-1], target)
            loss.backward()
        state["optimizer"].step()
        state["optimizer"].clear_grad()
        return float(loss)

    reset()
    return step, reset


def torch_trainer(name: str, arguments: argparse.Namespace):
    """The same of PyTorch; weights are its own, as they do not change the time."""
    import torch

    from benchmarks.torch_twin import install, leave_out_rewrites

    install()
    leave_out_rewrites()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    images, target = (torch.from_numpy(part) for part in batch_of(arguments))
    network = build(name).train()
    optimizer = torch.optim.Adam(network.parameters(), RATE)

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(network(images)[-1], target)
        loss.backward()
        optimizer.step()
        return float(loss)

    return step, lambda: None


if __name__ == "__main__":
    main()
