"""Whole photos with the centres and sizes of their people, for a network that finds people.

Source: the first of the two steps by which Convolutional Pose Machines (Wei et al., CVPR 2016, released test code)
handle several people in a photo.
"""

from typing import Any, Literal

import numpy as np

from paddle_pose.data.annotations import PhotoPeople
from paddle_pose.data.photos import photo_path, photo_size_wh
from paddle_pose.errors import ConfigError
from paddle_pose.registry import DATASETS
from paddle_pose.samples import Sample, Truth
from paddle_pose.skeletons import Skeleton

PERSON_CENTRE = Skeleton(
    name="person_centre",
    joints=("centre", "upper_edge"),
    limbs=(("centre", "upper_edge"),),
    groups={},
    mirror_pairs=(),
)


@DATASETS.register("PersonCentres")
class PersonCentres:
    """One sample for each photo of another dataset that shows somebody.

    The joints of a person are the centre of the person's region and the middle of the region's upper edge, where
    the region is the square over the longer side of what the other dataset crops. The first person of a photo is
    the sample's, the rest are its `others`.

    Args:
        of: the `dataset` section of the people: `type` and its arguments, `root` left out.
        root: folder of that dataset.
        split: 'train' or 'valid'.
    """

    skeleton = PERSON_CENTRE

    def __init__(self, of: dict[str, Any], root: str, split: Literal["train", "valid"] = "train") -> None:
        self.people_dataset = _open(of, root, split)
        people = self.people_dataset.people
        self._joints_image = as_joints(people.center_image_xy, people.size_image_wh.max(axis=1))  # (N, 2, 2)
        self._photos = self.people_dataset.people_by_photo()
        self.protocol = f"centres of people in whole photos; {self.people_dataset.protocol}"
        self.num_images = len(self)

    def __len__(self) -> int:
        return len(self._photos)

    def photo_name(self, index: int) -> str:
        """File name of photo `index`, as the annotations have it."""
        return str(self.people_dataset.people.photo_names[self._photos[index][0]])

    def image_path(self, index: int) -> str:
        """File of photo `index`."""
        return photo_path(self.people_dataset.photo_folder, self.photo_name(index))

    def sample(self, index: int) -> Sample:
        """Photo `index`, 0 <= index < number of photos; reads the size in the photo's header."""
        return whole_photo_sample(index, self.image_path(index), self._joints_image[self._photos[index]])

    def truth(self) -> Truth:
        """Everybody of each photo in `everybody`; `joints_image` holds the first."""
        everybody = tuple(self._joints_image[rows] for rows in self._photos)
        first = np.stack([people[0] for people in everybody])
        return Truth(first, np.ones(first.shape[:2], bool), everybody=everybody)

    def identity(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """That of the people."""
        return self.people_dataset.identity()

    def check_photos(self, max_missing: float = 0.0) -> None:
        """DataError unless the photos of the split are there."""
        self.people_dataset.check_photos(max_missing)


class WholePhotos:
    """Photos about whose people nothing is known, as samples for a network that finds people.

    Args:
        paths: the photo files.
    """

    skeleton = PERSON_CENTRE

    def __init__(self, paths: list[str]) -> None:
        self._paths = paths

    def __len__(self) -> int:
        return len(self._paths)

    def sample(self, index: int) -> Sample:
        """Photo `index`; a joint without label stands for its people."""
        return whole_photo_sample(index, self._paths[index], np.zeros((0, 2, 2)))


def as_joints(center_image_xy: np.ndarray, size_image: np.ndarray) -> np.ndarray:
    """Centres (N, 2) and sizes (N,) of people -> their two joints (N, 2, 2): centre and middle of the upper edge."""
    up = np.stack([np.zeros_like(size_image), size_image / 2], axis=1)
    return np.stack([center_image_xy, center_image_xy - up], axis=1)


def whole_photo_sample(index: int, path: str, people_image: np.ndarray) -> Sample:
    """A photo from edge to edge with its people (P, 2, 2): the first is the sample's, the rest are its others."""
    size_wh = np.array(photo_size_wh(path), np.float64)
    here = np.full(2, len(people_image) > 0)
    return Sample(
        index=index,
        image_path=path,
        joints_image=people_image[0].copy() if len(people_image) else np.zeros((2, 2)),
        labelled=here,
        visible=here,
        center_image_xy=(size_wh - 1) / 2,
        size_image_wh=size_wh,
        others_image=people_image[1:],
        others_labelled=np.ones(people_image[1:].shape[:2], bool),
    )


def _open(of: dict[str, Any], root: str, split: str) -> PhotoPeople:
    arguments = {key: value for key, value in of.items() if key != "type"}
    if "type" not in of:
        raise ConfigError("dataset.of needs a type: that of the dataset whose people are to be found")
    constructor = DATASETS[of["type"]]
    if not issubclass(constructor, PhotoPeople):
        raise ConfigError(f"dataset.of: {of['type']} does not hold people; use MPII, COCO, LSP, LSPET or FLIC")
    try:
        return constructor(root=root, split=split, **arguments)
    except TypeError as error:
        raise ConfigError(f"dataset.of: {of['type']} does not take these settings ({error})") from None
