"""`python -m paddle_pose.synthetic`: writes synthetic people in the file format of a real dataset.

Nothing heavy is imported before the arguments are read.
"""

import argparse
import importlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Optional

from paddle_pose.errors import UserError
from paddle_pose.synthetic.difficulty import BY_NAME
from paddle_pose.synthetic.recipe import Recipe

WRITERS = {
    "mpii": ("paddle_pose.synthetic.write_mpii", "write_mpii"),
    "lsp": ("paddle_pose.synthetic.write_lsp", "write_lsp"),
    "lspet": ("paddle_pose.synthetic.write_lsp", "write_lspet"),
    "coco": ("paddle_pose.synthetic.write_coco", "write_coco"),
}
VIDEO = "video"


def _whole_number(low: int, high: int):
    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} should be a whole number from {low} to {high}")
        return value

    return convert


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} should be a number above 0, up to 3600")
    return value


def parse_args(argv: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command's arguments; exits with code 2 if they are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m paddle_pose.synthetic",
        description="Renders articulated people and writes them in the files of a real dataset, "
        "to try everything out without one.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    photos = _whole_number(1, 1_000_000)
    formats = (*sorted(WRITERS), VIDEO)
    parser.add_argument("--format", required=True, choices=formats, help="whose files to write, or video: a clip")
    root = "folder to make, it must not hold anything else; of a video, the .mp4 file: its truth goes to .json beside"
    parser.add_argument("--root", required=True, help=root)
    parser.add_argument("--train", type=photos, default=2000, help="photos to train on")
    parser.add_argument("--valid", type=photos, default=300, help="photos to evaluate on, with other people")
    parser.add_argument("--seed", type=_whole_number(0, 2**32 - 1), default=Recipe.seed, help="same seed, same files")
    size = _whole_number(64, 2048)
    parser.add_argument("--image_size", type=size, default=Recipe.image_size, help="longer side, in pixels")
    hard = (
        "full: any pose, passers-by, things in front; calm: upright people, learned in minutes on a CPU; "
        "group: calm, two to four together"
    )
    parser.add_argument("--difficulty", default=Recipe.difficulty, choices=tuple(BY_NAME), help=hard)
    parser.add_argument("--seconds", type=_seconds, default=10.0, help="video: how long; people are calm, in a group")
    parser.add_argument("--people", type=_whole_number(1, 4), default=3, help="video: how many walk about")
    parser.add_argument("--frame_rate", type=_whole_number(1, 120), default=25, help="video: frames per second")
    parser.add_argument("--workers", type=_whole_number(1, 256), default=2, help="processes that render")
    return parser.parse_args(argv)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command; returns its exit code."""
    args = parse_args(argv)
    # kill, like Ctrl-C, removes what is half written
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        _write_video(args) if args.format == VIDEO else _write(args)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    return 0


def _write(args: argparse.Namespace) -> None:
    module, name = WRITERS[args.format]
    write = getattr(importlib.import_module(module), name)
    recipe = Recipe(args.train, args.valid, args.seed, args.image_size, args.difficulty)
    start = time.monotonic()
    if not write(args.root, recipe, workers=args.workers, progress=True):
        print(f"=> {os.path.abspath(args.root)} is there already, made with these arguments; nothing to do")
        return
    root, speed = os.path.abspath(args.root), (recipe.train + recipe.valid) / (time.monotonic() - start)
    print(f"=> wrote {recipe.train} + {recipe.valid} photos to {root}, {speed:.0f} per second")


def _write_video(args: argparse.Namespace) -> None:
    from paddle_pose.synthetic.clip import ClipRecipe
    from paddle_pose.synthetic.write_video import write_video

    recipe = ClipRecipe(args.seconds, args.people, args.seed, args.image_size, args.frame_rate)
    path = os.path.abspath(args.root)
    if not write_video(args.root, recipe, progress=True):
        print(f"=> {path} is there already, made with these arguments; nothing to do")
        return
    print(f"=> wrote {recipe.num_frames} frames with {recipe.people} people to {path}, who is where beside it")
