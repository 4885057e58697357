"""paddle-pose results: makes the tables of results in the documents from the records in results/."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from paddle_pose.atomic_files import replacing
from paddle_pose.cli.options import run_command
from paddle_pose.errors import DataError

DOCUMENTS = ("README.md", "README_cn.md", "docs/results.md")
DISAGREE = 1  # exit code of --check
# <!-- results:begin rows -->, ... published, or ... joints NAME NAME; what lies between is made
_BLOCK = re.compile(r"(<!-- results:begin ([a-z]+)((?: [\w.-]+)*) -->\n)(.*?)(<!-- results:end -->)", re.DOTALL)


def parser() -> argparse.ArgumentParser:
    """The flags of the command."""
    flags = argparse.ArgumentParser(
        description=f"Make the tables of results in {', '.join(DOCUMENTS)} from results/*.json (docs/records.md)."
    )
    flags.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a document disagrees")
    flags.add_argument(
        "--root", metavar="DIR", help="folder of results/, configs/ and the documents (default: this checkout)"
    )
    return flags


def main(argv=None) -> int:
    """Entry point; returns the exit code."""
    return run_command(_results, parser().parse_args(argv))


def _results(arguments: argparse.Namespace) -> int:
    from paddle_pose.cli.result_records import read_records

    root = Path(arguments.root or Path(__file__).parents[2])
    if not (root / "results").is_dir():
        raise DataError(f"{root}: has no folder results/; give the folder of a checkout with --root")
    records = read_records(root / "results")
    pairs = _published(root, records)
    made = {root / name: _made(root / name, name, records, pairs) for name in DOCUMENTS}
    differing = [path for path, (before, after) in made.items() if before != after]
    for path in differing:
        print(f"{path}: {'the tables are not those of the records' if arguments.check else 'written'}")
        if not arguments.check:
            _write(path, made[path][1])
    if arguments.check and differing:
        print("run: python -m paddle_pose.results")
        return DISAGREE
    print(f"{len(records)} records; {len(DOCUMENTS)} documents {'agree' if not differing else 'made'}")
    return 0


def _published(root: Path, records: Sequence[Any]) -> list[tuple[str, Any, list[Path]]]:
    """Published rows that configurations or records name, in the order of their files, with these configurations."""
    from paddle_pose import references
    from paddle_pose.config import load_config

    named: dict[str, list[Path]] = {}
    for path in sorted((root / "configs").rglob("*.yaml")):
        if path.parent.name != "_base_":
            reference = load_config(str(path)).reference
            if isinstance(reference, str):
                named.setdefault(reference, []).append(path.relative_to(root))
    for name, paths in named.items():
        references.find(name, f"{paths[0]}: reference")
    for record in records:
        if record.reference:
            references.find(record.reference, f"results/{record.name}.json: reference")
            named.setdefault(record.reference, [])
    return [(name, row, named[name]) for name, row in references.rows().items() if name in named]


def _made(path: Path, name: str, records: Sequence[Any], pairs: Sequence[Any]) -> tuple[str, str]:
    """Text of a document as it is, and as the records make it."""
    from paddle_pose.cli.result_tables import Tables

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text ({error.reason})") from None
    blocks = _BLOCK.findall(text)
    if len(blocks) != text.count("<!-- results:begin") or not blocks:
        raise DataError(
            f"{path}: no table, or one without end: write <!-- results:begin rows --> and <!-- results:end -->"
        )
    tables = Tables(records, "../" * name.count("/"), name.endswith("_cn.md"))
    shown: list[str] = []

    def fill(match: re.Match) -> str:
        begin, kind, words, _, end = match.groups()
        lines = _table(tables, kind, words.split(), records, pairs, path)
        shown.extend(words.split())
        return "".join([begin, "\n", *(f"{line}\n" for line in lines), "\n", end])

    after = _BLOCK.sub(fill, text)
    missing = sorted({record.name for record in records} - set(shown))
    if any(kind == "joints" for _, kind, *_ in blocks) and missing:
        raise DataError(
            f"{path}: shows no joints of results/{missing[0]}.json; name it in a line <!-- results:begin joints ... -->"
        )
    return text, after


def _table(tables: Any, kind: str, words: list[str], records: Sequence[Any], pairs: Sequence[Any], path: Path) -> list:

    if kind == "rows" and not words:
        return tables.rows()
    if kind == "published" and not words:
        return tables.published(pairs)
    if kind != "joints" or not words:
        raise DataError(f"{path}: results:begin {kind}: write rows, published, or joints and names of records")
    unknown = [word for word in words if word not in {record.name for record in records}]
    if unknown:
        raise DataError(f"{path}: results:begin joints: there is no results/{unknown[0]}.json")
    metrics = {record.metric for record in records if record.name in words}
    if len(metrics) > 1:
        raise DataError(f"{path}: results:begin joints: {' and '.join(sorted(metrics))} do not go into one table")
    return tables.joints(words)


def _write(path: Path, text: str) -> None:
    try:
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from None
