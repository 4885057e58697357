"""Pictures in, people out: a model and a way to find whom it looks at, put together."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np

from paddle_pose.errors import ConfigError, DataError
from paddle_pose.frames import Frame, FramePoses
from paddle_pose.prediction.ahead import one_ahead
from paddle_pose.prediction.cascade import CascadeEstimator
from paddle_pose.prediction.cropping import Regions, checked_boxes
from paddle_pose.prediction.everybody import EverybodyEstimator
from paddle_pose.prediction.finders import Finder
from paddle_pose.prediction.one_person import OnePersonEstimator
from paddle_pose.prediction.opening import open_finder, open_models
from paddle_pose.prediction.pose_model import PoseModel, without_maps
from paddle_pose.skeletons import Skeleton

BATCH_SIZE = 8
MOST_PIXELS = 40_000_000  # of the pictures that wait for each other
Photo = Union[str, Path, np.ndarray]


class Predictor:
    """Finds people and their joints in photos and videos.

        predictor = paddle_pose.Predictor("output/256_best_model/model.pdparams", detector="ppyoloe_s")
        poses = predictor("photo.jpg")            # or an (H, W, 3) uint8 RGB array
        poses.people.joints_xy                    # (P, K, 2) x, y in the photo's pixels, surest person first
        poses.people.joint_scores                 # (P, K)
        predictor.skeleton.joints                 # the K names
        poses = predictor(photo, boxes=[[left, top, width, height]])     # with boxes of your own

    A model that finds everybody (OpenPose) looks at whole photos; any other needs to be told where people are: by
    boxes, by a detector or by a network of person centres; without, it takes each photo for one of one person.

    Args:
        model: a model file or training state of ours, the `cascade.json` of a cascade, the name of a model that
            `paddle_pose.zoo` knows, or a `prediction.pose_model.PoseModel`. None: `zoo.DEFAULT_MODEL`, unless
            `model_dir` is given.
        model_dir: a folder that export.py wrote, instead of `model`.
        boxes: a COCO results file of boxes, see `prediction.finders.BoxFile`.
        annotations: for `boxes` of photos whose names are not their ids: the file that lists them.
        detector: a folder that PaddleDetection exported, see `prediction.detector.DetectorFinder`.
        people_model: a model file of dataset PersonCentres.
        box_threshold: lowest score of a box; None: 0 of a file, `draw_threshold` of a detector, 0.1 of a people model.
        device: auto, cpu, gpu or gpu:i.
        batch_size: people, or photos of everybody, that the model gets at once.
        threads: of the CPU; None: all cores.
        engine: which program runs an exported model: auto, or as `deployment.open_deployed` names them.
        precision: float32; or bf16 or int8 of an exported model on a CPU that has it, see `deployment.open_deployed`.
        mirror_test: average with the mirrored picture, which takes twice the time; an exported model has it built in,
            or not.
        keep_maps: keep what the network's maps were, in `poses.maps`.

    Attributes:
        skeleton: names of the joints and limbs.
        description: what the model says of itself.
        batch_size: as given.
        engine_choice: for people: by which figures the engine of an exported model was chosen, if it was.

    Raises:
        UserError: in one line, whatever is wrong with a file, a folder or a combination.
    """

    def __init__(
        self,
        model: Union[str, Path, PoseModel, None] = None,
        *,
        model_dir: Union[str, Path, None] = None,
        boxes: Union[str, Path, None] = None,
        annotations: Union[str, Path, None] = None,
        detector: Union[str, Path, None] = None,
        people_model: Union[str, Path, None] = None,
        box_threshold: Optional[float] = None,
        device: str = "auto",
        batch_size: int = BATCH_SIZE,
        threads: Optional[int] = None,
        engine: str = "auto",
        precision: str = "float32",
        mirror_test: bool = False,
        keep_maps: bool = False,
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f"--batch_size {batch_size}: must be 1 or more")
        if model is not None and model_dir is not None:
            raise ConfigError("give a model or an exported folder (--pretrained_model or --model_dir), not both")
        named = {"boxes": boxes, "detector": detector, "people_model": people_model}
        chosen = [name for name, value in named.items() if value is not None]
        if len(chosen) > 1:
            raise ConfigError(f"--{chosen[0]} and --{chosen[1]} both say where people are; give one of them")
        stages = open_models(model, model_dir, device, threads, engine, mirror_test, precision)
        self.description = stages[-1].description
        self.engine_choice: Optional[str] = getattr(stages[0], "choice", None)
        self.skeleton: Skeleton = self.description.skeleton
        self.batch_size = batch_size
        reason = without_maps(stages) if keep_maps else None
        if reason is not None:
            raise ConfigError(f"maps are asked for, but {reason}")
        if self.description.finds == "everybody":
            named.update(annotations=annotations, box_threshold=box_threshold)
            for name in (name for name, value in named.items() if value is not None):
                raise ConfigError(f"--{name}: {self.description.network} finds everybody by itself; leave it out")
            self.finder: Optional[Finder] = None
            self._everybody = EverybodyEstimator(stages[0], batch_size, keep_maps)
        else:
            self.finder = open_finder(boxes, annotations, detector, people_model, box_threshold, device, threads)
            if len(stages) > 1:
                self._one_person = CascadeEstimator(stages, batch_size)
            else:
                self._one_person = OnePersonEstimator(stages[0], batch_size, keep_maps)

    def __call__(self, photo: Photo, boxes: object = None) -> FramePoses:
        """The people in one photo.

        Args:
            photo: a file, which is turned by its orientation tag; or an (H, W, 3) uint8 RGB array.
            boxes: (P, 4) left, top, width, height in the photo's pixels, where to look for people; None: where the
                predictor's own finder says. An empty list finds nobody.

        Returns:
            People in the photo's pixels, surest first; nobody is possible, where a finder found nobody.

        Raises:
            DataError: the photo cannot be read or is no such array, or boxes are no boxes.
        """
        frame = _frame(photo)
        if boxes is None:
            return self._poses([frame])[0]
        if self.finder is None:
            raise DataError(f"boxes: {self.description.network} finds everybody by itself; leave them out")
        checked = checked_boxes(boxes, "boxes")
        return self._one_person([frame], [Regions(checked, np.ones(len(checked)))])[0]

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, FramePoses]]:
        """Each frame with its people, in the order of `frames`.

        People of several frames share a batch, of up to `batch_size` frames, fewer large ones. While the caller is busy
        with one batch, a thread looks at the next and another takes frames for the one after: no more are held,
        however long the stream is.
        """
        groups = one_ahead(_groups(frames, self.batch_size))
        for group, found in one_ahead((group, self._poses(group)) for group in groups):
            yield from zip(group, found)

    def _poses(self, frames: Sequence[Frame]) -> list[FramePoses]:
        if self.finder is None:
            return self._everybody(frames)
        return self._one_person(frames, self.finder(frames))


def _frame(photo: Photo) -> Frame:
    if isinstance(photo, (str, Path)):
        from paddle_pose.media.shown_photos import read_shown_photo

        return Frame(str(photo), 0, read_shown_photo(str(photo)))
    if not isinstance(photo, np.ndarray):  # cv2.imread gives None of a file that is not there
        raise DataError(f"a photo is a file or an (H, W, 3) array of uint8, RGB, but got {type(photo).__name__}")
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8 or not photo.size:
        raise DataError(f"a photo is an (H, W, 3) array of uint8, RGB, but got {photo.shape} of {photo.dtype}")
    return Frame("array", 0, np.ascontiguousarray(photo))


def _groups(frames: Iterable[Frame], most: int) -> Iterator[list[Frame]]:
    """Up to `most` frames at a time, of not too many pixels together."""
    group: list[Frame] = []
    pixels = 0
    for frame in frames:
        group.append(frame)
        pixels += frame.image.shape[0] * frame.image.shape[1]
        if len(group) == most or pixels > MOST_PIXELS:
            yield group
            group, pixels = [], 0
    if group:
        yield group
