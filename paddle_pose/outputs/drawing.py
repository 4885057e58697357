"""Pictures of who was found: limbs and joints over the photo, numbers beside people, maps below them on request."""

from typing import Literal, Optional

import cv2
import numpy as np

from paddle_pose.errors import ConfigError
from paddle_pose.frames import Frame, FramePoses
from paddle_pose.outputs.overlays import lay_fields, lay_heatmaps
from paddle_pose.pose_colors import by_limb, by_person, by_side
from paddle_pose.skeletons import Skeleton
from paddle_pose.viewer import paint_pose

_PERSON_WIDTHS, _PICTURE_WIDTHS = 60, 150  # lines are a 60th of the person, but a 150th of the picture at most


class Drawing:
    """Draws a picture with its people; the best one on top.

    Args:
        skeleton: of the people to come.
        joint_threshold: a joint is drawn from this score on, a limb if both its joints are.
        person_threshold: a person is drawn from this score on.
        colors: `limb`: right warm, left cold, limbs that meet in different ones; `side`: right orange, left blue;
            `person`: limbs in a colour of each person's own, the same from picture to picture where there are ids.
        overlay: `heatmaps` or `fields`, drawn below the people; see overlays.py.
        show_ids: whether the number of a tracked person stands beside it.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        joint_threshold: float = 0.3,
        person_threshold: float = 0.0,
        colors: Literal["limb", "side", "person"] = "limb",
        overlay: Optional[Literal["heatmaps", "fields"]] = None,
        show_ids: bool = True,
    ) -> None:
        self._skeleton, self._overlay, self._show_ids = skeleton, overlay, show_ids
        self._joint_threshold, self._person_threshold = joint_threshold, person_threshold
        self._colors = {"limb": by_limb(skeleton), "side": by_side(skeleton)}.get(colors)

    def __call__(self, frame: Frame, poses: FramePoses) -> np.ndarray:
        """(H, W, 3) uint8 RGB, a new picture; ConfigError if the overlay's maps are not there."""
        canvas = self._background(frame.image, poses)
        people = poses.people
        shown = np.isfinite(people.joints_xy).all(axis=2) & (people.joint_scores >= self._joint_threshold)
        shown &= people.scores[:, None] >= self._person_threshold
        for person in reversed(np.flatnonzero(shown.any(axis=1)).tolist()):
            number = person if poses.ids is None else int(poses.ids[person])
            points = people.joints_xy[person][shown[person]]
            width = _line_width(points, canvas)
            colors = self._colors or by_person(self._skeleton, number)
            paint_pose(canvas, people.joints_xy[person], self._skeleton, colors, shown[person], width)
            if self._show_ids and poses.ids is not None:
                _write_number(canvas, number, points, width)
        return canvas

    def _background(self, image: np.ndarray, poses: FramePoses) -> np.ndarray:
        if self._overlay is None or len(poses) == 0 and poses.maps is None:  # nobody: no crop was looked at
            return np.ascontiguousarray(image).copy()
        if poses.maps is None or self._overlay == "fields" and poses.maps.fields is None:
            lacking = "fields of limbs, which only OpenPose has" if self._overlay == "fields" else "maps of joints"
            raise ConfigError(f"overlay {self._overlay}: this network gives no {lacking}; leave the overlay out")
        return (lay_fields if self._overlay == "fields" else lay_heatmaps)(image, poses.maps)


def _line_width(points: np.ndarray, canvas: np.ndarray) -> int:
    """Pixels, from the size of a person's (N, 2) drawn joints and that of the picture."""
    person = np.ptp(points, axis=0).max() / _PERSON_WIDTHS
    return max(1, round(min(person, max(canvas.shape[:2]) / _PICTURE_WIDTHS)))


def _write_number(canvas: np.ndarray, number: int, points: np.ndarray, width: int) -> None:
    """The number above a person's highest joint, moved into the picture, white with a black rim."""
    height, total = canvas.shape[:2]
    scale = 0.35 + 0.12 * width
    rim, text = max(1, round(2.5 * scale)), str(number)
    (long, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, rim)
    x, y = points[points[:, 1].argmin()]
    x = int(np.clip(x - long / 2, rim, max(rim, total - long - rim)))
    y = int(np.clip(y - 3 * width - 3, high + rim, max(high + rim, height - rim)))
    cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 3 * rim, cv2.LINE_AA)
    cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), rim, cv2.LINE_AA)
