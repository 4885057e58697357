"""predict.py: photos, folders, videos, cameras -> people, drawn and in files."""

import argparse
from typing import Any, Optional

from paddle_pose.cli.options import positive, run_command

FORMATS = ("pictures", "video", "coco", "openpose", "csv")  # as outputs/formats.py; not imported, for a quick --help
PRECISIONS = ("float32", "bf16", "int8")  # as deployment/precision.py
ENGINES = ("auto", "paddle", "onnxruntime", "tensorrt")  # as deployment/deployed_model.py


def parser() -> argparse.ArgumentParser:
    """The flags of predict.py."""
    flags = argparse.ArgumentParser(
        description="Find people and their joints in photos and videos; without arguments, in a photo that is bundled."
    )
    flags.add_argument("--input", nargs="+", metavar="PATH", help="photos, folders, patterns, videos, camera numbers")
    flags.add_argument("--save_dir", metavar="DIR", default="output/predict", help="default: output/predict")
    flags.add_argument("--save", nargs="+", choices=FORMATS, metavar="FORMAT", help=f"some of {', '.join(FORMATS)}")
    _add_model(flags.add_argument_group("model"))
    _add_people(
        flags.add_argument_group("where people are", "default: one person in the whole photo; OpenPose: anywhere")
    )
    _add_looks(flags.add_argument_group("pictures and videos"))
    flags.set_defaults(image_size=None, dataset_root=None, num_workers=None)  # what cli.options.read_config asks for
    return flags


def _add_model(group: Any) -> None:
    group.add_argument(
        "--pretrained_model", metavar="FILE", help="a model file or a name of the zoo; default: a small bundled one"
    )
    group.add_argument("--model_dir", metavar="DIR", help="a folder that export.py wrote, instead of a model file")
    group.add_argument("--config", help="YAML file, for a model file that does not say which network it is")
    group.add_argument(
        "--opts", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="any setting of the configuration"
    )
    group.add_argument("--mirror_test", action="store_true", help="average with the mirrored picture; twice the time")
    group.add_argument("--device", default="auto", help="auto, cpu, gpu or gpu:i (default: auto)")
    group.add_argument("--batch_size", type=int, metavar="N", help="people, or photos, at once (default: 8)")
    group.add_argument("--threads", type=positive, metavar="N", help="of the CPU (default: all cores)")
    group.add_argument("--engine", choices=ENGINES, default="auto", help="what runs an exported model (default: auto)")
    group.add_argument(
        "--precision", choices=PRECISIONS, default="float32", help="of an exported model; bf16, int8: on a CPU"
    )


def _add_people(group: Any) -> None:
    group.add_argument("--boxes", metavar="FILE", help="a COCO results file with boxes of people")
    group.add_argument("--annotations", metavar="FILE", help="which photo is which image_id of --boxes, if not by name")
    group.add_argument("--detector", metavar="DIR", help="a detector that PaddleDetection exported")
    group.add_argument("--people_model", metavar="FILE", help="a model of dataset PersonCentres")
    group.add_argument("--box_threshold", type=_number, metavar="S", help="lowest score of a box")


def _add_looks(group: Any) -> None:
    group.add_argument(
        "--joint_threshold", type=_number, metavar="S", help="drawn joints (default: 0.3, of an OpenPose 0.05)"
    )
    group.add_argument("--person_threshold", type=_number, default=0.0, metavar="S", help="drawn people (default: 0)")
    group.add_argument("--colors", choices=("limb", "side", "person"), default="limb", help="default: limb")
    group.add_argument("--overlay", choices=("heatmaps", "fields"), help="what the network sees, below the people")
    group.add_argument("--track", action="store_true", default=None, help="who is who in a video (default)")
    group.add_argument("--no_track", action="store_false", dest="track", help="people without numbers")
    group.add_argument("--smooth", action="store_true", default=None, help="steady joints in a video (default)")
    group.add_argument("--no_smooth", action="store_false", dest="smooth", help="joints as found in each frame")
    group.add_argument("--max_frames", type=positive, metavar="N", help="of each video or camera")


def _number(text: str) -> float:
    value = float(text)
    if value != value:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value


def main(argv=None) -> int:
    """Entry point; returns the exit code."""
    return run_command(_predict, parser().parse_args(argv))


def _predict(arguments: argparse.Namespace) -> int:
    from paddle_pose.errors import ConfigError
    from paddle_pose.media.sources import open_sources
    from paddle_pose.outputs.writer import check_writable

    if arguments.track is False and arguments.smooth:
        raise ConfigError("--smooth needs to know who is who; leave --no_track out")
    sources = open_sources(arguments.input or [_bundled_photo(arguments)])
    formats = _formats(arguments.save, sources)
    check_writable(arguments.save_dir)
    _check_kept(arguments, formats)
    from paddle_pose.engine.stop import sigterm_as_ctrl_c

    with sigterm_as_ctrl_c():
        return _run(arguments, sources, formats)


def _run(arguments: argparse.Namespace, sources: list, formats: list[str]) -> int:
    """All that needs Paddle; returns the exit code."""
    from paddle_pose.cli import prediction_setup as setup
    from paddle_pose.engine import distributed

    if distributed.launched():
        from paddle_pose.cli.prediction_shares import run_shares

        return run_shares(arguments, sources, formats)
    from paddle_pose.cli.prediction import Run
    from paddle_pose.outputs.formats import open_writers

    predictor = setup.open_predictor(arguments)
    if predictor.engine_choice:
        print(predictor.engine_choice)
    setup.check_boxes(predictor, sources)
    drawing = setup.drawing(arguments, predictor)
    run = Run(predictor, sources, arguments.max_frames, setup.tracker_maker(arguments, predictor))
    with open_writers(arguments.save_dir, formats, predictor.skeleton, drawing, sources) as writers:
        run(writers)
    run.tell(arguments.save_dir, formats)
    setup.tell_of_rendered_people(arguments)
    return run.exit_code


def _bundled_photo(arguments: argparse.Namespace) -> str:
    from paddle_pose import zoo
    from paddle_pose.prediction.opening import bundled_name

    return str(zoo.default_photo(bundled_name(arguments.pretrained_model) or zoo.DEFAULT_MODEL))


def _formats(asked: Optional[list[str]], sources: list) -> list[str]:
    """What is written of these sources: what was asked for, without drawings of a kind that is not among them."""
    from paddle_pose.errors import ConfigError

    drawn = {"pictures" if source.kind == "photo" else "video" for source in sources}
    formats = [name for name in asked or FORMATS[:3] if name in drawn or name not in FORMATS[:2]]
    if not formats:
        raise ConfigError(f"--save {' '.join(asked)}: nothing would be written; the inputs are drawn by {min(drawn)}")
    return formats


def _check_kept(arguments: argparse.Namespace, formats: list[str]) -> None:
    """ConfigError if a file that says where people are would get lost under an output of its name."""
    import os

    from paddle_pose.errors import ConfigError
    from paddle_pose.outputs.coco_json import IMAGES, RESULTS

    outputs = [os.path.realpath(os.path.join(arguments.save_dir, name)) for name in (RESULTS, IMAGES)]
    for flag in ("boxes", "annotations"):
        path = getattr(arguments, flag)
        if path is not None and "coco" in formats and os.path.realpath(path) in outputs:
            raise ConfigError(f"--{flag} {path} would be overwritten by an output; choose another --save_dir")
