"""Pictures of everybody in a photo: as found and scored, and what a bottom-up network sees and says."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import paddle

from paddle_pose import viewer
from paddle_pose.builder import Parts
from paddle_pose.data.coco_found import FoundPoses
from paddle_pose.data.photos import photo_path, read_photo
from paddle_pose.samples import Batch, Predictions

_HIDDEN = 0.35  # brightness of what the loss does not look at
_LEGIBLE = 480  # pixels of a picture's longer side, about


def draw_photos(dataset: FoundPoses, predictions: Predictions, count: int) -> Iterator[tuple[str, np.ndarray]]:
    """(name, picture) of `count` photos spread over the split, with everybody who was found; both say how many."""
    coco, photos = dataset.truth().coco, dataset.photos
    annotated = coco.annotations.image_ids[coco.annotations.num_keypoints > 0]
    for row in np.unique(np.linspace(0, len(photos.ids) - 1, min(count, len(photos.ids))).astype(int)):
        name = str(photos.names[row])
        people = np.flatnonzero(coco.image_ids == photos.ids[row])
        people = people[np.argsort(-coco.box_scores[people], kind="stable")]
        joints_image, shown = predictions.joints_image[people], predictions.scores[people] > 0
        photo, joints_image = _enlarged(read_photo(photo_path(dataset.photo_folder, name)), joints_image)
        picture = viewer.draw_people(photo, joints_image, dataset.skeleton, shown)
        text = f"{len(people)} found, {int((annotated == photos.ids[row]).sum())} annotated"
        yield f"{row:05d}_{Path(name).stem}_{len(people)}_found", viewer.caption(picture, text)


def _enlarged(photo: np.ndarray, joints_image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A small photo and its joints in whole multiples of their size: discs and words need room."""
    times = max(1, round(_LEGIBLE / max(photo.shape[:2])))
    enlarged = cv2.resize(photo, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
    return enlarged, (joints_image + 0.5) * times - 0.5


def draw_annotated(batch: Batch, parts: Parts) -> list[np.ndarray]:
    """Crops with their annotated joints; for a codec of everybody with all people, unknown regions darkened."""
    if not hasattr(parts.codec, "people") or batch.others_crop is None:
        shown = zip(batch.images, batch.joints_crop, batch.weight > 0)
        return [viewer.draw_pose(image, joints, parts.skeleton, labelled) for image, joints, labelled in shown]
    joints = np.concatenate([batch.joints_crop[:, None], batch.others_crop], axis=1)
    labelled = np.concatenate([batch.weight[:, None], batch.others_weight], axis=1) > 0
    images = batch.images
    if batch.unknown_crop is not None:
        images = np.where(batch.unknown_crop[..., None] > 0, images * _HIDDEN, images).astype(np.uint8)
    return [viewer.draw_people(i, j, parts.skeleton, shown) for i, j, shown in zip(images, joints, labelled)]


def draw_bottom_up(batch: Batch, output: paddle.Tensor, parts: Parts) -> dict[str, list[np.ndarray]]:
    """The people found in each crop, and over it the highest part and the longest field vector at each place."""
    everybody = parts.codec.people(output)
    found = [viewer.draw_people(i, people.joints_xy, parts.skeleton) for i, people in zip(batch.images, everybody)]
    maps = draw_maps(batch.images, output.astype("float32").numpy(), parts)
    return {"valid/predicted": found, **{f"valid/{name}": pictures for name, pictures in maps.items()}}


def draw_maps(images: np.ndarray, maps: np.ndarray, parts: Parts) -> dict[str, list[np.ndarray]]:
    """Crops under maps of theirs, outputs or targets: {'heatmaps': ...}, or {'parts': ..., 'limbs': ...} of fields.

    Args:
        images: (B, H, W, 3) uint8.
        maps: (B, C, h, w); the map of the background is not shown. Coordinates, (B, K, 2), give no pictures.
        parts: its codec says what the maps are.
    """
    if maps.ndim != 4:
        return {}
    if not hasattr(parts.codec, "people"):
        shown = maps[:, :-1] if getattr(parts.codec, "background", False) else maps
        return {"heatmaps": [viewer.overlay_maps(i, m) for i, m in zip(images, shown)]}
    fields, joints = np.split(maps, [2 * len(parts.skeleton.limbs)], axis=1)
    lengths = np.hypot(fields[:, 0::2], fields[:, 1::2])
    return {
        "parts": [viewer.overlay_maps(i, m[:-1]) for i, m in zip(images, joints)],
        "limbs": [viewer.overlay_maps(i, m) for i, m in zip(images, lengths)],
    }
