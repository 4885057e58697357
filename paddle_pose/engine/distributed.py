"""One path for one process and for many (`python -m paddle.distributed.launch`)."""

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Iterable, Iterator

import numpy as np
import paddle
import paddle.distributed as dist

from paddle_pose.errors import UserError

_LONGEST_NAP_S = 0.1
_FAILED = "paddle_pose failed"
_waits = itertools.count()


def launched() -> bool:
    """True if the launcher has started this process as one of several, joined or not."""
    return "PADDLE_TRAINER_ID" in os.environ and int(os.environ.get("PADDLE_TRAINERS_NUM", "1")) > 1


def initialise() -> tuple[int, int]:
    """Joins the other processes of a launch, if there are any; returns (rank, number of processes)."""
    if launched():
        if not dist.is_initialized():
            with _signals_later():  # threads that are made here never get one
                dist.init_parallel_env()
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def sum_over_processes(array: np.ndarray) -> np.ndarray:
    """Element-wise sum of an array that every process holds, on every process."""
    if not dist.is_initialized():
        return array
    tensor = paddle.to_tensor(array)
    dist.all_reduce(tensor)
    return tensor.numpy()


def wait_for_all() -> None:
    """Returns when every process has come here, however long that takes: sums on a CPU give up after 30 s.

    Raises:
        UserError: another process has failed.
    """
    if not several():
        return
    met = False
    with contextlib.suppress(RuntimeError, ValueError):  # Paddle's words for a store whose process has ended
        met = _all_have_come(f"paddle_pose wait {next(_waits)}", dist.get_world_size())
    if not met:
        raise UserError("another process has failed, and this one gives up; the reason is in the log of the other")
    sum_over_processes(np.zeros(1))  # the first process has the store: it must not end before all have read it


def _all_have_come(word: str, processes: int) -> bool:
    """True when so many processes have counted `word` up, False when one of them has failed."""
    here, nap_s = _count(word, 1), 1e-3
    while here < processes:
        if _count(_FAILED, 0):
            return False
        time.sleep(nap_s)
        here, nap_s = _count(word, 0), min(2 * nap_s, _LONGEST_NAP_S)
    return True


def give_up() -> None:
    """Ends the waits of the other processes: this one will not come."""
    if several():
        with contextlib.suppress(RuntimeError, ValueError):
            _count(_FAILED, 1)


def _count(word: str, number: int) -> int:
    """Adds to a count of all processes, which the first one keeps, and returns it."""
    with _signals_later():
        return paddle.base.core.create_or_get_global_tcp_store().add(word, number)


@contextlib.contextmanager
def _signals_later() -> Iterator[None]:
    """Inside, Ctrl-C and SIGTERM wait: Paddle's store takes an interrupted system call for a broken connection."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def several() -> bool:
    """True if this process is one of a launch of several."""
    return dist.is_initialized() and dist.get_world_size() > 1


def copy_from_first(tensors: Iterable[paddle.Tensor]) -> None:
    """Overwrites tensors with those of process 0."""
    if several():
        for tensor in tensors:
            dist.broadcast(tensor, src=0)
