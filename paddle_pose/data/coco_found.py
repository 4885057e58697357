"""People that a system found in photos with COCO's annotations, as a dataset that can be scored."""

import numpy as np

from paddle_pose.coco_samples import CocoAnnotations, CocoPoses, CocoTruth
from paddle_pose.data.annotations import People, PhotoPeople
from paddle_pose.data.coco_files import Photos
from paddle_pose.errors import DataError
from paddle_pose.samples import Predictions, Truth
from paddle_pose.skeletons import Skeleton

HOW_TO_GET_PHOTOS = "unpack COCO's train2017.zip and val2017.zip into the dataset root"


class FoundPoses(PhotoPeople):
    """A person for each pose; nobody at all is possible.

    Args:
        photos: those of the split.
        annotations: what is scored against, of the same joints.
        folder: of the photo files.
        skeleton: the joints.
        poses: what was found.
        where: file or system that they are from, for messages.
        source: the same in words, to stand beside every number.
        split: name of the split.
    """

    def __init__(
        self,
        photos: Photos,
        annotations: CocoAnnotations,
        folder: str,
        skeleton: Skeleton,
        poses: CocoPoses,
        where: str,
        source: str,
        split: str,
    ) -> None:
        rows = listed_rows(photos, poses.image_ids, where)
        joints_image = poses.keypoints_image[..., :2]
        first, last = joints_image.min(axis=1), joints_image.max(axis=1)
        nothing = np.zeros(joints_image.shape[:2], bool)
        size_wh = np.maximum(last - first, 1.0)
        people = People(photos.names[rows], np.zeros_like(joints_image), nothing, nothing, (first + last) / 2, size_wh)
        protocol = f"COCO {split}, {len(people)} {source}, scored as they are"
        people = people.checked(where) if len(people) else people
        super().__init__(people, folder, skeleton, protocol, HOW_TO_GET_PHOTOS)
        self.photos, self.num_images = photos, len(photos.ids)  # all of them are scored
        self.predictions = Predictions(joints_image, poses.keypoints_image[..., 2].astype(np.float32))
        self._annotations, self._poses, self._source = annotations, poses, source

    def truth(self) -> Truth:
        """No labelled joints, and in `coco` the annotations of all photos."""
        coco = CocoTruth(
            annotations=self._annotations,
            image_ids=self._poses.image_ids,
            box_scores=self._poses.scores,
            sizes_image_wh=self.people.size_image_wh,
            box_source=self._source,
            final=True,
        )
        return Truth(self.people.joints_image.copy(), self.people.labelled.copy(), coco=coco)


def listed_rows(photos: Photos, image_ids: np.ndarray, where: str) -> np.ndarray:
    """Row of the photo of each entry of a file; DataError if the split does not have it."""
    rows = photos.rows(image_ids)
    unknown = rows < 0
    if unknown.any():
        raise DataError(
            f"{where}: {int(unknown.sum())} of its {len(unknown)} entries are of photos that the annotation file of "
            f"the split does not list (the first: {image_ids[np.argmax(unknown)]}); use a file of this split"
        )
    return rows
