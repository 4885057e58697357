"""A table for spreadsheets and pandas: `poses.csv`, one row for each person in each picture.

Columns: source, frame (from 0), time_s (seconds; empty for a photo), person (from 1, best first, in this picture), id
(who is who from picture to picture; empty without a tracker), box_left, box_top, box_width, box_height (where the
person was looked for; empty where everybody was looked for at once), score, then for each joint <joint>_x, <joint>_y
(pixels; empty where it was not found) and <joint>_score. A picture without people has no row.
"""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from paddle_pose.frames import Frame, FramePoses
from paddle_pose.outputs.numbers import people_rows, pixels, triples
from paddle_pose.outputs.streamed_file import StreamedFile
from paddle_pose.outputs.writer import PoseWriter
from paddle_pose.skeletons import Skeleton

TABLE = "poses.csv"
_BOX = tuple(f"box_{side}" for side in ("left", "top", "width", "height"))
_HEAD = ("source", "frame", "time_s", "person", "id", *_BOX, "score")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a cell that begins so


class CsvWriter(PoseWriter):
    """Writes `poses.csv`.

    Args:
        save_dir: its folder.
        skeleton: of the people to come; its joints, in its order, are the columns.
    """

    def __init__(self, save_dir: Path, skeleton: Skeleton) -> None:
        self._file = StreamedFile(save_dir / TABLE)
        self._table = csv.writer(self._file)
        joints = [f"{joint}_{what}" for joint in skeleton.joints for what in ("x", "y", "score")]
        self._table.writerow([*_HEAD, *(_plain(name, "'") for name in joints)])

    def add(self, frame: Frame, poses: FramePoses) -> None:
        """A row for each person."""
        time_s = "" if frame.time_s is None else round(frame.time_s, 6)
        for person, (joints_image, scores, score) in enumerate(people_rows(poses.people)):
            person_id = "" if poses.ids is None else int(poses.ids[person])
            box = [""] * 4 if poses.boxes_image is None else pixels(poses.boxes_image[person])
            row = [_plain(frame.source, "./"), frame.index, time_s, person + 1, person_id, *box, score]
            self._table.writerow(row + _joint_cells(joints_image, scores))

    def close(self) -> None:
        """The file takes its place."""
        self._file.close()

    def give_up(self) -> None:
        """The file is kept as a partial one."""
        self._file.give_up()


def _joint_cells(joints_image: np.ndarray, scores: np.ndarray) -> list[Any]:
    joints = triples(joints_image, scores)
    known = np.isfinite(joints_image).all(axis=1).tolist()
    return [cell for k, there in enumerate(known) for cell in (joints[3 * k : 3 * k + 3] if there else ["", "", 0.0])]


def _plain(text: str, before: str) -> str:
    """Text that no spreadsheet takes for a formula; with `./` a path is still the path of the same file."""
    return before + text if text.startswith(_FORMULA) else text
