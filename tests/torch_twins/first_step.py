"""How many numbers does the first step of Adam move apart, in Paddle and in PyTorch?

    PADDLE_POSE_DATA=folder python tests/torch_twins/first_step.py hourglass hrnet

Adam's first step moves every number by the rate, up or down as its gradient says. Where the gradient is nothing but
rounding, its sign is chance. Counts numbers whose two moves differ by more than half the rate.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[level]) for level in (2, 1)]

from torch_twins import parity  # noqa: E402
from torch_twins.sides import PaddleSide, TorchSide  # noqa: E402
from torch_twins.trainings import TRAININGS  # noqa: E402
from torch_twins.weights import hand_over  # noqa: E402

FAINT = 1e-5  # of the largest gradient of the network; a tensor whose true gradient is 0 has less


def moved_apart(name):
    """Of all trained numbers; of those in tensors of faint gradient; and how many such tensors there are."""
    config, training = parity.read_config(name), TRAININGS[name]
    people, ours = parity.build_dataset(config, "train"), PaddleSide(config, 100)
    twin = hand_over(ours.parts.network, training.build_twin(config, len(people.skeleton)))
    theirs = TorchSide(twin, training.loss, config.optimizer)
    order = parity.training_order(len(people), config.train.batch_size, config.seed, 0)
    loader = parity.Loader(parity.build_crop_maker(ours.parts, people, training=True), 0, config.seed)
    batch, rate = next(loader.batches(order[:1])), ours.trainer.schedule.lr(0)
    theirs.step(ours.inputs(batch), rate)
    ours.step(batch)
    after = dict(hand_over(ours.parts.network, twin).named_parameters())
    apart = {key: ((value - after[key]).abs() > rate / 2).sum().item() for key, value in theirs.twin.named_parameters()}
    largest = {key: value.grad.abs().max().item() for key, value in theirs.twin.named_parameters()}
    faint = [key for key in apart if largest[key] < FAINT * max(largest.values())]
    return sum(apart.values()), sum(apart[key] for key in faint), len(faint)


if __name__ == "__main__":
    for each in sys.argv[1:]:
        numbers, chance, tensors = moved_apart(each)
        print(f"{each}: {numbers} numbers moved apart, {chance} of them in {tensors} tensors of faint gradient")
