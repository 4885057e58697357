"""A fresh process that loads or evaluates and prints {"seconds", "peak_mb", "people"}; started by scale.py."""

import argparse
import json
import resource
import time
from pathlib import Path

INPUT_WH = (192, 256)
WORKERS, CROPS = 4, 64


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("what", choices=("dataset", "json", "evaluate", "predict"))
    flags.add_argument("root", type=Path)
    arguments = flags.parse_args()
    seconds, people = globals()[f"run_{arguments.what}"](arguments.root)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # threads share it: it is that of all of them
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb, "people": people}))


def run_dataset(root: Path) -> tuple[float, int]:
    """Our dataset, and then some crops by a loader of four threads, which are in the memory but not in the seconds."""
    from paddle_pose.data.coco import COCO
    from paddle_pose.data.crops import CropMaker
    from paddle_pose.data.loader import Loader, evaluation_order

    began = time.perf_counter()
    dataset = COCO(str(root))
    seconds = time.perf_counter() - began
    loader = Loader(CropMaker(dataset, INPUT_WH, pixel_centres=False), WORKERS, seed=0)
    for _ in loader.batches(evaluation_order(min(CROPS, len(dataset)), 8)):
        pass
    return seconds, len(dataset)


def run_json(root: Path) -> tuple[float, int]:
    """What the usual code does before it makes its own list: everything as dicts, and pycocotools' index by photo."""
    began = time.perf_counter()
    with open(root / "annotations" / "person_keypoints_train2017.json", encoding="utf-8") as file:
        content = json.load(file)
    of_photo: dict[int, list] = {image["id"]: [] for image in content["images"]}
    for entry in content["annotations"]:
        of_photo[entry["image_id"]].append(entry)
    people = sum(entry["num_keypoints"] > 0 for entries in of_photo.values() for entry in entries)
    return time.perf_counter() - began, people


def run_evaluate(root: Path) -> tuple[float, int]:
    """The bundled network over everybody in the file, as val.py does it."""
    from paddle_pose import load_network, zoo
    from paddle_pose.builder import build
    from paddle_pose.data.coco import COCO
    from paddle_pose.data.crops import CropMaker
    from paddle_pose.data.loader import Loader, evaluation_order
    from paddle_pose.engine.evaluator import Evaluator

    network = load_network(zoo.named_model(zoo.DEFAULT_MODEL))
    parts = build(network.config)
    dataset = COCO(str(root))
    loader = Loader(CropMaker(dataset, network.config.input_wh, pixel_centres=False), WORKERS, seed=0)
    began = time.perf_counter()
    evaluator = Evaluator(parts.codec, parts.normalise, mirror_test=False)
    batches = loader.batches(evaluation_order(len(dataset), 8))
    found = evaluator.predict(network, batches, len(dataset), len(parts.skeleton))
    return time.perf_counter() - began, len(found.scores)


def run_predict(root: Path) -> tuple[float, int]:
    """predict.py over the folder of the photos."""
    from paddle_pose.cli import predict

    photos = root / "train2017"
    began = time.perf_counter()
    predict.main(["--input", str(photos), "--save_dir", str(root / "out"), "--save", "coco", "csv", "--device", "cpu"])
    return time.perf_counter() - began, len(list(photos.iterdir()))


if __name__ == "__main__":
    main()
