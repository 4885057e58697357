"""Images per second of the training loader from a packed cache, beside the same crops from the photo files.

Prints for 1 and 2 threads the best of several turns of each way and their ratio, by the clock and in processor time,
then the time of warping alone, which no way of storing photos can save, and the sizes of the files.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--config", default="configs/hourglass/hg2_lspet_256x256.yaml")
    flags.add_argument("--dataset_root", help="dataset folder; default: the configuration's")
    flags.add_argument("--samples", type=int, default=1000)
    flags.add_argument("--turns", type=int, default=5, help="the best one counts")
    flags.add_argument("--opts", nargs="+", default=[], metavar="KEY=VALUE")
    flags.add_argument("--reduce", action="store_true", help="as in scripts/pack_dataset.py")
    arguments = flags.parse_args()

    from paddle_pose.builder_data import build_dataset
    from paddle_pose.config import load_config

    overrides = {"dataset": {"root": arguments.dataset_root}} if arguments.dataset_root else {}
    config = load_config(arguments.config, tuple(arguments.opts), overrides)
    dataset = build_dataset(config, "train")
    count = min(arguments.samples, len(dataset))
    first = First(dataset, count)
    print(f"{arguments.config}, {count} people, {config.input_wh[0]}x{config.input_wh[1]}, best of {arguments.turns}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photos.pack"
        pack = make_pack(path, first, config, arguments.reduce)
        compare(first, config, pack, arguments.turns)
        print_sizes(path, first)


class First:
    """The first people of a dataset."""

    def __init__(self, dataset, count: int) -> None:
        self._dataset, self._count = dataset, count
        self.skeleton, self.protocol = dataset.skeleton, dataset.protocol
        self.sample = dataset.sample

    def __len__(self) -> int:
        return self._count


def make_pack(path: Path, dataset, config, reduce: bool):
    """Writes the cache of these people, says how long it took, and opens it."""
    from paddle_pose.builder_data import reach_of
    from paddle_pose.data.packed import PackedPhotos
    from paddle_pose.data.packing import Order, write_pack

    started = time.perf_counter()
    order = Order(config.dataset.type, "train", config.input_wh, reach_of(config, "train"), reduce)
    written = write_pack(path, dataset, order, workers=2)
    packed = time.perf_counter()
    pack = PackedPhotos(str(path), dataset, config.dataset.type, "train")
    opening = time.perf_counter() - packed
    print(
        f"packing with 2 threads: {written.photos / (packed - started):.0f} photos/s; opening: {opening * 1e3:.0f} ms"
    )
    return pack


def compare(dataset, config, pack, turns: int) -> None:
    """Photo files and cache in turn, so that a busy machine slows both alike; warping and no more beside them."""
    from paddle_pose.builder_data import build_component
    from paddle_pose.data.augment import AUGMENTATIONS
    from paddle_pose.data.crops import CropMaker, whole_photo

    augmentation = build_component(AUGMENTATIONS, config.augment, "augment", {})
    makers = [CropMaker(dataset, config.input_wh, False, augmentation, read) for read in (whole_photo, pack)]
    for workers in (1, 2):
        turn = [[seconds_to_load(maker, config, workers) for maker in makers] for _ in range(turns)]
        (photos, photos_cpu), (cache, cache_cpu) = ([min(v) for v in zip(*way)] for way in zip(*turn))
        print(
            f"{workers} threads: photos {len(dataset) / photos:.0f} images/s, cache {len(dataset) / cache:.0f}, "
            f"ratio {photos / cache:.2f}; processor time {photos_cpu / len(dataset) * 1e3:.2f} ms an image, "
            f"{cache_cpu / len(dataset) * 1e3:.2f} ms, ratio {photos_cpu / cache_cpu:.2f}"
        )
    warping = seconds_to_warp(dataset, config, pack, augmentation, turns)
    print(f"warping alone, pixels in memory: {warping / len(dataset) * 1e3:.2f} ms of processor time an image")


def seconds_to_load(maker, config, workers: int) -> tuple[float, float]:
    """All batches of one epoch: seconds by the clock, and of processor time, which a busy machine changes less."""
    from paddle_pose.data.loader import Loader, evaluation_order

    started, started_cpu = time.perf_counter(), time.process_time()
    for _ in Loader(maker, workers, config.seed).batches(evaluation_order(len(maker), config.train.batch_size)):
        pass
    return time.perf_counter() - started, time.process_time() - started_cpu


def seconds_to_warp(dataset, config, pack, augmentation, turns: int) -> float:
    """The warps of the same views: what no way of storing photos can save."""
    import numpy as np

    from paddle_pose import geometry
    from paddle_pose.data.crops import view_matrix

    ready = []
    for person in range(len(dataset)):
        sample = dataset.sample(person)
        view = augmentation.draw(np.random.default_rng((config.seed, 0, person)), sample, dataset.skeleton)
        pixels, matrix = pack(sample, view_matrix(view, config.input_wh, False), config.input_wh)
        ready.append((pixels.copy(), matrix))
    best = np.inf
    for _ in range(turns):
        started = time.process_time()
        for pixels, matrix in ready:
            geometry.warp(pixels, matrix, config.input_wh)
        best = min(best, time.process_time() - started)
    return best


def print_sizes(path: Path, dataset) -> None:
    """Bytes of the cache and of the photo files that it stands for."""
    photos = {dataset.sample(person).image_path for person in range(len(dataset))}
    files = sum(os.path.getsize(photo) for photo in photos)
    packed = path.stat().st_size
    each = packed / len(dataset) / 1e3
    print(f"cache {packed / 1e6:.1f} MB, {each:.0f} KB for each person; photos {files / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
