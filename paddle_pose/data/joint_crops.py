"""Crops around single joints, what the later stages of a cascade see.

Toshev & Szegedy, "DeepPose: Human Pose Estimation via Deep Neural Networks", CVPR 2014, Sec. 3.2 (Eqs. 5 to 8).
No public code of it is known to us.

The region of a joint is a square of sigma * diam(y) around where the stage before saw it. The pose's diameter
diam(y) is the distance of two opposite joints of the torso, as that stage saw them. In training the region is
displaced from the true joint instead, by a draw from a normal distribution with mean and covariance of that
stage's errors, one distribution for each joint, in units of the diameter.

Letters: N people, K joints, M pairs of a person and a joint.

Differs from the paper
    - A diameter is at least a tenth of the longer side of the person's region: two joints that a poor stage sees
      in one place would leave a crop without area.
    - In training, too, the diameter is that of the estimate (the paper's Eq. 8 takes the annotated pose): LSPET
      has no label for an end of it in 28 % of its people, and it is what evaluation will see.
    - The normal distribution is fitted to the errors that leave the true joint inside the crop. Others, such as
      left and right exchanged, are beyond what the next stage can correct, and would only widen it.
    - With `all_labels` a crop in training supervises every labelled joint that it shows, each by an output of its
      own, and not only the joint that it was cut for: several times as many labels from the same photos.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Callable, Optional

import numpy as np

from paddle_pose.data.augment import View, plain_view
from paddle_pose.data.photos import read_photo
from paddle_pose.errors import ConfigError, DataError
from paddle_pose.interfaces import Dataset
from paddle_pose.samples import Predictions, Sample, Truth
from paddle_pose.skeletons import Skeleton

SMALLEST_DIAMETER = 0.1  # of the longer side of the person's region


@dataclass(frozen=True)
class JointErrors:
    """Normal distribution of each joint's error, estimate minus truth, in diameters of the pose.

    Args:
        mean: (K, 2).
        covariance: (K, 2, 2).
    """

    mean: np.ndarray
    covariance: np.ndarray

    def draw(self, rng: np.random.Generator, joint: int) -> np.ndarray:
        """(2,) one error of a joint."""
        values, axes = np.linalg.eigh(np.asarray(self.covariance[joint]))
        spread = axes * np.sqrt(np.maximum(values, 0.0))
        return np.asarray(self.mean[joint]) + spread @ rng.standard_normal(2)

    @property
    def typical(self) -> float:
        """Root mean square length of an error over all joints, in diameters."""
        squares = np.square(self.mean).sum(axis=1) + np.trace(self.covariance, axis1=1, axis2=2)
        return float(np.sqrt(squares.mean()))


class JointCrops:
    """One joint of one person per sample: `interfaces.Dataset` around another one.

    Args:
        dataset: the N people.
        estimate_image: (N, K, 2) joints that the stage before saw, in photo pixels.
        sigma: side of a region in diameters.
        diameter_between: names of the two joints whose distance is the diameter.
        training: True: samples are the M labelled joints of all people, regions are centred on the annotation (a
            `Displaced` view moves them). False: all M = N * K joints, joint by joint of each person, regions are
            centred on the estimate.
        all_labels: in training, samples carry the labels of all joints of the person.
    """

    def __init__(
        self,
        dataset: Dataset,
        estimate_image: np.ndarray,
        sigma: float,
        diameter_between: Sequence[str],
        training: bool,
        all_labels: bool = False,
    ) -> None:
        if not np.isfinite(estimate_image).all():
            raise DataError("the stage before gave joints that are not finite numbers; train it again")
        self.dataset, self.estimate_image, self.sigma, self._training = dataset, estimate_image, sigma, training
        self._all_labels = all_labels and training
        self.skeleton, self.num_images = dataset.skeleton, dataset.num_images
        self.diameter = _diameters(dataset, estimate_image, diameter_between)
        self._truth = dataset.truth()
        self._labelled = np.asarray(self._truth.labelled, bool)
        self._person, self._joint = np.nonzero(self._labelled | (not training))  # (M,) each
        self.protocol = f"{dataset.protocol}; crops of {sigma:g} diameters around single joints"

    def __len__(self) -> int:
        return len(self._person)

    def identity(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """That of the people."""
        return self.dataset.identity()

    def sample(self, index: int) -> Sample:
        """Pair `index`, 0 <= index < M, of a person and a joint; only this joint is labelled, unless all are."""
        person, joint = int(self._person[index]), int(self._joint[index])
        whole = self.dataset.sample(person)
        shown = (np.arange(len(self.skeleton)) == joint) | self._all_labels
        center_image_xy = whole.joints_image[joint] if self._training else self.estimate_image[person, joint]
        return Sample(
            index=index,
            image_path=whole.image_path,
            joints_image=whole.joints_image,
            labelled=whole.labelled & shown,
            visible=whole.visible & shown,
            center_image_xy=np.asarray(center_image_xy, np.float64),
            size_image_wh=np.full(2, self.sigma * self.diameter[person]),
        )

    def joint_of(self, index: int) -> int:
        """The joint that sample `index` was cut for."""
        return int(self._joint[index])

    def truth(self) -> Truth:
        """Of the N people, which is what `whole_people` is scored against."""
        return self._truth

    def whole_people(self, predictions: Predictions) -> Predictions:
        """Predictions for all M = N * K crops, each of which shows one joint -> the poses of the N people."""
        crops = np.arange(len(self))
        shape = len(self.dataset), len(self.skeleton)
        joints_image = predictions.joints_image[crops, self._joint].reshape(*shape, 2)
        return Predictions(joints_image, predictions.scores[crops, self._joint].reshape(shape))

    def check_photos(self, max_missing: float = 0.0) -> None:
        """DataError unless the photos of the people are there."""
        self.dataset.check_photos(max_missing)

    def errors(self) -> JointErrors:
        """Fits the errors of the joints in reach; zero for a joint with fewer than two of them."""
        errors, seen = self._errors_in_reach()
        mean, covariance = np.zeros((seen.shape[1], 2)), np.zeros((seen.shape[1], 2, 2))
        for joint in np.nonzero(seen.sum(axis=0) > 1)[0]:
            mean[joint] = errors[seen[:, joint], joint].mean(axis=0)
            covariance[joint] = np.cov(errors[seen[:, joint], joint], rowvar=False)
        return JointErrors(mean, covariance)

    def share_in_reach(self) -> float:
        """Share of the labelled joints that lie inside the crop around their estimate; NaN if none is labelled."""
        labelled = self._labelled.sum()
        return float(self._errors_in_reach()[1].sum() / labelled) if labelled else float("nan")

    def _errors_in_reach(self) -> tuple[np.ndarray, np.ndarray]:
        """(N, K, 2) estimate minus truth in diameters, and (N, K) whether the crop around it shows the true joint."""
        errors = (self.estimate_image - self._truth.joints_image) / self.diameter[:, None, None]
        return errors, self._labelled & (np.abs(errors) <= self.sigma / 2).all(axis=-1)


class Displaced:
    """A view of a joint's crop in training, moved by a draw of the errors of the stage before.

    Args:
        augmentation: draws the view that is moved; None: the plain one.
        errors: what is drawn from.
        sigma: side of a region in diameters.
        joint_of: index of a sample -> the joint that it is cut for.
    """

    def __init__(
        self, augmentation: Optional[object], errors: JointErrors, sigma: float, joint_of: Callable[[int], int]
    ) -> None:
        self._augmentation, self._errors, self._sigma, self._joint_of = augmentation, errors, sigma, joint_of

    def draw(self, rng: np.random.Generator, sample: Sample, skeleton: Skeleton) -> View:
        """One random view of the sample's joint; the same generator state gives the same view."""
        view = self._augmentation.draw(rng, sample, skeleton) if self._augmentation else plain_view(sample)
        diameter = sample.size_image_wh[0] / self._sigma
        error_image = diameter * self._errors.draw(rng, self._joint_of(sample.index))
        return replace(view, center_image_xy=view.center_image_xy + error_image)


class LastPhoto(threading.local):
    """Where `crops.CropMaker` gets its pixels: each thread keeps its last photo for the crops of other joints.

    Args:
        or_black: a photo that cannot be read is one black pixel, and not an error.
    """

    def __init__(self, or_black: bool = False) -> None:
        self._or_black = or_black
        self._path, self._image = "", None

    def __call__(
        self, sample: Sample, crop_from_image: np.ndarray, input_wh: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pixels of the whole photo, and the matrix as it is; DataError where the photo cannot be read."""
        if sample.image_path != self._path:
            self._image = self._read(sample.image_path)
            self._path = sample.image_path
        return self._image, crop_from_image

    def _read(self, path: str) -> np.ndarray:
        try:
            return read_photo(path)
        except DataError:
            if not self._or_black:
                raise
            return np.zeros((1, 1, 3), np.uint8)


def check_diameter(skeleton: Skeleton, diameter_between: Sequence[str]) -> None:
    """ConfigError unless these are two joints of the skeleton."""
    unknown = [joint for joint in diameter_between if joint not in skeleton.joints]
    if unknown or len(set(diameter_between)) != 2:
        raise ConfigError(
            f"cascade.diameter_between={list(diameter_between)} must name two joints of {skeleton.name}, opposite ones "
            f"of the torso if it has one; its joints are {', '.join(skeleton.joints)}"
        )


def _diameters(people: Dataset, estimate_image: np.ndarray, diameter_between: Sequence[str]) -> np.ndarray:
    """(N,) diameter of each pose in photo pixels."""
    check_diameter(people.skeleton, diameter_between)
    a, b = (people.skeleton.index(joint) for joint in diameter_between)
    distance = np.linalg.norm(estimate_image[:, a] - estimate_image[:, b], axis=-1)
    longer_side = np.array([people.sample(person).size_image_wh.max() for person in range(len(people))])
    return np.maximum(distance, SMALLEST_DIAMETER * longer_side)
