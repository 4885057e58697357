"""The record of an evaluation: the numbers, their definition, and what made them, as one JSON file.

docs/records.md says what each field holds.
"""

import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from paddle_pose import references
from paddle_pose.atomic_files import replacing
from paddle_pose.builder_data import build_dataset
from paddle_pose.cli.result_records import FORM
from paddle_pose.config import Config
from paddle_pose.config_hash import config_hash, named_config, without_folders
from paddle_pose.data.split_hash import split_hash
from paddle_pose.environment import environment
from paddle_pose.errors import UserError
from paddle_pose.interfaces import Dataset
from paddle_pose.references.rules import Circumstances, differences, incomparable
from paddle_pose.samples import Report


@dataclass(frozen=True)
class Making:
    """What a record says beside the numbers.

    Args:
        scored: what was scored: checkpoint or file of predictions, epoch, mirror, scales.
        seconds: the evaluation took, from reading the annotations to the numbers.
        here: how it was evaluated, for the comparison with the published row.
        trained_by: of the checkpoint, of each stage of a cascade; None where the file says nothing.
        train_split: hash of the training people where they were used here (the mean pose).
    """

    scored: dict[str, Any]
    seconds: float
    here: Circumstances
    trained_by: Any = None
    train_split: Optional[str] = None
    processes: int = 1
    command: list[str] = field(default_factory=lambda: list(sys.argv))


def write_record(path: Path, report: Report, dataset: Dataset, config: Config, making: Making) -> None:
    """Writes a record; UserError where the file cannot be written."""
    record = _record(report, dataset, config, making)
    text = json.dumps(_plain(record), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    try:
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another --save_record") from None


def _record(report: Report, dataset: Dataset, config: Config, making: Making) -> dict[str, Any]:
    of_network = "checkpoint" in making.scored
    return {
        "form": FORM,
        "row": default_row(config, making.scored),
        "reference": config.reference if isinstance(config.reference, str) else None,
        "differences": _differences(config, making.here),
        "scored": making.scored,
        "protocol": dataset.protocol,
        "people": len(dataset),
        "photos": dataset.num_images,
        "box_source": _box_source(dataset, making.scored),
        "rules": report.rules,
        "values": report.values,
        "table": report.rows,
        "splits": _splits(config, making),
        "made_by": {
            **environment(),
            "processes": making.processes,
            "seconds": round(making.seconds, 1),
            "command": [without_folders(word) for word in making.command],
        },
        "trained_by": making.trained_by,
        "seed": config.seed if of_network else None,
        "config_hash": config_hash(config) if of_network else None,
        "config": named_config(config),
    }


def _differences(config: Config, here: Circumstances) -> list[str]:
    """In which rules the published row differs from this evaluation, as val.py warns."""
    if not isinstance(config.reference, str):
        return []
    row = references.find(config.reference)
    why = incomparable(row, here)
    return [f"not comparable: {why}"] if why else differences(row, here)


def default_row(config: Config, scored: dict[str, Any]) -> dict[str, Any]:
    """Where the table of results shows a record; people give it better words (docs/records.md)."""
    width, height = config.input_wh
    title = f"{config.network.type}, {width}x{height}"
    if "checkpoint" not in scored:
        title = scored.get("baseline") or f"predictions of {scored['predictions']}"
    return {"order": None, "title": title, "note": f"{config.dataset.type}, valid split", "test": ""}


def _box_source(dataset: Dataset, scored: dict[str, Any]) -> Optional[str]:
    """Whose regions were looked at, in words; None for predictions, of which nobody knows."""
    if "predictions" in scored:
        return None
    coco = dataset.truth().coco
    return dataset.protocol.rpartition(", ")[2] if coco is None else coco.box_source


def _splits(config: Config, making: Making) -> dict[str, Optional[str]]:
    """Hashes of the annotated people: those evaluated on, whatever the boxes; those trained on, as training said."""
    rest = {key: value for key, value in config.dataset.model_dump().items() if key != "boxes"}
    changes = {"dataset": type(config.dataset)(**rest), "joint_crops": None}
    trained_by = making.trained_by
    said = trained_by.get("train_split") if isinstance(trained_by, dict) else None
    return {
        "train": making.train_split or said,
        "valid": split_hash(build_dataset(config.model_copy(update=changes), "valid")),
    }


def _plain(value: Any) -> Any:
    """Null in place of what is no number (nobody is labelled, or nobody is of that size): JSON has no NaN.

    Also in place of what JSON does not have: a checkpoint says of its training what it likes.
    """
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return value if isinstance(value, float) and math.isfinite(value) else None
