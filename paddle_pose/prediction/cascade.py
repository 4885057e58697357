"""A cascade: the first model looks at people, each later one at single joints, where the one before saw them.

Toshev & Szegedy, "DeepPose", CVPR 2014, Sec. 3.2; how crops of joints are cut is in data/joint_crops.py. `cascade.json`
lies in the folder of a cascade and names the model of each finished stage, relative to itself.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from paddle_pose.config_sections import JointCrops
from paddle_pose.data.joint_crops import SMALLEST_DIAMETER
from paddle_pose.errors import UserError
from paddle_pose.frames import Frame, FramePoses
from paddle_pose.prediction.cropping import Regions
from paddle_pose.prediction.one_person import OnePersonEstimator, Seen, scored_people
from paddle_pose.prediction.pose_model import EagerModel


class CascadeEstimator:
    """Runs the stages one after the other on the regions of pictures.

    Args:
        stages: models; all but the first have a section `joint_crops` in their configuration.
        batch_size: crops that a model gets at once.
    """

    def __init__(self, stages: Sequence[EagerModel], batch_size: int) -> None:
        self._descriptions = [stage.description for stage in stages]
        self._estimators = [OnePersonEstimator(stage, batch_size, keep_maps=False) for stage in stages]

    def __call__(self, frames: Sequence[Frame], regions: Sequence[Regions]) -> list[FramePoses]:
        """Somebody in each region of each frame; best person first."""
        seen = self._estimators[0].look(frames, regions)
        for estimator, description in zip(self._estimators[1:], self._descriptions[1:]):
            section = JointCrops(**description.config["joint_crops"])
            ends = [description.skeleton.index(joint) for joint in section.diameter_between]
            of_joints = [
                _joint_regions(found, people, section.sigma, ends, description.padding)
                for found, people in zip(regions, seen)
            ]
            seen = [_own_joints(crops) for crops in estimator.look(frames, of_joints)]
        poses = []
        for found, people in zip(regions, seen):
            ordered, order = scored_people(found, people, self._descriptions[-1])
            poses.append(FramePoses(ordered, found.boxes_image[order]))
        return poses


def _joint_regions(regions: Regions, seen: Seen, sigma: float, ends: list[int], padding: float) -> Regions:
    """P people -> the P * K squares around their joints, person by person."""
    padding = padding if regions.padding is None else regions.padding
    distance = np.linalg.norm(seen.joints_image[:, ends[0]] - seen.joints_image[:, ends[1]], axis=-1)
    longer_side = regions.boxes_image[:, 2:].max(axis=1, initial=0) * padding
    sides = sigma * np.maximum(distance, SMALLEST_DIAMETER * longer_side)
    joints = seen.joints_image.shape[1]
    sides = np.repeat(sides, joints)[:, None]
    squares = np.hstack([seen.joints_image.reshape(-1, 2) - sides / 2, sides, sides])
    return Regions(squares, np.ones(len(squares)), padding=1.0)


def _own_joints(seen: Seen) -> Seen:
    """Of each of P * K crops the joint that it was cut for."""
    joints = seen.joints_image.shape[1]
    each = np.arange(joints)
    return replace(
        seen,
        joints_image=seen.joints_image.reshape(-1, joints, joints, 2)[:, each, each],
        joint_scores=seen.joint_scores.reshape(-1, joints, joints)[:, each, each],
    )


def read_stages(path: Path) -> list[dict[str, Any]]:
    """The finished stages of a cascade: `model`, and the `values` that it scored in training."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        stages = content["stages"]
        if not stages or not all(isinstance(stage["model"], str) for stage in stages):
            raise ValueError("no stages")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; it is written by training with a `cascade` section") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path}: is not a list of a cascade's stages ({error}); train it, or copy it again") from None
    return stages
