"""Pictures in, people out: a model and a way to find whom it looks at, put together."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np

from paddle_pose import runtime
from paddle_pose.errors import ConfigError, DataError, UserError
from paddle_pose.frames import Frame, FramePoses
from paddle_pose.prediction.cascade import CascadeEstimator, read_stages
from paddle_pose.prediction.cropping import Regions, checked_boxes
from paddle_pose.prediction.everybody import EverybodyEstimator
from paddle_pose.prediction.finders import BoxFile, Finder, WholePhoto
from paddle_pose.prediction.one_person import OnePersonEstimator
from paddle_pose.prediction.pose_model import PoseModel, open_checkpoint, without_maps
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
        mirror_test: average with the mirrored picture, which takes twice the time; an exported model has it built in,
            or not.
        keep_maps: keep what the network's maps were, in `poses.maps`.

    Attributes:
        skeleton: names of the joints and limbs.
        description: what the model says of itself.

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
        stages = open_models(model, model_dir, device, threads, engine, mirror_test)
        self.description = stages[-1].description
        self.skeleton: Skeleton = self.description.skeleton
        self._batch_size = batch_size
        reason = without_maps(stages) if keep_maps else None
        if reason is not None:
            raise ConfigError(f"maps are asked for, but {reason}")
        if self.description.finds == "everybody":
            if chosen:
                raise ConfigError(f"--{chosen[0]}: {self.description.network} finds everybody by itself; leave it out")
            self.finder: Optional[Finder] = None
            self._everybody = EverybodyEstimator(stages[0], batch_size, keep_maps)
        else:
            self.finder = open_finder(boxes, annotations, detector, people_model, box_threshold, device, threads)
            is_cascade = len(stages) > 1
            self._one_person = (
                CascadeEstimator(stages, batch_size)
                if is_cascade
                else OnePersonEstimator(stages[0], batch_size, keep_maps)
            )

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

        People of several frames share a batch, so up to `batch_size` frames are taken before the first comes back,
        fewer large ones. No more are held, however long the stream is.
        """
        for group in _groups(frames, self._batch_size):
            yield from zip(group, self._poses(group))

    def _poses(self, frames: Sequence[Frame]) -> list[FramePoses]:
        if self.finder is None:
            return self._everybody(frames)
        return self._one_person(frames, self.finder(frames))


def open_models(
    model: Union[str, Path, PoseModel, None],
    model_dir: Union[str, Path, None],
    device: str,
    threads: Optional[int],
    engine: str,
    mirror_test: bool,
) -> Sequence[PoseModel]:
    """The model that these arguments of `Predictor` mean, or the models of a cascade's stages."""
    if model_dir is not None:
        from paddle_pose.deployment.deployed_model import open_deployed

        deployed = open_deployed(Path(model_dir), device=device, threads=threads, engine=engine)
        if mirror_test and not deployed.description.mirror_test:
            raise ConfigError(f"{model_dir}: exported without the mirror test; export it again with --mirror_test")
        return [deployed]
    if model is not None and not isinstance(model, (str, Path)):
        return [model]
    if engine != "auto":
        raise ConfigError(f"--engine {engine}: is for exported models (--model_dir); leave it out")
    path = model_path(model)
    paths = [path.parent / stage["model"] for stage in read_stages(path)] if path.suffix == ".json" else [path]
    models = [open_checkpoint(stage, mirror_test, device, threads) for stage in paths]
    wants_joints = [model.description.config["joint_crops"] is not None for model in models]
    if wants_joints != [number > 0 for number in range(len(models))]:
        raise ConfigError(
            f"{path}: whole people are for the first model of a cascade, single joints for each later one, but here it "
            "is otherwise; name the cascade.json that training wrote"
        )
    return models


def model_path(model: Union[str, Path, None]) -> Path:
    """The file of a model: itself, or what the zoo has under its name.

    A name is what has neither a folder nor a suffix, and is no file.
    """
    if model is not None and (Path(model).suffix or Path(model).name != str(model) or Path(model).exists()):
        return Path(model)
    from paddle_pose import zoo

    return zoo.model_path(zoo.DEFAULT_MODEL if model is None else str(model))


def bundled_name(model: Union[str, Path, None]) -> Optional[str]:
    """The name under which the zoo holds the weights that `model` means, if they lie in this package."""
    from paddle_pose import zoo

    path = model_path(model)
    bundled = [name for name in zoo.names() if isinstance(zoo.find(name), zoo.Bundled)]
    return next((name for name in bundled if zoo.find(name).path.resolve() == path.resolve()), None)


def open_finder(
    boxes: Union[str, Path, None],
    annotations: Union[str, Path, None],
    detector: Union[str, Path, None],
    people_model: Union[str, Path, None],
    threshold: Optional[float],
    device: str,
    threads: Optional[int],
) -> Finder:
    """The finder that these arguments of `Predictor` mean: the whole photo where there are none."""
    if annotations is not None and boxes is None:
        raise UserError("--annotations lists the photos of --boxes; give both or none")
    if boxes is not None:
        return BoxFile(boxes, 0.0 if threshold is None else threshold, annotations)
    if detector is not None:
        from paddle_pose.prediction.detector import DetectorFinder

        return DetectorFinder(detector, threshold, device, threads)
    if people_model is not None:
        from paddle_pose.prediction.person_centres import PersonCentreFinder

        runtime.choose_device(device, threads)
        return PersonCentreFinder(model_path(people_model), threshold)
    if threshold is not None:
        raise UserError("--box_threshold is for --boxes, --detector or --people_model; leave it out")
    return WholePhoto()


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
