"""Golden files of tests/data/golden: what is in them and the rules for what is not.

`<name>.npz` holds `shapes` (JSON: key of the reference's state_dict -> shape), `eval_outputs` (S, B, K, h/4, w/4):
every fourth cell of the reference's float32 outputs for `evaluation_images` (joints (S, B, K, 2) in full),
`eval_peaks` (S,): the largest magnitude of each, and from record.py `losses`, `grad_names`, `grad_norms` in float64.
"""

import json
import pathlib

import numpy as np

from paddle_pose.alignment import rules

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "data" / "golden"
CELLS = 4  # one output cell in so many is stored, in both directions
ADAM_RATE = 1e-4
STEPS = 10
# Losses before these steps agree within 1e-3 (seen: 8e-5, 3e-12, 3e-5, 1e-5), later ones within 2e-3. Training
# amplifies rounding: a change of 1e-14 in the reference's own weights moves Hourglass-52's losses by 1e-3 to 2.4e-3
# from the fifth on, so there the reference does not reproduce itself either.
EVALUATION_HW = {  # where it is not 128 x 128
    "hrnet_official_w48_coco": (128, 96),
    "mmpose_hrnet_w48_coco": (128, 96),
    "mmpose_cpm_mpii": (184, 184),
}
TRAINING_SHAPES = {  # name -> (H, W), shape of a stage output without its batch axis
    "mmpose_cpm_mpii": ((32, 48), (16, 4, 6)),
    "mmpose_deeppose_res50_mpii": ((64, 128), (16, 2)),
    "hrnet_official_w32_mpii": ((64, 96), (16, 16, 24)),
    "mmpose_hrnet_w32_mpii": ((64, 96), (16, 16, 24)),
    "hrnet_official_w48_coco": ((64, 96), (17, 16, 24)),
    "mmpose_hrnet_w48_coco": ((64, 96), (17, 16, 24)),
    "openpose_vgg19": ((32, 48), (57, 4, 6)),
}
DETERMINED_STEPS = {"mmpose_hourglass52_mpii": 5, "bearpaw_hg2": 10, "bearpaw_hg8": 7, "princeton_hg8": 6}


def read(name: str) -> dict:
    with np.load(FOLDER / f"{name}.npz") as file:
        return dict(file)


weights = rules.weights  # by the rule, (shapes by key, seed) -> arrays by key


def shapes(stored: dict) -> dict:
    return json.loads(str(stored["shapes"]))


def evaluation_images(name: str) -> np.ndarray:
    """Images (2, 3, H, W), float32."""
    height, width = EVALUATION_HW.get(name, (128, 128))
    return rules.images((2, 3, height, width), 0, rules.EVALUATION).astype("float32")


def training_batch(name: str) -> tuple:
    """Images (2, 3, H, W) and one target for all stages, float64."""
    image_hw, target_shape = TRAINING_SHAPES.get(name, ((128, 256), (16, 32, 64)))  # wider than high on purpose
    images = rules.images((2, 3, *image_hw), 0, rules.TRAINING)
    return images, rules.targets([(2, *target_shape)], 0)[0]


def thinned(output: np.ndarray) -> np.ndarray:
    """The part of a stage output that is stored."""
    return output[..., ::CELLS, ::CELLS] if output.ndim == 4 else output
