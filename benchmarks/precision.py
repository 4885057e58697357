"""What bfloat16 gains and costs: exported networks by Paddle Inference on a CPU, beside float32 and onnxruntime.

Speed: batch 1, weights drawn at random, as laptop.py, whose processes take turns. Accuracy: the bundled
synthetic_hourglass, exported and scored on made photos of MPII's form, once in each precision.

    python -m benchmarks.precision --networks hrnet deeppose
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.comparison import Comparison, print_table
from benchmarks.laptop import NETWORKS, WORKER, worker_of

ENGINES = ("bf16", "paddle", "onnxruntime")
CONFIG = "configs/hourglass/hg1_small_synthetic_96x96.yaml"


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
            folder = Path(arguments.models or temporary) / name
            if not (folder / "picture.npy").is_file():
                subprocess.run([*WORKER, "prepare", NETWORKS[name], folder], check=True)
            rows += speed(name, folder, arguments)
        if arguments.photos:
            rows.append(accuracy(Path(temporary), arguments))
    print_table(rows)


def speed(name: str, folder: Path, arguments: argparse.Namespace) -> list[Comparison]:
    """Medians over the turns."""
    workers = {engine: worker_of(engine, folder, arguments.threads) for engine in ENGINES}
    workers = {engine: worker for engine, worker in workers.items() if worker.there}
    turns = {engine: [] for engine in workers}
    for _ in range(arguments.turns):
        for engine, worker in workers.items():
            turns[engine].append(worker.ask("run")["wall_ms"])
    for worker in workers.values():
        worker.end()
    middle = {engine: statistics.median(found) for engine, found in turns.items()}
    beside = {"paddle": "float32", "onnxruntime": "onnxruntime"}
    return [
        Comparison(f"{name}, bf16", middle["bf16"], middle[engine], said)
        for engine, said in beside.items()
        if engine in middle
    ]


def accuracy(folder: Path, arguments: argparse.Namespace) -> Comparison:
    """Joints that PCKh counts as missed, of 100, in both precisions."""
    root, exported = folder / "mpii", folder / "synthetic_hourglass"
    made = ["--format", "mpii", "--root", root, "--train", "2", "--valid", arguments.photos, "--difficulty", "calm"]
    subprocess.run([sys.executable, "-m", "paddle_pose.synthetic", *map(str, made)], check=True, capture_output=True)
    words = ["--pretrained_model", "synthetic_hourglass", "--save_dir", exported, "--format", "paddle", "--raw"]
    subprocess.run([sys.executable, "export.py", *map(str, words)], check=True, capture_output=True)
    missed, joints = {}, {}
    for precision in ("float32", "bf16"):
        missed[precision], joints[precision] = score(exported, root, precision, arguments.threads)
    print(f"PCKh: float32 {100 - missed['float32']:.2f}, bf16 {100 - missed['bf16']:.2f}")
    far = np.linalg.norm(joints["bf16"] - joints["float32"], axis=-1)
    print(f"joints of the photos, bf16 to float32: median {np.median(far):.3g} px, 99 % within", end=" ")
    print(f"{np.percentile(far, 99):.3g} px, farthest {far.max():.3g} px")
    return Comparison(
        "synthetic_hourglass, joints missed (100 - PCKh)", missed["bf16"], missed["float32"], "float32", unit="%"
    )


def score(exported: Path, root: Path, precision: str, threads: int) -> tuple[float, np.ndarray]:
    """100 - PCKh, and the joints in photo pixels."""
    from paddle_pose import runtime

    runtime.prepare_environment()
    from paddle_pose.builder import build, build_test_crop_maker
    from paddle_pose.builder_data import build_dataset, build_metric
    from paddle_pose.config import load_config
    from paddle_pose.data.loader import Loader, evaluation_order
    from paddle_pose.deployment.deployed_model import open_deployed
    from paddle_pose.engine.evaluator import Evaluator

    parts = build(load_config(CONFIG, [f"dataset.root={root}"]))
    people, model = build_dataset(parts.config, "valid"), open_deployed(exported, "cpu", threads, "paddle", precision)

    class Exported(Evaluator):
        """Joints by the exported model."""

        def decode(self, network, batch):
            found = model(batch.images)
            return found["joints"].astype(np.float64), found["scores"]

    batches = Loader(build_test_crop_maker(parts, people), 0, 0).batches(evaluation_order(len(people), 32, 0, 1))
    evaluator = Exported(parts.codec, parts.normalise, False)
    predictions = evaluator.predict(parts.network, batches, len(people), len(parts.skeleton))
    report = build_metric(parts.config)(predictions, people.truth())
    return 100 - report.values["Mean"], predictions.joints_image


if __name__ == "__main__":
    main()
