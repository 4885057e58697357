"""What each of two processes does for test_launch.py: python launched.py FOLDER; results go to FOLDER/RANK.npz."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Callable

import numpy as np
import paddle
from engine_cases import (
    NUM_JOINTS,
    TinyNet,
    arrays,
    build_tiny,
    filled,
    make_batch,
    make_codec,
    make_trainer,
    optimizer_of,
)

from paddle_pose.data.loader import evaluation_order, training_order
from paddle_pose.engine import distributed
from paddle_pose.engine.ema import Ema
from paddle_pose.engine.evaluator import Evaluator
from paddle_pose.engine.meter import Meter
from paddle_pose.engine.preprocess import Normaliser
from paddle_pose.engine.stop import Interrupted
from paddle_pose.engine.traced import traced

PEOPLE, BATCH, STEPS = 9, 2, 2


def train(
    rank: int, ranks: int, people: int, batch: int, accumulate: int, through: Callable = lambda network: network
) -> dict[str, np.ndarray]:
    """Weights after an epoch of SGD, of a network without batch norm, over this process's share."""
    network = filled(TinyNet(), seed=rank)  # the launcher's processes must begin with the first one's weights
    parallel = paddle.DataParallel(through(network)) if ranks > 1 else network
    trainer = make_trainer(network, optimizer_of(network, lr=0.5), parallel=parallel, accumulate=accumulate)
    order = training_order(people, batch, 0, 0, rank, ranks)
    assert len(order) >= accumulate
    for first in range(0, len(order) - accumulate + 1, accumulate):
        trainer.train_step([make_batch(order[first + k]) for k in range(accumulate)])
    return arrays(network)


def thawed(rank: int, ranks: int, batch: int, accumulate: int) -> dict[str, np.ndarray]:
    """Weights and momentum after two epochs, the first of them with a frozen part."""
    settings = {"freeze": ["first"], "freeze_epochs": 1, "epochs": 2, "accumulate": accumulate}
    trainer = build_tiny(filled(TinyNet(), seed=rank), ranks, steps=2 * accumulate, **settings)

    def batches(epoch: int, first: int):
        return (make_batch(rows) for rows in training_order(8, batch, 0, epoch, rank, ranks)[first:])

    trainer.fit(2, batches, Meter(2, 2 * accumulate, accumulate, ranks), lambda: None, lambda: None)
    state = trainer.state({})
    return {**state["network"], **state["optimizer"]}


def validation_loss(rank: int, ranks: int) -> float:
    """Of people that the processes cannot share out evenly."""
    trainer = make_trainer(filled(TinyNet(batch_norm=True)))
    batches = (make_batch(rows) for rows in evaluation_order(PEOPLE, BATCH, rank, ranks))
    return trainer.validation_loss(batches, lambda count: None)


def waited(rank: int) -> float:
    """Seconds until the second process, which is late, has come too."""
    began = time.monotonic()
    time.sleep(0.5 * rank)
    distributed.wait_for_all()
    return time.monotonic() - began


def predict(rank: int, ranks: int) -> np.ndarray:
    """Joints of all people, by a network with batch norm."""
    network = filled(TinyNet(batch_norm=True))
    batches = (make_batch(rows) for rows in evaluation_order(PEOPLE, BATCH, rank, ranks))
    evaluator = Evaluator(make_codec(), Normaliser((0.5,) * 3, (0.25,) * 3), mirror_test=True)
    found = evaluator.predict(network, batches, PEOPLE, NUM_JOINTS)
    return np.concatenate([found.joints_image, found.scores[..., None]], axis=-1)


def stopped_after(rank: int) -> int:
    """The step after which a run stops when only the second process gets a signal, in step 2."""
    network = filled(TinyNet())
    trainer = make_trainer(network, parallel=paddle.DataParallel(network))

    def on_step() -> None:
        if rank == 1 and trainer.progress.step == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    try:
        trainer.fit(
            1, lambda epoch, first: iter([make_batch([k]) for k in range(40)]), Meter(1, 40, 1, 2), on_step, print
        )
    except Interrupted:
        return trainer.progress.step
    return -1


def validated(rank: int, ranks: int, averaged: bool) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What a network with batch norm is while it is validated after two steps, and what it is otherwise."""
    network = filled(TinyNet(batch_norm=True))
    ema = Ema(network, 0.5) if averaged else None
    trainer = make_trainer(network, parallel=paddle.DataParallel(network), ema=ema)
    for rows in training_order(8, 2, 0, 0, rank, ranks):
        trainer.train_step([make_batch(rows)])
    own = ema.state_dict() if averaged else arrays(network)
    with trainer.validating():
        return arrays(network), own


def main(folder: Path) -> None:
    rank, ranks = distributed.initialise()
    assert ranks == 2
    assert distributed.several()
    copied = paddle.full([3], float(rank))
    distributed.copy_from_first([copied])
    results = {
        "copied": copied.numpy(),
        "sum": distributed.sum_over_processes(np.array([1.0, rank])),
        "waited": np.array([waited(rank) for _ in range(2)]),
        "predictions": predict(rank, ranks),
        "stopped_after": np.array(stopped_after(rank)),
        "validation_loss": np.array(validation_loss(rank, ranks)),
    }
    for averaged in (False, True):
        during, own = validated(rank, ranks, averaged)
        results.update({f"validated {averaged}/{name}": array for name, array in during.items()})
        results.update({f"own {averaged}/{name}": array for name, array in own.items()})
    for accumulate in (1, 2):
        weights = train(rank, ranks, 8, 2 if accumulate == 1 else 1, accumulate)
        results.update({f"accumulate {accumulate}/{name}": array for name, array in weights.items()})
        weights = train(rank, ranks, 8, 2 // accumulate, accumulate, traced)
        results.update({f"traced {accumulate}/{name}": array for name, array in weights.items()})
        state = thawed(rank, ranks, batch=2 // accumulate, accumulate=accumulate)
        results.update({f"thawed {accumulate}/{name}": array for name, array in state.items()})
    np.savez(folder / f"{rank}.npz", **results)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
