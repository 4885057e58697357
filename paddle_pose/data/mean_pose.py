"""The mean pose: the same answer for every person, without a look at the photo. The floor under every score."""

import numpy as np

from paddle_pose.interfaces import Dataset
from paddle_pose.samples import Predictions


def regions(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Centres (N, 2) and sizes (N, 2) in photo pixels of the parts of the photos that people are looked for in.

    Sizes are width and height as the dataset gives them: its padding included, aspect not yet fixed.
    """
    samples = (dataset.sample(index) for index in range(len(dataset)))
    pairs = np.array([(s.center_image_xy, s.size_image_wh) for s in samples], np.float64).reshape(-1, 2, 2)
    return pairs[:, 0], pairs[:, 1]


def mean_pose(dataset: Dataset) -> np.ndarray:
    """(K, 2) mean over people of (joint - region's centre) / region's width and height, each joint where labelled.

    A joint that nobody has a label of is put at 0, in the middle of the region.
    """
    total = np.zeros((len(dataset.skeleton), 2))
    count = np.zeros((len(dataset.skeleton), 1))
    for index in range(len(dataset)):
        sample = dataset.sample(index)
        seen = sample.labelled[:, None]
        relative = (sample.joints_image - sample.center_image_xy) / sample.size_image_wh
        total += np.where(seen, relative, 0.0)
        count += seen
    return total / np.maximum(count, 1)


def place(pose: np.ndarray, dataset: Dataset) -> Predictions:
    """A pose (K, 2), relative as that of `mean_pose`, put into the region of each of the N people, with scores 1."""
    center, size = regions(dataset)
    joints_image = center[:, None] + pose * size[:, None]
    return Predictions(joints_image, np.ones(joints_image.shape[:2], np.float32))
