"""One training step of the large networks on the CPU, per image, beside PyTorch eager.

Forward, mean squared error, backward and Adam, for Hourglass-52 and HRNet-W32: ours; ours with Paddle's own
convolutions (FLAGS_use_mkldnn=0); ours in two processes that share batch and threads, as a launch has them; and the
same network in PyTorch (torch_twin.py). Each runs in a process of its own; they take turns, so that a busy machine is
equally busy for all; medians over the turns count.
With `--losses 50` the losses of ours are compared with those of Paddle's own convolutions, step by step, and so are
those of Paddle's own convolutions for pixels that are wrong by rounding: what rounding alone does to a training.

    python -m benchmarks.training_step --turns 5 --losses 50

PyTorch is optional: without it its rows are missing.
"""

import argparse
import os
import statistics
import sys
from typing import Callable, Optional

from benchmarks.comparison import Comparison, print_table
from benchmarks.step_trainers import NETWORKS, NUDGE, serve
from benchmarks.worker import Worker

PLAIN = "Paddle's own convolutions"
LIMIT = 1e-4  # of losses, relative


def main() -> None:
    flags = flags_of(__doc__, turns=5)
    flags.add_argument("--losses", type=int, default=0, metavar="STEPS")
    run(flags.parse_args(), measure, serve)


def flags_of(about: str, turns: int) -> argparse.ArgumentParser:
    """What benchmarks of training steps are told; `--one` is for the processes that they start."""
    flags = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    flags.add_argument("--batch", type=int, default=4)
    flags.add_argument("--side", type=int, default=256, help="of the images, pixels")
    flags.add_argument("--threads", type=int, default=2)
    flags.add_argument("--turns", type=int, default=turns)
    flags.add_argument("--one", help=argparse.SUPPRESS)
    return flags


def run(arguments: argparse.Namespace, measure: Callable, serve: Callable) -> None:
    """Prints the table of all networks; in a process of one engine, serves."""
    if arguments.one:
        serve(arguments)
        return
    rows = [row for name in arguments.networks for row in measure(name, arguments)]
    told = {name: getattr(arguments, name) for name in ("batch", "side", "threads", "turns")}
    print(", ".join(f"{name} {number}" for name, number in told.items()) + "; per image")
    print_table(rows)


def measure(name: str, arguments: argparse.Namespace) -> list[Comparison]:
    """Rows of one network."""
    engines = {engine: engine_of(engine, name, arguments) for engine in ("ours", PLAIN, "pair")}
    torch = engine_of("torch", name, arguments)
    if torch.there:
        engines["PyTorch"] = torch
    times = {engine: [] for engine in engines}
    for turn in range(arguments.turns):
        order = list(engines)[turn % len(engines) :] + list(engines)[: turn % len(engines)]
        for engine in order:
            times[engine].append(engines[engine].ask("steps 1")["seconds"] / arguments.batch)
    rows = [
        compared(f"{name}, training step", times, "ours", "PyTorch", 1.0),
        compared(f"{name}, training step", times, "ours", PLAIN),
        compared(f"{name}, training step, two processes", times, "pair", "PyTorch"),
        compared(f"{name}, training step, two processes", times, "pair", "ours"),
    ]
    if arguments.losses:
        print_losses(name, engines, arguments.losses)
    for engine in {*engines.values(), torch}:
        engine.end()
    return [row for row in rows if row]


def compared(what: str, times: dict, which: str, beside: str, limit: Optional[float] = None) -> Optional[Comparison]:
    """Medians of both over the turns; None without the other."""
    if beside not in times:
        return None
    ours, other = (1e3 * statistics.median(times[engine]) for engine in (which, beside))
    return Comparison(what, ours, other, "one process" if beside == "ours" else beside, limit)


def print_losses(name: str, engines: dict, steps: int) -> None:
    """How far losses of `steps` further steps from the same weights are apart, relative, and where that begins."""
    usual = engines[PLAIN].ask(f"losses {steps}")["losses"]
    print(f"{name}: losses of {steps} steps by {PLAIN}: {usual[0]:.6f} to {usual[-1]:.6f}")
    others = {
        "ours": engines["ours"].ask(f"losses {steps}"),
        f"for pixels x (1 + {NUDGE:g})": engines[PLAIN].ask(f"nudged {steps}"),
    }
    for which, answer in others.items():
        apart = [abs(a - b) / b for a, b in zip(answer["losses"], usual)]
        within = next((step for step, far in enumerate(apart) if far > LIMIT), steps)
        print(f"  {which}: {max(apart):.1e} apart at most, {statistics.median(apart):.1e} in the median; ", end="")
        print(f"the first {within} within {LIMIT:g}", flush=True)


def engine_of(engine: str, network: str, arguments: argparse.Namespace) -> Worker:
    """A process that takes training steps."""
    command = [sys.executable, "-m", "benchmarks.training_step", "--one", engine, "--networks", network]
    command += [f"--{name}={getattr(arguments, name)}" for name in ("batch", "side", "threads")]
    environment = {**os.environ, "FLAGS_use_mkldnn": "0"} if engine == PLAIN else None
    return Worker(command, f"{network}: no {engine}", environment)


if __name__ == "__main__":
    main()
