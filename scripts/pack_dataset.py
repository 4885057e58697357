"""Photos of one split -> one memory-mapped file of pixels, so that training need not decode JPEGs.

    python scripts/pack_dataset.py --config configs/hourglass/hg2_lspet_256x256.yaml --split train \\
        --dataset_root data/lspet --out data/lspet_train.pack

Holds what the configuration's random views can reach of each person (docs/packed_cache.md). Prints size, time and
what to add to train.py. Exit code 0: written; 2: wrong input, or no space; nothing is left behind then.
"""

import argparse
import os
import signal
import sys
import time

# So that it runs from a checkout that is not installed.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from paddle_pose.cli.options import read_config, run_command  # noqa: E402
from paddle_pose.errors import UserError  # noqa: E402


def parser() -> argparse.ArgumentParser:
    """The flags."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--config", required=True, help="YAML file of the training that will read the cache")
    flags.add_argument("--split", required=True, choices=("train", "valid"))
    flags.add_argument("--out", required=True, metavar="FILE", help="file to make")
    flags.add_argument("--dataset_root", metavar="DIR", help="folder of the dataset; overrides dataset.root")
    flags.add_argument("--image_size", type=int, metavar="N", help="square input of N x N pixels, as in train.py")
    flags.add_argument("--num_workers", type=int, metavar="N", help="threads that decode; overrides train.workers")
    flags.add_argument("--opts", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="as in train.py")
    shrink = "shrink photos that are n times too large by this whole factor n; smaller file, smoother crops"
    flags.add_argument("--reduce", action="store_true", help=shrink)
    flags.add_argument("--overwrite", action="store_true", help="replace FILE if it is there")
    flags.set_defaults(batch_size=None)
    return flags


def main(arguments: list[str]) -> int:
    """Runs the command; returns its exit code."""
    return run_command(pack, parser().parse_args(arguments))


def pack(arguments: argparse.Namespace) -> int:
    """Writes the file and says what is in it."""
    from pathlib import Path

    from tqdm import tqdm

    from paddle_pose.builder_data import build_dataset, reach_of
    from paddle_pose.data.packing import Order, write_pack

    out = Path(arguments.out)
    if out.exists() and not arguments.overwrite:
        raise UserError(f"{out} exists already; add --overwrite, or choose another --out")
    config = read_config(arguments, "train")
    dataset = build_dataset(config, arguments.split)
    max_bad = config.train.max_bad_photos if arguments.split == "train" else 0.0
    dataset.check_photos(max_bad)
    reach = reach_of(config, arguments.split)
    order = Order(config.dataset.type, arguments.split, config.input_wh, reach, arguments.reduce, max_bad)
    started = time.monotonic()
    with tqdm(total=dataset.num_images, unit="photo", disable=not sys.stderr.isatty(), leave=False) as bar:
        done = write_pack(out, dataset, order, config.train.workers, bar.update)
    seconds, size = time.monotonic() - started, out.stat().st_size
    for line in done.bad:
        print(f"left out, as in training: {line}")
    print(
        f"=> {out}: {done.people} people of {done.photos} photos in {done.parts} parts, {size / 1e6:.1f} MB "
        f"({size / done.people / 1e3:.0f} KB for each person), {seconds:.1f} s"
    )
    print(f"=> train with --opts packed.{arguments.split}={out}")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # removes what is half written
    sys.exit(main(sys.argv[1:]))
