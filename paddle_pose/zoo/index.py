"""What the zoo knows of each model: index.yaml, checked. Nothing in it was fetched here unless it says so."""

import difflib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Optional, Union

import pydantic
import yaml

from paddle_pose.config_sections import Section
from paddle_pose.errors import ConfigError, UserError

FOLDER = Path(__file__).parent
INDEX = FOLDER / "index.yaml"
_Https = Annotated[str, pydantic.Field(pattern=r"^https://[!-~]+$")]
_FileName = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*$")]


class _Common(Section):
    what: str
    config: str
    licence: str
    data_licence: str
    note: str = ""


class Bundled(_Common):
    """A model that lies in `weights/`.

    Args:
        what: the network and its data, in words.
        config: file under configs/ that it was trained with.
        licence: of the weights.
        data_licence: of what they were trained on.
        file: name under `weights/`.
        photo: name under `photos/` of a photo to show it on.
        sha256: of the file.
        values: what val.py gave, percent.
        scored_on: the people or photos that gave it.
        made: the commands, in order.
        note: anything else.
    """

    file: _FileName
    photo: _FileName
    sha256: str = pydantic.Field(pattern=r"^[0-9a-f]{64}$")
    values: dict[str, float] = pydantic.Field(min_length=1)
    scored_on: str
    made: tuple[str, ...] = pydantic.Field(min_length=1)

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return FOLDER / "weights" / self.file

    @property
    def photo_path(self) -> Path:
        """Where its photo lies."""
        return FOLDER / "photos" / self.photo


class Published(_Common):
    """A checkpoint that others have published, in PyTorch's form.

    Args:
        what: whose, which network, trained on what.
        config: file under configs/ whose network it is for.
        licence: of the code that it comes from, as stated there; `not stated`.
        data_licence: of the data that it was trained on, as stated; `not stated`.
        page: where its authors name it.
        url: of the file; None where no public document gives one that a program can fetch.
        file: its name, as published, where there is no `url`.
        by_hand: what to fetch by hand where there is no `url`.
        sha256: all or the first 8 or more of the 64 digits; empty where nobody has published any, then without `url`.
        megabytes: as published.
        reference: id of the published row whose number it should give.
        trunk: only the layers below the head; the others are drawn, and must be trained.
        seen: whether somebody of this project has fetched and converted it.
        note: anything else.
    """

    page: _Https
    url: Optional[_Https] = None
    file: _FileName = ""
    by_hand: str = ""
    sha256: str = pydantic.Field("", pattern=r"^([0-9a-f]{8,64})?$")
    megabytes: Optional[float] = pydantic.Field(None, gt=0)
    reference: Optional[str] = None
    trunk: bool = False
    seen: bool = False

    @pydantic.model_validator(mode="after")
    def _can_be_had(self) -> "Published":
        if self.url is None and not (self.by_hand and self.file):
            raise ValueError("without a url, by_hand must say which file to fetch from where")
        if self.url and not self.sha256:
            raise ValueError("what a program fetches must have a sha256")
        return self

    @property
    def file_name(self) -> str:
        """As published."""
        return self.file or self.url.rsplit("/", 1)[-1]


Entry = Union[Bundled, Published]


@cache
def entries() -> dict[str, Entry]:
    """Every model by its name, the bundled ones first."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(INDEX.read_text(encoding="utf-8"), loader)
    found: dict[str, Entry] = {}
    for kind, part in ((Bundled, "bundled"), (Published, "published")):
        for name, fields in content[part].items():
            found[name] = _checked(kind, fields, f"{INDEX}: {part}: {name!r}")
    return found


def names() -> tuple[str, ...]:
    """Names of all models, the bundled ones first."""
    return tuple(entries())


def find(name: str) -> Entry:
    """What is known of a model; UserError with the nearest name where there is none."""
    known = entries()
    if name in known:
        return known[name]
    raise UserError(unknown(name))


def unknown(name: str) -> str:
    """What to say of a name that is not in the index."""
    near = difflib.get_close_matches(name, entries(), n=1, cutoff=0)[0]
    return f"the zoo has no model {name!r}; did you mean {near!r}? `python -m paddle_pose.zoo` lists all"


def _checked(kind: type, fields: Any, where: str) -> Any:
    try:
        return kind.model_validate(fields)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{where}: {key}: {first['msg']}") from None
