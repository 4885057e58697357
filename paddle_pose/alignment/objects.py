"""`module:name` on the command line -> the object that it means."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from paddle_pose.errors import UserError


def find_object(text: str, flag: str) -> Any:
    """The object that `module:name` or `folder/file.py:name` means; `a.b` looks up b in a, also in a dict.

    The working directory, and the folder of a file, can be imported from, as by `python file.py`.

    Raises:
        UserError: there is no such module or object.
    """
    where, colon, name = text.rpartition(":")
    if not colon or not where or not name:
        raise UserError(f"{flag} {text}: write it as module:name or file.py:name")
    found = _module(where, flag)
    for part in name.split("."):
        known = found if isinstance(found, Mapping) else vars(found)
        if part not in known:
            names = ", ".join(sorted(key for key in map(str, known) if not key.startswith("_")))
            raise UserError(f"{flag} {text}: no {part!r} there; it has {names[:200]}")
        found = known[part]
    return found


def _module(where: str, flag: str) -> ModuleType:
    folder = os.path.dirname(os.path.abspath(where)) if where.endswith(".py") else os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        if not where.endswith(".py"):
            return importlib.import_module(where)
        name = os.path.basename(where)[:-3]
        spec = importlib.util.spec_from_file_location(name, where)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    except FileNotFoundError:
        raise UserError(f"{flag} {where}: there is no such file") from None
    except ImportError as error:
        raise UserError(f"{flag} {where}: cannot be imported here: {error}") from None
