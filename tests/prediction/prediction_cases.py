"""Small models with weights that nobody trained: their maps have peaks anywhere, which is what the tests need."""

import json
from pathlib import Path

import numpy as np
import paddle
import yaml

from paddle_pose.builder import build, checkpoint_facts
from paddle_pose.config import check_config
from paddle_pose.engine.checkpoint import save_model, to_arrays

HOURGLASS = """
input_wh: [64, 96]
dataset: {type: COCO, root: nowhere}
metric: {type: COCOKeypoints}
network: {type: StackedHourglass, stacks: 1, width: 16, depth: 2}
codec: {type: GaussianHeatmap, sigma_map: 1.5, target: unbiased, refine: dark, shift_mirrored: true}
normalise: {border: [90, 20, 160]}
valid: {batch_size: 8, mirror_test: false, best: AP}
"""
UDP = HOURGLASS.replace("target: unbiased", "target: udp").replace("refine: dark, shift_mirrored: true", "refine: udp")
WHOLE = (
    HOURGLASS.replace("input_wh: [64, 96]", "input_wh: [64, 64]")
    .replace(
        "{type: COCO, root: nowhere}",
        "{type: LSPET, root: nowhere, region: image, train_range: [0, 8], valid_range: [8, 16]}",
    )
    .replace("COCOKeypoints", "PCK")
    .replace("best: AP", "best: Mean")
)
CPM = HOURGLASS.replace(
    "{type: StackedHourglass, stacks: 1, width: 16, depth: 2}", "{type: CPM, stages: 1, width: 8}"
).replace(
    "{type: GaussianHeatmap, sigma_map: 1.5, target: unbiased, refine: dark, shift_mirrored: true}",
    "{type: CPMHeatmap}",
)
DEEPPOSE = """
input_wh: [64, 64]
dataset: {type: MPII, root: nowhere}
metric: {type: PCKh}
network: {type: DeepPose, variant: strided, width: 0.05, hidden: 64, dropout: 0.1}
codec: {type: Regression}
loss: {type: MSEJoints}
valid: {batch_size: 8, mirror_test: false}
"""
OPENPOSE = """
input_wh: [64, 64]
dataset: {type: COCOPhotos, root: nowhere}
metric: {type: COCOKeypoints}
network: {type: OpenPose, stages: 1, widths: [4, 4, 4, 4], convs: [1, 1, 1, 1], width: 4, refining_kernel: 3,
  batch_norm: true, initial_std: null}
codec: {type: PartAffinity, sigma_crop: 5.0, limb_width_crop: 6.0,
  grouping: {peak_threshold: 0.02, min_score: 0.01, min_parts: 1, sample_ratio: 0.0, sample_threshold: -1}}
loss: {type: PartAffinityLoss}
valid: {batch_size: 4, mirror_test: false, best: AP, photo_side: 96}
"""


def make_parts(text: str, seed: int = 3):
    paddle.seed(seed)
    parts = build(check_config(yaml.safe_load(text), "here"))
    parts.network.eval()
    return parts


def write_model(path: Path, text: str, seed: int = 3, **changes) -> Path:
    """A model file; `changes` are sections of the configuration that are put over it."""
    mapping = yaml.safe_load(text)
    for section, values in changes.items():
        mapping[section] = {**mapping.get(section, {}), **values}
    parts = make_parts(yaml.safe_dump(mapping), seed)
    save_model(Path(path), to_arrays(parts.network.state_dict()), checkpoint_facts(parts))
    return Path(path)


def photo(seed: int, width: int = 120, height: int = 90) -> np.ndarray:
    """Blobs of colour, (H, W, 3) uint8."""
    import cv2

    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def write_json(path: Path, content) -> Path:
    path.write_text(json.dumps(content))
    return path
