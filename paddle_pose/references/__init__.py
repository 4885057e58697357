"""Published rows that results of this suite are compared with, and the curves of published runs.

The rows are the YAML files beside this one, by network; docs/references.md says what their fields mean. Names of values
are those of our evaluators, values are percentages, sizes are width x height.
"""

import difflib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pydantic
import yaml

from paddle_pose.config_sections import Section
from paddle_pose.errors import ConfigError

_FOLDER = Path(__file__).parent
_Percent = Annotated[float, pydantic.Field(ge=0, le=100)]


class Row(Section):
    """A published row with the rules by which it was measured; None or empty: not known, or there is no such thing.

    Args:
        who: whose network.
        where: the file, table or paper that the numbers were read from.
        network: the network in words.
        ours: what section `network` of a configuration must hold to be that network.
        dataset: as `dataset.type` of ours, or in words.
        split: of the dataset.
        people: how many were scored.
        photos: how many were scored, those without people too.
        metric: the evaluator of ours that gives values of these names.
        input_wh: of the network.
        values: by our names, percent. `Mean@0.1` is at `threshold`, `Mean` by `mean_rule`.
        threshold: what `Mean@0.1` means there.
        at_0_11: the same checkpoint's mean at 0.11, where that was published too (`at_0.11` in YAML).
        mean_rule: count = all labelled joints together, without pelvis and thorax on MPII; unweighted = plain mean of
            the same joints; all_joints = by count, with pelvis and thorax; own = another, see `note`.
        comparison: whether an error equal to the threshold counts.
        boxes: which regions were looked at: annotation = one per person from the annotation, without a choice.
        mirror_test: whether the mirrored crop was averaged in.
        shift: whether its maps were moved by a cell for that.
        test_scales: sizes of the person that were averaged.
        decode: from maps to joints, as `codec.refine`.
        labels: whose left is left.
        selection: which checkpoint.
        start: weights that training began with.
        params_m: parameters as published, millions.
        gmacs: multiply-adds as published, in units of `gmacs_unit`.
        gmacs_unit: 1e9, or 2^30 as in HRNet's README.
        reproduced: what others got.
        disputed: others could not reproduce it.
        cost: of training or inference.
        recalled: names of values from the literature that nobody has checked for this file.
        approximate: the source says "about".
        not_comparable: why the row can never be compared with a result of ours.
        curve_of: id of the run whose curve training is shown beside.
        predictions: digests of the predictions that are published with the row (`digest` of data/prediction_files.py).
        note: anything else that a reader must know.
    """

    who: str
    where: str
    network: str
    ours: Optional[dict[str, Any]] = None
    dataset: str
    split: str
    people: Optional[int] = None
    photos: Optional[int] = None
    metric: Optional[Literal["PCKh", "PCK", "PCP", "COCOKeypoints"]] = None
    input_wh: Optional[tuple[int, int]] = None
    values: dict[str, _Percent] = pydantic.Field(min_length=1)
    threshold: Optional[float] = None
    at_0_11: Optional[_Percent] = pydantic.Field(None, alias="at_0.11")
    mean_rule: Optional[Literal["count", "unweighted", "all_joints", "own"]] = None
    comparison: Optional[Literal["<=", "<"]] = None
    boxes: Optional[Literal["annotation", "ground truth", "detector AP 56.4", "none", "own"]] = None
    mirror_test: Optional[bool] = None
    shift: Optional[bool] = None
    test_scales: str = ""
    decode: Optional[Literal["quarter", "dark", "udp", "bicubic", "coordinates"]] = None
    labels: Optional[Literal["person-centric", "observer-centric"]] = None
    selection: str = ""
    start: str = ""
    params_m: Optional[float] = pydantic.Field(None, gt=0)
    gmacs: Optional[float] = pydantic.Field(None, gt=0)
    gmacs_unit: Optional[Literal["1e9", "2^30"]] = None
    reproduced: str = ""
    disputed: bool = False
    cost: str = ""
    recalled: tuple[str, ...] = ()
    approximate: bool = False
    not_comparable: str = ""
    curve_of: Optional[str] = None
    predictions: tuple[str, ...] = ()
    note: str = ""

    @pydantic.model_validator(mode="after")
    def _says_what_its_values_mean(self) -> "Row":
        unknown = set(self.recalled) - set(self.values)
        if unknown:
            raise ValueError(f"recalled {sorted(unknown)} are no values of this row")
        if self.threshold not in ((0.10, 0.11) if "Mean@0.1" in self.values else (None,)):
            raise ValueError("threshold is 0.10 or 0.11, and of rows with Mean@0.1 only")
        if self.gmacs is not None and self.gmacs_unit is None:
            raise ValueError("gmacs needs its gmacs_unit")
        if self.metric is None and not self.not_comparable:
            raise ValueError("without a metric of ours it is not comparable: say why")
        return self

    @property
    def title(self) -> str:
        """One line: whose, on what, at which size."""
        size = "" if self.input_wh is None else f", {self.input_wh[0]}x{self.input_wh[1]}"
        return f"{self.who}, {self.dataset} {self.split}{size}"


class Curve(Section):
    """What a run scored after each of its epochs, the first at index 0, and its training loss at their ends.

    `loss_of` is what the sections `loss` and `codec` must hold for a loss of ours to mean the same.
    """

    values: dict[str, tuple[_Percent, ...]]
    loss: tuple[float, ...] = ()
    loss_of: dict[str, dict[str, Any]] = {}

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    @pydantic.model_validator(mode="after")
    def _of_one_length(self) -> "Curve":
        lengths = {len(numbers) for numbers in (*self.values.values(), *([self.loss] if self.loss else []))}
        if len(lengths) != 1:
            raise ValueError(f"lists of different lengths: {sorted(lengths)}")
        return self


@cache
def rows() -> dict[str, Row]:
    """Every row by its id, `<source>_<network>_<dataset>_<width>x<height>[_variant]`."""
    found: dict[str, Row] = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        for name, fields in (_read(path).get("rows") or {}).items():
            if name in found:
                raise ConfigError(f"{path}: row {name!r} is in another file too; rename one")
            found[name] = _checked(Row, fields, f"{path}: row {name!r}")
    return found


@cache
def curves() -> dict[str, Curve]:
    """Every curve by the id of the row whose run it is of."""
    path = _FOLDER / "curves.yaml"
    return {name: _checked(Curve, lists, f"{path}: {name!r}") for name, lists in _read(path)["curves"].items()}


def find(name: str, where: str = "reference") -> Row:
    """The row of an id; ConfigError with the nearest id where there is none. `where` says who asks."""
    known = rows()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
    raise ConfigError(f"{where}: no published row {name!r}; did you mean {near!r}? docs/references.md lists all")


def _read(path: Path) -> dict:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), loader)


def _checked(model: type, fields: Any, where: str) -> Any:
    try:
        return model.model_validate(fields)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{where}: {key}: {first['msg']}") from None
