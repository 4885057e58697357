"""From a published checkpoint to a model of ours in the cache: download, check the hash, convert, write down how."""

import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable, Optional

from paddle_pose.atomic_files import replacing
from paddle_pose.config import configs_folder
from paddle_pose.digests import sha256_of
from paddle_pose.errors import CheckpointError, UserError
from paddle_pose.version import VERSION
from paddle_pose.zoo.cache import Place
from paddle_pose.zoo.download import DownloadError, download
from paddle_pose.zoo.index import Published

COMMAND = "python -m paddle_pose.zoo fetch"


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def fetch(name: str, entry: Published, source: Optional[Path] = None, say: Callable[[str], None] = _to_stderr) -> Path:
    """The model of a published checkpoint: from the cache, or made of `source`, or of what is downloaded.

    Args:
        name: of the entry.
        entry: what the index knows of it.
        source: the published file, which somebody has fetched by hand; it stays where it is.
        say: gets lines about what is done.

    Returns:
        The model file in the cache, intact.

    Raises:
        UserError: it cannot be fetched (the message says what to do by hand), or the cache cannot be written.
        CheckpointError: the file is not the published one, or cannot be converted. Nothing in it was run.
    """
    place = Place(name)
    if source is None and (there := place.intact_model()):
        return there
    if source is not None and not source.is_file():
        raise UserError(f"{source}: no such file; check --from")
    if source is None and entry.url is None:
        raise UserError(f"{name}: no program can fetch it. Get {by_hand(name, entry)}")
    with place.held():
        if source is None and (there := place.intact_model()):  # another process was quicker
            return there
        original = source or _original(name, entry, place, say)
        sha256 = _checked(original, entry, place, "it was not read") if source else sha256_of(original)
        if not entry.sha256 and not place.provenance():
            say(f"{original}: nobody has published its hash. SHA-256: {sha256}; later files are compared with it")
        _convert(name, entry, original, place, say)
        place.write_provenance(_provenance(name, entry, original, sha256, place))
    return place.model


def _original(name: str, entry: Published, place: Place, say: Callable[[str], None]) -> Path:
    """The published file in the cache, downloaded if it is not there; its hash is right."""
    path = place.folder / entry.file_name
    if path.is_file() and sha256_of(path).startswith(entry.sha256):
        return path
    say(f"fetching {entry.url}")
    try:
        with replacing(path) as temporary:
            download(entry.url, temporary)
            _checked(temporary, entry, place, "it was deleted unread", entry.url)
    except DownloadError as error:
        raise UserError(f"{name}: cannot be fetched from here ({error}). By hand: {by_hand(name, entry)}") from None
    return path


def by_hand(name: str, entry: Published) -> str:
    """What a person has to fetch, from where, and the command that takes it."""
    what = entry.by_hand or entry.url
    return f"{what} (page: {entry.page}), then: {COMMAND} {name} --from {entry.file_name}"


def _checked(path: Path, entry: Published, place: Place, then: str, where: str = "") -> str:
    """The file's hash; CheckpointError where it is not the published one, or not that of the file fetched first."""
    found = sha256_of(path)
    for wanted, whose in ((entry.sha256, "published"), (place.provenance().get("file_sha256", ""), "first fetched")):
        if not found.startswith(str(wanted)):
            raise CheckpointError(
                f"{where or path}: is not the {whose} file: its SHA-256 begins with {found[:16]}, not with "
                f"{str(wanted)[:16]}; {then}. Fetch it again from {entry.page}{_forget(place, whose)}"
            )
    return found


def _forget(place: Place, whose: str) -> str:
    return f"; or, if the new one is right, delete {place.folder}" if whose == "first fetched" else ""


def _convert(name: str, entry: Published, original: Path, place: Place, say: Callable[[str], None]) -> None:
    """Writes the model, by the restricted reader and the name maps of conversion/."""
    from paddle_pose.builder_conversion import Wanted, check, prepare, write  # imports paddle

    config = str(Path(configs_folder()) / entry.config)
    made = prepare(original, Wanted(config=config, opts=(f"reference={entry.reference or 'null'}",)))
    check(made)
    entries, drawn = write(made, place.model)
    fresh = f", {drawn} of them drawn: train it before you use it" if drawn else ""
    say(f"{name}: {made.known}, {entries} entries{fresh}; written to {place.model}")


def _provenance(name: str, entry: Published, original: Path, sha256: str, place: Place) -> dict:
    rows: Iterable[tuple[str, object]] = (
        ("name", name),
        ("what", entry.what),
        ("page", entry.page),
        ("url", entry.url),
        ("file", original.name),
        ("file_sha256", sha256),
        ("published_sha256", entry.sha256 or None),
        ("file_bytes", original.stat().st_size),
        ("licence", entry.licence),
        ("data_licence", entry.data_licence),
        ("reference", entry.reference),
        ("config", entry.config),
        ("converted", datetime.now(timezone.utc).isoformat(timespec="seconds")),
        ("paddle_pose", VERSION),
        ("model_sha256", sha256_of(place.model)),
    )
    return dict(rows)
