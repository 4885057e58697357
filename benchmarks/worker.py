"""A process that a benchmark asks for one turn after another."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any, Optional


class Worker:
    """A process that waits for a line, and answers with one of JSON; the first one comes when it is ready.

    Args:
        command: of the process.
        name: for the line that says that it cannot run, as `missing` in its first answer does.
        environment: of the process; None: ours.

    Attributes:
        facts: its first answer.
        there: False if what it needs is not installed.
    """

    def __init__(self, command: Sequence[Any], name: str, environment: Optional[Mapping[str, str]] = None) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
        self.facts = self._answer()
        self.there = "missing" not in self.facts
        if not self.there:
            print(f"{name}: {self.facts['missing']}")

    def ask(self, line: str) -> dict:
        """Its answer to a line."""
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        """Ends it."""
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> dict:
        for line in self._process.stdout:
            if line.startswith("{"):  # Paddle prints lines of its own
                return json.loads(line)
        raise SystemExit("a worker died; its words are above")
