"""How much predictions vary from person to person: near 0, a network says the same of everybody.

Falling back to the mean pose is the usual way in which a regressor of joints fails (DeepPose and its
re-implementations): the loss goes down, PCK is not 0, and nothing has been learned from the photos.

What to expect: an estimate y' of a pose y in the sense of least squares is the mean of y given the photo, so by the
law of total variance var(y') = R^2 var(y), R^2 the part of the poses' variance that is explained. A spread of 0.2 is
4 percent of it: no more than where a person is in the region and how large. Heat maps have no such pull to the mean;
an untrained network's peaks are noise, and a spread above 1 says that there are wild ones.
"""

from typing import Optional

import numpy as np

from paddle_pose.samples import Truth

COLLAPSED_BELOW = 0.2
_FEWEST_PEOPLE = 2  # of one joint


def spread(
    joints_image: np.ndarray, truth: Truth, center_image_xy: np.ndarray, size_image_wh: np.ndarray
) -> Optional[float]:
    """Standard deviation over people of the predicted joints divided by that of the true ones; median over joints.

    Positions are taken relative to each person's region, (joint - centre) / size, x and y together, over the
    people for whom the joint is labelled.

    Args:
        joints_image: (N, K, 2) predictions in photo pixels.
        truth: the same people's; its labels say who counts.
        center_image_xy: (N, 2) middle of each person's region.
        size_image_wh: (N, 2) width and height of it.

    Returns:
        0 for one pose everywhere, 1 for the truth itself. None where no joint is labelled for two people who differ
        (also with a detector's boxes, of which nobody knows whose they are).
    """
    found, true = (
        (joints - center_image_xy[:, None]) / size_image_wh[:, None] for joints in (joints_image, truth.joints_image)
    )
    ratios = []
    for joint in range(truth.labelled.shape[1]):
        people = truth.labelled[:, joint]
        if people.sum() >= _FEWEST_PEOPLE and (deviation := _deviation(true[people, joint])) > 0:
            ratios.append(_deviation(found[people, joint]) / deviation)
    return float(np.median(ratios)) if ratios else None


def _deviation(points: np.ndarray) -> float:
    """Standard deviation of (N, 2) points from their mean, x and y together."""
    return float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()))


def spread_line(value: float) -> str:
    """The line for people, with a warning where predictions hardly vary."""
    meaning = "1 = as varied as real poses, near 0 = collapsed to the mean pose"
    line = f"spread of predictions: {value:.2f} of the truth's ({meaning})"
    if value >= COLLAPSED_BELOW:
        return line
    return f"{line}; WARNING: below {COLLAPSED_BELOW:g} the network says nearly the same of everybody"
