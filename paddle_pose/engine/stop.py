"""Ctrl-C and SIGTERM: a run stops between two steps, and all its processes after the same one."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from paddle_pose.engine import distributed

_STEPS_TO_AGREE = 5  # how often processes ask each other for a signal: it makes a GPU wait


class Interrupted(Exception):
    """The run was asked to stop, and has stopped between two steps."""


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Inside, SIGTERM raises KeyboardInterrupt. Paddle, once loaded, would end the process with its own words."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)  # None: one that Python does not know


class StopRequest:
    """Remembers that a signal has come until the run is at a place where it can stop."""

    def __init__(self) -> None:
        self._asked = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Inside, Ctrl-C and SIGTERM are requests; a second Ctrl-C ends the program at once.

        The launcher of several processes answers one Ctrl-C by a SIGTERM to each, so that counts as the same.
        """
        pressed = [False]

        def ask(number, frame) -> None:
            if number == signal.SIGINT and pressed[0]:
                raise KeyboardInterrupt
            self._asked, pressed[0] = True, pressed[0] or number == signal.SIGINT

        old = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler or signal.SIG_DFL)

    def check(self, _count: int = 0) -> None:
        """Raises Interrupted if a signal has come; in validation, where the processes of a launch cannot agree."""
        if not distributed.several():
            self.check_alone()

    def check_alone(self) -> None:
        """Raises Interrupted if a signal has come, whatever other processes do."""
        if self._asked:
            raise Interrupted

    def check_together(self, step: int) -> None:
        """The same after training step `step`; all processes of a launch stop after the same one."""
        if not distributed.several():
            self.check()
        elif step % _STEPS_TO_AGREE == 0:
            asked = distributed.sum_over_processes(np.array([float(self._asked)]))
            if asked[0]:
                raise Interrupted
