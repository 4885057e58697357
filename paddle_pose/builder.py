"""Configuration -> objects. The one place that knows every class; builder_training.py makes the training loop."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np
import paddle

from paddle_pose.builder_data import build_component, check_skeleton, open_pack, skeleton_of
from paddle_pose.config import Config, check_config, merge
from paddle_pose.data.augment import AUGMENTATIONS
from paddle_pose.data.crops import CropMaker, Read, reduced_photo, whole_photo
from paddle_pose.data.joint_crops import Displaced, JointErrors, LastPhoto
from paddle_pose.data.multi_scale import MultiScaleCrops
from paddle_pose.engine.checkpoint import load_model, load_weights
from paddle_pose.engine.people_estimator import PeopleEstimator
from paddle_pose.engine.preprocess import Normaliser
from paddle_pose.errors import CheckpointError
from paddle_pose.interfaces import Codec, Dataset, Loss
from paddle_pose.registry import CODECS, LOSSES, NETWORKS
from paddle_pose.skeletons import Skeleton


@dataclass(frozen=True)
class Parts:
    """What a configuration describes, without its data."""

    config: Config
    skeleton: Skeleton
    network: paddle.nn.Layer
    codec: Codec
    loss: Loss
    normalise: Normaliser


def build(config: Config) -> Parts:
    """Network, codec, loss and colour statistics of a configuration, on the current device."""
    skeleton = skeleton_of(config)
    check_skeleton(config, skeleton)
    derived = {"num_joints": len(skeleton), "num_limbs": len(skeleton.limbs), "input_wh": config.input_wh}
    network = build_component(NETWORKS, config.network, "network", derived)
    codec = build_codec(config, skeleton, network.stride)
    loss = build_component(LOSSES, config.loss, "loss", {"skeleton": skeleton, "network": network})
    colors = config.normalise
    normalise = Normaliser(colors.mean, colors.std, colors.order)
    return Parts(config, skeleton, network, codec, loss, normalise)


def build_codec(config: Config, skeleton: Skeleton, stride: int) -> Codec:
    """The codec of a configuration, for maps of a network with this stride; also without the network."""
    derived = {"mirror": skeleton.mirror, "skeleton": skeleton, "input_wh": config.input_wh, "stride": stride}
    return build_component(CODECS, config.codec, "codec", derived)


def build_crop_maker(parts: Parts, dataset: Dataset, training: bool) -> CropMaker:
    """What a loader's workers call; augmented for training."""
    section = parts.config.augment
    augmentation = build_component(AUGMENTATIONS, section, "augment", {}) if training and section else None
    joints, border = parts.config.joint_crops, parts.config.normalise.border
    if joints is None:
        read = _where_to_read(parts, dataset, "train" if training else "valid")
        return CropMaker(dataset, parts.config.input_wh, parts.codec.pixel_centres, augmentation, read, border)
    if training:
        errors = JointErrors(np.array(joints.error_mean), np.array(joints.error_covariance))
        augmentation = Displaced(augmentation, errors, joints.sigma, dataset.joint_of)
    return CropMaker(dataset, parts.config.input_wh, parts.codec.pixel_centres, augmentation, LastPhoto(), border)


def build_test_crop_maker(parts: Parts, dataset: Dataset) -> CropMaker:
    """What the workers of an evaluation call: crops of all `valid.test_scales`."""
    scales = parts.config.valid.test_scales
    if scales == (1.0,):
        return build_crop_maker(parts, dataset, training=False)
    read = _where_to_read(parts, dataset, "valid")
    border = parts.config.normalise.border
    return MultiScaleCrops(dataset, parts.config.input_wh, parts.codec.pixel_centres, scales, read, border)


def photo_side(config: Config) -> int:
    """Pixels that `valid.photo_fit` says of a whole photo's side at scale 1: `valid.photo_side`, else as `input_wh`."""
    width, height = config.input_wh
    sides = {"shorter": min(width, height), "longer": max(width, height), "height": height}
    return config.valid.photo_side or sides[config.valid.photo_fit]


def build_people_estimator(parts: Parts) -> PeopleEstimator:
    """Whole photos -> everybody in them, as `valid` says; ConfigError if the codec does not find everybody."""
    valid = parts.config.valid
    return PeopleEstimator(
        parts.network,
        parts.codec,
        parts.normalise,
        side=photo_side(parts.config),
        fit=valid.photo_fit,
        scales=valid.test_scales,
        mirror_test=valid.mirror_test,
        border=parts.config.normalise.border,
        batch_size=valid.batch_size,
    )


def _where_to_read(parts: Parts, dataset: Dataset, split: str) -> Read:
    """The packed cache of a split, or the photo files, decoded whole or at reduced size."""
    pack = open_pack(parts.config, dataset, split)
    if pack is not None:
        return pack
    return reduced_photo if getattr(parts.config, split).reduced_decoding else whole_photo


def checkpoint_facts(parts: Parts) -> dict[str, Any]:
    """What every checkpoint carries beside its arrays."""
    skeleton = parts.skeleton
    return {
        "config": parts.config.model_dump(mode="json"),
        "skeleton": skeleton.name,
        "joints": list(skeleton.joints),
    }


def load_into(parts: Parts, path: Path) -> dict[str, Any]:
    """Puts a checkpoint's weights into `parts.network`; returns what the file says of itself.

    Raises:
        CheckpointError: the file is of another network or skeleton, or damaged.
    """
    weights, facts = load_model(path)
    use_weights(parts, weights, facts, path)
    return facts


def use_weights(parts: Parts, weights: dict[str, Any], facts: dict[str, Any], path: Path) -> None:
    """Puts what `load_model` read from `path` into `parts.network`; CheckpointError as `load_into`."""
    saved = facts.get("skeleton", parts.skeleton.name)
    if saved != parts.skeleton.name:
        raise CheckpointError(
            f"{path}: trained on skeleton {saved}, the dataset has {parts.skeleton.name}; check --config"
        )
    joints = list(parts.skeleton.joints)
    if facts.get("joints", joints) != joints:  # two skeletons of users may have one name
        raise CheckpointError(f"{path}: trained on joints {facts['joints']}, the dataset has {joints}; check --config")
    load_weights(parts.network, weights, path)


def load_network(path: str) -> paddle.nn.Layer:
    """The network of a checkpoint of ours, with its weights, in eval mode.

    Args:
        path: a model file or training state as saved by training.

    Returns:
        The network; `.config` and `.skeleton` are attached.

    Raises:
        CheckpointError: the file is damaged, hostile, or does not say which network it is.
    """
    parts = load_parts(path)
    parts.network.config, parts.network.skeleton = parts.config, parts.skeleton
    return parts.network


def load_parts(path: str, valid: Optional[dict[str, Any]] = None) -> Parts:
    """What a checkpoint of ours describes, with its weights, in eval mode.

    Args:
        path: a model file or training state as saved by training.
        valid: other values of section `valid` of its configuration.

    Raises:
        CheckpointError: the file is damaged, hostile, or does not say which network it is.
    """
    weights, facts = load_model(Path(path))
    if "config" not in facts:
        raise CheckpointError(f"{path}: does not say which network it is; build one with paddle_pose.build and load it")
    parts = build(check_config(merge(facts["config"], {"valid": valid or {}}), path))
    load_weights(parts.network, weights, Path(path))
    parts.network.eval()
    return parts


def load_people_estimator(
    path: str,
    scales: Optional[tuple[float, ...]] = None,
    mirror_test: Optional[bool] = None,
    side: Optional[int] = None,
    batch_size: Optional[int] = None,
) -> PeopleEstimator:
    """Everybody in a photo, by a checkpoint of a bottom-up network: photo in, list of people out.

        estimator = paddle_pose.load_people_estimator("368_best_model/model.pdparams", scales=(1.0,))
        people = estimator(photo)  # (H, W, 3) uint8 RGB; a frame of a video as well
        people.joints_xy[0]  # (K, 2) photo pixels of the surest person, NaN where a joint was not found

    It runs on Paddle's current device (`paddle.set_device`).

    Args:
        path: a model file or training state as saved by training.
        scales: sizes of the photo whose maps are averaged. None, here and below: as the checkpoint was validated.
        mirror_test: whether the mirrored photo is looked at too.
        side: pixels that the shorter side (or what `valid.photo_fit` says) gets at scale 1; smaller is faster.
        batch_size: for `estimator.many(photos)`, photos of side x side that are looked at at once.

    Returns:
        The estimator; `.skeleton` says which joints there are, `.config` how it was trained.

    Raises:
        CheckpointError: the file is damaged, hostile, or does not say which network it is.
        ConfigError: a value is impossible, or the network does not find everybody in a photo.
    """
    chosen = {"test_scales": scales, "mirror_test": mirror_test, "photo_side": side, "batch_size": batch_size}
    parts = load_parts(path, {key: value for key, value in chosen.items() if value is not None})
    estimator = build_people_estimator(parts)
    estimator.skeleton, estimator.config = parts.skeleton, parts.config
    return estimator
