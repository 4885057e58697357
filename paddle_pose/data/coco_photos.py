"""COCO keypoints, photo by photo, for networks that find everybody at once (Lin et al., ECCV 2014).

Files as for `COCO` (data/coco.py). People with at least one keypoint are labelled; where a photo shows others, and
crowds, `unknown_image` says that nobody knows their joints (data/unknown_regions.py).

Two ways to draw training samples: whole photos that show somebody with keypoints, as in tensorboy's code; and main
people with the rest of their photo (data/main_people.py), as in the released code of Cao et al. (CVPR 2017).

Differs from that code: photos are told apart by their split only (it sets 2644 photos of the validation split aside).
"""

import os
from pathlib import Path
from typing import Literal, Union

import numpy as np

from paddle_pose.coco_samples import CocoPoses, CocoTruth
from paddle_pose.data.annotations import check_files, check_split
from paddle_pose.data.coco_files import Photos, read_entries
from paddle_pose.data.coco_found import HOW_TO_GET_PHOTOS, FoundPoses
from paddle_pose.data.coco_results import read_poses
from paddle_pose.data.derived_joints import from_annotated, to_annotated
from paddle_pose.data.main_people import main_people, main_regions
from paddle_pose.data.photo_headers import MAX_PIXELS
from paddle_pose.data.photos import photo_path
from paddle_pose.data.unknown_regions import UnknownRegions
from paddle_pose.errors import DataError
from paddle_pose.registry import DATASETS
from paddle_pose.samples import Predictions, Sample, Truth
from paddle_pose.skeletons import OPENPOSE_18, Skeleton

_SOURCE = "people found in whole photos"


@DATASETS.register("COCOPhotos")
class COCOPhotos:
    """One sample for each photo, or in training for each main person; the first person is the sample's.

    The valid split has all photos of the annotation file, in its order, those without people too.

    Args:
        root: folder that the other paths are in.
        split: 'train' or 'valid'.
        train_annotations: annotation file of the train split.
        valid_annotations: annotation file of the valid split.
        train_photos: folder of its photos.
        valid_photos: folder of its photos.
        category: name of the annotations' category.
        skeleton: the joints; annotated are those of `skeleton.annotated_as`, or these.
        samples: of the train split: 'photos' that show somebody with keypoints, or 'main_people'.
    """

    skeleton = OPENPOSE_18

    def __init__(
        self,
        root: str,
        split: Literal["train", "valid"] = "train",
        train_annotations: str = "annotations/person_keypoints_train2017.json",
        valid_annotations: str = "annotations/person_keypoints_val2017.json",
        train_photos: str = "train2017",
        valid_photos: str = "val2017",
        category: str = "person",
        skeleton: Skeleton = OPENPOSE_18,
        samples: Literal["photos", "main_people"] = "photos",
    ) -> None:
        check_split("COCOPhotos", split)
        if not os.path.isdir(root):
            raise DataError(f"dataset root {root} is not a folder; give the folder that holds annotations/ and photos")
        self.split, self.skeleton, self._annotated = split, skeleton, skeleton.annotated_as or skeleton
        self._source = os.path.join(root, train_annotations if split == "train" else valid_annotations)
        self.photo_folder = os.path.join(root, train_photos if split == "train" else valid_photos)
        self.photos, annotations, entries = read_entries(self._source, category, self._annotated)
        self._annotations, self._sizes_wh = annotations, self._whole_sizes(self.photos)
        rows = self.photos.rows(annotations.image_ids)
        known = (annotations.keypoints_image[..., 2] > 0).any(axis=1) & ~annotations.crowd
        self._set_people(known, rows)
        crowd, boxes_image = annotations.crowd, annotations.boxes_image
        self._unknown = UnknownRegions(entries, rows, boxes_image, known, crowd, self._sizes_wh)
        self._set_samples(samples if split == "train" else "all", np.flatnonzero(known), rows[known])
        self.photo_ids = self.photos.ids[self._photo]
        self.num_images = len(np.unique(self._photo))
        self.protocol = self._protocol()

    def __len__(self) -> int:
        return len(self._photo)

    def image_path(self, index: int) -> str:
        """File of the photo of sample `index`."""
        return photo_path(self.photo_folder, str(self.photos.names[self._photo[index]]))

    def photo_size_wh(self, index: int) -> tuple[int, int]:
        """Width and height of the photo of sample `index`, as the annotation file says."""
        width, height = self._sizes_wh[self._photo[index]].tolist()
        return width, height

    def sample(self, index: int) -> Sample:
        """Sample `index`, 0 <= index < N; of a photo without people, the joints are 0 and not labelled."""
        photo = self._photo[index]
        people = np.arange(self._first_of_photo[photo], self._first_of_photo[photo + 1])
        first = self._main[index] if len(people) else -1  # the last row stands for nobody
        others = people[people != first]
        return Sample(
            index=index,
            image_path=self.image_path(index),
            joints_image=self._joints_image[first].copy(),
            labelled=self._labelled[first].copy(),
            visible=self._visible[first].copy(),
            center_image_xy=self._center_image_xy[index].copy(),
            size_image_wh=self._size_image_wh[index].copy(),
            others_image=self._joints_image[others],
            others_labelled=self._labelled[others],
            unknown_image=self._unknown.mask(photo),
            photo_wh=self.photo_size_wh(index),
        )

    def truth(self) -> Truth:
        """In `coco` the annotations of all photos, in the annotated joints; no poses: those are yet to be found."""
        joints = len(self._annotated)
        empty = CocoTruth(self._annotations, np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 2)), _SOURCE, final=True)
        return Truth(np.zeros((0, joints, 2)), np.zeros((0, joints), bool), coco=empty)

    def with_people(
        self,
        image_ids: np.ndarray,
        joints_image: np.ndarray,
        joint_scores: np.ndarray,
        scores: np.ndarray,
        source: str = _SOURCE,
    ) -> tuple[FoundPoses, Predictions]:
        """The people that a network found, to be scored: in the annotated joints, those not found at (0, 0).

        Args:
            image_ids: (D,) the photo of each.
            joints_image: (D, K, 2) in photo pixels, in the order of `skeleton`; NaN for a joint that was not found.
            joint_scores: (D, K).
            scores: (D,) of the whole person.
            source: how they were found, in words, to stand beside every number.

        Returns:
            A dataset of these people, and their poses, row for row; D may be 0.
        """
        joints_image, joint_scores = to_annotated(self.skeleton, joints_image, joint_scores)
        found = np.isfinite(joints_image).all(axis=-1, keepdims=True)
        keypoints_image = np.where(found, np.concatenate([joints_image, joint_scores[..., None]], axis=-1), 0.0)
        poses = CocoPoses(np.asarray(image_ids, np.int64), keypoints_image, np.asarray(scores, np.float64))
        return self._found(poses, "the people found", source)

    def with_poses(self, path: Union[str, Path]) -> tuple[FoundPoses, Predictions]:
        """The same with the poses of a results file that any system wrote, in the annotated joints.

        Raises:
            DataError: the file is damaged, of other joints, or of other photos.
        """
        poses = read_poses(path, self._annotations.category_id, len(self._annotated))
        return self._found(poses, str(path), f"poses of {Path(path).name}")

    def identity(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What makes this split this one: photos of the samples, then of the labelled people; the people's joints."""
        counts = np.diff(self._first_of_photo)
        names = [self.photos.names[self._photo], np.repeat(self.photos.names, counts)]
        return np.concatenate(names), self._joints_image[:-1], self._labelled[:-1]

    def check_photos(self, max_missing: float = 0.0) -> None:
        """DataError unless all but a share `max_missing` of the photos are there (by name; they are not opened)."""
        check_files(self.photo_folder, self.photos.names[self._photo], HOW_TO_GET_PHOTOS, max_missing)

    def _found(self, poses: CocoPoses, where: str, source: str) -> tuple[FoundPoses, Predictions]:
        facts = (self.photos, self._annotations, self.photo_folder, self._annotated)
        found = FoundPoses(*facts, poses, where, source, self.split)
        return found, found.predictions

    def _whole_sizes(self, photos: Photos) -> np.ndarray:
        """(P, 2) int sizes of the photos; DataError for one that no mask can have, or a name out of the folder."""
        sizes_wh = photos.sizes_wh
        bad = (sizes_wh != np.floor(sizes_wh)).any(axis=1) | (sizes_wh.prod(axis=1) > MAX_PIXELS)
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(
                f"{self._source}: photo {photos.ids[row]} has width and height {sizes_wh[row].tolist()}; they must be "
                f"whole numbers, of {MAX_PIXELS // 10**6} megapixels at most"
            )
        for name in photos.names:
            photo_path(self._source, str(name))
        return sizes_wh.astype(np.int64)

    def _set_people(self, known: np.ndarray, rows: np.ndarray) -> None:
        """The labelled people, photo by photo, and a last row for nobody."""
        keypoints = np.concatenate([self._annotations.keypoints_image[known], np.zeros((1, len(self._annotated), 3))])
        flags = keypoints[..., 2] > 0, keypoints[..., 2] > 1
        self._joints_image, self._labelled, self._visible = from_annotated(self.skeleton, keypoints[..., :2], *flags)
        self._first_of_photo = np.searchsorted(rows[known], np.arange(len(self.photos.ids) + 1))

    def _set_samples(self, samples: str, known: np.ndarray, photos: np.ndarray) -> None:
        """Photo and first person of each sample, and its region.

        Args:
            samples: 'all' photos, 'photos' with people, or 'main_people'.
            known: (Q,) rows of the labelled people among the annotations.
            photos: (Q,) rows of their photos.
        """
        if samples == "main_people":
            annotations = self._annotations
            boxes_image, areas_image = annotations.boxes_image[known], annotations.areas_image[known]
            self._main = main_people(photos, boxes_image, areas_image, annotations.num_keypoints[known])
            self._photo = photos[self._main]
            self._center_image_xy, self._size_image_wh = main_regions(boxes_image[self._main])
        else:
            self._photo = np.unique(photos) if samples == "photos" else np.arange(len(self.photos.ids))
            self._main = self._first_of_photo[self._photo]
            self._size_image_wh = self._sizes_wh[self._photo].astype(np.float64)
            self._center_image_xy = (self._size_image_wh - 1) / 2
        # A file without annotations, as test-dev's, can be looked through, if not scored.
        if not len(self._photo) or (not len(known) and len(self._annotations.image_ids)):
            wanted = "main people (5 keypoints, 32^2 pixels)" if samples == "main_people" else "people with keypoints"
            raise DataError(f"{self._source} holds no {wanted}; choose another split or category, or annotate some")

    def _protocol(self) -> str:
        people = len(self._joints_image) - 1
        protocol = f"COCO {self.split}, {self.num_images} whole photos, {people} people with keypoints"
        if self.split == "train" and len(self) != self.num_images:
            protocol += f", {len(self)} of them main people"
        if self._unknown.boxes:
            protocol += (
                f"; {self._unknown.boxes} of {self._unknown.regions} crowds and people without keypoints have no "
                "usable mask: their boxes stand for it"
            )
        return protocol
