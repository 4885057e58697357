"""The Paddle side of align: the network that the flags name, climbed and compared."""

import argparse
from pathlib import Path
from typing import Any, Callable, Optional

import numpy as np
import paddle
import yaml

from paddle_pose import runtime
from paddle_pose.alignment import climbing, plain, reprod_files, rungs
from paddle_pose.alignment.objects import call, find_object
from paddle_pose.alignment.rungs import Row, skipped
from paddle_pose.alignment.scoring import metric_rows, value_row
from paddle_pose.alignment.setup import MEAN_SQUARE, SETUP_FILE, Setup, read_json, read_setup
from paddle_pose.builder import Parts, build
from paddle_pose.builder_data import build_component
from paddle_pose.config import load_config
from paddle_pose.config_sections import Component
from paddle_pose.engine.checkpoint import load_model, load_weights
from paddle_pose.errors import ConfigError, DataError, UserError
from paddle_pose.registry import NETWORKS

Files = dict[str, dict[str, np.ndarray]]


def compare(
    arguments: argparse.Namespace, folder: Path, chosen: tuple[str, ...], limits: Any
) -> tuple[list[Row], Setup, Files]:
    """Rows of the table, the recording's setup, and our arrays by file."""
    runtime.choose_device(arguments.device)
    is_plain = not (folder / SETUP_FILE).is_file()
    if arguments.pretrained_model and not is_plain:
        raise UserError("--pretrained_model: the recording says which weights; leave it out")
    setup = plain.read_plain_setup(folder) if is_plain else read_setup(folder)
    parts, network = _network(arguments, setup)
    loss_of = _loss(arguments, setup, parts)
    dtype = setup.dtype if loss_of is climbing.mean_square or arguments.loss not in (None, "config") else "float32"
    if is_plain:
        _load_ours(network, arguments)
        possible = tuple(rung for rung in chosen if rung in plain.RUNGS)
    else:
        climbing.load(network, setup, folder)
        possible = chosen
    ours = climbing.climb(network, setup, loss_of, possible)
    theirs = _recorded(folder, possible, ours, is_plain)
    if is_plain:  # perhaps the last output alone
        ours["forward"] = {name: ours["forward"][name] for name in theirs["forward"]}
    rows = _rows(ours, theirs, setup.steps, dtype, limits, possible)
    if "metric" in possible:
        rows["metric"] = _metric(arguments, folder, parts, ours, theirs, limits["metric"])
    why = "files of the guide do not say how anything was trained; use align record"
    found = [row for rung in possible for row in rows[rung]]
    return [*found, *(skipped(rung, why) for rung in chosen if rung not in possible)], setup, ours


def _rows(
    ours: Files, theirs: Files, steps: int, dtype: str, limits: Any, chosen: tuple[str, ...]
) -> dict[str, list[Row]]:
    """Rung -> rows, of those that are chosen and need nothing but arrays."""
    made = {
        "forward": lambda limit: rungs.forward_rows(ours["forward"], theirs["forward"], limit),
        "loss": lambda limit: rungs.loss_rows(ours["loss"], theirs["loss"], dtype, limit),
        "backward": lambda limit: rungs.backward_rows(
            ours["backward"], theirs["backward"], theirs.get("backward_again"), dtype, limit
        ),
        "training": lambda limit: rungs.training_rows(
            ours["train"], theirs["train"], theirs.get("train_again"), steps, dtype, limit
        ),
    }
    return {rung: make(limits[rung]) for rung, make in made.items() if rung in chosen}


def save_arrays(folder: Path, arrays: Files) -> None:
    """Our side as NAME_paddle.npy, in the form of reprod_log."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, entries in arrays.items():
        reprod_files.write(folder / f"{name}_paddle.npy", entries)


def _network(arguments: argparse.Namespace, setup: Setup) -> tuple[Optional[Parts], paddle.nn.Layer]:
    if arguments.config is not None:
        height, width = setup.evaluation_shape[2:]
        parts = build(load_config(arguments.config, tuple(arguments.opts), {"input_wh": [width, height]}))
        return parts, parts.network
    if ":" in arguments.network and " " not in arguments.network.strip():
        return None, _built_by(find_object(arguments.network, "--network"), arguments.network)
    try:
        section = yaml.safe_load("{" + arguments.network + "}")
    except yaml.YAMLError:
        section = None
    if not isinstance(section, dict) or not isinstance(section.get("type"), str):
        raise ConfigError(
            f'--network {arguments.network}: write it as "type: StackedHourglass, num_joints: 16, stacks: 2"'
        )
    flag = f"--network {arguments.network}"
    return None, call(build_component, flag, NETWORKS, Component(**section), "network", {})


def _built_by(make: Callable, text: str) -> paddle.nn.Layer:
    network = call(make, f"--network {text}")
    if not isinstance(network, paddle.nn.Layer):
        raise UserError(f"--network {text}: built a {type(network).__name__}, not a paddle.nn.Layer")
    return network


def _loss(arguments: argparse.Namespace, setup: Setup, parts: Optional[Parts]) -> climbing.LossOf:
    name = arguments.loss or (MEAN_SQUARE if setup.loss == MEAN_SQUARE else "config")
    if name == MEAN_SQUARE:
        return climbing.mean_square
    if name != "config":
        return find_object(name, "--loss")
    if parts is None:
        raise ConfigError(f"the reference's loss is {setup.loss}; name ours: --config FILE, or --loss module:callable")

    def of_config(outputs: list, targets: list) -> paddle.Tensor:
        """All joints labelled; in float32, as every loss of a configuration is computed."""
        batch, maps, *cells = outputs[-1].shape
        shape = [batch, 1, *cells] if hasattr(parts.codec, "people") else [batch, maps]
        stages = [output.astype("float32") for output in outputs]
        return parts.loss(stages, targets[0].astype("float32"), paddle.ones(shape))

    return of_config


def _load_ours(network: paddle.nn.Layer, arguments: argparse.Namespace) -> None:
    if arguments.pretrained_model is None:
        raise UserError(
            "files without setup.json need --pretrained_model FILE, the weights as paddle_pose.convert wrote them"
        )
    path = Path(arguments.pretrained_model)
    load_weights(network, load_model(path)[0], path)
    climbing.switch_dropout_off(network)


def _recorded(folder: Path, chosen: tuple[str, ...], ours: Files, is_plain: bool) -> Files:
    names = ["forward", *(name for name in ("loss", "backward") if name in chosen)]
    if is_plain:
        found = {name: plain.read_recorded(folder, name) for name in names}
        return {name: plain.by_position(found[name], ours[name], f"{name}_ref.npy") for name in names}
    if "backward" in chosen:
        names.append("backward_again")
    if "training" in chosen:
        names += ["train", "train_again"]
    return {name: reprod_files.read(folder / f"{name}_ref.npy") for name in names}


def _metric(
    arguments: argparse.Namespace, folder: Path, parts: Optional[Parts], ours: Files, theirs: Files, limits: Any
) -> list[Row]:
    rows = [skipped("metric", "needs --config: codec and metric")]
    if parts is not None:
        rows = metric_rows(ours["forward"], theirs["forward"], parts.config, parts.codec, limits)
    if arguments.metric_record is None:
        return rows
    values = read_json(Path(arguments.metric_record)).get("values")
    if not isinstance(values, dict):
        raise DataError(f"{arguments.metric_record}: has no values; write it by val.py --save_record")
    numbers = {name: float(value) for name, value in values.items() if isinstance(value, (int, float))}
    reference = {name: float(value) for name, value in plain.read_recorded(folder, "metric").items() if value.size == 1}
    return [*rows, value_row(numbers, reference, "the reference's own evaluator", limits["float32"])]
