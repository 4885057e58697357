import json

import cv2
import numpy as np
import pytest
from synthetic_cases import IMAGE_SIZE, SEED, TRAIN, VALID

from paddle_pose.skeletons import COCO_17
from paddle_pose.synthetic.scene import photo_rng, render_photo
from paddle_pose.synthetic.write_coco import describe, run_lengths


@pytest.fixture(scope="module")
def root(datasets):
    return datasets("coco")


def load(root, split):
    return json.loads((root / "annotations" / f"person_keypoints_{split}2017.json").read_text())


def test_layout_and_ids(root):
    ids = []
    for split, count in (("train", TRAIN), ("val", VALID)):
        data = load(root, split)
        assert len(data["images"]) == count
        for image in data["images"]:
            photo = cv2.imread(str(root / f"{split}2017" / image["file_name"]))
            assert photo.shape[:2] == (image["height"], image["width"])
            assert image["file_name"] == f"{image['id']:012d}.jpg"
        ids += [image["id"] for image in data["images"]]
        known = {image["id"] for image in data["images"]}
        assert {a["image_id"] for a in data["annotations"]} <= known
        assert len({a["id"] for a in data["annotations"]}) == len(data["annotations"])
    assert len(set(ids)) == TRAIN + VALID


def test_category_has_cocos_skeleton_one_based(root):
    (category,) = load(root, "val")["categories"]
    assert (category["id"], category["name"]) == (1, "person")
    assert category["keypoints"] == list(COCO_17.joints)
    # person_keypoints_val2017.json
    official = "16,14 14,12 17,15 15,13 12,13 6,12 7,13 6,7 6,8 7,9 8,10 9,11 2,3 1,2 1,3 2,4 3,5 4,6 5,7"
    pairs = {frozenset(map(int, pair.split(","))) for pair in official.split()}
    assert {frozenset(pair) for pair in category["skeleton"]} == pairs


def test_keypoints_are_zero_based_with_flags_0_1_2(root):
    data = load(root, "val")
    flags = []
    for number, image in enumerate(data["images"]):
        _, people = render_photo(photo_rng(SEED, TRAIN + number), IMAGE_SIZE)
        for annotation in (a for a in data["annotations"] if a["image_id"] == image["id"] and a["num_keypoints"]):
            keypoints = np.array(annotation["keypoints"]).reshape(17, 3)
            flag = keypoints[:, 2]
            flags += flag.tolist()
            assert annotation["num_keypoints"] == (flag > 0).sum()
            assert (keypoints[flag == 0] == 0).all()
            truth = [p.of(COCO_17) for p in people]
            assert any(
                np.array_equal(flag, labelled.astype(int) + visible)
                and np.allclose(keypoints[flag > 0, :2], joints[labelled], atol=0.006)
                for joints, labelled, visible in truth
            )
    assert set(flags) == {0, 1, 2}


@pytest.fixture(scope="module")
def described():
    photos = (render_photo(photo_rng(3, index), IMAGE_SIZE) for index in range(80))
    return [(people, describe(people, image.shape[:2])[1]) for image, people in photos]


def test_groups_of_tiny_people_are_one_crowd_region_and_small_people_have_no_keypoints(described):
    crowds = unlabelled = 0
    for people, annotations in described:
        regions = [a for a in annotations if a["iscrowd"]]
        crowd = [p.mask for p in people if p.in_crowd]
        assert len(regions) <= (1 if crowd else 0)
        for region in regions:
            crowds += 1
            assert region["num_keypoints"] == 0
            assert region["area"] == np.any(crowd, axis=0).sum()
            np.testing.assert_array_equal(_decode(region["segmentation"]), np.any(crowd, axis=0))
        unlabelled += sum(not a["iscrowd"] and a["num_keypoints"] == 0 for a in annotations)
    assert crowds >= 3
    assert unlabelled >= 3


def test_boxes_areas_and_outlines_are_those_of_the_visible_pixels(described):
    for people, annotations in described[:30]:
        masks = [p.mask for p in people if not p.in_crowd]
        for annotation in (a for a in annotations if not a["iscrowd"]):
            x, y, width, height = map(int, annotation["bbox"])
            (mask,) = (
                m for m in masks if m.sum() == annotation["area"] and m[y : y + height, x : x + width].sum() == m.sum()
            )
            drawn = np.zeros(mask.shape, np.uint8)
            for polygon in annotation["segmentation"]:
                assert len(polygon) >= 6
                corners = (np.array(polygon).reshape(-1, 1, 2) - 0.5) * 16  # pixel corners -> centres, 4 bits
                cv2.fillPoly(drawn, [np.round(corners).astype(np.int32)], 1, shift=4)
            both, either = (drawn & mask).sum(), (drawn | mask).sum()
            assert both / either > 0.85


def _decode(lengths):
    flat = np.concatenate([np.full(n, i % 2) for i, n in enumerate(lengths["counts"])])
    return flat.reshape(lengths["size"], order="F").astype(bool)


@pytest.mark.parametrize("first", [False, True])
def test_run_lengths_by_hand(first):
    mask = np.array([[first, False, True], [True, False, True]])
    # columns: (first, 1), (0, 0), (1, 1)
    assert run_lengths(mask) == {"size": [2, 3], "counts": [0, 2, 2, 2] if first else [1, 1, 2, 2]}


def test_pycocotools_reads_them(root):
    coco_api = pytest.importorskip("pycocotools.coco")
    api = coco_api.COCO(str(root / "annotations" / "person_keypoints_train2017.json"))
    for annotation in api.loadAnns(api.getAnnIds()):
        assert api.annToMask(annotation).sum() == pytest.approx(annotation["area"], rel=0.15, abs=6)
