"""One engine of laptop.py in a process of its own, or the making of what they run.

laptop_worker.py prepare CONFIG FOLDER
laptop_worker.py eager|paddle|bf16|onnxruntime|int8|torch FOLDER THREADS
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

SHORTEST_TURN_S = 1.0  # threads and caches are cold at its beginning
SAME_PX, SAME_SHARE = 0.01, 5e-3


def main() -> None:
    if sys.argv[1] == "prepare":
        prepare(sys.argv[2], Path(sys.argv[3]))
        return
    engine, folder, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    picture, began = np.load(folder / "picture.npy"), time.process_time()
    try:
        run = ENGINES[engine](folder, threads)
    except (ImportError, FileNotFoundError) as error:
        print(json.dumps({"missing": str(error)}), flush=True)
        return
    loaded = time.process_time()
    run(picture)
    print(json.dumps({"load_cpu_s": loaded - began, "first_cpu_s": time.process_time() - loaded}), flush=True)
    run(picture)
    for line in sys.stdin:
        what, _, path = line.strip().partition(" ")
        if what == "run":
            answer = turn(run, picture)
        elif what == "write":
            np.savez(path, *run(picture))
            answer = {}
        else:
            answer = compare(folder, run(picture), list(np.load(path).values()))
        print(json.dumps(answer), flush=True)


def turn(run, picture: np.ndarray) -> dict:
    """Milliseconds of one run, by the clock and of the processor (all threads); the mean of a short turn."""
    count, wall, cpu = 0, time.perf_counter(), time.process_time()
    while count == 0 or time.perf_counter() - wall < SHORTEST_TURN_S:
        run(picture)
        count += 1
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall_ms": 1e3 * wall / count, "cpu_ms": 1e3 * cpu / count}


def eager(folder: Path, threads: int):
    parts, layer, paddle = built(folder, threads)
    return lambda picture: [part.numpy() for part in layer(paddle.to_tensor(picture))]


def paddle(folder: Path, threads: int, precision: str = "float32"):
    from paddle_pose import runtime

    runtime.prepare_environment()
    from paddle_pose.deployment.static_model import StaticModel

    model = StaticModel(folder / "model", "cpu", threads, precision=precision)
    return lambda picture: model({"images": picture})


def bf16(folder: Path, threads: int):
    """As predict.py runs it: of crops an export with the maps, which are decoded outside."""
    from paddle_pose.deployment import exporting
    from paddle_pose.deployment.bfloat16 import Bfloat16Model
    from paddle_pose.deployment.deployable import Deployable
    from paddle_pose.deployment.description import describe

    parts, layer, _ = built(folder, threads)
    if layer.finds_everybody:
        return paddle(folder, threads, "bf16")
    exported = Deployable(exporting._folded(parts), raw=True)
    if not (folder / "raw").is_dir():
        exporting._save_paddle(exported, parts.config.input_wh, folder / "raw")
    model = Bfloat16Model(folder / "raw" / "model", "cpu", threads, describe(parts, exported.outputs, False))
    return lambda picture: model({"images": picture})


def onnxruntime(folder: Path, threads: int, name: str = "model.onnx"):
    import onnxruntime as _  # noqa: F401  (an ImportError is for `main`)

    from paddle_pose.deployment.onnx_model import OnnxModel

    if not (folder / name).is_file():
        raise FileNotFoundError("paddle2onnx is not installed")
    model = OnnxModel(folder / name, threads)
    return lambda picture: model({"images": picture})


def int8(folder: Path, threads: int):
    return onnxruntime(folder, threads, "model_int8.onnx")


def torch(folder: Path, threads: int):
    """Normalisation and network; maps are not decoded, which is to its advantage."""
    import torch

    from benchmarks.torch_twin import build_twin, output_of

    torch.set_num_threads(threads)
    facts = json.loads((folder / "twin.json").read_text())
    weights = dict(np.load(folder / "twin.npz"))
    scale, shift = (torch.from_numpy(weights.pop(f"normalise_{name}")) for name in ("scale", "shift"))
    network = build_twin(facts["module"], facts["name"], facts["arguments"], weights)

    @torch.inference_mode()
    def run(picture: np.ndarray) -> list:
        images = torch.from_numpy(picture).permute(0, 3, 1, 2).float()
        if facts["reversed"]:
            images = images.flip(1)
        return [output_of(network, images * scale - shift).numpy()]

    return run


ENGINES = {
    "eager": eager,
    "paddle": paddle,
    "bf16": bf16,
    "onnxruntime": onnxruntime,
    "int8": int8,
    "torch": torch,
}


def compare(folder: Path, expected: list, got: list) -> dict:
    """How far outputs are from those of the eager network; PyTorch's maps are decoded by our codec.

    Rounding grows in random weights, and where two peaks of a map are equally high it decides: so a tenth of the joints
    may be elsewhere, but not higher or lower.
    """
    parts, layer, paddle = built.made
    if len(got) < len(expected):
        got = [part.numpy() for part in layer.decoded(paddle.to_tensor(got[0]))]
    share = float(np.abs(got[-1] - expected[-1]).max() / np.abs(expected[-1]).max())
    if layer.finds_everybody:
        return {"same": share <= SAME_SHARE, "said": f"maps within {share:.0e} of the largest"}
    near = np.abs(got[0] - expected[0]).max(-1) <= SAME_PX
    said = f"{near.sum()} of {near.size} joints within {SAME_PX} px, scores within {share:.0e}"
    return {"same": bool(share <= SAME_SHARE and near.mean() >= 0.9), "said": said}


def built(folder: Path, threads: int):
    """Parts, the layer that is exported, and Paddle; weights are those of the folder."""
    from paddle_pose import runtime

    runtime.prepare_environment()
    import paddle

    from paddle_pose.builder import build
    from paddle_pose.config import load_config
    from paddle_pose.deployment.deployable import Deployable

    runtime.choose_device("cpu", threads)
    parts = build(load_config((folder / "config").read_text()))
    if (folder / "weights.pdparams").is_file():
        parts.network.set_state_dict(paddle.load(str(folder / "weights.pdparams")))
    built.made = parts, Deployable(parts), paddle
    return built.made


def prepare(config: str, folder: Path) -> None:
    """Draws weights and a picture, exports, and writes what the twin needs; `picture.npy` last."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config").write_text(str(Path(__file__).parents[1] / config))
    parts, layer, paddle = built(folder, 2)
    width, height = parts.config.input_wh
    rng = np.random.default_rng(0)
    coarse = paddle.to_tensor(rng.uniform(0, 255, (1, 3, 12, 12)).astype(np.float32))
    clouds = paddle.nn.functional.interpolate(coarse, size=[height, width], mode="bicubic")
    picture = clouds.clip(0, 255).transpose([0, 2, 3, 1]).numpy().astype(np.uint8)
    enliven(parts.network, layer, picture, paddle)
    paddle.save(parts.network.state_dict(), str(folder / "weights.pdparams"))
    write_twin(parts, layer, picture, folder, paddle)
    save(parts, folder, paddle)
    np.save(folder / "picture.npy", picture)


def enliven(network, layer, picture: np.ndarray, paddle) -> None:
    """Random weights whose activations neither die nor explode: He's spread, statistics of the picture."""
    rng = np.random.default_rng(1)
    for sub in network.sublayers():
        if isinstance(sub, paddle.nn.Conv2D):
            spread = (2 / np.prod(sub.weight.shape[1:])) ** 0.5
            sub.weight.set_value(rng.normal(0, spread, sub.weight.shape).astype(np.float32))
        elif isinstance(sub, paddle.nn.BatchNorm2D):
            sub._momentum = 0.0
            sub.train()
    layer.output(paddle.to_tensor(picture))
    network.eval()


def write_twin(parts, layer, picture: np.ndarray, folder: Path, paddle) -> None:
    """`twin.json`: which class with which arguments; `twin.npz`: weights, colours, CPM's centre map."""
    import inspect

    cls, section = type(parts.network), parts.config.network
    derived = {"num_joints": len(parts.skeleton), "num_limbs": len(parts.skeleton.limbs)}
    taken = inspect.signature(cls).parameters
    arguments = {**{key: value for key, value in derived.items() if key in taken}, **section.arguments}
    facts = {"module": cls.__module__.split(".")[-1], "name": cls.__name__, "arguments": arguments}
    facts["reversed"] = parts.normalise._reversed
    (folder / "twin.json").write_text(json.dumps(facts))
    weights = {key: value.numpy() for key, value in parts.network.state_dict().items()}
    weights["normalise_scale"], weights["normalise_shift"] = parts.normalise._scale, parts.normalise._shift
    if getattr(parts.network, "centre_map", False):
        from paddle_pose.networks.centre_map import draw_centre_map

        height, width = picture.shape[1] // parts.network.stride, picture.shape[2] // parts.network.stride
        weights["centre_map"] = draw_centre_map(paddle.zeros([1, 1, height, width])).numpy()
    np.savez(folder / "twin.npz", **weights)


def save(parts, folder: Path, paddle) -> None:
    """The export, without its check, which takes long; ONNX where paddle2onnx is there."""
    from paddle_pose.deployment import exporting, onnx_conversion
    from paddle_pose.deployment.deployable import Deployable
    from paddle_pose.errors import UserError

    exporting._save_paddle(Deployable(exporting._folded(parts)), parts.config.input_wh, folder)
    program = folder / ("model.json" if (folder / "model.json").is_file() else "model.pdmodel")
    try:
        onnx_conversion.check_packages()
        onnx_conversion.convert(program, folder / "model.pdiparams", folder / "model.onnx")
    except UserError as error:
        print(error)


if __name__ == "__main__":
    main()
