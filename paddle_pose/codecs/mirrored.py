"""A mirror for images and maps of any size."""

import paddle
from paddle import Tensor


def reversed_columns(x: Tensor) -> Tensor:
    """(B, C, h, w) with its columns in reverse order.

    They are counted by the tensor itself: in an exported model of whole photos w has no value yet, and ONNX cannot
    flip an axis of unknown length.
    """
    counted = paddle.cumsum(paddle.ones_like(x[0, 0, 0], dtype="float32"))  # 1 ... w
    return paddle.gather(x, (counted[-1] - counted).astype("int64"), axis=3)
