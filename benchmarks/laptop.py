"""Milliseconds for one photo on a laptop's CPU: the exported networks beside PyTorch and onnxruntime.

Of each network, with batch 1 and two threads: our network eager; exported, by Paddle Inference with oneDNN; the same
export as ONNX, by onnxruntime; and the same network in PyTorch, eager (torch_twin.py). Bytes go in; joints come out, of
PyTorch maps. First all four must say the same. Then they take turns, each in a process of its own, one at a time, so
that a busy machine is equally busy for all; ratios are medians over the turns.

    python -m benchmarks.laptop --networks hrnet hourglass

PyTorch, onnxruntime and paddle2onnx are optional: without them their columns are empty.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.comparison import Comparison, print_table
from benchmarks.worker import Worker

WORKER = [sys.executable, "-m", "benchmarks.laptop_worker"]
NETWORKS = {
    "hrnet": "configs/hrnet/w32_mpii_256x256.yaml",
    "hourglass": "configs/hourglass/hourglass52_mpii_256x256.yaml",
    "deeppose": "configs/deeppose/res50_mpii_256x256.yaml",
    "cpm": "configs/cpm/cpm_mpii_368x368.yaml",
    "openpose": "configs/openpose/vgg19_coco_368x368_cmu.yaml",
}
LIMIT = 0.8  # of PyTorch's time, for the faster of the exports
ENGINES = {"eager": "ours, eager", "paddle": "ours, exported", "onnxruntime": "onnxruntime", "torch": "PyTorch, eager"}


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    flags.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    flags.add_argument("--threads", type=int, default=2)
    flags.add_argument("--turns", type=int, default=11)
    flags.add_argument("--models", help="folder for the exported models, kept and used again; default: a temporary one")
    arguments = flags.parse_args()
    print(f"batch 1, {arguments.threads} thread(s), load of the machine {os.getloadavg()[0]:.1f}", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for name in arguments.networks:
            folder = prepared(name, arguments.models or temporary)
            rows += rows_of(name, measure(name, folder, arguments))
    print_table(rows)


def prepared(name: str, models: str) -> Path:
    """The folder in `models` with the exports of a network, which are made unless they are there."""
    folder = Path(models) / name
    if not (folder / "picture.npy").is_file():
        subprocess.run([*WORKER, "prepare", NETWORKS[name], folder], check=True)
    return folder


def measure(name: str, folder: Path, arguments: argparse.Namespace) -> dict:
    """Prints the lines of one network; returns the turns of each engine."""
    workers = {
        engine: Worker([*WORKER, engine, folder, str(arguments.threads)], f"{name}: no {engine}")
        for engine in arguments.engines
    }
    workers = {engine: worker for engine, worker in workers.items() if worker.there}
    try:
        print(f"\n{name}: {check(workers, folder)}")
        turns = {engine: [] for engine in workers}
        order = list(workers)
        for turn in range(arguments.turns):
            for engine in order[turn % len(order) :] + order[: turn % len(order)]:
                turns[engine].append(workers[engine].ask("run"))
        report(workers, turns)
        return turns
    finally:
        for worker in workers.values():
            worker.end()


def worker_of(engine: str, folder: Path, threads: int) -> Worker:
    """A process that runs one engine."""
    return Worker([*WORKER, engine, folder, str(threads)], f"{folder.name}: no {engine}")


def report(workers: dict, turns: dict) -> None:
    for engine, worker in workers.items():
        wall, cpu = ([turn[key] for turn in turns[engine]] for key in ("wall_ms", "cpu_ms"))
        line = f"  {ENGINES[engine]:15s} {statistics.median(wall):8.1f} ms, of the processor {min(cpu):8.1f} ms"
        for other in ("torch", "onnxruntime"):
            if other in workers and engine in ("paddle", "onnxruntime") and other != engine:
                ratios = [mine / theirs["wall_ms"] for mine, theirs in zip(wall, turns[other])]
                shares = min(cpu) / min(turn["cpu_ms"] for turn in turns[other])
                line += f"; / {ENGINES[other].split(',')[0]} {statistics.median(ratios):.2f} ({shares:.2f})"
        print(f"{line}; loaded in {worker.facts['load_cpu_s']:.1f} s, first result {worker.facts['first_cpu_s']:.1f} s")


def rows_of(name: str, turns: dict) -> list[Comparison]:
    """The exports by both engines beside PyTorch; the limit is for the faster one."""
    wall = {engine: statistics.median(turn["wall_ms"] for turn in found) for engine, found in turns.items()}
    exported, torch = [engine for engine in ("paddle", "onnxruntime") if engine in wall], wall.get("torch")
    rows = []
    for engine in exported:
        limit = LIMIT if torch and wall[engine] == min(wall[one] for one in exported) else None
        rows.append(Comparison(f"exported {name}, {engine}", wall[engine], torch, "PyTorch", limit))
    return rows


def check(workers: dict, folder: Path) -> str:
    """What the engines say of the picture, as far from the eager network; raises if it is not the same."""
    for engine, worker in workers.items():
        worker.ask(f"write {folder / f'{engine}.npz'}")
    if "eager" not in workers:
        return "not checked"
    far = {}
    for engine in set(workers) - {"eager"}:
        far[engine] = workers["eager"].ask(f"compare {folder / f'{engine}.npz'}")
        if not far[engine]["same"]:
            raise SystemExit(f"{folder.name}: {engine} says something else: {far[engine]}")
    return ", ".join(f"{engine} {one['said']}" for engine, one in sorted(far.items()))


if __name__ == "__main__":
    main()
