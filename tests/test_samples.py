"""A record of a wrong shape fails where it is made, and says what it got."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from paddle_pose.samples import Crop, Predictions, Sample, Truth

SAMPLE = Sample(
    0, "a.jpg", np.zeros((5, 2)), np.ones(5, bool), np.ones(5, bool), np.array([1.0, 2.0]), np.array([3.0, 4.0])
)
CROP = Crop(np.zeros((8, 6, 3), np.uint8), np.zeros((5, 2)), np.ones(5), np.zeros((2, 3)), np.ones(3))
PREDICTIONS = Predictions(np.zeros((4, 5, 2)), np.zeros((4, 5)))
TRUTH = Truth(np.zeros((4, 5, 2)), np.ones((4, 5), bool), np.ones(4))


@pytest.mark.parametrize(
    ("record", "name", "shape"),
    [
        (SAMPLE, "joints_image", (5, 3)),
        (SAMPLE, "joints_image", (2,)),
        (SAMPLE, "labelled", (4,)),
        (SAMPLE, "visible", (5, 1)),
        (SAMPLE, "center_image_xy", (3,)),
        (SAMPLE, "size_image_wh", (1, 2)),
        (CROP, "image", (8, 6)),
        (CROP, "image", (8, 6, 4)),
        (CROP, "joints_crop", (5, 3)),
        (CROP, "weight", (6,)),
        (CROP, "crop_from_image", (3, 3)),
        (CROP, "color_gain", (1,)),
        (PREDICTIONS, "joints_image", (4, 5, 3)),
        (PREDICTIONS, "scores", (4, 4)),
        (TRUTH, "joints_image", (5, 2)),
        (TRUTH, "labelled", (4,)),
        (TRUTH, "head_size_image", (5,)),
    ],
)
def test_a_wrong_shape(record, name, shape):
    with pytest.raises(ValueError) as caught:
        replace(record, **{name: np.zeros(shape, bool)})
    assert name in str(caught.value)
    assert f"got {shape}" in str(caught.value)


@pytest.mark.parametrize(("record", "name"), [(SAMPLE, "labelled"), (SAMPLE, "visible"), (TRUTH, "labelled")])
def test_flags_are_booleans(record, name):
    """0 and 1 as integers would index joints 0 and 1 instead of choosing them."""
    with pytest.raises(ValueError, match=f"{name} must be boolean, but is int64"):
        replace(record, **{name: getattr(record, name).astype(np.int64)})


@pytest.mark.parametrize("record", [SAMPLE, CROP, PREDICTIONS, TRUTH], ids=lambda r: type(r).__name__)
def test_records_are_frozen(record):
    name = next(iter(vars(record)))
    with pytest.raises(FrozenInstanceError):
        setattr(record, name, 1)


def test_truth_without_head_sizes():
    assert replace(TRUTH, head_size_image=None).head_size_image is None
