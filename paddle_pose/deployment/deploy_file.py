"""`deploy.yaml`: what stands beside an exported model, for the programs and for the people who run it.

An exported folder holds one model, in one form or in both:

    deploy.yaml                       always
    model.json, model.pdiparams       for Paddle Inference 3.x; of Paddle 2.6 it is model.pdmodel, model.pdiparams
    model.onnx                        for ONNX
    model_int8.onnx                   the same with convolutions in 8 bits, if it was calibrated

The outputs of all come in the order of `outputs`. docs/export.md says what each key holds.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Optional

import pydantic
import yaml

from paddle_pose.atomic_files import replacing
from paddle_pose.config import check_config
from paddle_pose.config_sections import Section
from paddle_pose.deployment.description import Description
from paddle_pose.deployment.skeleton_section import SkeletonSection, skeleton_mapping
from paddle_pose.deployment.wording import words
from paddle_pose.digests import sha256_of
from paddle_pose.errors import CheckpointError, ConfigError

DEPLOY_FILE, PREFIX, INPUT_NAME = "deploy.yaml", "model", "images"
PROGRAMS, WEIGHTS, ONNX = (f"{PREFIX}.json", f"{PREFIX}.pdmodel"), f"{PREFIX}.pdiparams", f"{PREFIX}.onnx"
INT8 = f"{PREFIX}_int8.onnx"
BESIDE = (*PROGRAMS, WEIGHTS, ONNX, INT8)
FORM = 1
_OUTPUTS = {"one": (("joints", "scores"), ("joints", "scores", "maps")), "everybody": (("maps",),)}
_Side = pydantic.conint(gt=0, le=16384)
_Byte = pydantic.conint(ge=0, le=255)


class _Input(Section):
    """One uint8 array (B, height, width, 3), RGB."""

    name: Literal["images"] = INPUT_NAME
    dtype: Literal["uint8"] = "uint8"
    layout: Literal["BHWC"] = "BHWC"
    color_order: Literal["RGB"] = "RGB"
    wh: Optional[tuple[_Side, _Side]]
    stride: _Side


class _Crop(Section):
    """How a person is cut from a photo."""

    padding: float = pydantic.Field(gt=0, le=100)
    pixel_centres: bool
    border: tuple[_Byte, _Byte, _Byte]


class DeployFile(Section):
    """The whole file. What programs need is checked; `words` and the facts behind it are for people."""

    form: Literal[1]
    network: str
    finds: Literal["one", "everybody"]
    input: _Input
    crop: _Crop
    outputs: tuple[Literal["joints", "scores", "maps"], ...] = pydantic.Field(min_length=1)
    mirror_test: bool
    skeleton: SkeletonSection
    words: Any = None
    sha256: dict[str, str] = {}  # of each file beside it; who changes a file on purpose takes its line out
    facts: dict[str, Any] = {}
    config: dict[str, Any]

    @pydantic.field_validator("sha256", mode="before")
    @classmethod
    def _none_left(cls, value: Any) -> Any:
        return {} if value is None else value  # who took out the last line left the key

    @pydantic.model_validator(mode="after")
    def _whole(self) -> "DeployFile":
        if self.finds == "one" and self.input.wh is None:
            raise ValueError("input.wh is missing: a model of one person has crops of one size")
        if len(set(self.outputs)) != len(self.outputs):
            raise ValueError(f"outputs {list(self.outputs)} name one twice")
        known = _OUTPUTS[self.finds]
        if self.outputs not in known:
            raise ValueError(f"outputs {list(self.outputs)}: where finds is {self.finds}, they are {list(known[-1])}")
        return self

    def description(self) -> Description:
        """What programs need of it."""
        return Description(
            network=self.network,
            finds=self.finds,
            input_wh=self.input.wh,
            stride=self.input.stride,
            outputs=self.outputs,
            mirror_test=self.mirror_test,
            pixel_centres=self.crop.pixel_centres,
            border=self.crop.border,
            padding=self.crop.padding,
            skeleton=self.skeleton.made(),
            config=self.config,
        )

    def check_intact(self, folder: Path, names: Iterable[str]) -> None:
        """CheckpointError if one of these files of the folder is not as it was written; who is not there passes."""
        for name in names:
            path = folder / name
            if name in self.sha256 and path.is_file() and sha256_of(path) != self.sha256[name]:
                raise CheckpointError(
                    f"{path}: damaged, or of another model: its SHA-256 is not that in {DEPLOY_FILE}; export again, or "
                    f"take its line under sha256 out of {DEPLOY_FILE} if you changed it on purpose"
                )


def write_description(folder: Path, description: Description, facts: Optional[dict[str, Any]] = None) -> None:
    """Writes `deploy.yaml` into a folder, whole or not at all, with the hashes of the files that are there.

    Args:
        folder: made if it is not there.
        description: of the model.
        facts: what else is known, plain values: `source`, `made_by`, `checked`.

    Raises:
        OSError: it cannot be written.
    """
    folder = Path(folder)
    beside = [name for name in BESIDE if (folder / name).is_file()]
    mapping = {
        "form": FORM,
        "network": description.network,
        "finds": description.finds,
        "input": _Input(wh=description.input_wh, stride=description.stride).model_dump(mode="json"),
        "crop": {
            "padding": description.padding,
            "pixel_centres": description.pixel_centres,
            "border": list(description.border),
        },
        "outputs": list(description.outputs),
        "mirror_test": description.mirror_test,
        "words": words(description),
        "skeleton": skeleton_mapping(description.skeleton),
        "sha256": {name: sha256_of(folder / name) for name in beside},
        "facts": facts or {},
        "config": description.config,
    }
    text = yaml.dump(mapping, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    with replacing(folder / DEPLOY_FILE) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_description(folder: Path) -> Description:
    """What `deploy.yaml` of an exported folder says; CheckpointError as `read_deploy_file`."""
    return read_deploy_file(folder).description()


def read_deploy_file(folder: Path) -> DeployFile:
    """The whole `deploy.yaml` of an exported folder.

    Raises:
        CheckpointError: the folder or the file is not there, or the file is damaged: one line with the key.
    """
    path = Path(folder) / DEPLOY_FILE
    try:
        mapping = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        what = "there is no such folder" if not Path(folder).is_dir() else f"it has no {DEPLOY_FILE}"
        raise CheckpointError(f"{folder}: not an exported model: {what}; make one with export.py") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); check the folder of the model") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: not UTF-8, or a date no calendar has
        raise CheckpointError(f"{path}: not valid YAML ({' '.join(str(error).split())}); export again") from None
    if not isinstance(mapping, dict):
        raise CheckpointError(f"{path}: holds a {type(mapping).__name__}, not a mapping; export again")
    return _checked(mapping, path)


def _checked(mapping: dict, path: Path) -> DeployFile:
    form = mapping.get("form")
    if isinstance(form, int) and form > FORM:
        raise CheckpointError(f"{path}: is of form {form}, this version reads form {FORM}; use a newer paddle_pose")
    try:
        read = DeployFile.model_validate(mapping)
        check_config(read.config, f"{path}: config")
    except ConfigError as error:
        raise CheckpointError(f"{error}; export again") from None
    except pydantic.ValidationError as error:
        raise CheckpointError(f"{path}: {_first(error)}; export again") from None
    return read


def _first(error: pydantic.ValidationError) -> str:
    """The first problem that pydantic found: key, value, reason."""
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"key {key!r} is missing"
    if first["type"] == "extra_forbidden":
        return f"unknown key {key!r}"
    if first["type"] == "value_error":  # of a validator of ours
        return f"{key}: {first['ctx']['error']}" if key else str(first["ctx"]["error"])
    return f"{key}={first['input']!r:.80} is wrong: {first['msg'][:1].lower()}{first['msg'][1:]}"


class _Dumper(yaml.SafeDumper):
    """Short lists on one line each, no anchors: a person can read and edit it."""

    def ignore_aliases(self, data: Any) -> bool:
        """Always: the same list twice is written twice."""
        return True

    def represent_sequence(self, tag: str, sequence: Any, flow_style: Optional[bool] = None) -> yaml.Node:
        """On one line where nothing in it is longer than a word."""
        plain = all(not isinstance(item, (list, tuple, dict)) and len(str(item)) < 24 for item in sequence)
        return super().represent_sequence(tag, sequence, flow_style=plain)
