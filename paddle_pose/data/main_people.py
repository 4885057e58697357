"""The people of a photo whom training looks at one after the other, with everybody else in view.

Source: the released code of Cao et al. (CVPR 2017): `genJSON.m`, and `target_dist` of its training.
"""

import numpy as np

FEWEST_KEYPOINTS, SMALLEST_AREA = 5, 32**2
TOO_NEAR = 0.3  # of the longer side of the earlier person's box
HEIGHT_SHARE = 0.6  # of the region, that the box takes


def main_people(
    photos: np.ndarray, boxes_image: np.ndarray, areas_image: np.ndarray, num_keypoints: np.ndarray
) -> np.ndarray:
    """Rows of the main people: with enough keypoints and pixels, and not too near to an earlier one of the photo.

    Args:
        photos: (Q,) photo of each of the people with keypoints, ascending.
        boxes_image: (Q, 4) left, top, width, height.
        areas_image: (Q,) square pixels.
        num_keypoints: (Q,).
    """
    centers, longer = boxes_image[:, :2] + boxes_image[:, 2:] / 2, boxes_image[:, 2:].max(axis=1, initial=0)
    possible = (num_keypoints >= FEWEST_KEYPOINTS) & (areas_image >= SMALLEST_AREA) & (boxes_image[:, 3] > 0)
    kept: list[int] = []
    first = 0  # of the kept that are in the same photo
    for row in np.flatnonzero(possible):
        if kept and photos[kept[-1]] != photos[row]:
            first = len(kept)
        earlier = kept[first:]
        distances = np.linalg.norm(centers[earlier] - centers[row], axis=1)
        if not (distances < TOO_NEAR * longer[earlier]).any():
            kept.append(int(row))
    return np.array(kept, np.int64)


def main_regions(boxes_image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres (N, 2) and sizes (N, 2) of the square regions of boxes (N, 4)."""
    return boxes_image[:, :2] + boxes_image[:, 2:] / 2, np.repeat(boxes_image[:, 3:] / HEIGHT_SHARE, 2, axis=1)
