"""Which configuration a recognised checkpoint of PyTorch gets."""

import inspect
import os
import re
from collections.abc import Sequence
from typing import Any, Optional

from paddle_pose.config import Config, configs_folder, load_config
from paddle_pose.conversion.recognised import Recognised
from paddle_pose.errors import ConfigError
from paddle_pose.registry import NETWORKS


def chosen_config(
    known: Recognised, path: Optional[str], opts: Sequence[str], image_size: Optional[int]
) -> tuple[Config, str]:
    """The configuration for a recognised network, and what to print of it.

    Args:
        known: the network.
        path: the file, if one was asked for.
        opts: settings, as after `--opts`.
        image_size: side of a square input, if one was asked for.

    Raises:
        ConfigError: there is none for it, or the one that was asked for is of another network.
    """
    if path:
        config, where = asked_config(path, opts, image_size)
        _check_network(known, config, path)
        return config, where
    if known.is_trunk:
        there = [path for path in map(_path, known.configs) if os.path.isfile(path)]
        instance = f", for instance {' or '.join(there)}" if there else ""
        raise ConfigError(f"{known}: say with --config which network gets it{instance}")
    path, is_first = _default(known, image_size)
    base = load_config(path).model_dump(mode="json")
    changed = {key: value for key, value in known.options.items() if not _same(value, _option(base["network"], key))}
    base["network"].update(changed)
    notes = [f"network.{key}={value}" for key, value in changed.items()]
    if changed or not is_first:  # that row is of other weights
        base["reference"] = None
        notes.append("reference: none")
    config = load_config(path, tuple(opts), _overrides(image_size), base)
    width, height = config.input_wh
    notes.append(f"input {width}x{height}, which the file does not say")
    return config, f"{path}; {'; '.join(notes)}"


def asked_config(path: str, opts: Sequence[str], image_size: Optional[int]) -> tuple[Config, str]:
    """The configuration of a file, and what to print of it; arguments as of `chosen_config`."""
    return load_config(path, tuple(opts), _overrides(image_size)), f"{path}, {' '.join(opts) or 'as it is'}"


def _overrides(image_size: Optional[int]) -> dict[str, Any]:
    return {} if image_size is None else {"input_wh": [image_size] * 2}


def _default(known: Recognised, image_size: Optional[int]) -> tuple[str, bool]:
    """The first file that is there, of the size that is asked for if there is one; and whether it was the first."""
    for number, name in enumerate(known.configs):
        size = f"_{image_size}x{image_size}"
        for path in (_path(re.sub(r"_\d+x\d+", size, name)), _path(name)) if image_size else (_path(name),):
            if os.path.isfile(path):
                return path, number == 0
    raise ConfigError(
        f"{known}: no configuration here has this network with {known.joints} joints; give --config, and --drop_head "
        "if that is of other joints"
    )


def _check_network(known: Recognised, config: Config, path: str) -> None:
    section = config.network
    if section.type != known.network:
        raise ConfigError(f"{path}: is of {section.type}, the checkpoint is {known}; choose another --config")
    for key, value in known.options.items():
        there = _option(section.model_dump(mode="json"), key)
        if not _same(value, there):
            raise ConfigError(f"{path}: network.{key}={there}, the checkpoint is {known}; choose another --config")


def _option(section: dict[str, Any], key: str) -> Any:
    """A network's argument, or its default."""
    return section.get(key, inspect.signature(NETWORKS[section["type"]]).parameters[key].default)


def _same(left: Any, right: Any) -> bool:
    return left == (list(right) if isinstance(right, tuple) else right)


def _path(name: str) -> str:
    return os.path.join(configs_folder(), name)
