"""Golden files of tests/data/golden: what is in them and the rules for what is not.

`<name>.npz` holds `shapes` (JSON: key of the reference's state_dict -> shape), `eval_outputs` (S, B, K, h/4, w/4):
every fourth cell of the reference's float32 outputs for `input.npy`, `train_loss` in float32, and from record.py
`losses`, `grad_names`, `grad_norms` in float64.
"""

import json
import pathlib
import zlib

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "data" / "golden"
CELLS = 4  # one output cell in so many is stored, in both directions
ADAM_RATE = 1e-4
STEPS = 10
# Losses before these steps agree within 1e-3 (seen: 8e-5, 3e-12, 3e-5, 1e-5), later ones within 2e-3. Training
# amplifies rounding: a change of 1e-14 in the reference's own weights moves Hourglass-52's losses by 1e-3 to 2.4e-3
# from the fifth on, so there the reference does not reproduce itself either.
DETERMINED_STEPS = {"mmpose_hourglass52_mpii": 5, "bearpaw_hg2": 10, "bearpaw_hg8": 7, "princeton_hg8": 6}


def read(name: str) -> dict:
    with np.load(FOLDER / f"{name}.npz") as file:
        return dict(file)


def shapes(stored: dict) -> dict:
    return json.loads(str(stored["shapes"]))


def weights(shapes_by_key: dict, seed: int) -> dict:
    return {key: _draw(key, tuple(shape), seed).astype("float32") for key, shape in shapes_by_key.items()}


def _draw(key: str, shape: tuple, seed: int) -> np.ndarray:
    rng = np.random.RandomState((zlib.crc32(key.encode()) + seed) % 2**32)
    if key.endswith("running_var"):
        return rng.uniform(1.0, 2.0, shape)
    if key.endswith("running_mean"):
        return rng.standard_normal(shape) * 0.1
    if key.endswith("bias"):
        return rng.standard_normal(shape) * 0.05
    if len(shape) == 1:
        return rng.uniform(0.4, 0.8, shape)
    return rng.standard_normal(shape) * np.sqrt(1.0 / np.prod(shape[1:]))


def training_batch() -> tuple:
    """Images (2, 3, 128, 256) and one target (2, 16, 32, 64) for all stages; wider than high on purpose."""
    images = np.random.RandomState(1).standard_normal((2, 3, 128, 256))
    return images, np.random.RandomState(2).uniform(0.0, 1.0, (2, 16, 32, 64))
