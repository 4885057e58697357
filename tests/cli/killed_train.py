"""train.py that ends itself by SIGKILL: python killed_train.py WHERE STEP [arguments of train.py].

WHERE is `step` (in the middle of step number STEP) or `save` (while the training state after it is written).
"""

import os
import signal
import sys

from paddle_pose.cli.train import main
from paddle_pose.engine import checkpoint, trainer


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main_with_end(where: str, step: int, arguments: list[str]) -> int:
    class Killed(trainer.Trainer):
        def forward(self, batch):
            loss = super().forward(batch)
            if where == "step" and self.progress.step + 1 == step:
                kill()
            return loss

        def state(self, meta):
            if where == "save" and self.progress.step >= step:
                checkpoint.os.fsync = lambda descriptor: kill()  # the bytes are written, the rename is not done
            return super().state(meta)

    import paddle_pose.builder_training

    paddle_pose.builder_training.Trainer = Killed
    return main(arguments)


if __name__ == "__main__":
    sys.exit(main_with_end(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
