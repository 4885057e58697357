"""Trains a network of ours and its PyTorch twin side by side, on real photos, and records both losses.

    PADDLE_POSE_DATA=folder python tests/torch_twins/parity.py hourglass --out results/parity/hourglass.json --steps 100

Both start from the same weights and see the same batches of LSP extended. Beside them run copies of the twin
whose initial weights are changed by 1e-7 of themselves (how far does training carry rounding?), and the same pair in
float64 (does anything else than rounding differ?). One thread. `report.py` says what the record means.
"""

import argparse
import copy
import json
import os
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [entry for entry in (str(ROOT), str(ROOT / "tests")) if entry not in sys.path]

import paddle_pose  # noqa: E402, F401, I001 (before paddle)
import numpy as np  # noqa: E402
import paddle  # noqa: E402
import torch  # noqa: E402
from torch_twins.inputs import normalised  # noqa: E402
from torch_twins.report import NAMES, summary  # noqa: E402
from torch_twins.sides import PaddleSide, TorchSide, biased_variance  # noqa: E402
from torch_twins.trainings import RECIPES, TRAININGS  # noqa: E402
from torch_twins.weights import hand_over, perturbed  # noqa: E402

from paddle_pose.atomic_files import replacing  # noqa: E402
from paddle_pose.builder import build_crop_maker  # noqa: E402
from paddle_pose.builder_data import build_dataset  # noqa: E402
from paddle_pose.config import load_config  # noqa: E402
from paddle_pose.data.loader import Loader, evaluation_order, training_order  # noqa: E402
from paddle_pose.environment import environment  # noqa: E402

PERTURBATION, COPIES = 1e-7, 2
HELD_OUT = 64  # people of the valid split


def main(argv=None):
    arguments = parser().parse_args(argv)
    config = read_config(arguments.name, tuple(arguments.opts), arguments.recipe)
    options = {"he_weights": arguments.he_weights, "double_steps": arguments.double_steps}
    record = compare(arguments.name, config, arguments.steps, print_line, **options)
    record["recipe"], record["he_weights"] = arguments.recipe, arguments.he_weights
    record["command"] = "python tests/torch_twins/parity.py " + " ".join(sys.argv[1:] if argv is None else argv)
    with replacing(arguments.out) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print_line(f"{arguments.out}: {json.dumps(summary(record))}")


def parser():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--out", type=Path, required=True, help="the record, JSON")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--recipe", choices=list(RECIPES), default="config", help="rate and its schedule")
    parser.add_argument("--he_weights", action="store_true", help="HRNet: convolutions start from N(0, 2 / fan-in)")
    parser.add_argument(
        "--double_steps", type=int, default=30, help="in float64, which takes two to three times as long"
    )
    parser.add_argument("--opts", nargs="*", default=[], metavar="KEY=VALUE", help="settings for both sides")
    return parser


def print_line(text):
    print(text, file=sys.stderr, flush=True)


def read_config(name, options=(), recipe="config"):
    """The configuration of a training, with averages of weights left out and its data where the environment says."""
    training = TRAININGS[name]
    root = Path(os.environ.get("PADDLE_POSE_DATA", "data")) / "lspet"
    overrides = {**training.overrides, **RECIPES[recipe], "dataset": {"root": str(root)}}
    overrides["train"] = {**overrides.get("train", {}), "ema_decay": None, "workers": 0}
    return load_config(str(ROOT / training.config), options, overrides)


def compare(name, config, steps, say=lambda text: None, unseen=HELD_OUT, he_weights=False, double_steps=30):
    """The record: losses before each step of all runs, and what the trained networks say of other people."""
    torch.set_num_threads(1)
    training, people = TRAININGS[name], build_dataset(config, "train")
    order = training_order(len(people), config.train.batch_size, config.seed, epoch=0)
    ours, ours_double = (PaddleSide(config, len(order), double, he_weights) for double in (False, True))
    twin = hand_over(ours.parts.network, training.build_twin(config, len(people.skeleton)))
    copies = [perturbed(copy.deepcopy(twin), PERTURBATION, seed) for seed in range(COPIES)]
    theirs = [TorchSide(each, training.loss, config.optimizer) for each in (twin, *copies)]
    theirs_double = TorchSide(twin, training.loss, config.optimizer, double=True)
    losses = {key: [] for key in ("paddle", "torch", "perturbed", "paddle_double", "torch_double")}
    rates, gaps = [], []
    loader = Loader(build_crop_maker(ours.parts, people, training=True), 0, config.seed)
    for step, batch in enumerate(loader.batches(order[:steps])):
        inputs, lr = ours.inputs(batch), ours.trainer.schedule.lr(step)
        rates.append(lr)
        gaps.append(input_differences(training, config, batch, inputs))
        first, *others = [side.step(inputs, lr) for side in theirs]
        values = [ours.step(batch), first, others]
        if step < double_steps:
            values += [ours_double.step(batch), theirs_double.step(inputs, lr)]
        for key, value in zip(losses, values):
            losses[key].append(value)
        say(f"{name} step {step + 1}: {values}")
    return {
        "name": name,
        "network": type(ours.parts.network).__name__,
        "parameters": sum(parameter.numel() for parameter in twin.parameters()),
        "steps": steps,
        "batch": config.train.batch_size,
        "seed": config.seed,
        "lr": rates,
        "data": {
            "photos": "LSP extended (LSPET), augmented crops of the first batches of epoch 1",
            "crop_wh": list(config.input_wh),
            "largest_difference_of_images_targets_weights": np.max(gaps, 0).tolist(),
        },
        "losses": losses,
        "held_out": held_out(config, ours, theirs, training, inputs[0], steps, unseen),
        "made_by": made_by(),
        "config_file": training.config,
        "config": {**config.model_dump(mode="json"), "dataset": {"type": "LSPET"}},
    }


def input_differences(training, config, batch, inputs):
    """Largest difference between what our normaliser and codec give and what inputs.py gives."""
    target, weight = training.targets(batch.joints_crop.astype("f8"), batch.weight, config.input_wh)
    own = normalised(batch.images, batch.color_gain), target, weight
    return [float(np.abs(a - b).max()) for a, b in zip(inputs, own)]


def held_out(config, ours, theirs, training, train_images, steps, unseen):
    """Loss and joints of people of the valid split, by the networks in eval mode.

    Distances between the joints of two networks are means over people and joints, in crop pixels.
    """
    people = build_dataset(config, "valid")
    loader = Loader(build_crop_maker(ours.parts, people, training=False), 0, config.seed)
    batches = [ours.inputs(batch) for batch in loader.batches(evaluation_order(unseen, 32))]
    like_paddle, counts = biased_variance(theirs[0].twin, train_images, steps)
    sides = {"paddle": ours, "torch": theirs[0]}
    sides |= {f"perturbed_{i}": side for i, side in enumerate(theirs[1:])}
    sides["torch_variance_as_paddle"] = TorchSide(like_paddle, training.loss, config.optimizer)
    ours_in_torch = hand_over(ours.parts.network, copy.deepcopy(theirs[0].twin))
    sides["torch_with_paddles_weights"] = TorchSide(ours_in_torch, training.loss, config.optimizer)
    look = partial(_looked_at, ours.parts.codec, training)
    found = {name: [look(side, batch) for batch in batches] for name, side in sides.items()}
    losses = {name: float(np.mean([loss for loss, _ in each])) for name, each in found.items()}
    joints = {name: np.concatenate([xy for _, xy in each]) for name, each in found.items()}
    base = {"torch_variance_as_paddle": "torch", "torch_with_paddles_weights": "paddle"}
    apart = {
        name: float(np.linalg.norm(xy - joints[base.get(name, "torch")], axis=-1).mean())
        for name, xy in joints.items()
        if name != "torch"
    }
    return {
        "people": unseen,
        "losses": losses,
        "pixels_apart": apart,
        "numbers_of_a_channel": [counts[0], counts[-1]],
    }


def _looked_at(codec, training, side, inputs):
    """Loss of a batch, and the joints that the codec finds in the last stage (B, K, 2)."""
    images, target, weight = inputs
    stages = side.stages(images)
    loss = training.loss(*([torch.tensor(array) for array in stages], torch.tensor(target), torch.tensor(weight)))
    return loss.item(), codec.decode(paddle.to_tensor(stages[-1]))[0].numpy()


def made_by():
    return {**environment(), "torch": torch.__version__, "threads": 1}


if __name__ == "__main__":
    main()
