"""COCO photo by photo: what is refused."""

import math

import cv2
import numpy as np
import pytest
from coco_cases import FILE, NOBODY, annotation, content
from coco_photos_cases import photos

from paddle_pose.data.coco_photos import COCOPhotos
from paddle_pose.data.crops import CropMaker
from paddle_pose.errors import DataError


def changed(**entries):
    """The file, its first annotation changed."""
    file = content()
    file["annotations"][0].update(entries)
    return file


def sized(width, height):
    return content(images=[*FILE["images"][:2], FILE["images"][2] | {"width": width, "height": height}])


BAD_FILES = {
    "damaged": ('{"images": [', "not a readable COCO annotation file"),
    "nobody": (content(annotations=[annotation(1, 3, [0, 0, 9, 9], NOBODY)]), "holds no people with keypoints"),
    "category": (content(categories=[{"id": 1, "name": "cat"}]), "no category named 'person'"),
    "other joints": (content(categories=[{"id": 1, "name": "person", "keypoints": ["head"]}]), "dataset.skeleton"),
    "half a pixel": (sized(300.5, 200), "must be whole numbers"),
    "a huge photo": (sized(1e6, 1e6), "of 100 megapixels at most"),
    "no size": (sized(0, 200), "give its pixels"),
    "a path": (content(images=[*FILE["images"][:2], FILE["images"][2] | {"file_name": "../c.jpg"}]), "outside"),
    "box of nan": (changed(bbox=[math.nan, 0, 5, 5]), "annotation 10: bbox"),
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("split", ["train", "valid"])
def test_a_bad_file_is_refused_in_one_line(tmp_path, name, split):
    file, words = BAD_FILES[name]
    with pytest.raises(DataError, match=f"person_keypoints_{'train' if split == 'train' else 'val'}2017") as refused:
        photos(tmp_path, file, split)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_no_main_people_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no main people"):
        photos(tmp_path, split="train", samples="main_people")  # nobody has 5 keypoints


def test_missing_folders_and_photos_are_said(tmp_path):
    with pytest.raises(DataError, match="is not a folder"):
        COCOPhotos(str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="no split 'test'"):
        COCOPhotos(str(tmp_path), "test")
    dataset = photos(tmp_path)
    with pytest.raises(DataError, match="photos are missing.*0 of 3"):
        dataset.check_photos()
    dataset.check_photos(max_missing=1.0)


def test_a_photo_of_another_size_than_annotated_is_refused(tmp_path):
    dataset = photos(tmp_path)
    (tmp_path / "val2017").mkdir()
    cv2.imwrite(str(tmp_path / "val2017" / "b.jpg"), np.zeros((100, 200, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "val2017" / "a.jpg"), np.zeros((100, 150, 3), np.uint8))
    make_crop, rng = CropMaker(dataset, (32, 32), False), np.random.default_rng(0)
    assert make_crop(0, rng).unknown_crop.any()
    with pytest.raises(DataError, match=r"a\.jpg has 150 x 100 pixels, but 300 x 200 in the annotation file"):
        make_crop(1, rng)
