"""predict.py where something happens at a process's second photo: python launched_predict.py WHAT RANK FLAGS..."""

import errno
import os
import signal
import sys
import time
from pathlib import Path

from paddle_pose.cli import predict, prediction_shares

SECOND = 2


def full_disk(save_dir: Path) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def killed(save_dir: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def ctrl_c(save_dir: Path) -> None:
    """As in a terminal, where the launcher answers it by a signal to each process, three times."""
    end_s = time.monotonic() + 60
    while not (save_dir / "0.png").exists() and time.monotonic() < end_s:  # the first process has begun too
        time.sleep(0.05)
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(2)


def main(what: str, rank: str, *flags: str) -> int:
    add, seen = prediction_shares.Share.add, []

    def add_or_else(share, frame, poses) -> None:
        seen.append(frame)
        if len(seen) == SECOND and os.environ["PADDLE_TRAINER_ID"] == rank:
            globals()[what](Path(flags[flags.index("--save_dir") + 1]))
        add(share, frame, poses)

    prediction_shares.Share.add = add_or_else
    return predict.main(flags)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
