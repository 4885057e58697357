"""Small photos of hands with 21 joints and of plates with 4 corners, as COCO files that a user might write."""

import json
from pathlib import Path

import cv2
import numpy as np

FINGERS = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")
HAND = ["wrist", *(f"{finger}{part}" for finger in FINGERS for part in (1, 2, 3, 4))]
PLATE = ["corner_nw", "corner_ne", "corner_se", "corner_sw"]
SIDE = 96


def hand_joints(rng: np.random.Generator) -> np.ndarray:
    """(21, 2): five straight fingers fanned out from a wrist."""
    wrist, length = rng.uniform([38, 68], [58, 82]), rng.uniform(40, 56)
    angles = np.deg2rad(-90 + rng.uniform(-15, 15) + 22 * np.arange(-2, 3))
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    steps = length * np.array([0.4, 0.6, 0.8, 1.0])
    return np.concatenate([wrist[None], (wrist + steps[None, :, None] * directions[:, None]).reshape(20, 2)])


def plate_joints(rng: np.random.Generator) -> np.ndarray:
    """(4, 2): the corners of an upright rectangle."""
    center, half = rng.uniform(40, 56, 2), rng.uniform(16, 30, 2)
    return center + half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])


def draw(joints: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(96, 96, 3) uint8: a disc of its own colour at each joint, on a grey that varies."""
    image = np.full((SIDE, SIDE, 3), rng.integers(40, 120), np.uint8)
    for k, point in enumerate(joints):
        hue = np.uint8([[[180 * k // len(joints), 255, 255]]])
        color = cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0].tolist()
        cv2.circle(image, tuple(int(round(v)) for v in point), 4, color, -1)
    return image


def write_dataset(root: Path, category: dict, make_joints, train: int, valid: int) -> Path:
    """`train/`, `valid/` and `train.json`, `valid.json` with one object in each photo; returns `root`."""
    rng = np.random.default_rng(0)
    for split, count in (("train", train), ("valid", valid)):
        (root / split).mkdir(parents=True)
        images, annotations = [], []
        for number in range(1, count + 1):
            joints = make_joints(rng)
            name = f"{number:03d}.png"
            cv2.imwrite(str(root / split / name), draw(joints, rng))
            images.append({"id": number, "file_name": name, "width": SIDE, "height": SIDE})
            annotations.append(_annotation(number, joints, category["id"]))
        content = {"images": images, "annotations": annotations, "categories": [category]}
        (root / f"{split}.json").write_text(json.dumps(content))
    return root


def _annotation(number: int, joints: np.ndarray, category_id: int) -> dict:
    first, size = joints.min(axis=0) - 5, np.ptp(joints, axis=0) + 10
    return {
        "id": number,
        "image_id": number,
        "category_id": category_id,
        "bbox": [*first.tolist(), *size.tolist()],
        "area": float(size.prod() * 0.53),
        "iscrowd": 0,
        "keypoints": np.column_stack([joints, np.full(len(joints), 2)]).ravel().tolist(),
        "num_keypoints": len(joints),
    }


def write_plates(root: Path, counts: tuple[int, ...]) -> None:
    """`plates.json` and photos beside it, with as many plates side by side as `counts` says."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for number, count in enumerate(counts, 1):
        plates = [plate_joints(rng) for _ in range(count)]
        picture = np.concatenate([draw(joints, rng) for joints in plates], axis=1)
        cv2.imwrite(str(root / f"{number}.png"), picture)
        height, width = picture.shape[:2]
        images.append({"id": number, "file_name": f"{number}.png", "width": width, "height": height})
        for place, joints in enumerate(plates):
            joints = joints + (96 * place, 0)
            first, size = joints.min(axis=0), np.ptp(joints, axis=0)
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number, "category_id": 3, "iscrowd": 0}
                | {"bbox": [*first.tolist(), *size.tolist()], "area": float(size.prod()), "num_keypoints": 4}
                | {"keypoints": np.column_stack([joints, np.full(4, 2)]).ravel().tolist()}
            )
    category = {"id": 3, "name": "plate", "keypoints": PLATE, "skeleton": [[1, 2], [2, 3], [3, 4], [4, 1]]}
    (root / "plates.json").write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": [category]})
    )
