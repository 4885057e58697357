"""Which engine runs an exported model fastest here: measured once, then remembered in the user's cache folder.

`engines.json` there holds, for each model on each machine and number of threads, the milliseconds of one picture by
each engine. Whatever cannot be read in it is as if it were not there.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

import numpy as np

from paddle_pose.atomic_files import replacing
from paddle_pose.environment import processor, version_of
from paddle_pose.user_cache import cache_folder

Run = Callable[[np.ndarray], Any]
_TURN_S, _MOST_RUNS = 0.5, 20  # of one engine, after a first run that does not count
_MOST_KEPT = 500
_PACKAGES = ("paddlepaddle", "paddlepaddle-gpu", "onnxruntime", "onnxruntime-gpu")


def measured_ms(engines: Mapping[str, Run], picture: np.ndarray) -> dict[str, float]:
    """Milliseconds of each engine for a picture: the shortest of a few runs, which a busy machine disturbs least."""
    return {name: _shortest_ms(run, picture) for name, run in engines.items()}


def _shortest_ms(run: Run, picture: np.ndarray) -> float:
    run(picture)
    times, began = [], time.perf_counter()
    while len(times) < _MOST_RUNS and (not times or time.perf_counter() - began < _TURN_S):
        start = time.perf_counter()
        run(picture)
        times.append(1e3 * (time.perf_counter() - start))
    return round(min(times), 2)


def key_of(hashes: Mapping[str, str], threads: int) -> str:
    """What the times depend on, as one word: the model's files, the processor, threads, versions of the engines."""
    versions = {package: version_of(package) for package in _PACKAGES}
    facts = json.dumps([dict(hashes), processor(), threads, versions], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()


def remembered_ms(key: str, engines: set[str]) -> dict[str, float]:
    """What was measured of exactly these engines; empty where nothing sound is remembered."""
    found = _read().get(key)
    sound = isinstance(found, dict) and set(found) == engines
    return found if sound and all(isinstance(ms, float) and ms > 0 for ms in found.values()) else {}


def remember_ms(key: str, times_ms: dict[str, float]) -> None:
    """Keeps it for the next time; where that cannot be written, it will be measured again."""
    kept = {**_read(), key: times_ms}
    with contextlib.suppress(OSError, RuntimeError), replacing(_file()) as temporary:
        temporary.write_text(json.dumps(dict(list(kept.items())[-_MOST_KEPT:]), indent=1) + "\n", encoding="utf-8")


def _read() -> dict[str, Any]:
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, RuntimeError):  # the last one: nobody knows where home is
        return {}
    return found if isinstance(found, dict) else {}


def _file() -> Path:
    return cache_folder() / "engines.json"
