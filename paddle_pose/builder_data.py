"""Configuration -> dataset and metric: what scoring a file of predictions needs, without paddle."""

import dataclasses
import inspect
import os
from typing import Any, Callable, Optional

import pydantic

from paddle_pose.config import Config, nearest
from paddle_pose.config_sections import Component, JointCrops
from paddle_pose.data import joint_crops
from paddle_pose.data.augment import AUGMENTATIONS, Reach
from paddle_pose.data.packed import PackedPhotos
from paddle_pose.data.prediction_files import read_predictions
from paddle_pose.data.skeleton_files import complete
from paddle_pose.data.skeleton_settings import skeleton_from
from paddle_pose.errors import ConfigError
from paddle_pose.interfaces import Dataset, Metric
from paddle_pose.registry import DATASETS, METRICS, Registry
from paddle_pose.skeletons import Skeleton


def build_component(registry: Registry, section: Component, where: str, derived: dict[str, Any]) -> Any:
    """An object from its section.

    Args:
        registry: where `section.type` is looked up.
        section: the class's name, and its arguments as written by the user.
        where: name of the section, for messages.
        derived: arguments that follow from other facts; the user may not set them. Those that the class does
            not take are left out.

    Raises:
        ConfigError: unknown type or argument, missing argument, or a value of the wrong type.
    """
    constructor = registry[section.type]
    parameters = {
        name: p
        for name, p in inspect.signature(constructor).parameters.items()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    }
    free = {name: p for name, p in parameters.items() if name not in derived}
    for key in section.arguments:
        if key not in free:
            why = "follows from other settings" if key in derived else nearest(key, list(free))
            raise ConfigError(f"{where}.{key}: {section.type} takes no such key; {why}")
    checked = _check_types(constructor, free, section, where)
    return constructor(**checked, **{name: value for name, value in derived.items() if name in parameters})


def _check_types(constructor: Callable, parameters: dict, section: Component, where: str) -> dict[str, Any]:
    """The user's arguments, converted to the types that the constructor's signature names."""
    fields = {
        name: (
            Any if p.annotation is p.empty else p.annotation,
            ... if p.default is p.empty else p.default,
        )
        for name, p in parameters.items()
    }
    settings = pydantic.ConfigDict(arbitrary_types_allowed=True, protected_namespaces=())
    model = pydantic.create_model(constructor.__name__, __config__=settings, **fields)
    try:
        values = model(**section.arguments)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        key = f"{where}.{'.'.join(str(part) for part in first['loc'])}"
        if first["type"] == "missing":
            raise ConfigError(f"{key} is missing; {section.type} needs it") from None
        if first["type"] == "unexpected_keyword_argument":  # in a group of settings, a dataclass
            known = [field.name for field in dataclasses.fields(fields[first["loc"][0]][0])]
            raise ConfigError(f"{key}: no such key; {nearest(first['loc'][-1], known)}") from None
        raise ConfigError(f"{key}={first['input']!r} is wrong: {first['msg'][:1].lower()}{first['msg'][1:]}") from None
    return {name: getattr(values, name) for name in section.arguments}


def skeleton_of(config: Config) -> Skeleton:
    """The joints of a configuration's dataset; no file is read.

    Most datasets have their own. One whose constructor takes `skeleton` has those of `dataset.skeleton`, by
    default the class's.

    Raises:
        ConfigError: the user's joints are wrong, or the dataset has its own.
    """
    dataset, written = DATASETS[config.dataset.type], config.dataset.arguments.get("skeleton")
    if not _takes_skeleton(dataset):
        if written is not None:
            raise ConfigError(
                f"dataset.skeleton: {config.dataset.type} has joints of its own ({dataset.skeleton.name}); "
                "leave the key out; other joints need a dataset of type COCO or COCOPhotos"
            )
        return dataset.skeleton
    if written is None:
        return dataset.skeleton
    if written == "annotation" or (isinstance(written, dict) and "joints" not in written):
        raise ConfigError(
            "dataset.skeleton: the joints are still in the annotation file; builder_data.resolve_skeleton reads them"
        )
    return skeleton_from(written, "dataset.skeleton")


def resolve_skeleton(config: Config) -> Config:
    """The same configuration, with joints that are to come from the training annotations written out in it.

    Commands do this once, after reading a configuration: what they save then needs no annotation file.

    Raises:
        ConfigError: what the user wrote is wrong.
        DataError: the file cannot be read, or its category is wrong.
    """
    section = config.dataset
    written = section.arguments.get("skeleton")
    own = {} if written == "annotation" else written
    if not isinstance(own, dict) or "joints" in own or not _takes_skeleton(DATASETS[section.type]):
        return config  # nothing to read; skeleton_of checks what is there
    whole = complete(own, *_annotation_file(section), "dataset.skeleton")
    return config.model_copy(update={"dataset": Component(**{**section.model_dump(), "skeleton": whole})})


def _takes_skeleton(dataset: Callable) -> bool:
    return "skeleton" in inspect.signature(dataset).parameters


def _annotation_file(section: Component) -> tuple[str, str]:
    """Path of the training annotations of a dataset in COCO's format, and the name of the category."""
    constructor = DATASETS[section.type]
    keys = ("root", "train_annotations", "category")
    parameters = {key: inspect.signature(constructor).parameters[key] for key in keys}
    given = Component(type=section.type, **{key: section.arguments[key] for key in keys if key in section.arguments})
    checked = _check_types(constructor, parameters, given, "dataset")
    values = {key: checked.get(key, parameter.default) for key, parameter in parameters.items()}
    return os.path.join(values["root"], values["train_annotations"]), values["category"]


def check_skeleton(config: Config, skeleton: Skeleton) -> None:
    """ConfigError if a setting needs mirror pairs, or an upper body, that the skeleton does not have."""
    augmentation = build_component(AUGMENTATIONS, config.augment, "augment", {}) if config.augment else None
    mirrors = {
        "augment.mirror_probability": augmentation is not None and augmentation.mirror_probability > 0,
        "valid.mirror_test": config.valid.mirror_test,
    }
    asked = " and ".join(name for name, is_on in mirrors.items() if is_on)
    if asked and skeleton.mirror_pairs is None:
        raise ConfigError(
            f"{asked}: nobody says which joints of {skeleton.name} change places in a mirror; give pairs of names in "
            "dataset.skeleton.mirror_pairs, or [] there if no joint has a partner"
        )
    if augmentation is not None and augmentation.half_body.probability > 0 and not skeleton.upper_body:
        raise ConfigError(
            f"augment.half_body_probability: {skeleton.name} has no upper body; name its joints in "
            "dataset.skeleton.upper_body, or set the probability to 0"
        )


def build_dataset(config: Config, split: str) -> Dataset:
    """The `train` or `valid` people of a configuration; reads annotations, not photos."""
    skeleton = skeleton_of(config)  # what the user wrote under dataset.skeleton is used up here
    rest = {key: value for key, value in config.dataset.model_dump().items() if key != "skeleton"}
    people = build_component(DATASETS, Component(**rest), "dataset", {"split": split, "skeleton": skeleton})
    return _joint_crops(people, config.joint_crops, split) if config.joint_crops else people


def _joint_crops(people: Dataset, section: JointCrops, split: str) -> Dataset:
    """Crops of single joints around the predictions of a cascade's stage before."""
    path = section.train_joints if split == "train" else section.valid_joints
    estimate = read_predictions(path, len(people), len(people.skeleton), people.skeleton)
    return joint_crops.JointCrops(
        people,
        estimate.joints_image,
        section.sigma,
        section.diameter_between,
        training=split == "train",
        all_labels=section.all_labels,
    )


def open_pack(config: Config, dataset: Dataset, split: str) -> Optional[PackedPhotos]:
    """The packed cache that `packed` names for a split; None where it names none, and for crops of single joints.

    Raises:
        DataError: it cannot be used for these people.
    """
    section = config.packed
    path = None if section is None else section.train if split == "train" else section.valid
    if path is None or config.joint_crops is not None:
        return None
    return PackedPhotos(path, dataset, config.dataset.type, split)


def reach_of(config: Config, split: str) -> Reach:
    """Bounds of the views that a configuration asks for: those of its augmentation, or of its test scales."""
    if split == "train":
        return build_component(AUGMENTATIONS, config.augment, "augment", {}).reach if config.augment else Reach()
    scales = (1.0, *config.valid.test_scales)
    return Reach(smallest=1 / max(scales), largest=1 / min(scales))


def build_metric(config: Config) -> Metric:
    """The metric of a configuration."""
    skeleton = skeleton_of(config)
    derived = {"skeleton": skeleton.annotated_as or skeleton, "input_wh": config.input_wh}
    return build_component(METRICS, config.metric, "metric", derived)
