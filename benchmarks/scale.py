"""Many people: seconds and memory of loading 150,000 of COCO, memory of evaluation by number of photos, cost of PCKh.

A file like person_keypoints_train2017.json is made in a temporary folder (scale_file.py) and loaded in fresh processes,
by our dataset and by json.load into dicts. Memory is the peak of a whole process; a loader has four threads in ours.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Optional

import numpy as np

from benchmarks.comparison import Comparison, print_table
from benchmarks.scale_file import HEIGHT, WIDTH, write_file

PEOPLE, MOST_SECONDS, MOST_MB = 150_000, 10, 1500
FEW, MANY, MOST_GROWTH = 100, 800, 1.1  # photos; their peaks' ratio
MPII_VALID = 2958
Measured = dict[str, float]


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--people", nargs="+", type=int, default=[10_000, 50_000, PEOPLE], help="numbers to load")
    flags.add_argument("--plot", type=Path, metavar="FILE.png", help="draw time and memory by people; needs matplotlib")
    arguments = flags.parse_args()
    if arguments.plot:
        import matplotlib  # noqa: F401  not there: said before the work

    loads = [measured_load(people) for people in arguments.people]
    rows = [row for ours, other in loads for row in rows_of_load(ours, other)]
    rows += [row_of_growth("evaluate"), row_of_growth("predict"), row_of_metric()]
    print_table(rows)
    if arguments.plot:
        plot(arguments.plot, loads)


def measured_load(people: int) -> tuple[Measured, Measured]:
    """What our dataset and json.load take for a file of so many people."""
    with tempfile.TemporaryDirectory() as folder:
        root = make_dataset(Path(folder), people, photos=64)
        return run("dataset", root), run("json", root)


def make_dataset(root: Path, people: int, photos: Optional[int] = None) -> Path:
    """The annotations, and the photos of all people, or of the first ones that a loader asks for (all one picture)."""
    import cv2

    path = root / "annotations" / "person_keypoints_train2017.json"
    print(f"{people} people: {write_file(path, people) / 1e6:.0f} MB", file=sys.stderr)
    folder = root / "train2017"
    folder.mkdir()
    picture = np.random.default_rng(0).integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    cv2.imwrite(str(folder / "000000000001.jpg"), cv2.resize(picture, (WIDTH, HEIGHT)))
    for image_id in range(2, 1 + (photos or people)):
        os.link(folder / "000000000001.jpg", folder / f"{image_id:012d}.jpg")
    return root


def run(what: str, root: Path) -> Measured:
    """One task of scale_worker.py in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale_worker", what, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[1])
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def rows_of_load(ours: Measured, other: Measured) -> list[Comparison]:
    """Seconds and memory, beside the other's; with the limits for as many people as COCO has."""
    rows = []
    for name, unit, limit in (("seconds", "s", MOST_SECONDS), ("peak_mb", "MB", MOST_MB)):
        what = f"load {ours['people']} people, {'memory' if unit == 'MB' else 'time'}"
        rows.append(Comparison(what, ours[name], other[name], "json.load", unit=unit))
        if ours["people"] == PEOPLE:
            rows.append(Comparison(what, ours[name], limit=limit, unit=unit))
    return rows


def row_of_growth(what: str) -> Comparison:
    """Peak memory over many photos beside that over few."""
    peaks = []
    for photos in (FEW, MANY):
        with tempfile.TemporaryDirectory() as folder:
            peaks.append(run(what, make_dataset(Path(folder), photos))["peak_mb"])
    return Comparison(f"{what} {MANY} photos, memory", peaks[1], peaks[0], f"{FEW} photos", MOST_GROWTH, "MB")


def row_of_metric() -> Comparison:
    """All of PCKh's table of as many people as MPII's validation has, beside the usual evaluation in plain numpy."""
    from paddle_pose.metrics.pck_metrics import PCKh
    from paddle_pose.samples import Predictions, Truth
    from paddle_pose.skeletons import MPII_16

    rng = np.random.default_rng(0)
    truth_image = rng.uniform(0, 1000, (MPII_VALID, 16, 2))
    truth = Truth(truth_image, rng.random((MPII_VALID, 16)) < 0.9, rng.uniform(20, 200, MPII_VALID))
    found = Predictions(truth_image + rng.normal(0, 30, truth_image.shape), np.ones((MPII_VALID, 16), np.float32))
    metric = PCKh(MPII_16)
    usual = usual_pckh(found.joints_image, truth.joints_image, truth.labelled, truth.head_size_image)
    if abs(metric(found, truth).values["Mean"] - usual) > 1e-9:
        sys.exit("PCKh and the usual evaluation disagree")
    ours_ms = best_ms(lambda: metric(found, truth))
    joints = (found.joints_image, truth.joints_image, truth.labelled, truth.head_size_image)
    usual_ms = best_ms(lambda: usual_pckh(*joints))
    return Comparison(f"PCKh of {MPII_VALID} people, the whole table", ours_ms, usual_ms, "plain numpy", 1.5)


def usual_pckh(found: np.ndarray, truth: np.ndarray, labelled: np.ndarray, head: np.ndarray) -> float:
    """Mean PCKh@0.5 of (N, 16, 2) joints as the usual evaluation finds it, with its loop over the 51 thresholds."""
    errors = np.linalg.norm(found - truth, axis=2) / head[:, None]
    counts = labelled.sum(axis=0)
    curve = [((errors <= percent / 100) & labelled).sum(axis=0) * 100.0 / counts for percent in range(51)]
    in_mean = np.delete(np.arange(16), [6, 7])
    return float((curve[50][in_mean] * counts[in_mean]).sum() / counts[in_mean].sum())


def best_ms(call: Callable[[], object], turns: int = 10) -> float:
    """Milliseconds of the fastest of several turns."""
    best = np.inf
    for _ in range(turns):
        began = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - began)
    return best * 1e3


def plot(path: Path, loads: list[tuple[Measured, Measured]]) -> None:
    """Time and memory against people, ours and json.load's, with the limits."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.9), layout="constrained")
    FigureCanvasAgg(figure)
    people = [ours["people"] / 1000 for ours, _ in loads]
    parts = (("seconds", "seconds", MOST_SECONDS), ("peak_mb", "peak memory, MB", MOST_MB))
    for axes, (name, label, limit) in zip(figure.subplots(1, 2), parts):
        axes.plot(people, [ours[name] for ours, _ in loads], "o-", label="paddle_pose, 4 threads")
        axes.plot(people, [other[name] for _, other in loads], "s--", label="json.load into dicts")
        axes.axhline(limit, color="tab:red", linewidth=1, label="limit for 150,000 people")
        axes.set(xlabel="people with keypoints, thousands", ylabel=label, ylim=(0, None))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
