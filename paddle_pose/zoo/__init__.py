"""Models by name: two small ones that lie in this package, and published ones that are fetched and converted.

    path = zoo.model_path("synthetic_hourglass")    # a model file of ours, its hash checked

Wherever a command takes a model file, a name of `names()` is taken too (`named_model`). docs/zoo.md lists all.
"""

from paddle_pose.zoo.index import Bundled, Entry, Published, find, names, unknown
from paddle_pose.zoo.models import DEFAULT_MODEL, default_photo, model_path, named_model

__all__ = [
    "DEFAULT_MODEL",
    "Bundled",
    "Entry",
    "Published",
    "default_photo",
    "find",
    "model_path",
    "named_model",
    "names",
    "unknown",
]
