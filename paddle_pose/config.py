"""YAML with `_base_` + command-line options -> a checked configuration.

Only builder.py and cli read it. A section with a `type` names a class; its other keys are that class's
arguments and are checked against the class in builder.py. All other keys are checked here.
"""

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pydantic
import yaml

from paddle_pose.errors import ConfigError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_Positive = Annotated[float, pydantic.Field(gt=0)]
_TestScale = Annotated[float, pydantic.Field(ge=0.1, le=10)]


class Section(pydantic.BaseModel):
    """A group of keys; a key that is not listed is an error."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Component(pydantic.BaseModel):
    """A class by name, with its arguments beside it."""

    model_config = pydantic.ConfigDict(extra="allow", frozen=True)

    type: str

    @property
    def arguments(self) -> dict[str, Any]:
        """Everything but `type`."""
        return dict(self.model_extra or {})


class Normalise(Section):
    """Colour statistics in [0, 1], RGB: the network sees (image / 255 - mean) / std."""

    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[_Positive, _Positive, _Positive] = IMAGENET_STD


class Optimizer(Section):
    """Optimiser and its numbers; those that a type does not use are left at their defaults.

    `lr_factors` multiplies the rate of parameters whose name fits a pattern, as of files: {"stage1.*": 5, "*.bias": 2}
    gives the biases of stage1 ten times the rate.
    """

    type: Literal["Adam", "AdamW", "SGD", "Momentum", "RMSProp"] = "Adam"
    lr: float = pydantic.Field(5e-4, gt=0)
    weight_decay: float = pydantic.Field(0.0, ge=0)
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = pydantic.Field(0.9, ge=0, lt=1)
    nesterov: bool = False
    rho: float = pydantic.Field(0.99, gt=0, lt=1)
    epsilon: float = pydantic.Field(1e-8, gt=0)
    clip_norm: Optional[float] = pydantic.Field(None, gt=0)
    lr_factors: dict[str, _Positive] = {}


class Schedule(Section):
    """Learning rate over time. Milestones are epochs; warm-up is counted in steps."""

    type: Literal["constant", "multistep", "cosine", "plateau"] = "multistep"
    milestones: tuple[int, ...] = (170, 200)
    gamma: float = pydantic.Field(0.1, gt=0, le=1)
    warmup_steps: int = pydantic.Field(0, ge=0)
    warmup_ratio: float = pydantic.Field(0.001, ge=0, le=1)
    min_lr: float = pydantic.Field(0.0, ge=0)
    patience: int = pydantic.Field(5, ge=0)
    threshold: float = pydantic.Field(1e-4, ge=0)
    cooldown: int = pydantic.Field(0, ge=0)


def _unquoted_off(value: Any) -> Any:
    """YAML reads a bare `off` as false."""
    return "off" if value is False else value


class Train(Section):
    """The training loop. `batch_size` is per process and per forward pass."""

    epochs: int = pydantic.Field(210, gt=0)
    batch_size: int = pydantic.Field(64, gt=0)
    accumulate: int = pydantic.Field(1, gt=0)
    workers: int = pydantic.Field(4, ge=0)
    amp: Annotated[Literal["off", "O1", "O2"], pydantic.BeforeValidator(_unquoted_off)] = "off"
    amp_dtype: Literal["float16", "bfloat16"] = "float16"
    ema_decay: Optional[float] = pydantic.Field(None, gt=0, lt=1)
    sync_bn: bool = False
    freeze: tuple[str, ...] = ()
    checkpoint_steps: int = pydantic.Field(500, gt=0)
    log_steps: int = pydantic.Field(50, gt=0)
    max_bad_photos: float = pydantic.Field(0.01, ge=0, le=1)


class Valid(Section):
    """Evaluation during training and by val.py. `best` names the value that selects the best model.

    With `test_scales` other than 1 each person is looked at at these sizes and the outputs are averaged; `batch_size`
    then counts crops.
    """

    batch_size: int = pydantic.Field(64, gt=0)
    every_epochs: int = pydantic.Field(1, gt=0)
    mirror_test: bool = True
    test_scales: tuple[_TestScale, ...] = pydantic.Field((1.0,), min_length=1)
    best: str = "Mean"


class JointCrops(Section):
    """Crops of single joints (data/joint_crops.py). A cascade writes this section for its later stages."""

    sigma: _Positive
    diameter_between: tuple[str, str]
    # predictions of the stage before on the people of each split, files as `val.py --save_predictions` writes them
    train_joints: str
    valid_joints: str
    # of that stage's errors on the training people, for each joint, in diameters: what training displaces crops by
    error_mean: tuple[tuple[float, float], ...]
    error_covariance: tuple[tuple[tuple[float, float], tuple[float, float]], ...]
    all_labels: bool = False


class Cascade(Section):
    """Later stages that refine the joints one by one; `stages` says what is different in each of them.

    `sigma` diameters are the side of a crop, in each later stage; the diameter of a pose is the distance of two
    joints. `stage1` is a finished model to begin with; without one the rest of the configuration is trained first.
    With `all_labels` a training crop supervises all joints that it shows, not only the one that it is cut for.
    """

    stages: tuple[dict[str, Any], ...] = pydantic.Field(min_length=1)
    sigma: tuple[_Positive, ...]
    diameter_between: tuple[str, str] = ("left_shoulder", "right_hip")
    stage1: Optional[str] = None
    all_labels: bool = False

    @pydantic.model_validator(mode="after")
    def _one_sigma_for_each(self) -> "Cascade":
        if len(self.sigma) != len(self.stages):
            raise ValueError(
                f"sigma {list(self.sigma)} is for {len(self.sigma)} stages, but {len(self.stages)} are listed"
            )
        return self


class Packed(Section):
    """Packed caches that stand in for the photo files of a split (docs/packed_cache.md); none: the photo files."""

    train: Optional[str] = None
    valid: Optional[str] = None


class Reference(Section):
    """A published row that this configuration is compared with."""

    source: str
    values: dict[str, float]
    note: str = ""


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
    reference: Optional[Reference] = None
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
    parts = [str(part) for part in first["loc"]]
    key = ".".join(parts)
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown key {key!r}; {nearest(parts[-1], _known_keys(parts[:-1]))}"
    if first["type"] == "missing":
        return f"{where}: key {key!r} is missing"
    if first["type"] == "value_error":  # from a validator of ours, which says what is wrong
        return f"{where}: {key}: {first['ctx']['error']}"
    return f"{where}: {key}={first['input']!r} is wrong: {first['msg'].lower()}"


def _known_keys(parts: list[str]) -> list[str]:
    model: Any = Config
    for part in parts:
        annotation = model.model_fields[part].annotation
        model = next((a for a in getattr(annotation, "__args__", ()) if a is not type(None)), annotation)
    return list(model.model_fields)
