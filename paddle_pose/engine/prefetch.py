"""Images go to the GPU while the step before is still computing."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import paddle

from paddle_pose.samples import Batch

_IN_FLIGHT = 2  # page-locked buffers that may be in use


def on_device_ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, each with its images copied to the GPU before the one before it is handed out.

    A copy out of page-locked memory does not make the host wait. It is queued behind the work that is already on the
    GPU's stream. On a CPU the batches are passed on as they are.
    """
    if not paddle.device.get_device().startswith("gpu"):
        return batches
    return _one_ahead(_Copier(), batches)


def _one_ahead(copier: "_Copier", batches: Iterator[Batch]) -> Iterator[Batch]:
    waiting = None
    for batch in batches:
        batch = replace(batch, images=copier.copy(batch.images))
        if waiting is not None:
            yield waiting
        waiting = batch
    if waiting is not None:
        yield waiting


class _Copier:
    """Copies arrays to the GPU; a buffer is kept until its copy is done, for Paddle would use it again at once."""

    def __init__(self) -> None:
        self._buffers: deque = deque()

    def copy(self, images) -> paddle.Tensor:
        """The array as a tensor on the GPU; returns before it is there."""
        if len(self._buffers) == _IN_FLIGHT:
            _, copied = self._buffers[0]
            copied.synchronize()
            self._buffers.popleft()
        pinned = paddle.to_tensor(images, place=paddle.CUDAPinnedPlace())
        tensor = pinned.cuda(blocking=False)
        copied = paddle.device.cuda.Event()
        copied.record(paddle.device.cuda.current_stream())
        self._buffers.append((pinned, copied))
        return tensor
