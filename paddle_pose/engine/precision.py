"""Automatic mixed precision, one path for all devices: a CPU build of Paddle computes in float32 all the same."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import paddle


@dataclass(frozen=True)
class Precision:
    """Automatic mixed precision: `level` is off, O1 or O2, `dtype` float16 or bfloat16."""

    level: str = "off"
    dtype: str = "float16"

    @property
    def active(self) -> bool:
        """True where it changes anything: asked for, and on a GPU."""
        return self.level != "off" and paddle.device.get_device().startswith("gpu")

    def cast(self) -> AbstractContextManager:
        """Inside, operations run in the chosen precision."""
        level = self.level if self.active else "O1"
        return paddle.amp.auto_cast(enable=self.active, level=level, dtype=self.dtype)

    def scaler(self) -> paddle.amp.GradScaler:
        """Scales the loss for float16; bfloat16 has the range of float32 and needs none."""
        return paddle.amp.GradScaler(enable=self.active and self.dtype == "float16")
