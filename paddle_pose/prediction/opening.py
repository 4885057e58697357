"""What the arguments of `Predictor` mean: which files, which models, who says where people are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

from paddle_pose import runtime, zoo
from paddle_pose.errors import ConfigError, UserError
from paddle_pose.prediction.cascade import read_stages
from paddle_pose.prediction.finders import BoxFile, Finder, WholePhoto
from paddle_pose.prediction.pose_model import PoseModel, open_checkpoint

Named = Union[str, Path, None]  # a file, a folder or a name of the zoo


def open_models(
    model: Union[str, Path, PoseModel, None],
    model_dir: Named,
    device: str,
    threads: Optional[int],
    engine: str,
    mirror_test: bool,
    precision: str = "float32",
) -> Sequence[PoseModel]:
    """The model that these arguments of `Predictor` mean, or the models of a cascade's stages."""
    if model_dir is not None:
        from paddle_pose.deployment.deployed_model import open_deployed

        deployed = open_deployed(Path(model_dir), device=device, threads=threads, engine=engine, precision=precision)
        if mirror_test and not deployed.description.mirror_test:
            raise ConfigError(f"{model_dir}: exported without the mirror test; export it again with --mirror_test")
        return [deployed]
    if precision != "float32":
        raise ConfigError(f"--precision {precision}: is for exported models (--model_dir); leave it out")
    if model is not None and not isinstance(model, (str, Path)):
        return [model]
    if engine != "auto":
        raise ConfigError(f"--engine {engine}: is for exported models (--model_dir); leave it out")
    path = model_path(model)
    paths = [path.parent / stage["model"] for stage in read_stages(path)] if path.suffix == ".json" else [path]
    models = [open_checkpoint(stage, mirror_test, device, threads) for stage in paths]
    wants_joints = [model.description.config["joint_crops"] is not None for model in models]
    if wants_joints != [number > 0 for number in range(len(models))]:
        raise ConfigError(
            f"{path}: whole people are for the first model of a cascade, single joints for each later one, but here it "
            "is otherwise; name the cascade.json that training wrote"
        )
    return models


def model_path(model: Named) -> Path:
    """The file of a model: itself, or what the zoo has under its name; of None the default's."""
    return Path(zoo.named_model(zoo.DEFAULT_MODEL if model is None else model))


def bundled_name(model: Named) -> Optional[str]:
    """The name under which the zoo holds the weights that `model` means, if they lie in this package."""
    path = model_path(model).resolve()
    return next((name for name, entry in _bundled().items() if entry.path.resolve() == path), None)


def exported_from_bundled(model_dir: Union[str, Path]) -> bool:
    """Whether an exported folder was made of weights that lie in this package."""
    from paddle_pose.deployment.deploy_file import read_deploy_file

    source = read_deploy_file(Path(model_dir)).facts.get("source")
    digest = source.get("sha256") if isinstance(source, dict) else None
    return digest in [entry.sha256 for entry in _bundled().values()]


def _bundled() -> dict[str, zoo.Bundled]:
    return {name: zoo.find(name) for name in zoo.names() if isinstance(zoo.find(name), zoo.Bundled)}


def open_finder(
    boxes: Named,
    annotations: Named,
    detector: Named,
    people_model: Named,
    threshold: Optional[float],
    device: str,
    threads: Optional[int],
) -> Finder:
    """The finder that these arguments of `Predictor` mean: the whole photo where there are none."""
    if annotations is not None and boxes is None:
        raise UserError("--annotations lists the photos of --boxes; give both or none")
    if boxes is not None:
        return BoxFile(boxes, 0.0 if threshold is None else threshold, annotations)
    if detector is not None:
        from paddle_pose.prediction.detector import DetectorFinder

        return DetectorFinder(detector, threshold, device, threads)
    if people_model is not None:
        from paddle_pose.prediction.person_centres import PersonCentreFinder

        runtime.choose_device(device, threads)
        return PersonCentreFinder(model_path(people_model), threshold)
    if threshold is not None:
        raise UserError("--box_threshold is for --boxes, --detector or --people_model; leave it out")
    return WholePhoto()
