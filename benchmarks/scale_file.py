"""A file of COCO's person keypoints of any size: everything as in the real one but the people, who are drawn at random.

Of the 80 photos of train2017 that we have: a person with keypoints takes 945 bytes, of which 37 points of outline, one
without them 664 bytes with 21 points, a crowd 6.7 KB with the lengths of 1500 runs. The whole file lists 118,287
photos and 149,813 people with keypoints among 262,465 people and crowds, some 5200 of these (recalled).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from paddle_pose.skeletons import COCO_17

PHOTOS, OTHERS, CROWDS = 118_287 / 149_813, 107_400 / 149_813, 5_200 / 149_813  # for each person with keypoints
WIDTH, HEIGHT = 640, 480
_DIFFERENT = 1000  # people that are drawn; from then on they come again, with other ids
_ADDRESS = "http://images.cocodataset.org/train2017/"


def write_file(path: Path, people: int) -> int:
    """Writes a file with so many people with keypoints, and the others that go with them; returns its bytes."""
    rng = np.random.default_rng(0)
    photos = max(round(people * PHOTOS), 2)
    kinds = ((people, _person), (round(people * OTHERS), _other), (round(people * CROWDS), _crowd))
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write('{"info": {"year": 2017}, "licenses": [], "images": [')
        file.write(", ".join(json.dumps(_photo(photo)) for photo in range(1, photos + 1)))
        file.write('], "annotations": [')
        number = 0
        for count, draw in kinds:
            drawn = [json.dumps(draw(rng))[:-1] for _ in range(min(count, _DIFFERENT))]
            for row in range(count):
                number += 1  # somebody is in 54 % of the photos
                image_id = 1 + int(rng.integers(photos * 0.54))
                before = ", " if number > 1 else ""
                file.write(f'{before}{drawn[row % _DIFFERENT]}, "image_id": {image_id}, "id": {number}}}')
        file.write(f'], "categories": [{json.dumps(_category())}]}}')
    return path.stat().st_size


def _photo(image_id: int) -> dict[str, Any]:
    name = f"{image_id:012d}.jpg"
    facts = {"license": 3, "file_name": name, "coco_url": _ADDRESS + name, "height": HEIGHT, "width": WIDTH}
    address = f"http://farm4.staticflickr.com/3448/{image_id:010d}_ba19663418_z.jpg"
    return {**facts, "date_captured": "2013-11-21 01:37:46", "flickr_url": address, "id": image_id}


def _category() -> dict[str, Any]:
    return {"supercategory": "person", "id": 1, "name": "person", "keypoints": list(COCO_17.joints), "skeleton": []}


def _person(rng: np.random.Generator) -> dict[str, Any]:
    """Somebody with 15 joints of 17, two of them hidden."""
    entry, box = _outlined(rng, points=37)
    flags = rng.permutation([2] * 13 + [1] * 2 + [0] * 2)
    joints = rng.integers(box[:2], box[:2] + box[2:], (len(flags), 2)) * (flags > 0)[:, None]
    keypoints = np.column_stack([joints, flags]).ravel().tolist()
    return {**entry, "num_keypoints": 15, "iscrowd": 0, "keypoints": keypoints}


def _other(rng: np.random.Generator) -> dict[str, Any]:
    return {**_outlined(rng, points=21)[0], "num_keypoints": 0, "iscrowd": 0, "keypoints": [0] * 51}


def _crowd(rng: np.random.Generator) -> dict[str, Any]:
    """A crowd over the whole photo: runs of some 200 pixels that fill it."""
    entry, _ = _outlined(rng, points=3)
    ends = np.sort(rng.choice(WIDTH * HEIGHT, 1500, replace=False))
    counts = np.diff([0, *ends, WIDTH * HEIGHT]).tolist()
    entry["segmentation"] = {"counts": counts, "size": [HEIGHT, WIDTH]}
    return {**entry, "num_keypoints": 0, "iscrowd": 1, "keypoints": [0] * 51}


def _outlined(rng: np.random.Generator, points: int) -> tuple[dict[str, Any], np.ndarray]:
    """The entries that all have, and the box (4,) left, top, width, height in photo pixels."""
    box = np.round([*rng.uniform(0, (WIDTH / 2, HEIGHT / 2)), *rng.uniform(30, (WIDTH / 2, HEIGHT / 2))], 2)
    outline = np.round(box[:2] + rng.random((points, 2)) * box[2:], 2).ravel().tolist()
    area = round(float(box[2] * box[3]) * 0.53, 4)
    return {"segmentation": [outline], "area": area, "bbox": box.tolist(), "category_id": 1}, box
