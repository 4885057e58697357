"""predict.py: photos, folders, videos, cameras -> people, drawn and in files."""

import argparse
from typing import Any, Optional

from paddle_pose.cli.options import positive, run_command

FORMATS = ("pictures", "video", "coco", "openpose", "csv")  # as outputs/formats.py; not imported, for a quick --help
PRECISIONS = ("float32", "bf16", "int8")  # as deployment/precision.py
ENGINES = ("auto", "paddle", "onnxruntime", "tensorrt")  # as deployment/deployed_model.py
JOINT_THRESHOLDS = {"one": 0.3, "everybody": 0.05}  # who is found among everybody has passed the grouping's thresholds


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
    from paddle_pose.engine import distributed

    if distributed.launched():
        return _run_shares(arguments, sources, formats)
    from paddle_pose.cli.prediction import Run
    from paddle_pose.outputs.formats import open_writers

    predictor = _open_predictor(arguments)
    if predictor.engine_choice:
        print(predictor.engine_choice)
    _check_boxes(predictor, sources)
    drawing = _drawing(arguments, predictor)
    run = Run(predictor, sources, arguments.max_frames, _tracker_maker(arguments, predictor))
    with open_writers(arguments.save_dir, formats, predictor.skeleton, drawing, sources) as writers:
        run(writers)
    run.tell(arguments.save_dir, formats)
    _tell_of_rendered_people(arguments)
    return run.exit_code


def _run_shares(arguments: argparse.Namespace, sources: list, formats: list[str]) -> int:
    """The same by one of several processes; every one of them returns the same exit code."""
    from paddle_pose.cli import prediction_shares as shares
    from paddle_pose.cli.prediction import Run
    from paddle_pose.engine import distributed
    from paddle_pose.outputs.formats import open_writers
    from paddle_pose.outputs.writer import Writers

    shares.check_photos_only(sources)
    predictor = _open_predictor(arguments)
    _check_boxes(predictor, sources)
    place = distributed.initialise()
    own, common = ([name for name in formats if (name in shares.OF_THE_RUN) == once] for once in (False, True))
    facts = (predictor.skeleton, _drawing(arguments, predictor), sources)
    drawn = open_writers(arguments.save_dir, own, *facts)
    share = shares.Share(arguments.save_dir, place[0], sources)
    mine = shares.share_of(sources, place, predictor.batch_size)
    run = Run(predictor, mine, None, None, share.refuse)
    with Writers([share, drawn]) as writers:
        run(writers)
    run.join_others()
    if place[0] == 0:
        shares.merge(arguments.save_dir, place[1], sources, open_writers(arguments.save_dir, common, *facts))
        run.tell(arguments.save_dir, formats)
        _tell_of_rendered_people(arguments)
    distributed.wait_for_all()  # the launcher ends all of them when one ends with an error code
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


def _open_predictor(arguments: argparse.Namespace) -> Any:
    from paddle_pose.prediction.predictor import BATCH_SIZE, Predictor

    return Predictor(
        _model(arguments),
        model_dir=arguments.model_dir,
        **{name: getattr(arguments, name) for name in ("boxes", "annotations", "detector", "people_model")},
        box_threshold=arguments.box_threshold,
        device=arguments.device,
        batch_size=BATCH_SIZE if arguments.batch_size is None else arguments.batch_size,
        threads=arguments.threads,
        engine=arguments.engine,
        precision=arguments.precision,
        mirror_test=arguments.mirror_test,
        keep_maps=arguments.overlay is not None,
    )


def _model(arguments: argparse.Namespace) -> Any:
    """A file; or, where its configuration is given or changed, the model itself."""
    if not arguments.config and not arguments.opts:
        return arguments.pretrained_model
    from paddle_pose.errors import ConfigError

    if arguments.pretrained_model is None or arguments.model_dir is not None:
        raise ConfigError("--config and --opts are for a model file; give it with --pretrained_model")
    from paddle_pose import runtime
    from paddle_pose.cli.checkpoint import Checkpoint
    from paddle_pose.prediction.pose_model import EagerModel

    checkpoint = Checkpoint(arguments)
    runtime.choose_device(arguments.device, arguments.threads or checkpoint.config.cpu_threads)
    return EagerModel(checkpoint.build(), arguments.mirror_test)


def _check_boxes(predictor: Any, sources: list) -> None:
    """Before anything is computed: boxes that are of none of these photos."""
    check = getattr(predictor.finder, "check", None)
    if check is not None:
        check([source.name for source in sources])


def _drawing(arguments: argparse.Namespace, predictor: Any) -> Any:
    from paddle_pose.errors import ConfigError
    from paddle_pose.outputs.drawing import Drawing

    if arguments.overlay == "fields" and predictor.description.finds != "everybody":
        raise ConfigError(
            f"--overlay fields: {predictor.description.network} has no fields of limbs, only OpenPose has"
        )
    threshold = arguments.joint_threshold
    if threshold is None:
        threshold = JOINT_THRESHOLDS[predictor.description.finds]
    return Drawing(predictor.skeleton, threshold, arguments.person_threshold, arguments.colors, arguments.overlay)


def _tracker_maker(arguments: argparse.Namespace, predictor: Any) -> Optional[Any]:
    """Makes the tracker of a video; None where people get no numbers."""
    if arguments.track is False:
        return None

    def make() -> Any:
        from paddle_pose.tracking.tracker import PeopleTracker

        unsmoothed = {"smooth": None} if arguments.smooth is False else {}
        return PeopleTracker(predictor.skeleton, **unsmoothed)

    return make


def _tell_of_rendered_people(arguments: argparse.Namespace) -> None:
    from paddle_pose.prediction.opening import bundled_name, exported_from_bundled

    folder = arguments.model_dir
    if arguments.input and (exported_from_bundled(folder) if folder else bundled_name(arguments.pretrained_model)):
        print(
            "this model was trained on rendered people only; for real photos name one with --pretrained_model "
            "(python -m paddle_pose.zoo lists them)"
        )
