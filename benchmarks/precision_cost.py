"""What bfloat16 and int8 cost in accuracy: both bundled networks, exported once and scored on made photos.

The photos of calibration are of another seed than those that are scored: other people, other scenes, none in common.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.comparison import Comparison

PRECISIONS = ("float32", "bf16", "int8")
CALIBRATION_PHOTOS, CALIBRATION_SEED = 64, 1  # the scored ones are of seed 0
HOURGLASS = "configs/hourglass/hg1_small_synthetic_96x96.yaml"
OPENPOSE = "configs/openpose/small_synthetic_group_128x128.yaml"


def joints_missed(folder: Path, photos: int, threads: int) -> list[Comparison]:
    """Joints that PCKh counts as missed, of 100: synthetic_hourglass."""
    photo_flags = ("--format", "mpii", "--difficulty", "calm")
    exported, root = prepare(folder, "synthetic_hourglass", photo_flags, photos, "images")
    found = {one: pckh(exported, root, one, threads) for one in possible(exported)}
    for precision, (missed, joints) in found.items():
        far = np.linalg.norm(joints - found["float32"][1], axis=-1)
        print(f"synthetic_hourglass, {precision}: PCKh {100 - missed:.2f}; joints to float32's: median", end=" ")
        print(f"{np.median(far):.3g} px, 99 % within {np.percentile(far, 99):.3g} px, farthest {far.max():.3g} px")
    return rows("synthetic_hourglass, 100 - PCKh", {key: missed for key, (missed, _) in found.items()})


def precision_lost(folder: Path, photos: int, threads: int) -> list[Comparison]:
    """100 - AP: synthetic_openpose, people found without boxes."""
    photo_flags = ("--format", "coco", "--image_size", "192", "--difficulty", "group")
    exported, root = prepare(folder, "synthetic_openpose", photo_flags, photos, "val2017")
    found = {one: average_precision(exported, root, one, threads) for one in possible(exported)}
    print("synthetic_openpose, AP:", ", ".join(f"{precision} {value:.2f}" for precision, value in found.items()))
    return rows("synthetic_openpose, 100 - AP", {precision: 100 - value for precision, value in found.items()})


def rows(what: str, lost: dict[str, float]) -> list[Comparison]:
    """Each other precision beside float32."""
    return [
        Comparison(f"{what}, {precision}", value, lost["float32"], "float32", unit="%")
        for precision, value in lost.items()
        if precision != "float32"
    ]


def prepare(folder: Path, name: str, flags: tuple[str, ...], photos: int, below: str) -> tuple[Path, Path]:
    """The exported folder, and the root of the scored photos."""
    root, other, exported = (folder / f"{name}_{what}" for what in ("scored", "calibration", "exported"))
    for place, count, seed in ((root, photos, 0), (other, CALIBRATION_PHOTOS, CALIBRATION_SEED)):
        run("-m", "paddle_pose.synthetic", *flags, "--root", place, "--train", 2, "--valid", count, "--seed", seed)
    words = ("export.py", "--pretrained_model", name, "--save_dir", exported, "--raw", "--format", "paddle")
    calibrated = run(*words, "onnx", "--calibrate", other / below, must=False)
    if calibrated:
        print(f"no int8: {calibrated}")
        run(*words)
    return exported, root


def run(*words: object, must: bool = True) -> str:
    """Runs a command of ours; its error, empty where it went well."""
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True)
    if must and done.returncode:
        raise SystemExit(done.stderr)
    return done.stderr.strip() if done.returncode else ""


def possible(exported: Path) -> list[str]:
    """The precisions that this machine can run."""
    from paddle_pose.deployment.deployed_model import open_deployed
    from paddle_pose.errors import UserError

    found = []
    for precision in PRECISIONS:
        try:
            open_deployed(exported, "cpu", 1, engine_of(precision), precision)
            found.append(precision)
        except UserError as error:
            print(f"no {precision}: {error}")
    return found


def engine_of(precision: str) -> str:
    """What runs it; of float32 Paddle, which onnxruntime follows to within rounding."""
    return "paddle" if precision == "float32" else "auto"


def pckh(exported: Path, root: Path, precision: str, threads: int) -> tuple[float, np.ndarray]:
    """100 - PCKh, and the joints in photo pixels."""
    from paddle_pose import runtime

    runtime.prepare_environment()
    from paddle_pose.builder import build, build_test_crop_maker
    from paddle_pose.builder_data import build_dataset, build_metric
    from paddle_pose.config import load_config
    from paddle_pose.data.loader import Loader, evaluation_order
    from paddle_pose.deployment.deployed_model import open_deployed
    from paddle_pose.engine.evaluator import Evaluator

    parts = build(load_config(HOURGLASS, [f"dataset.root={root}"]))
    people = build_dataset(parts.config, "valid")
    model = open_deployed(exported, "cpu", threads, engine_of(precision), precision)

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


def average_precision(exported: Path, root: Path, precision: str, threads: int) -> float:
    """AP of the people whom the exported model finds in the photos, one at a time."""
    import paddle_pose
    from paddle_pose.builder import build
    from paddle_pose.builder_data import build_dataset, build_metric
    from paddle_pose.config import load_config

    config = build(load_config(OPENPOSE, [f"dataset.root={root}"])).config
    photos = build_dataset(config, "valid")
    settings = {"device": "cpu", "threads": threads, "engine": engine_of(precision), "precision": precision}
    predictor = paddle_pose.Predictor(model_dir=exported, **settings)
    found = [predictor(photos.image_path(index)).people for index in range(len(photos))]
    image_ids = np.repeat(photos.photo_ids, [len(people.scores) for people in found])
    joints, joint_scores, scores = (
        np.concatenate([getattr(people, name) for people in found]) for name in ("joints_xy", "joint_scores", "scores")
    )
    people, predictions = photos.with_people(image_ids, joints, joint_scores, scores, "exported")
    return build_metric(config)(predictions, people.truth()).values["AP"]
