"""export.py: a checkpoint -> a folder that runs without this package."""

import argparse
import time
from pathlib import Path
from typing import Any, Optional

from paddle_pose.cli.options import run_command
from paddle_pose.digests import sha256_of
from paddle_pose.errors import CheckpointError, UserError

FORMATS = ("paddle", "onnx")  # of deployment/exporting.py, which --help need not load
MADE_BY = ("paddle_pose", "commit", "python", "paddlepaddle", "paddlepaddle-gpu", "numpy")


def parser() -> argparse.ArgumentParser:
    """The flags of export."""
    flags = argparse.ArgumentParser(
        description="Export a network for deployment: bytes of a crop in, joints out, normalisation and decoding "
        "inside; with deploy.yaml, which says how crops are cut. The result is compared with the network.",
    )
    flags.add_argument(
        "--pretrained_model", metavar="FILE", required=True, help="model.pdparams, model.safetensors, training.pdstate"
    )
    flags.add_argument("--save_dir", metavar="DIR", default="inference", help="folder to write (default: inference)")
    flags.add_argument("--config", help="YAML file; default: what the checkpoint was trained with")
    flags.add_argument("--image_size", type=int, metavar="N", help="square input of N x N pixels")
    flags.add_argument(
        "--format",
        nargs="+",
        choices=FORMATS,
        default=["paddle"],
        help="paddle: for the Paddle Inference of the Paddle that runs; onnx: through paddle2onnx (default: paddle)",
    )
    flags.add_argument(
        "--calibrate",
        nargs="+",
        metavar="PATH",
        help="with --format onnx, an int8 model too: photos, folders, patterns like those that it will see",
    )
    flags.add_argument("--boxes", metavar="FILE", help="a COCO results file with people in --calibrate")
    flags.add_argument("--raw", action="store_true", help="the network's own output comes out too")
    flags.add_argument("--mirror_test", action="store_true", help="look at the mirrored input too; twice the time")
    flags.add_argument("--opts", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="any setting")
    flags.set_defaults(dataset_root=None, batch_size=None, num_workers=None)
    return flags


def main(argv=None) -> int:
    """Entry point; returns the exit code."""
    return run_command(_export, parser().parse_args(argv))


def _export(arguments: argparse.Namespace) -> int:
    source, folder = Path(arguments.pretrained_model), Path(arguments.save_dir)
    if source.suffix == ".json":
        raise UserError(
            f"{source}: a cascade cuts the crops of each stage from what the one before found, which no single model "
            "can; export the model.pdparams of its first stage"
        )
    began = time.monotonic()
    parts, facts = _load(source, arguments)
    from paddle_pose.deployment.exporting import export

    formats, about = tuple(dict.fromkeys(arguments.format)), _facts(source, facts)
    inputs = _calibration(parts, arguments)
    if inputs is not None:
        about["calibrated"] = {"inputs": len(inputs)}
    made = export(parts, folder, formats, arguments.raw, arguments.mirror_test, about, inputs)
    for name, difference in made.items():
        print(f"{name}: {difference.said()}")
    sizes = ", ".join(f"{path.name} ({_size(path)})" for path in sorted(folder.iterdir()) if path.is_file())
    print(f"written to {folder} in {time.monotonic() - began:.0f} s: {sizes}")
    return 0


def _load(source: Path, arguments: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """The parts with the checkpoint's weights, on the CPU, and what the file says of itself."""
    from paddle_pose import runtime
    from paddle_pose.cli.checkpoint import Checkpoint
    from paddle_pose.deployment.export_folder import check_target

    check_target(Path(arguments.save_dir))
    checkpoint = Checkpoint(arguments)
    if "config" not in checkpoint.facts and not arguments.config:
        raise CheckpointError(f"{source}: does not say which network it is; give --config")
    runtime.choose_device("cpu", checkpoint.config.cpu_threads)
    return checkpoint.build(), checkpoint.facts


def _calibration(parts: Any, arguments: argparse.Namespace) -> Optional[list]:
    """What the network gets of the photos that the user named; None without."""
    if arguments.calibrate is None:
        if arguments.boxes is not None:
            raise UserError("--boxes says where people are in the photos of --calibrate; give both or none")
        return None
    from paddle_pose.media.sources import open_sources
    from paddle_pose.prediction.calibration import network_inputs

    sources = open_sources(arguments.calibrate)
    return network_inputs(parts, [source.name for source in sources if source.kind == "photo"], arguments.boxes)


def _facts(source: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """What `deploy.yaml` says of the checkpoint and of the programs."""
    from paddle_pose.environment import environment

    known = {key: facts[key] for key in ("epoch", "values", "rules", "converted_from") if key in facts}
    digest = sha256_of(source)
    here = environment()
    return {
        "source": {"checkpoint": source.name, "sha256": digest, **known},
        "made_by": {name: here[name] for name in MADE_BY if name in here},
    }


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"
