"""Wall time of one training step and one evaluation batch of the quick-start network.

Side by side in one run: this project as it is, and the same network on Paddle's defaults (no CPU settings,
Paddle's own convolution bias and nearest upsampling). Each runs in a process of its own, because Paddle reads
its environment once. Ends with the operators that the time goes to.
"""

import argparse
import json
import os
import subprocess
import sys
import time

CONFIG = "configs/hourglass/hg1_small_synthetic_96x96.yaml"


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--config", default=CONFIG)
    flags.add_argument("--repeat", type=int, default=10)
    flags.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    flags.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = flags.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments)))
        return
    ours, plain = (in_own_process(arguments, flag) for flag in ([], ["--plain"]))
    print(f"{arguments.config}, batch {ours['batch']}, {ours['threads']} thread(s), Paddle {ours['paddle']}")
    for name in ("training step", "evaluation batch"):
        print(
            f"{name}: {ours[name]:.3f} s, Paddle's defaults {plain[name]:.3f} s, ratio {plain[name] / ours[name]:.2f}"
        )
    print(f"training: {ours['batch'] / ours['training step']:.1f} images/s; ", end="")
    print("limited by: " + ", ".join(f"{name} {share:.0%}" for name, share in ours["limits"]))


def in_own_process(arguments: argparse.Namespace, extra: list) -> dict:
    """What a fresh process measures; for Paddle's defaults its environment is left as Paddle ships it."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.network_step",
        "--one",
        "--config",
        arguments.config,
        "--repeat",
        str(arguments.repeat),
        *extra,
    ]
    environment = dict(os.environ)
    if extra:
        environment.update(MKL_DEBUG_CPU_TYPE="", KMP_BLOCKTIME="200", OMP_NUM_THREADS="1")
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return json.loads(output.strip().splitlines()[-1])


def measure(arguments: argparse.Namespace) -> dict:
    """Median seconds of a step and of a batch, and the operators' shares of a step."""
    import paddle

    from paddle_pose import runtime
    from paddle_pose.builder import build
    from paddle_pose.builder_training import build_trainer
    from paddle_pose.config import load_config
    from paddle_pose.engine.evaluator import Evaluator

    if arguments.plain:
        use_plain_layers()
    config = load_config(arguments.config)
    runtime.choose_device("cpu", config.cpu_threads)
    parts = build(config)
    trainer = build_trainer(parts, 1000, 1)
    batch = random_batch(parts)
    evaluator = Evaluator(parts.codec, parts.normalise, mirror_test=False)
    parts.network.train()
    step = median_seconds(lambda: float(trainer.train_step([batch])), arguments.repeat)
    limits = operator_shares(trainer, batch)
    parts.network.eval()
    with paddle.no_grad():
        evaluation = median_seconds(lambda: evaluator.decode(parts.network, batch), arguments.repeat)
    return {
        "training step": step,
        "evaluation batch": evaluation,
        "batch": len(batch),
        "threads": config.cpu_threads or runtime.usable_cores(),
        "paddle": paddle.__version__,
        "limits": limits,
    }


def use_plain_layers() -> None:
    """Puts Paddle's own layers in the place of ours."""
    from paddle import nn
    from paddle.nn import functional

    from paddle_pose.networks import blocks, hourglass

    blocks.Conv2D.forward = nn.Conv2D.forward
    hourglass.upsample_nearest_2x = lambda x: functional.interpolate(x, scale_factor=2, mode="nearest")


def random_batch(parts):
    """A batch of noise of the configuration's size."""
    import numpy as np

    from paddle_pose.samples import Batch

    rng = np.random.default_rng(0)
    width, height = parts.config.input_wh
    count, joints = parts.config.train.batch_size, len(parts.skeleton)
    return Batch(
        images=rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8),
        joints_crop=rng.uniform(0, width, (count, joints, 2)).astype(np.float32),
        weight=np.ones((count, joints), np.float32),
        crop_from_image=np.tile(np.eye(2, 3), (count, 1, 1)),
        color_gain=np.ones((count, 3), np.float32),
        index=np.arange(count),
        image_paths=("noise",) * count,
    )


def median_seconds(work, repeat: int) -> float:
    """Median wall time; two runs warm it up."""
    seconds = []
    for _ in range(repeat + 2):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return sorted(seconds[2:])[repeat // 2]


def operator_shares(trainer, batch) -> list:
    """The five operators that take most of a training step, with their shares of the profiled time."""
    import paddle

    def is_kernel(name: str) -> bool:
        return name.endswith((" dygraph", "GradNodeFinal", "GradNode", "Backward")) or "Grad" in name

    profiler = paddle.profiler.Profiler(
        targets=[paddle.profiler.ProfilerTarget.CPU], on_trace_ready=lambda profile: None
    )
    profiler.start()
    trainer.train_step([batch])
    profiler.stop()
    items = (
        profiler.profiler_result
        and paddle.profiler.profiler_statistic.StatisticData(
            profiler.profiler_result.get_data(), profiler.profiler_result.get_extra_info()
        ).event_summary.items
    )
    times = {name: item.cpu_time for name, item in (items or {}).items() if is_kernel(name)}
    total = sum(times.values()) or 1
    return [(name, value / total) for name, value in sorted(times.items(), key=lambda pair: -pair[1])[:5]]


if __name__ == "__main__":
    main()
