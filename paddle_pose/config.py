"""YAML with `_base_` + command-line options -> a checked configuration.

Only builder.py and cli read it. What the sections hold is in config_sections.py.
"""

import difflib
import os
from pathlib import Path
from typing import Any, Optional, Union

import pydantic
import yaml

from paddle_pose.config_sections import (
    Cascade,
    Component,
    JointCrops,
    Normalise,
    Optimizer,
    Packed,
    Reference,
    Schedule,
    Section,
    Train,
    Valid,
)
from paddle_pose.errors import ConfigError


class Config(Section):
    """A whole configuration file."""

    input_wh: tuple[int, int]
    dataset: Component
    network: Component
    codec: Component
    loss: Component = Component(type="JointsMSE")
    metric: Component
    augment: Optional[Component] = None
    packed: Optional[Packed] = None
    normalise: Normalise = Normalise()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    train: Train = Train()
    valid: Valid = Valid()
    # id of a published row (paddle_pose/references), or a row of one's own
    reference: Optional[Union[Reference, str]] = None
    cascade: Optional[Cascade] = None
    joint_crops: Optional[JointCrops] = None
    seed: int = pydantic.Field(0, ge=0, lt=2**32)
    # Threads of the CPU math library; none: all cores. Small networks run faster with one (benchmarks/README.md).
    cpu_threads: Optional[int] = pydantic.Field(default=None, gt=0)

    @pydantic.field_validator("loss", mode="before")
    @classmethod
    def _default_loss(cls, value: Any) -> Any:
        """Settings of the loss alone, as `--opts loss.factor=0.5`, are those of the default one."""
        return {"type": "JointsMSE", **value} if isinstance(value, dict) else value

    @pydantic.field_validator("reference", mode="before")
    @classmethod
    def _id_or_row(cls, value: Any) -> Any:
        if value is None or isinstance(value, (str, dict, Reference)):
            return value
        raise ValueError(f"{value!r} is not the id of a published row (docs/references.md)")

    @pydantic.model_validator(mode="after")
    def _one_way_to_pixels(self) -> "Config":
        for split in ("train", "valid"):
            if getattr(self.packed, split, None) and getattr(self, split).reduced_decoding:
                raise ValueError(
                    f"{split}.reduced_decoding and packed.{split} exclude each other: a packed cache is not decoded; "
                    "leave one out (pack with --reduce instead)"
                )
        return self

    @property
    def size_name(self) -> str:
        """`256` for a square input, else `192x256`: first part of the best model's folder name."""
        width, height = self.input_wh
        return str(width) if width == height else f"{width}x{height}"


def load_config(
    path: str, options: tuple[str, ...] = (), overrides: Optional[dict] = None, base: Optional[dict] = None
) -> Config:
    """Reads a YAML file with its bases.

    Args:
        path: the file; its `_base_` (a path relative to it, or a list of them) is read first and merged over.
        options: `key.subkey=value` entries, values in YAML, as after `--opts`.
        overrides: nested mapping merged last (what other flags mean).
        base: a mapping to start from instead of the file.

    Raises:
        ConfigError: the file, key or value is wrong; one line with file, key and the nearest known key.
    """
    mapping = _read(Path(path), ()) if base is None else base
    if not isinstance(mapping, dict):
        raise ConfigError(f"{path}: its configuration is damaged; choose another with --config")
    chosen: dict = {}  # put together first, so that `x.type` and `x.key` may come in any order
    for option in options:
        chosen = merge(chosen, _parse_option(option))
    return check_config(merge(merge(mapping, chosen), overrides or {}), path)


def configs_folder() -> str:
    """`configs/` of the checkout that this package lies in, else of the working directory."""
    beside = os.path.join(os.path.dirname(__file__), "..", "configs")
    return os.path.relpath(beside) if os.path.isdir(beside) else "configs"


def check_config(mapping: dict, where: str) -> Config:
    """Checks a merged mapping; `where` is named in errors."""
    try:
        return Config.model_validate(mapping)
    except pydantic.ValidationError as error:
        raise ConfigError(_first_error(error, where)) from None


def merge(base: dict, over: dict) -> dict:
    """`over` on top of `base`, section by section. A section of another `type` replaces the old one whole."""
    if "type" in over and over["type"] != base.get("type", over["type"]):
        return dict(over)
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = merge(base[key], value) if both else value
    return merged


def nearest(key: str, known: list[str]) -> str:
    """A hint for a message about an unknown key."""
    if not known:
        return "it takes none"
    near = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"


def _read(path: Path, seen: tuple[Path, ...]) -> dict:
    if path in seen:
        raise ConfigError(f"{path}: `_base_` leads back to itself; remove one of the links")
    mapping = _read_mapping(path, f"the `_base_` of {seen[-1]}" if seen else "--config")
    bases = mapping.pop("_base_", None) or []
    bases = [bases] if isinstance(bases, str) else bases
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise ConfigError(f"{path}: _base_={bases!r} is wrong: write a path, or a list of paths")
    merged: dict = {}
    for base in bases:
        merged = merge(merged, _read((path.parent / base).resolve(), (*seen, path)))
    return merge(merged, mapping)


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, where YAML would keep the last one without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """The mapping of a node."""
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = next((key for k, key in enumerate(keys) if key in keys[:k]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"key {twice!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _read_mapping(path: Path, named_by: str) -> dict:
    try:
        mapping = yaml.load(path.read_text(encoding="utf-8"), _Loader) or {}
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the configuration ({error.strerror}); check {named_by}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text ({error.reason}); check {named_by}") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        raise ConfigError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(mapping, dict):
        raise ConfigError(f"{path}: a configuration is a mapping of sections, this is a {type(mapping).__name__}")
    return mapping


def _parse_option(option: str) -> dict:
    key, equals, text = option.partition("=")
    if not equals or not key:
        raise ConfigError(f"--opts {option}: write it as section.key=value")
    try:
        value = yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError):
        raise ConfigError(f"--opts {option}: the value is not valid YAML") from None
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def _first_error(error: pydantic.ValidationError, where: str) -> str:
    """One line for the first problem that pydantic found."""
    first = error.errors()[0]
    # pydantic names the member of a union after the key
    parts = [str(part) for k, part in enumerate(first["loc"]) if k == 0 or part != "Reference"]
    key = ".".join(parts)
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown key {key!r}; {nearest(parts[-1], _known_keys(parts[:-1]))}"
    if first["type"] == "missing":
        return f"{where}: key {key!r} is missing"
    if first["type"] == "value_error":  # from a validator of ours, which says what is wrong
        return ": ".join(part for part in (where, key, str(first["ctx"]["error"])) if part)
    return f"{where}: {key}={first['input']!r} is wrong: {first['msg'][:1].lower()}{first['msg'][1:]}"


def _known_keys(parts: list[str]) -> list[str]:
    model: Any = Config
    for part in parts:
        annotation = model.model_fields[part].annotation
        model = next((a for a in getattr(annotation, "__args__", ()) if a is not type(None)), annotation)
    return list(model.model_fields)
