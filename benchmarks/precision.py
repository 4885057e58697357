"""What bfloat16 and int8 gain and cost: exported networks on a CPU, beside float32 by Paddle and by onnxruntime.

Speed: batch 1, weights drawn at random, as laptop.py, whose processes take turns. Accuracy: precision_cost.py.

    python -m benchmarks.precision --networks hrnet deeppose
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import precision_cost
from benchmarks.comparison import Comparison, print_table
from benchmarks.laptop import NETWORKS, prepared, worker_of

BESIDE = {"bf16": ("paddle", "onnxruntime"), "int8": ("paddle", "onnxruntime", "bf16")}
SAID = {"paddle": "Paddle", "onnxruntime": "onnxruntime", "bf16": "bf16"}


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--networks", nargs="*", choices=list(NETWORKS), default=["hrnet", "hourglass", "deeppose"])
    flags.add_argument("--threads", type=int, default=2)
    flags.add_argument("--turns", type=int, default=7)
    flags.add_argument("--photos", type=int, default=300, help="to score; 0: accuracy is left out")
    flags.add_argument("--models", help="folder for the exported models, as of laptop.py")
    arguments = flags.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for name in arguments.networks:
            rows += speed(name, prepared(name, arguments.models or temporary), arguments)
        if arguments.photos:
            rows += precision_cost.joints_missed(Path(temporary), arguments.photos, arguments.threads)
            rows += precision_cost.precision_lost(Path(temporary), arguments.photos, arguments.threads)
    print_table(rows)


def speed(name: str, folder: Path, arguments: argparse.Namespace) -> list[Comparison]:
    """Medians over the turns."""
    make_int8(folder)
    workers = {engine: worker_of(engine, folder, arguments.threads) for engine in (*SAID, "int8")}
    workers = {engine: worker for engine, worker in workers.items() if worker.there}
    turns = {engine: [] for engine in workers}
    for _ in range(arguments.turns):
        for engine, worker in workers.items():
            turns[engine].append(worker.ask("run")["wall_ms"])
    for worker in workers.values():
        worker.end()
    middle = {engine: statistics.median(found) for engine, found in turns.items()}
    return [
        Comparison(f"{name}, {engine}", middle[engine], middle[other], SAID[other])
        for engine, others in BESIDE.items()
        for other in others
        if engine in middle and other in middle
    ]


def make_int8(folder: Path) -> None:
    """`model_int8.onnx`, calibrated with the picture that is timed: of random weights, only the time counts."""
    from paddle_pose.deployment.quantisation import FEWEST, check_quantising, quantise
    from paddle_pose.errors import UserError

    source, target = folder / "model.onnx", folder / "model_int8.onnx"
    if target.is_file() or not source.is_file():
        return
    try:
        check_quantising(FEWEST)
        quantise(source, target, [np.roll(np.load(folder / "picture.npy"), shift, 2) for shift in range(FEWEST)])
    except UserError as error:
        print(error)


if __name__ == "__main__":
    main()
