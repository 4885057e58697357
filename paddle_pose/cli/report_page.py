"""`val.py --report`: what the page says beside the numbers. Imports no paddle."""

import json
import sys
from datetime import datetime, timezone
from typing import Any, Optional

from paddle_pose import references
from paddle_pose.cli.comparison import compared, headline, warnings
from paddle_pose.config import Config
from paddle_pose.config_hash import without_folders
from paddle_pose.config_sections import Reference
from paddle_pose.environment import environment
from paddle_pose.references.rules import Circumstances as Here
from paddle_pose.references.rules import differences, incomparable
from paddle_pose.reports.circumstances import Beside, Circumstances
from paddle_pose.samples import Report

_TRAINING = ("seconds", "images", "epochs", "seed", "commit", "paddlepaddle", "paddlepaddle-gpu", "device", "processor")


def circumstances(
    config: Config,
    facts: dict[str, Any],
    notes: tuple[str, ...],
    here: Here,
    report: Report,
    seconds: float,
    trained_by: Any,
) -> Circumstances:
    """Title, facts and the published row of an evaluation.

    Args:
        config: of the evaluation.
        facts: what was scored, as in a record.
        notes: lines of val.py before the table.
        here: how it was evaluated.
        report: the numbers.
        seconds: that it took.
        trained_by: what a checkpoint says of its training, or None.
    """
    said = {**_scored(config, facts), **_made(seconds), **_trained(trained_by)}
    return Circumstances(_title(config, facts), said, notes, _beside(config, here, report))


def _title(config: Config, facts: dict[str, Any]) -> str:
    if "checkpoint" not in facts:
        what = facts.get("baseline") or f"predictions of {facts['predictions']}"
        return f"{what[:1].upper()}{what[1:]}, on {config.dataset.type}"
    width, height = config.input_wh
    return f"{config.network.type}, {width}x{height}, on {config.dataset.type}"


def _scored(config: Config, facts: dict[str, Any]) -> dict[str, str]:
    said = {name: value if isinstance(value, str) else json.dumps(value) for name, value in facts.items()}
    if "checkpoint" not in facts:
        return said
    network = {key: value for key, value in config.network.model_dump().items() if key != "type"}
    return {
        **said,
        "network": f"{config.network.type} {json.dumps(network)}",
        "codec": json.dumps(config.codec.model_dump()),
    }


def _made(seconds: float) -> dict[str, str]:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    command = " ".join(without_folders(word) for word in sys.argv)
    return {"made": now, "command": command, "seconds": f"{seconds:.1f}", **environment()}


def _trained(trained_by: Any) -> dict[str, str]:
    """Some of it: a checkpoint says of its training what it likes."""
    known = trained_by if isinstance(trained_by, dict) else {}
    return {f"trained: {name}": str(known[name])[:200] for name in _TRAINING if known.get(name) is not None}


def _beside(config: Config, here: Here, report: Report) -> Optional[Beside]:
    reference = config.reference
    if reference is None:
        return None
    if isinstance(reference, Reference):
        note = f" ({reference.note})" if reference.note else ""
        return Beside(f"{reference.source}{note}", "", _values(reference, report))
    row = references.find(reference)
    why = incomparable(row, here)
    values = [(name, value, None) for name, value in row.values.items()] if why else _values(row, report)
    words = warnings([f"not comparable: {why}"] if why else differences(row, here), row)
    return Beside(headline("published", reference, row), f"source: {row.where}", values, words)


def _values(reference: Any, report: Report) -> list[tuple[str, float, Optional[float]]]:
    return [(value.name, value.published, value.here) for value in compared(reference, report)]
