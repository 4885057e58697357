"""predict.py in several processes: each has its share of the photos, and the first writes what is written once.

Drawn photos and OpenPose's files are written by the process that has the photo. What it found goes to a file of its own
in `<save_dir>/.shares`, from which the first process writes the files of the whole run when all have ended: picture by
picture in the order of one process, so none of them holds more than a batch. All need to see the same `save_dir`.
"""

import argparse
import contextlib
import heapq
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Union

import numpy as np

from paddle_pose import runtime
from paddle_pose.atomic_files import one_line_for
from paddle_pose.cli import prediction_setup as setup
from paddle_pose.cli.prediction import Run
from paddle_pose.engine import distributed
from paddle_pose.engine.stop import StopRequest
from paddle_pose.errors import ConfigError
from paddle_pose.frames import Frame, FramePoses
from paddle_pose.media.sources import Source
from paddle_pose.outputs.formats import open_writers
from paddle_pose.outputs.writer import PoseWriter, Writers
from paddle_pose.samples import FoundPeople

OF_THE_RUN = ("coco", "csv")  # formats that are one file for all pictures
_SHARES = ".shares"
_Found = tuple[int, Union[str, tuple[Frame, FramePoses]]]  # number of the photo; the error, or who was found


def run_shares(arguments: argparse.Namespace, sources: list, formats: list[str]) -> int:
    """predict.py by one of several processes; every one of them returns the same exit code.

    Raises:
        UserError: something is wrong here, or another process has failed; files of the whole run are not written.
    """
    check_photos_only(sources)
    runtime.choose_device(arguments.device, arguments.threads)
    place = distributed.initialise()
    try:
        return _run_share(arguments, sources, formats, place)
    except BaseException:
        distributed.give_up()
        _clean_up(Path(arguments.save_dir) / _SHARES, place[0])
        raise


def _clean_up(folder: Path, rank: int) -> None:
    """Leaves nothing behind, whichever process is the last one: the first may fail before another has begun."""
    if rank == 0:
        shutil.rmtree(folder, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        (folder / str(rank)).unlink(missing_ok=True)
        folder.rmdir()  # stays as long as another one has a file in it


def _run_share(arguments: argparse.Namespace, sources: list, formats: list[str], place: tuple[int, int]) -> int:
    predictor = _open_predictor(arguments, place[0])
    setup.check_boxes(predictor, sources)
    own, common = ([name for name in formats if (name in OF_THE_RUN) == once] for once in (False, True))
    facts = (predictor.skeleton, setup.drawing(arguments, predictor), sources)
    drawn = open_writers(arguments.save_dir, own, *facts)
    share = Share(arguments.save_dir, place[0], sources)
    mine = share_of(sources, place, predictor.batch_size)
    run = Run(predictor, mine, None, None, share.refuse)
    with Writers([share, drawn]) as writers:
        run(writers)
    with StopRequest().listening():  # the launcher repeats its signal, which has ended `run` already
        run.join_others()
        if place[0] == 0:
            merge(arguments.save_dir, place[1], sources, open_writers(arguments.save_dir, common, *facts))
            run.tell(arguments.save_dir, formats)
            setup.tell_of_rendered_people(arguments)
        distributed.wait_for_all()  # the launcher ends all of them when one ends with an error code
    return run.exit_code


def _open_predictor(arguments: argparse.Namespace, rank: int) -> Any:
    """The predictor; the first process times the engines of an exported model alone, and the others take its choice."""
    in_turn = arguments.model_dir is not None
    if in_turn and rank > 0:
        distributed.wait_for_all()
    predictor = setup.open_predictor(arguments)
    if in_turn and rank == 0:
        distributed.wait_for_all()
    if predictor.engine_choice and rank == 0:
        print(predictor.engine_choice)
    return predictor


def check_photos_only(sources: Sequence[Source]) -> None:
    """ConfigError if one of the sources is a video or a camera."""
    for source in sources:
        if source.kind != "photo":
            raise ConfigError(
                f"--input {source.name}: a {source.kind} is run by one process; leave paddle.distributed.launch out"
            )


def share_of(sources: Sequence[Source], place: tuple[int, int], batch_size: int) -> list[Source]:
    """The photos of one process: every so many'th batch, so that batches are those of a single process.

    Args:
        sources: of the run.
        place: rank and number of processes.
        batch_size: photos that are looked at together.
    """
    rank, ranks = place
    return [source for number, source in enumerate(sources) if number // batch_size % ranks == rank]


class Share(PoseWriter):
    """Keeps what one process finds, for `merge`.

    Args:
        save_dir: of the run.
        rank: of the process.
        sources: of the run, those of all processes.
    """

    def __init__(self, save_dir: Union[str, Path], rank: int, sources: Sequence[Source]) -> None:
        self._path = Path(save_dir) / _SHARES / str(rank)
        self._numbers = {source.name: number for number, source in enumerate(sources)}
        with one_line_for(self._path):
            self._path.parent.mkdir(exist_ok=True)
            self._file = open(self._path, "wb")  # noqa: SIM115

    def add(self, frame: Frame, poses: FramePoses) -> None:
        """Appends who was found in a photo."""
        people = poses.people
        found = [people.joints_xy, people.joint_scores, people.scores]
        found += [] if poses.boxes_image is None else [poses.boxes_image]
        self._append(np.array([self._numbers[frame.source], len(found), *frame.image.shape[:2]]), *found)

    def refuse(self, source: str, message: str) -> None:
        """Appends why a photo cannot be read."""
        self._append(np.array([self._numbers[source], 0, 0, 0]), np.array(message))

    def close(self) -> None:
        """The file is whole."""
        with one_line_for(self._path):
            self._file.close()

    def give_up(self) -> None:
        """Nobody will read the file."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _append(self, *arrays: np.ndarray) -> None:
        with one_line_for(self._path):
            for array in arrays:
                np.save(self._file, array, allow_pickle=False)


def merge(save_dir: Union[str, Path], ranks: int, sources: Sequence[Source], writers: PoseWriter) -> None:
    """Hands what all processes found to `writers` in the order of the photos, and removes their files.

    Photos that could not be read are told of on stderr, as one process does.
    """
    folder = Path(save_dir) / _SHARES
    shares = [_read(folder / str(rank), sources) for rank in range(ranks)]
    with writers:
        for _, found in heapq.merge(*shares, key=lambda share: share[0]):
            if isinstance(found, str):
                print(found, file=sys.stderr)
            else:
                writers.add(*found)
    shutil.rmtree(folder, ignore_errors=True)


def _read(path: Path, sources: Sequence[Source]) -> Iterator[_Found]:
    """What one process found, photo by photo."""
    with open(path, "rb") as file:
        while file.peek(1):
            number, arrays, height, width = _array(file).tolist()
            if not arrays:
                yield number, str(_array(file))
                continue
            joints_xy, joint_scores, scores, *boxes = (_array(file) for _ in range(arrays))
            image = np.broadcast_to(np.uint8(0), (height, width, 3))  # one byte: files of the run need its size only
            poses = FramePoses(FoundPeople(joints_xy, joint_scores, scores), *boxes)
            yield number, (Frame(sources[number].name, 0, image), poses)


def _array(file: BinaryIO) -> np.ndarray:
    return np.load(file, allow_pickle=False)
