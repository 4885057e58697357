"""A name in a YAML file -> the class it means."""

import difflib
import importlib
import pkgutil
from typing import Callable

from paddle_pose.errors import ConfigError


class Registry:
    """A dict from YAML name to constructor, filled by importing one package's (or module's) files.

    Args:
        package: dotted name of the package whose modules register themselves when imported.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self._entries: dict[str, Callable] = {}

    def register(self, name: str) -> Callable:
        """Class decorator: makes the class available as `type: name`."""

        def keep(constructor: Callable) -> Callable:
            if name in self._entries:
                raise ValueError(f"{name!r} is taken by {self._entries[name].__module__}")
            self._entries[name] = constructor
            return constructor

        return keep

    def names(self) -> list[str]:
        """All registered names, sorted."""
        module = importlib.import_module(self._package)
        for found in pkgutil.iter_modules(getattr(module, "__path__", [])):
            importlib.import_module(f"{self._package}.{found.name}")
        return sorted(self._entries)

    def __getitem__(self, name: str) -> Callable:
        known = self.names()
        if name not in self._entries:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise ConfigError(f"unknown type {name!r} in {self._package}; {hint}")
        return self._entries[name]


NETWORKS = Registry("paddle_pose.networks")
CODECS = Registry("paddle_pose.codecs")
LOSSES = Registry("paddle_pose.losses")
METRICS = Registry("paddle_pose.metrics")
DATASETS = Registry("paddle_pose.data")
