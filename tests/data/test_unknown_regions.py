"""Masks of people without keypoints: against pycocotools' own, in every form, and what is damaged."""

import contextlib
import io
import json
import os

import numpy as np
import pytest

from paddle_pose.data.coco_photos import COCOPhotos
from paddle_pose.data.unknown_regions import UnknownRegions, run_lengths

DATA = os.path.join(os.environ.get("PADDLE_POSE_DATA", ""), "coco")
needs_photos = pytest.mark.skipif(
    "PADDLE_POSE_DATA" not in os.environ or not os.path.isdir(DATA),
    reason="needs coco: set PADDLE_POSE_DATA to the folder that holds coco/",
)
WIDTH, HEIGHT = 12, 9
SQUARE = [[2, 1, 6, 1, 6, 5, 2, 5]]  # columns 2 to 5, rows 1 to 4


def picture(code):
    from pycocotools import mask

    return mask.decode(code)


def pixels(left, top, right, bottom):
    """(9, 12) uint8 with 1 in a box, its last column and row excluded."""
    found = np.zeros((HEIGHT, WIDTH), np.uint8)
    found[top:bottom, left:right] = 1
    return found


def written(shown, text):
    """A mask as COCO writes a crowd's: lengths, or pycocotools' text."""
    from pycocotools import mask

    if text:
        code = mask.encode(np.asfortranarray(shown))
        return {"size": [HEIGHT, WIDTH], "counts": code["counts"].decode()}
    flat = np.concatenate([[0], shown.ravel(order="F"), [2]])
    changes = np.flatnonzero(np.diff(flat))
    counts = np.diff(np.concatenate([[0], changes])).tolist()
    return {"size": [HEIGHT, WIDTH], "counts": counts}


def regions(*people):
    """The mask of a photo; a person is (segmentation, box, known, crowd)."""
    entries = [{"segmentation": person[0]} if person[0] is not None else {} for person in people]
    boxes, known, crowd = (np.array([person[k] for person in people]) for k in (1, 2, 3))
    photos, sizes = np.ones(len(people), int), np.array([[5, 5], [WIDTH, HEIGHT], [7, 3]])
    return UnknownRegions(entries, photos, boxes.astype(float), known, crowd, sizes)


BOX = [0, 0, 3, 3]


def unlabelled(segmentation, box=BOX):
    return segmentation, box, False, False


def labelled(segmentation):
    return segmentation, BOX, True, False


def crowd(segmentation):
    return segmentation, BOX, False, True


def test_a_polygon():
    np.testing.assert_array_equal(picture(run_lengths(SQUARE, WIDTH, HEIGHT)), pixels(2, 1, 6, 5))


@pytest.mark.parametrize("text", [False, True])
def test_run_lengths_as_numbers_and_as_text(text):
    rng = np.random.default_rng(0)
    for _ in range(50):
        shown = (rng.random((HEIGHT, WIDTH)) < rng.choice([0.05, 0.5, 0.95])).astype(np.uint8)
        np.testing.assert_array_equal(picture(run_lengths(written(shown, text), WIDTH, HEIGHT)), shown)


def test_a_text_of_long_runs():
    """Lengths of more than five bits, that grow and shrink."""
    from pycocotools import mask

    shown = np.zeros((300, 200), np.uint8)
    shown[5:280, 3:100] = 1
    shown[17, 120:] = 1
    code = mask.encode(np.asfortranarray(shown))
    np.testing.assert_array_equal(picture(run_lengths(code, 200, 300)), shown)


@pytest.mark.parametrize(
    "segmentation",
    [
        None,
        [],
        "a mask",
        7,
        [[]],
        [[1, 1, 5, 5]],
        [[1, 1, 5, 5, 3]],
        [[1, 1, 5, 1, 5, 5, 2]],
        [[1, 1, 5, 1, float("nan"), 5]],
        [[1, 1, 5, 1, 1e9, 5]],
        [[1, 1, 5, 1, "x", 5]],
        [SQUARE[0], [1, 2]],
        {},
        {"size": [HEIGHT, WIDTH]},
        {"size": [HEIGHT, WIDTH], "counts": [100, 7]},
        {"size": [HEIGHT, WIDTH], "counts": [100, -8, 16]},
        {"size": [HEIGHT, WIDTH], "counts": [100.5, 7.5]},
        {"size": [WIDTH, HEIGHT], "counts": [100, 8]},
        {"size": [HEIGHT, WIDTH], "counts": "not a mask"},
        {"size": [HEIGHT, WIDTH], "counts": "~" * 5000},
        {"size": [HEIGHT, WIDTH], "counts": ""},
    ],
)
def test_a_damaged_mask_is_a_box_and_is_counted(segmentation):
    assert run_lengths(segmentation, WIDTH, HEIGHT) is None
    found = regions(unlabelled(segmentation, [1, 2, 4, 3]))
    np.testing.assert_array_equal(found.mask(1), pixels(1, 2, 5, 5))
    assert (found.boxes, found.regions) == (1, 1)


def test_a_box_ends_at_the_photo():
    np.testing.assert_array_equal(regions(unlabelled(None, [8, -5, 90, 8])).mask(1), pixels(8, 0, 12, 3))
    assert regions(unlabelled(None, [50, 50, 3, 3])).mask(1) is None
    assert regions(unlabelled(None, [4, 4, 0, 0])).mask(1) is None


def test_people_and_crowds_of_a_photo_are_one_mask():
    found = regions(unlabelled(SQUARE), crowd(written(pixels(9, 0, 12, 9), False)), labelled(SQUARE))
    expected = pixels(2, 1, 6, 5) | pixels(9, 0, 12, 9)
    np.testing.assert_array_equal(found.mask(1), expected)
    assert found.mask(1).dtype == np.uint8
    assert found.boxes == 0


def test_a_crowd_does_not_cover_people_with_keypoints():
    everything = written(pixels(0, 0, WIDTH, HEIGHT), True)
    np.testing.assert_array_equal(regions(crowd(everything), labelled(SQUARE)).mask(1), 1 - pixels(2, 1, 6, 5))
    found = regions(crowd(everything), labelled(SQUARE), unlabelled([[3, 2, 5, 2, 5, 4, 3, 4]]))
    np.testing.assert_array_equal(found.mask(1), 1 - pixels(2, 1, 6, 5) | pixels(3, 2, 5, 4))
    assert regions(crowd(written(pixels(2, 1, 6, 5), True)), labelled(SQUARE)).mask(1) is None


def test_nothing_unknown_is_no_mask():
    found = regions(labelled(SQUARE), labelled(None))
    assert [found.mask(photo) for photo in range(3)] == [None] * 3
    assert (found.boxes, found.regions) == (0, 0)


def compare(root, annotations, photos):
    """Every photo of a file against pycocotools' `annToMask`; returns how many have a mask."""
    from pycocotools.coco import COCO

    dataset = COCOPhotos(str(root), "valid", valid_annotations=annotations, valid_photos=photos)
    with contextlib.redirect_stdout(io.StringIO()):
        file = COCO(os.path.join(root, annotations))
    masked = 0
    for index in range(len(dataset)):
        width, height = dataset.photo_size_wh(index)
        parts = {name: np.zeros((height, width), bool) for name in ("unlabelled", "labelled", "crowd")}
        for entry in file.loadAnns(file.getAnnIds(imgIds=int(dataset.photo_ids[index]))):
            name = "crowd" if entry["iscrowd"] else "labelled" if entry["num_keypoints"] else "unlabelled"
            parts[name] |= file.annToMask(entry) > 0
        expected = parts["unlabelled"] | (parts["crowd"] & ~parts["labelled"])
        found = dataset.sample(index).unknown_image
        assert (found is None) == (not expected.any())
        if found is not None:
            np.testing.assert_array_equal(found > 0, expected)
            masked += 1
    assert "mask" not in dataset.protocol
    return masked


def test_synthetic_photos_have_the_masks_of_pycocotools(synthetic_coco):
    name = "annotations/person_keypoints_train2017.json"
    entries = json.loads((synthetic_coco / name).read_text())["annotations"]
    assert compare(synthetic_coco, name, "train2017") > 0 or all(entry["num_keypoints"] for entry in entries)


@needs_photos
def test_real_photos_have_the_masks_of_pycocotools():
    assert compare(DATA, "annotations/person_keypoints_train2017.json", "train2017") == 20
