"""One path for one process and for many (`python -m paddle.distributed.launch`)."""

import os
from collections.abc import Iterable

import numpy as np
import paddle
import paddle.distributed as dist


def launched() -> bool:
    """True if the launcher has started this process as one of several, joined or not."""
    return "PADDLE_TRAINER_ID" in os.environ and int(os.environ.get("PADDLE_TRAINERS_NUM", "1")) > 1


def initialise() -> tuple[int, int]:
    """Joins the other processes of a launch, if there are any; returns (rank, number of processes)."""
    if launched():
        if not dist.is_initialized():
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
    """Returns when every process has come here."""
    sum_over_processes(np.zeros(1))


def several() -> bool:
    """True if this process is one of a launch of several."""
    return dist.is_initialized() and dist.get_world_size() > 1


def copy_from_first(tensors: Iterable[paddle.Tensor]) -> None:
    """Overwrites tensors with those of process 0."""
    if several():
        for tensor in tensors:
            dist.broadcast(tensor, src=0)
