"""Models by name: two small ones that lie in this package, and published ones that are fetched and converted.

    path = zoo.model_path("synthetic_hourglass")    # a model file of ours, its hash checked

Wherever a command takes a model file, a name of `names()` is taken too (`named_model`). docs/zoo.md lists all.
"""

import importlib

_WHERE = {  # public name -> module under paddle_pose.zoo; loaded on first use, so that `--help` is quick
    "Bundled": "index",
    "Entry": "index",
    "Published": "index",
    "find": "index",
    "names": "index",
    "DEFAULT_MODEL": "models",
    "default_photo": "models",
    "model_path": "models",
    "named_model": "models",
    "cache_folder": "cache",
    "cached_model": "cache",
    "fetch": "fetching",
}
__all__ = [*_WHERE]


def __getattr__(name: str):
    if name in _WHERE:
        return getattr(importlib.import_module(f"paddle_pose.zoo.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'paddle_pose.zoo' has no attribute {name!r}")
