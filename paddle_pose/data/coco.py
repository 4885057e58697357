"""COCO keypoints, and a user's own data in its format: one person per sample (Lin et al., ECCV 2014).

Files, as COCO's archives unpack: `annotations/person_keypoints_{train,val}2017.json`, `train2017/`, `val2017/`.
Boxes become crops as in HRNet's `lib/dataset/coco.py`: a ground-truth box is cut off at the photo's edge
(x2 = min(W - 1, x1 + w - 1)), a detector's is taken as it is; the middle stays, the short side grows to the
aspect of the network input (geometry.fix_aspect), both sides are padded by 1.25. HRNet pads after it has fixed
the aspect; both are factors of one scale, so the order does not matter.

Left out of the people, as there: crowds, and annotations whose keypoints are all 0 or whose box lies outside
of the photo. They stay in the ground truth of the evaluation, which knows what to do with them.
Joints are taken as they are in the file, which counts pixels from 0 (HRNet subtracts nothing either).
"""

import os
from pathlib import Path
from typing import Literal, Optional, Union

import numpy as np

from paddle_pose.coco_samples import CocoTruth
from paddle_pose.data.annotations import People, PhotoPeople, check_split
from paddle_pose.data.coco_files import read_annotations
from paddle_pose.data.coco_found import HOW_TO_GET_PHOTOS, FoundPoses, listed_rows
from paddle_pose.data.coco_results import read_boxes, read_poses
from paddle_pose.errors import ConfigError, DataError
from paddle_pose.registry import DATASETS
from paddle_pose.samples import Predictions, Truth
from paddle_pose.skeletons import COCO_17, Skeleton

_THIN = 1e-6  # pixels; a box of no width gets its width from the aspect of the input


@DATASETS.register("COCO")
class COCO(PhotoPeople):
    """People with keypoints (ground-truth boxes), or all boxes of a detector (valid only).

    Args:
        root: folder that the other paths are in.
        split: 'train' or 'valid'.
        train_annotations: annotation file of the train split.
        valid_annotations: annotation file of the valid split.
        train_photos: folder of its photos.
        valid_photos: folder of its photos.
        boxes: a detector's results file for the valid split (not inside `root`); None: ground-truth boxes.
        box_score_threshold: boxes with a lower score are left out; HRNet's is 0.
        padding: factor on both sides of a box.
        category: name of the annotations' category.
        skeleton: the joints, as the category lists them.
    """

    skeleton = COCO_17

    def __init__(
        self,
        root: str,
        split: Literal["train", "valid"] = "train",
        train_annotations: str = "annotations/person_keypoints_train2017.json",
        valid_annotations: str = "annotations/person_keypoints_val2017.json",
        train_photos: str = "train2017",
        valid_photos: str = "val2017",
        boxes: Optional[str] = None,
        box_score_threshold: float = 0.0,
        padding: float = 1.25,
        category: str = "person",
        skeleton: Skeleton = COCO_17,
    ) -> None:
        check_split("COCO", split)
        if not padding > 0:
            raise ConfigError(f"dataset.padding={padding:g} must be above 0; 1.25 is HRNet's")
        if not os.path.isdir(root):
            raise DataError(f"dataset root {root} is not a folder; give the folder that holds annotations/ and photos")
        self.split, self.padding = split, padding
        self._source = os.path.join(root, train_annotations if split == "train" else valid_annotations)
        self.photos, self._annotations = read_annotations(self._source, category, skeleton)
        if boxes is None or split == "train":
            people = self._annotated_people()
        else:
            people = self._boxed_people(boxes, box_score_threshold)
        folder = os.path.join(root, train_photos if split == "train" else valid_photos)
        protocol = f"COCO {split}, {len(people)} people, {self._box_source}, x {padding:g}"
        super().__init__(people, folder, skeleton, protocol, HOW_TO_GET_PHOTOS)
        self.num_images = len(self.photos.ids)  # all of them are scored, as in HRNet's count

    def truth(self) -> Truth:
        """Labelled joints (none with a detector's boxes), and in `coco` the annotations of all photos."""
        coco = CocoTruth(
            annotations=self._annotations,
            image_ids=self._image_ids,
            box_scores=self._box_scores,
            sizes_image_wh=self.people.size_image_wh,
            box_source=self._box_source,
        )
        return Truth(self.people.joints_image.copy(), self.people.labelled.copy(), coco=coco)

    def with_poses(self, path: Union[str, Path]) -> tuple[FoundPoses, Predictions]:
        """The split seen through a results file that any system wrote: a person for each pose in it.

        Returns:
            The dataset, whose boxes are those around the poses, and the poses, row for row.

        Raises:
            DataError: the file is damaged, of other joints, or of other photos.
        """
        poses = read_poses(path, self._annotations.category_id, len(self.skeleton))
        found = FoundPoses(
            self.photos,
            self._annotations,
            self.photo_folder,
            self.skeleton,
            poses,
            str(path),
            f"poses of {Path(path).name}",
            self.split,
        )
        return found, found.predictions

    def _set_boxes(self, image_ids: np.ndarray, scores: np.ndarray, source: str) -> None:
        self._image_ids, self._box_scores, self._box_source = image_ids, scores, source

    def _annotated_people(self) -> People:
        annotations = self._annotations
        size_wh = self.photos.sizes_wh[self.photos.rows(annotations.image_ids)]
        boxes, inside = cut_off(annotations.boxes_image, size_wh)
        flat = annotations.keypoints_image.reshape(len(boxes), -1)
        kept = inside & ~annotations.crowd & (annotations.areas_image > 0) & (flat.max(axis=1, initial=0) > 0)
        keypoints = annotations.keypoints_image[kept]
        self._set_boxes(annotations.image_ids[kept], np.ones(int(kept.sum())), "ground-truth boxes")
        return self._people(self._source, boxes[kept], keypoints)

    def _boxed_people(self, path: str, threshold: float) -> People:
        boxes = read_boxes(path, self._annotations.category_id, threshold)
        source = f"boxes of {Path(path).name} ({len(boxes.scores)} of them, score >= {threshold:g})"
        self._set_boxes(boxes.image_ids, boxes.scores, source)
        listed_rows(self.photos, boxes.image_ids, path)
        joints = self._annotations.keypoints_image.shape[1]
        return self._people(path, boxes.boxes_image, np.zeros((len(boxes.scores), joints, 3)))

    def _people(self, source: str, boxes_image: np.ndarray, keypoints: np.ndarray) -> People:
        sizes = boxes_image[:, 2:] * self.padding
        sizes = np.where(sizes.max(axis=1, initial=0, keepdims=True) > 0, np.maximum(sizes, _THIN), sizes)
        people = People(
            photo_names=self.photos.names[self.photos.rows(self._image_ids)],
            joints_image=keypoints[..., :2].copy(),
            labelled=keypoints[..., 2] > 0,
            visible=keypoints[..., 2] > 1,
            center_image_xy=boxes_image[:, :2] + boxes_image[:, 2:] / 2,
            size_image_wh=sizes,
        )
        return people.checked(source)


def cut_off(boxes_image: np.ndarray, size_image_wh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ground-truth boxes cut off at the edges of their photos, as HRNet does (a box of w pixels spans w - 1).

    Args:
        boxes_image: (M, 4) left, top, width, height.
        size_image_wh: (M, 2) width and height of each box's photo.

    Returns:
        (M, 4) boxes, and (M,) bool, False for a box that lies outside.
    """
    first = np.maximum(boxes_image[:, :2], 0)
    last = np.minimum(first + np.maximum(boxes_image[:, 2:] - 1, 0), size_image_wh - 1)
    return np.hstack([first, last - first]), (last >= first).all(axis=1)
