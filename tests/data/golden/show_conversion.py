"""Shows that converted checkpoints give the outputs of the public PyTorch implementations. Needs torch.

    python tests/data/golden/show_conversion.py RECORDED CHECKOUTS [NAME ...] [--seeds 0 1] [--work DIR]

RECORDED holds a folder for each name with `golden.npz`: `input` and, of seed 0, `eval_output_0`, 1, ... in full.
CHECKOUTS holds the repositories named in reference_*.py: anibali, princeton, mmpose, hrnet, tensorboy. For each name
and seed a checkpoint is written with torch, weights by the rule of tests/networks/golden.py, in one of FORMS;
`paddle-pose convert` makes it ours; `paddle_pose.load_network` runs it. Seed 0 is compared with the recorded outputs,
other seeds with the implementation itself. Prints the table of docs/convert.md: the largest difference of any stage
over that stage's largest magnitude.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(HERE)]
LIMIT = 1e-4
CHECKOUT = {
    "bearpaw": "anibali",
    "princeton": "princeton",
    "mmpose": "mmpose",
    "hrnet": "hrnet",
    "openpose": "tensorboy",
}
FORMS = {  # seed 0 keeps float32: its recorded outputs are of unrounded weights
    0: ("zip", "legacy", "zip, state_dict, module.", "legacy, state_dict, module."),
    1: ("zip, half, state_dict, module.", "legacy, half", "zip, bfloat16", "zip, some half"),
}


def main() -> int:
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("recorded", type=pathlib.Path)
    flags.add_argument("checkouts", type=pathlib.Path)
    flags.add_argument("names", nargs="*")
    flags.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    flags.add_argument("--work", type=pathlib.Path, help="keep the converted files here")
    arguments = flags.parse_args()
    names = arguments.names or sorted(path.name for path in arguments.recorded.iterdir())
    print(
        "| checkpoint | seed | form of the file | recognised as | largest difference |\n|---|---|---|---|---|",
        flush=True,
    )
    worst = 0.0
    for number, name in enumerate(names):
        for seed in arguments.seeds:
            form = FORMS[min(seed, 1)][number % 4]
            with tempfile.TemporaryDirectory() as folder:
                recognised, difference = compare(name, seed, form, arguments, arguments.work or pathlib.Path(folder))
            worst = max(worst, difference)
            print(f"| {name} | {seed} | {form} | {recognised} | {difference:.1e} |", flush=True)
    return 0 if worst <= LIMIT else 1


def compare(name: str, seed: int, form: str, arguments: argparse.Namespace, work: pathlib.Path) -> tuple[str, float]:
    from networks import golden

    import paddle_pose

    source, target = work / f"{name}_{seed}.pth", work / f"{name}_{seed}.pdparams"
    shapes = golden.shapes(golden.read(name))
    weights = rounded(golden.weights(shapes, seed), form)
    write(source, weights, form)
    command = [sys.executable, "-m", "paddle_pose", "convert", str(source), str(target), "--overwrite"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    recognised = done.stdout.splitlines()[0].partition(": ")[2]
    source.unlink()
    network = paddle_pose.load_network(str(target))
    if not arguments.work:
        target.unlink()
    with np.load(arguments.recorded / name / "golden.npz") as recorded:
        images = recorded["input"]
        if seed == 0:
            outputs = [recorded[f"eval_output_{i}"] for i in range(sum("eval_output_" in key for key in recorded))]
            outputs = (
                [np.concatenate(pair, 1) for pair in zip(outputs[::2], outputs[1::2])]
                if "openpose" in name
                else outputs
            )
    if seed:
        outputs = run_reference(name, weights, images, arguments.checkouts)
    return recognised, difference_of(network, images, outputs)


def rounded(weights: dict, form: str) -> dict:
    """Torch tensors of the kinds of a form."""
    import torch

    tensors = {key: torch.from_numpy(value) for key, value in weights.items()}
    kind = torch.bfloat16 if "bfloat16" in form else torch.float16 if "half" in form else torch.float32
    some = "some" in form
    return {
        key: value if some and number % 2 else value.to(kind) for number, (key, value) in enumerate(tensors.items())
    }


def write(path: pathlib.Path, weights: dict, form: str) -> None:
    import torch

    prefix = "module." if "module." in form else ""
    state = {prefix + key: value for key, value in weights.items()}
    state |= {
        key.replace("running_mean", "num_batches_tracked"): torch.tensor(7)
        for key in state
        if key.endswith("running_mean")
    }
    if "state_dict" in form:
        layer = torch.nn.Linear(2, 2)
        optimiser = torch.optim.Adam(layer.parameters())
        layer(torch.ones(1, 2)).sum().backward()
        optimiser.step()
        state = {"epoch": 3, "arch": "x", "state_dict": state, "optimizer": optimiser.state_dict()}
    torch.save(state, path, _use_new_zipfile_serialization="zip" in form)


def run_reference(name: str, weights: dict, images: np.ndarray, checkouts: pathlib.Path) -> list:
    import torch
    from record import networks

    folder = next(checkout for start, checkout in CHECKOUT.items() if name.startswith(start))
    network = networks()[name](checkouts / folder)
    left = network.load_state_dict({key: value.float() for key, value in weights.items()}, strict=False)
    assert not left.unexpected_keys, left
    assert all(key.endswith("num_batches_tracked") for key in left.missing_keys), left
    with torch.no_grad():
        return [output.numpy() for output in network.eval()(torch.from_numpy(images))]


def difference_of(network, images: np.ndarray, outputs: list) -> float:
    import paddle

    with paddle.no_grad():
        ours = [output.numpy() for output in network(paddle.to_tensor(images))]
    assert [output.shape for output in ours] == [output.shape for output in outputs]
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(ours, outputs))


if __name__ == "__main__":
    sys.exit(main())
