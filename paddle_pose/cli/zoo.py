"""paddle-pose zoo: models by name; which there are, what is known of one, and fetching it."""

import argparse
from pathlib import Path
from typing import Any, Optional

from paddle_pose.cli.options import run_command


def parser() -> argparse.ArgumentParser:
    """The flags of zoo."""
    flags = argparse.ArgumentParser(
        prog="paddle-pose zoo",
        description="Models by name, for every --pretrained_model. Without a command: list.",
    )
    commands = flags.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("list", help="all models, with the number each should give")
    show = commands.add_parser("show", help="what is known of a model: source, licence, hash, how it was made")
    show.add_argument("name", metavar="NAME")
    fetch = commands.add_parser("fetch", help="download a published checkpoint, check its hash, convert it")
    fetch.add_argument("name", metavar="NAME")
    fetch.add_argument("--from", dest="source", metavar="FILE", help="the published file, fetched by hand")
    return flags


def main(argv=None) -> int:
    """Entry point; returns the exit code."""
    return run_command(_zoo, parser().parse_args(argv))


def _zoo(arguments: argparse.Namespace) -> int:
    if arguments.command == "show":
        print("\n".join(_shown(arguments.name)))
    elif arguments.command == "fetch":
        print(_fetched(arguments.name, arguments.source))
    else:
        print("\n".join(_listed()))
    return 0


def _listed() -> list[str]:
    from paddle_pose import zoo

    rows = [(name, _where(name), _number(zoo.find(name)), zoo.find(name).what) for name in zoo.names()]
    rows.insert(0, ("name", "where", "percent", "what"))
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    lines = ["  ".join([*(text.ljust(width) for text, width in zip(row, widths)), row[3]]) for row in rows]
    note = "percent: by val.py where the model is here, else published; nobody of this project has fetched those yet"
    return [*lines, f"{note}. Cache: {zoo.cache_folder()}"]


def _where(name: str) -> str:
    from paddle_pose.zoo.cache import Place
    from paddle_pose.zoo.index import Bundled, find

    entry = find(name)
    if isinstance(entry, Bundled):
        return "here"
    return "fetched" if Place(name).provenance() else "to fetch" if entry.url else "by hand"


def _number(entry: Any) -> str:
    values = getattr(entry, "values", None) or _published_values(entry.reference)
    best = next((key for key in ("AP", "Mean") if key in values), None)
    return f"{best} {values[best]:.1f}" if best else "-"


def _published_values(reference: Optional[str]) -> dict[str, float]:
    from paddle_pose.references import find

    return find(reference).values if reference else {}


def _shown(name: str) -> list[str]:
    from paddle_pose.zoo.cache import Place
    from paddle_pose.zoo.fetching import by_hand
    from paddle_pose.zoo.index import Bundled, find

    entry = find(name)
    facts = {key: value for key, value in entry.model_dump().items() if value not in (None, "", False)}
    if isinstance(entry, Bundled):
        return _lines(name, {**facts, "file": entry.path, "photo": entry.photo_path})
    facts["published"] = _published_values(entry.reference) or "no number"
    facts["sha256"] = entry.sha256 or "nobody has published it"
    facts["by_hand"] = by_hand(name, entry)
    facts["fetched_by_this_project"] = "yes" if entry.seen else "no"
    return _lines(name, {**facts, "in_the_cache": Place(name).provenance() or "no"})


def _lines(name: str, facts: dict[str, Any]) -> list[str]:
    lines = [name]
    for key, value in facts.items():
        if isinstance(value, dict):
            value = ", ".join(f"{k}={v:.6g}" if isinstance(v, float) else f"{k}={v}" for k, v in value.items())
        lines += [f"  {key}: {one}" for one in (value if isinstance(value, (list, tuple)) else [value])]
    return lines


def _fetched(name: str, source: Optional[str]) -> str:
    from paddle_pose.errors import UserError
    from paddle_pose.zoo.fetching import fetch
    from paddle_pose.zoo.index import Bundled, find
    from paddle_pose.zoo.models import model_path

    entry = find(name)
    if not isinstance(entry, Bundled):
        return f"{fetch(name, entry, Path(source) if source else None)}: for every --pretrained_model {name}"
    if source:
        raise UserError(f"{name}: lies in the package; leave out --from")
    return f"{model_path(name)}: lies in the package, nothing to fetch"
