"""What the tests of this folder share: the small datasets that they read, and a person in a known pose."""

from pathlib import Path

import numpy as np

from paddle_pose.synthetic.body import LENGTHS, pose, view
from paddle_pose.synthetic.poses import LIMB_ANGLES, TORSO_ANGLES
from paddle_pose.synthetic.recipe import Recipe
from paddle_pose.synthetic.write_coco import write_coco
from paddle_pose.synthetic.write_lsp import write_lsp, write_lspet
from paddle_pose.synthetic.write_mpii import write_mpii

WRITERS = {"mpii": write_mpii, "lsp": write_lsp, "lspet": write_lspet, "coco": write_coco}
TRAIN, VALID, SEED, IMAGE_SIZE = 24, 16, 5, 96
RECIPE = Recipe(TRAIN, VALID, SEED, IMAGE_SIZE)
ZERO = dict.fromkeys([*TORSO_ANGLES, *(f"{s}_{n}" for s in ("left", "right") for n in LIMB_ANGLES)], 0.0)


def contents(root: Path) -> dict[str, bytes]:
    """Every file's bytes; without the date in a .mat file's header."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(f.relative_to(root)): f.read_bytes()[128 if f.suffix == ".mat" else 0 :] for f in files}


def upright(yaw=0.0, **angles):
    degrees = {name: np.deg2rad(value) for name, value in angles.items()}
    return pose(LENGTHS, {**ZERO, **degrees}, view(yaw)).placed(100.0, np.array([50.0, 60.0]))
