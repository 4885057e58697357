"""A network and recipe small enough that a run takes seconds, and how the tests call the commands."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from paddle_pose import runtime
from paddle_pose.cli import train as train_command
from paddle_pose.cli import val as val_command
from paddle_pose.engine.checkpoint import load_training_state

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
input_wh: [64, 64]
dataset: {type: MPII, root: nowhere}
metric: {type: PCKh}
network: {type: StackedHourglass, stacks: 1, width: 16, depth: 2}
codec: {type: GaussianHeatmap, sigma_map: 1.5, target: unbiased, refine: dark, shift_mirrored: true}
augment: {type: HRNet, scale: 0.25, rotation_deg: 30, color_gain: [0.6, 1.4]}
optimizer: {type: Adam, lr: 2.0e-3, clip_norm: 0.5, weight_decay: 1.0e-4}
schedule: {type: cosine, warmup_steps: 3}
train: {epochs: 2, batch_size: 2, accumulate: 2, workers: 2, ema_decay: 0.9, checkpoint_steps: 2, log_steps: 1}
valid: {batch_size: 8, mirror_test: true, best: Mean}
seed: 5
"""
SHORT = ("train.epochs=1", "train.log_steps=1000", "train.checkpoint_steps=1000", "valid.mirror_test=false")


def write_config(folder: Path, text: str = CONFIG) -> Path:
    path = Path(folder) / "tiny.yaml"
    path.write_text(text)
    return path


def train_arguments(config, dataset, save_dir, *more) -> list[str]:
    flags = {"--config": config, "--dataset_root": dataset, "--save_dir": save_dir, "--device": "cpu"}
    return [*(str(part) for item in flags.items() for part in item), *(str(part) for part in more)]


def train(config, dataset, save_dir, *more) -> int:
    return train_command.main(train_arguments(config, dataset, save_dir, *more))


def validate(*arguments) -> int:
    return val_command.main(["--device", "cpu", *(str(argument) for argument in arguments)])


def state_of(save_dir) -> dict:
    return load_training_state(Path(save_dir) / "64_training" / "training.pdstate")


def best_model(save_dir) -> Path:
    return Path(save_dir) / "64_best_model" / "model.pdparams"


def rows_of(save_dir) -> list[dict]:
    import json

    text = (Path(save_dir) / "64_training" / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def eval_values(output: str) -> dict[str, float]:
    """The numbers of the last line, which must be the [EVAL] line with its keys in order."""
    last = output.rstrip("\n").splitlines()[-1]
    assert last.startswith("[EVAL] ")
    pairs = [part.split("=") for part in last.split()[1:]]
    assert [name for name, _ in pairs] == sorted(name for name, _ in pairs)
    return {name: float(value) for name, value in pairs}


def assert_same_state(left: dict, right: dict) -> None:
    """Two training states, equal to the last bit but for the settings that they mention."""
    assert set(left) == set(right)
    for part in ("network", "ema", "optimizer"):
        assert set(left[part]) == set(right[part])
        different = [name for name in left[part] if not np.array_equal(left[part][name], right[part][name])]
        assert different == [], part
    for part in ("scaler", "schedule", "progress", "random"):
        assert left[part] == right[part]


def assert_one_error(captured, *words) -> str:
    """One line on stderr that starts with `error:` and holds all words."""
    lines = captured.err.splitlines()
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("error: ")
    for word in words:
        assert re.search(word, lines[0]), lines[0]
    return lines[0]


def clean_environment() -> dict[str, str]:
    """The environment without secrets and launcher variables, and with the threads that this process began with."""
    kept = (
        "PATH",
        "HOME",
        "LANG",
        "TMPDIR",
        "MKL_DEBUG_CPU_TYPE",
        "GLOG_minloglevel",
        "LD_LIBRARY_PATH",
        "VIRTUAL_ENV",
    )
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    if runtime._user_threads is not None:  # paddle sets OMP_NUM_THREADS when imported; other threads, other bits
        environment["OMP_NUM_THREADS"] = runtime._user_threads
    return {**environment, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def run_python(*arguments, cwd, timeout=240) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *(str(argument) for argument in arguments)],
        cwd=cwd,
        env=clean_environment(),
        timeout=timeout,
        capture_output=True,
        text=True,
    )


def run_launch(folder: Path, script: Path, *arguments, timeout=240) -> subprocess.CompletedProcess:
    """Two processes of Paddle's launcher on the CPU; its logs (they hold the environment) stay in `folder`."""
    launch = ["-m", "paddle.distributed.launch", "--nproc_per_node", "2", "--log_dir", folder / "launch_logs"]
    return run_python(*launch, script, *arguments, cwd=folder, timeout=timeout)


def fingerprint(folder) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def cut_in_half(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
