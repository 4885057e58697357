"""Milliseconds for a frame of a video: reading, network and drawing side by side, beside one after the other.

All of predict.py after the model is loaded: frames are read, people found and tracked, drawn and written. Both ways
take turns in one process; their outputs must be the same bytes. Made videos of two sizes, with the small bundled
network or, with --model_dir, with an exported one.

    python -m benchmarks.video --model_dir inference
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.comparison import Comparison, print_table


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--model_dir", help="a folder that export.py wrote; default: the bundled network")
    flags.add_argument("--seconds", type=int, default=4, help="of the video, 25 frames each")
    flags.add_argument("--widths", type=int, nargs="+", default=[256, 1024])
    flags.add_argument("--turns", type=int, default=5)
    flags.add_argument("--threads", type=int, default=2)
    arguments = flags.parse_args()

    from paddle_pose import Predictor

    predictor = Predictor(model_dir=arguments.model_dir, device="cpu", threads=arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        print_table(
            [row(predictor, made_video(Path(folder), width, arguments), arguments) for width in arguments.widths]
        )


def made_video(folder: Path, width: int, arguments: argparse.Namespace) -> Path:
    path = folder / f"{width}.mp4"
    words = ["--format", "video", "--root", path, "--seconds", arguments.seconds, "--image_size", width, "--people", 1]
    subprocess.run([sys.executable, "-m", "paddle_pose.synthetic", *map(str, words)], check=True, capture_output=True)
    return path


def row(predictor, video: Path, arguments: argparse.Namespace) -> Comparison:
    """Medians over the turns; SystemExit if the outputs differ."""
    times = {"side by side": [], "one after the other": []}
    for turn in range(arguments.turns + 1):
        for way, found in times.items():
            milliseconds = predict(predictor, video, video.parent / way, way == "side by side")
            if turn:  # in the first one, caches are cold
                found.append(milliseconds)
    side, other = (contents(video.parent / way) for way in times)
    if side != other:
        raise SystemExit(f"{video.name}: the outputs differ")
    ours, others = (statistics.median(found) for found in times.values())
    name = predictor.description.network + (", exported" if arguments.model_dir else ", eager")
    return Comparison(f"{name}, {video.stem} pixels wide, a frame", ours, others, "one after the other")


def predict(predictor, video: Path, folder: Path, side_by_side: bool) -> float:
    """Milliseconds a frame."""
    from paddle_pose.cli.prediction import Run
    from paddle_pose.media.sources import open_sources
    from paddle_pose.outputs.drawing import Drawing
    from paddle_pose.outputs.formats import open_writers
    from paddle_pose.tracking.tracker import PeopleTracker

    sources = open_sources([str(video)])
    run = Run(predictor, sources, None, lambda: PeopleTracker(predictor.skeleton))
    drawing = Drawing(predictor.skeleton, 0.3, 0.0, "limb", None)
    began = time.perf_counter()
    with contextlib.ExitStack() as stack:
        if not side_by_side:
            stack.enter_context(one_after_the_other())
        run(stack.enter_context(open_writers(str(folder), ["video", "coco"], predictor.skeleton, drawing, sources)))
    return 1e3 * (time.perf_counter() - began) / sources[0].num_frames


@contextlib.contextmanager
def one_after_the_other():
    """Inside, the predictor has no threads of its own."""
    from paddle_pose.prediction import predictor

    threads, predictor.one_ahead = predictor.one_ahead, iter
    try:
        yield
    finally:
        predictor.one_ahead = threads


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


if __name__ == "__main__":
    main()
