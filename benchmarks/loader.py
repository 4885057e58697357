"""Images per second of the training loader, by number of threads, beside decoding the same photos and no more.

The ratio to plain decoding in one thread says what cropping, augmentation and batching cost, and what threads
give back. Ends with the share of each part of a sample's time.
"""

import argparse
import time


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--config", default="configs/hourglass/hg1_small_synthetic_96x96.yaml")
    flags.add_argument("--root", help="dataset folder; default: the configuration's")
    flags.add_argument("--samples", type=int, default=1024)
    arguments = flags.parse_args()

    from paddle_pose.builder import build, build_crop_maker
    from paddle_pose.builder_data import build_dataset
    from paddle_pose.config import load_config

    overrides = {"dataset": {"root": arguments.root}} if arguments.root else {}
    config = load_config(arguments.config, overrides=overrides)
    dataset = build_dataset(config, "train")
    make_crop = build_crop_maker(build(config), dataset, training=True)
    count = min(arguments.samples, len(dataset))
    decoding = seconds_to_decode(dataset, count)
    print(f"{arguments.config}, {count} samples, {config.input_wh[0]}x{config.input_wh[1]}")
    print(f"decoding only, 1 thread: {count / decoding:.0f} images/s")
    for workers in (0, 1, 2, 4):
        rate = count / seconds_to_load(make_crop, config, count, workers)
        print(f"loader, {workers} threads: {rate:.0f} images/s, {rate * decoding / count:.2f} of decoding only")
    shares = shares_of_a_sample(dataset, config, make_crop, count)
    print("a sample's time: " + ", ".join(f"{name} {share:.0%}" for name, share in shares.items()))


def seconds_to_decode(dataset, count: int) -> float:
    """Reads and decodes the photos in one thread."""
    from paddle_pose.data.photos import read_photo

    started = time.perf_counter()
    for index in range(count):
        read_photo(dataset.sample(index).image_path)
    return time.perf_counter() - started


def seconds_to_load(make_crop, config, count: int, workers: int) -> float:
    """Makes all batches."""
    from paddle_pose.data.loader import Loader, evaluation_order

    started = time.perf_counter()
    for _ in Loader(make_crop, workers, config.seed).batches(evaluation_order(count, config.train.batch_size)):
        pass
    return time.perf_counter() - started


def shares_of_a_sample(dataset, config, make_crop, count: int) -> dict[str, float]:
    """Share of decoding, of the rest of a crop (drawing a view, warping), and of stacking into batches."""
    import numpy as np

    decoding = seconds_to_decode(dataset, count)
    started = time.perf_counter()
    for index in range(count):
        make_crop(index, np.random.default_rng((config.seed, 0, index)))
    crops = time.perf_counter() - started
    batches = max(seconds_to_load(make_crop, config, count, 0), crops)
    return {
        "decoding": decoding / batches,
        "view and warp": (crops - decoding) / batches,
        "stacking": (batches - crops) / batches,
    }


if __name__ == "__main__":
    main()
