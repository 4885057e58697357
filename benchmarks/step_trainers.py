"""What benchmarks of training steps ask: a process that takes steps of one network, ours or PyTorch's.

Two of ours can share a step (`pair_trainer`), as `paddle.distributed.launch` has them: each takes half of the batch
with half of the threads, and gradients are averaged.
"""

import argparse
import importlib
import json
import os
import socket
import subprocess
import sys
import time

NETWORKS = {"Hourglass-52": ("hourglass52", "Hourglass52"), "HRNet-W32": ("hrnet", "HRNet")}
JOINTS, STRIDE, RATE = 17, 4, 1e-4
NUDGE = 1e-6  # of a pixel: some units in the last place


def serve(arguments: argparse.Namespace) -> None:
    """Answers lines: `steps N` with the mean seconds of a step, `losses N` with the losses from fresh weights.

    `nudged N` is `losses N` on pixels that are wrong by rounding.
    """
    makers = {"torch": torch_trainer, "pair": pair_trainer}
    try:
        step, reset = makers.get(arguments.one, paddle_trainer)(arguments.networks[0], arguments)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), flush=True)
        return
    for _ in range(2):  # programs are traced in the first
        step()
    print("{}", flush=True)
    for line in sys.stdin:
        what, count = line.split()
        if what == "steps":
            began = time.perf_counter()
            for _ in range(int(count)):
                step()
            answer = {"seconds": (time.perf_counter() - began) / int(count)}
        else:
            reset(NUDGE if what == "nudged" else 0.0)
            answer = {"losses": [step() for _ in range(int(count))]}
        print(json.dumps(answer), flush=True)


def build(name: str):
    """The network, with weights at random; PyTorch's where its stand-in is installed."""
    module, made = NETWORKS[name]
    return getattr(importlib.import_module(f"paddle_pose.networks.{module}"), made)(JOINTS)


def batch_of(arguments: argparse.Namespace):
    """Images (B, 3, H, H) and target maps (B, 17, H / 4, H / 4)."""
    import numpy as np

    rng = np.random.default_rng(0)
    side, cells = arguments.side, arguments.side // STRIDE
    images = rng.standard_normal((arguments.batch, 3, side, side)).astype("float32")
    return images, rng.random((arguments.batch, JOINTS, cells, cells)).astype("float32")


def paddle_trainer(name: str, arguments: argparse.Namespace, rank: int = 0, ranks: int = 1):
    """A step, which returns its loss, and what puts the weights back; one of `ranks` processes, sharing the batch."""
    from paddle_pose import runtime

    runtime.prepare_environment()
    import paddle

    from paddle_pose.engine.distributed import initialise
    from paddle_pose.networks.convolution import training_by_onednn

    runtime.keep_freed_memory(runtime.choose_device("cpu", arguments.threads // ranks))
    initialise()
    pixels, target = (paddle.to_tensor(part[rank::ranks]) for part in batch_of(arguments))
    paddle.seed(0)
    network = build(name)
    through = paddle.DataParallel(network) if ranks > 1 else network
    first = {key: value.numpy().copy() for key, value in network.state_dict().items()}
    state = {}

    def reset(nudge: float = 0.0) -> None:
        network.set_state_dict(first)
        network.train()
        trained = [parameter for parameter in network.parameters() if not parameter.stop_gradient]
        state.update(optimizer=paddle.optimizer.Adam(RATE, parameters=trained), images=pixels * (1 + nudge))

    def step() -> float:
        with training_by_onednn():
            loss = paddle.nn.functional.mse_loss(through(state["images"])[-1], target)
            loss.backward()
        state["optimizer"].step()
        state["optimizer"].clear_grad()
        return float(loss)

    reset()
    return step, reset


def pair_trainer(name: str, arguments: argparse.Namespace):
    """`paddle_trainer` of two processes: this one starts the other, and tells it of every step."""
    ends = [f"127.0.0.1:{port}" for port in two_free_ports()]
    shared = {"PADDLE_TRAINERS_NUM": "2", "PADDLE_TRAINER_ENDPOINTS": ",".join(ends), "PADDLE_DISTRI_BACKEND": "gloo"}
    numbers = map(str, (arguments.batch, arguments.threads, arguments.side))
    words = [sys.executable, "-m", "benchmarks.step_trainers", name, *numbers]
    place = {"PADDLE_TRAINER_ID": "1", "PADDLE_CURRENT_ENDPOINT": ends[1]}
    pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "text": True}
    other = subprocess.Popen(words, env={**os.environ, **shared, **place}, **pipe)
    os.environ.update(shared, PADDLE_TRAINER_ID="0", PADDLE_CURRENT_ENDPOINT=ends[0])
    step, reset = paddle_trainer(name, arguments, 0, 2)

    def step_of_both() -> float:
        print("step", file=other.stdin, flush=True)
        return step()

    def reset_both(nudge: float = 0.0) -> None:
        print("reset", nudge, file=other.stdin, flush=True)
        reset(nudge)

    return step_of_both, reset_both


def follow() -> None:
    """The second process of `pair_trainer`: does what the first one says."""
    name, *numbers = sys.argv[1:]
    arguments = argparse.Namespace(**dict(zip(("batch", "threads", "side"), map(int, numbers))))
    step, reset = paddle_trainer(name, arguments, 1, 2)
    for line in sys.stdin:
        what, *nudge = line.split()
        reset(float(*nudge)) if what == "reset" else step()


def two_free_ports() -> list[int]:
    """Ports that nobody listens to."""
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):  # at the same time, so that they differ
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in (one, other)]


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
    follow()
