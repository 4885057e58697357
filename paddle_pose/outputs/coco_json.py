"""COCO's results file, and beside it the list of pictures that says which id is which picture.

Format: https://cocodataset.org/#format-results. `coco_results.json` is what data/coco_results.py, val.py --predictions,
pycocotools' `loadRes` and the COCO server read; `coco_images.json` is an annotation file without annotations, so that
`COCO("coco_images.json").loadRes("coco_results.json")` works. One entry for each person, all of category 1:

    {"image_id": 139, "category_id": 1, "keypoints": [x, y, score, ... K times], "score": 0.9, "track_id": 1}

`track_id` only where people are tracked. Joints of a skeleton that is made from another's annotations (OpenPose's 18
parts) are written in the annotations' order (COCO's 17): the order in which COCO scores them.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from paddle_pose.data.coco_names import coco_number
from paddle_pose.data.derived_joints import to_annotated
from paddle_pose.frames import Frame, FramePoses
from paddle_pose.outputs.numbers import people_rows, triples
from paddle_pose.outputs.streamed_file import StreamedFile
from paddle_pose.outputs.writer import PoseWriter
from paddle_pose.skeletons import Skeleton

PERSON = 1  # COCO's category
RESULTS, IMAGES = "coco_results.json", "coco_images.json"


class CocoWriter(PoseWriter):
    """Writes `coco_results.json` and `coco_images.json`.

    Args:
        save_dir: folder of both.
        skeleton: of the people to come.
        sources: names of the run's sources: no picture gets the id that another one has by its name.
    """

    def __init__(self, save_dir: Path, skeleton: Skeleton, sources: Iterable[str] = ()) -> None:
        self._skeleton, self._ids = skeleton, ImageIds(sources)
        self._results = _JsonList(save_dir / RESULTS, "[", "]")
        rest = json.dumps({"annotations": [], "categories": [_category(skeleton)]})
        self._images = _JsonList(save_dir / IMAGES, '{"images": [', "], " + rest[1:])

    def add(self, frame: Frame, poses: FramePoses) -> None:
        """An entry for each person, and one for the picture."""
        image_id = self._ids.next(frame)
        height, width = frame.image.shape[:2]
        image = {"id": image_id, "file_name": frame.source, "width": width, "height": height}
        if frame.time_s is not None:
            image |= {"frame": frame.index, "time_s": round(frame.time_s, 6)}
        self._images.add(image)
        for person, (joints_image, scores, score) in enumerate(people_rows(poses.people)):
            joints_image, scores = to_annotated(self._skeleton, joints_image[None], scores[None])
            entry = {"image_id": image_id, "category_id": PERSON, "keypoints": triples(joints_image[0], scores[0])}
            entry["score"] = score
            if poses.ids is not None:
                entry["track_id"] = int(poses.ids[person])
            self._results.add(entry)

    def close(self) -> None:
        """Both files take their places, the second also where the first cannot."""
        try:
            self._results.close()
        finally:
            self._images.close()

    def give_up(self) -> None:
        """Both files are kept as partial ones."""
        self._results.give_up()
        self._images.give_up()


class ImageIds:
    """Ids of pictures: the number in a file name of COCO's form, else 1, 2, 3, ... leaving those numbers out.

    Names of COCO's form are `000000000139.jpg` and `COCO_val2014_000000000139.jpg`: twelve digits.
    """

    def __init__(self, sources: Iterable[str]) -> None:
        self._owners: dict[int, str] = {}
        self._last = 0
        for source in sources:
            if (number := coco_number(source)) is not None:
                self._owners.setdefault(number, source)

    def next(self, frame: Frame) -> int:
        """The id of the next picture."""
        number = coco_number(frame.source)
        if number is not None and frame.time_s is None:
            if number > self._last:
                self._owners.setdefault(number, frame.source)
            if self._owners.get(number) == frame.source:
                return number
        self._last += 1
        while self._last in self._owners:
            self._last += 1
        return self._last


class _JsonList:
    """Entries of a JSON list, streamed."""

    def __init__(self, path: Path, start: str, end: str) -> None:
        self._file = StreamedFile(path, end + "\n")
        self._file.write(start)
        self._between = "\n"

    def add(self, entry: dict[str, Any]) -> None:
        self._file.write(self._between + json.dumps(entry, allow_nan=False))
        self._between = ",\n"

    def close(self) -> None:
        self._file.close()

    def give_up(self) -> None:
        self._file.give_up()


def _category(skeleton: Skeleton) -> dict[str, Any]:
    """The category as in `person_keypoints_*.json`; limbs count joints from 1."""
    written = skeleton.annotated_as or skeleton
    limbs = [[a + 1, b + 1] for a, b in written.limb_pairs]
    person = {"id": PERSON, "name": "person", "supercategory": "person"}
    return {**person, "keypoints": list(written.joints), "skeleton": limbs}
