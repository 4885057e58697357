"""Configuration -> dataset and metric: what scoring a file of predictions needs, without paddle."""

import inspect
from typing import Any, Callable

import pydantic

from paddle_pose.config import Component, Config, nearest
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
        raise ConfigError(f"{key}={first['input']!r} is wrong: {first['msg'].lower()}") from None
    return {name: getattr(values, name) for name in section.arguments}


def skeleton_of(config: Config) -> Skeleton:
    """The joints of a configuration's dataset; no file is read."""
    return DATASETS[config.dataset.type].skeleton


def build_dataset(config: Config, split: str) -> Dataset:
    """The `train` or `valid` people of a configuration; reads annotations, not photos."""
    return build_component(DATASETS, config.dataset, "dataset", {"split": split})


def build_metric(config: Config) -> Metric:
    """The metric of a configuration."""
    return build_component(METRICS, config.metric, "metric", {"skeleton": skeleton_of(config)})
