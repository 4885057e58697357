"""What the flags of predict.py mean: the predictor, what draws and what tracks, and what is said of the model."""

import argparse
from typing import Any, Optional

JOINT_THRESHOLDS = {"one": 0.3, "everybody": 0.05}  # who is found among everybody has passed the grouping's thresholds


def open_predictor(arguments: argparse.Namespace) -> Any:
    """The `Predictor` that the flags name."""
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


def check_boxes(predictor: Any, sources: list) -> None:
    """Before anything is computed: boxes that are of none of these photos."""
    check = getattr(predictor.finder, "check", None)
    if check is not None:
        check([source.name for source in sources])


def drawing(arguments: argparse.Namespace, predictor: Any) -> Any:
    """The `Drawing` of pictures and videos; ConfigError for an overlay that the model does not have."""
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


def tracker_maker(arguments: argparse.Namespace, predictor: Any) -> Optional[Any]:
    """Makes the tracker of a video; None where people get no numbers."""
    if arguments.track is False:
        return None

    def make() -> Any:
        from paddle_pose.tracking.tracker import PeopleTracker

        unsmoothed = {"smooth": None} if arguments.smooth is False else {}
        return PeopleTracker(predictor.skeleton, **unsmoothed)

    return make


def tell_of_rendered_people(arguments: argparse.Namespace) -> None:
    """Prints that a model knows rendered people only, where the user gave inputs of their own."""
    from paddle_pose.prediction.opening import bundled_name, exported_from_bundled

    folder = arguments.model_dir
    if arguments.input and (exported_from_bundled(folder) if folder else bundled_name(arguments.pretrained_model)):
        print(
            "this model was trained on rendered people only; for real photos name one with --pretrained_model "
            "(python -m paddle_pose.zoo lists them)"
        )
