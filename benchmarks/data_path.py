"""One training sample of a 1280x720 JPEG, from the file to a 256x256 crop in a batch, in one thread.

Beside it the steps of HRNet's JointsDataset (joints_dataset.py), which also normalises and draws targets; here the
device does that, in a row of its own. Then where a sample's time goes, and how long a training waits for data.
"""

import argparse
import tempfile
import time
from pathlib import Path

INPUT_WH, BATCH = (256, 256), 32
LIMITS = {"photo": 0.5, "photo, reduced_decoding": 0.5, "packed cache": 0.167, "packed cache, --reduce": 0.167}
STEP_SECONDS, WAIT_STEPS, WAIT_WORKERS = 0.1, 20, 2


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--dataset_root", help="MPII: valid people in 1280x720 photos; default: rendered ones")
    flags.add_argument("--samples", type=int, default=192, help="in each turn")
    flags.add_argument("--turns", type=int, default=5, help="the best one counts")
    arguments = flags.parse_args()

    import cv2

    from benchmarks.comparison import print_table
    from benchmarks.people_720 import describe, real_people, rendered_people
    from paddle_pose.data.augment import HRNetAugmentation
    from paddle_pose.data.crops import CropMaker

    with tempfile.TemporaryDirectory() as folder:
        dataset = real_people(arguments.dataset_root) if arguments.dataset_root else rendered_people(Path(folder))
        print(f"{describe(dataset)}; crops of {INPUT_WH[0]}x{INPUT_WH[1]}, batches of {BATCH}")
        reads = reads_of(dataset, Path(folder))
        makers = {name: CropMaker(dataset, INPUT_WH, False, HRNetAugmentation(), read) for name, read in reads.items()}
        cv2.setNumThreads(1)  # loader.py sets 0, which is one thread too
        rows, each = samples_beside(dataset, makers, -(-arguments.samples // len(dataset)), arguments.turns)
        for name, maker in makers.items():
            rows += parts_of(name, maker, each[name], arguments.turns)
        rows.append(device_row(makers["photo"], arguments.turns))
        print_table(rows + [wait_row(name, maker) for name, maker in makers.items()])


def reads_of(dataset, folder: Path) -> dict:
    """The ways to pixels: the photo file, the same at reduced size, a packed cache, one of shrunk photos."""
    from paddle_pose.data.augment import HRNetAugmentation
    from paddle_pose.data.crops import reduced_photo, whole_photo
    from paddle_pose.data.packed import PackedPhotos
    from paddle_pose.data.packing import Order, write_pack

    reads = {"photo": whole_photo, "photo, reduced_decoding": reduced_photo}
    for name, reduce in {"packed cache": False, "packed cache, --reduce": True}.items():
        path = folder / f"{reduce}.pack"
        write_pack(path, dataset, Order("MPII", "train", INPUT_WH, HRNetAugmentation().reach, reduce), workers=2)
        reads[name] = PackedPhotos(str(path), dataset, "MPII", "train")
    return reads


def samples_beside(dataset, makers: dict, epochs: int, turns: int) -> tuple[list, dict[str, float]]:
    """Milliseconds of processor time of a sample in a batch, each way and JointsDataset's, best of the turns.

    Returns:
        Rows, and our milliseconds by way.
    """
    from benchmarks.comparison import Comparison
    from benchmarks.joints_dataset import JointsDataset, collated

    other = JointsDataset(dataset, INPUT_WH)

    def joints_dataset() -> None:
        for _, batch in order_of(len(other), epochs):
            collated([other[person] for person in batch])

    best = dict.fromkeys(("other", *makers), float("inf"))
    for _ in range(turns):  # all in turn, so that a busy machine slows all alike
        for name in best:
            started = time.thread_time()
            joints_dataset() if name == "other" else load(makers[name], epochs)
            best[name] = min(best[name], time.thread_time() - started)
    each = {name: seconds / (epochs * len(dataset)) * 1e3 for name, seconds in best.items()}
    rows = [Comparison(f"sample: {name}", each[name], each["other"], "JointsDataset", LIMITS[name]) for name in makers]
    return rows, each


def order_of(count: int, epochs: int) -> list:
    """(epoch, people of a batch): everybody, `epochs` times, each time with other draws."""
    import numpy as np

    people = np.tile(np.arange(count), epochs)
    return [(first // count, people[first : first + BATCH]) for first in range(0, len(people), BATCH)]


def load(maker, epochs: int) -> None:
    """All batches, in the caller's thread."""
    from paddle_pose.data.loader import Loader

    loader = Loader(maker, 0, seed=0)
    for epoch, batch in order_of(len(maker), epochs):
        next(loader.batches([batch], epoch))


def parts_of(name: str, maker, whole: float, turns: int) -> list:
    """Milliseconds of the parts of a sample that takes `whole` of them in a batch, least of the turns."""
    import numpy as np

    from benchmarks.comparison import Comparison

    keys = [(epoch, int(person)) for epoch, batch in order_of(len(maker), 4) for person in batch]
    seconds = np.min([np.sum([clocked(maker, *key) for key in keys], axis=0) for _ in range(turns)], axis=0)
    view, pixels, warp = seconds / len(keys) * 1e3
    parts = {"draw view": view, "decode, or find in cache": pixels, "warp": warp}
    parts["joints, checks, stacking"] = whole - sum(parts.values())
    return [Comparison(f"{name}: {part}", max(amount, 0.0)) for part, amount in parts.items()]


def clocked(maker, epoch: int, person: int):
    """(3,) seconds of a crop's view, pixels and warp."""
    import numpy as np

    from paddle_pose import geometry

    times = [time.thread_time()]
    sample, _, matrix = maker.look(person, np.random.default_rng((0, epoch, person)))
    times.append(time.thread_time())
    pixels, crop_from_pixels = maker.read(sample, matrix, INPUT_WH)
    times.append(time.thread_time())
    geometry.warp(pixels, crop_from_pixels, INPUT_WH)
    return np.diff([*times, time.thread_time()])


def device_row(maker, turns: int):
    """Normalising and drawing targets of a batch, here on the processor in one thread, for each sample."""
    from benchmarks.comparison import Comparison
    from paddle_pose import runtime

    runtime.choose_device("cpu", 1)
    from paddle_pose.codecs.gaussian import GaussianHeatmap
    from paddle_pose.config_sections import IMAGENET_MEAN, IMAGENET_STD
    from paddle_pose.data.loader import Loader
    from paddle_pose.engine.preprocess import Normaliser, network_input

    codec = GaussianHeatmap(mirror=maker.skeleton.mirror, input_wh=INPUT_WH, stride=4, sigma_map=2.0)
    normalise = Normaliser(IMAGENET_MEAN, IMAGENET_STD)
    (_, people), *_ = order_of(len(maker), BATCH)
    batch, best = next(Loader(maker, 0, seed=0).batches([people])), float("inf")
    for _ in range(2 * turns):
        started = time.thread_time()
        network_input(batch, normalise, codec)
        best = min(best, time.thread_time() - started)
    return Comparison("device's share: normalise, targets (here: 1 thread)", best / len(people) * 1e3)


def wait_row(name: str, maker):
    """Milliseconds of `avg_reader_cost`, the wait for data in each step, with steps of 100 ms."""
    import paddle

    from benchmarks.comparison import Comparison
    from paddle_pose.data.loader import Loader
    from paddle_pose.engine.meter import Meter
    from paddle_pose.engine.progress import Progress

    batches = Loader(maker, WAIT_WORKERS, seed=0).batches(batch for _, batch in order_of(len(maker), 4 * BATCH))
    next(batches)  # an epoch begins with a wait for the first batch
    meter = Meter(1, WAIT_STEPS, 1, 1)
    meter.start_epoch(Progress())
    for _, _ in zip(range(WAIT_STEPS), meter.timed(batches)):
        time.sleep(STEP_SECONDS)
        meter.add(paddle.zeros([]), [""] * BATCH)
    batches.close()
    waited = meter.summary(0.0)[1]["reader_seconds"] * 1e3
    return Comparison(f"wait for data in a step of 100 ms, {WAIT_WORKERS} threads: {name}", waited, limit=2.0)


if __name__ == "__main__":
    main()
