"""`module:name` on the command line -> the object that it means."""

import importlib
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping
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


def call(function: Callable, flag: str, *arguments: Any) -> Any:
    """What a function of the user's returns; where it fails, UserError with the line."""
    if not callable(function):
        raise UserError(f"{flag}: is a {type(function).__name__}, not a function")
    try:
        return function(*arguments)
    except UserError:
        raise
    except Exception as error:  # whatever somebody else's code raises
        raise UserError(f"{flag}: fails with {said(error)}") from None


def said(error: Exception) -> str:
    """Kind and text of an error in somebody else's code, and its last line outside of installed packages."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not re.search(r"site-packages|^<|importlib", frame.filename)]
    where = f" (line {own[-1].lineno} of {os.path.basename(own[-1].filename)})" if len(own) > 1 else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}{where}"


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
    except Exception as error:  # of its code, or a name that is none
        raise UserError(f"{flag} {where}: cannot be imported here: {said(error)}") from None
