"""The run of predict.py: pictures through the predictor and the tracker to the writers, and what is said of it."""

import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Callable, Optional

import numpy as np
from tqdm import tqdm

from paddle_pose.cli.options import EXIT_INTERRUPTED, EXIT_USER_ERROR
from paddle_pose.engine import distributed
from paddle_pose.engine.stop import Interrupted, StopRequest
from paddle_pose.errors import UserError
from paddle_pose.frames import Frame, FramePoses
from paddle_pose.media.sources import Source
from paddle_pose.outputs.writer import PoseWriter
from paddle_pose.prediction.predictor import Predictor
from paddle_pose.tracking.tracker import PeopleTracker


class Run:
    """One pass over all sources.

    Args:
        predictor: finds the people.
        sources: pictures, in this order. One that cannot be read is told of on stderr, and the others go on.
        max_frames: of each video or camera; None: all.
        make_tracker: for each video a new one; None: people get no numbers.
        refuse: called with the name of a source that cannot be read, and the line that says why; None: it is printed.

    Attributes:
        exit_code: 0; 2 if a source could not be read; 130 after Ctrl-C or SIGTERM.
    """

    def __init__(
        self,
        predictor: Predictor,
        sources: Sequence[Source],
        max_frames: Optional[int],
        make_tracker: Optional[Callable[[], PeopleTracker]],
        refuse: Optional[Callable[[str, str], None]] = None,
    ) -> None:
        self._predictor, self._sources, self._max_frames = predictor, sources, max_frames
        self._make_tracker, self._tracker, self._tracked = make_tracker, None, ""
        self._refuse = refuse or _print_error
        self.exit_code = 0
        self._photos, self._frames, self._people = 0, 0, 0
        self._began = time.monotonic()
        self._bar = tqdm(total=self._total(), unit="picture", disable=not sys.stderr.isatty(), leave=False)

    def __call__(self, writers: PoseWriter) -> None:
        """Writes the people of all pictures; Ctrl-C or SIGTERM ends it between two, as the last picture would."""
        stop = StopRequest()
        try:
            with stop.listening():
                for frame, poses in self._predictor.stream(self._pictures()):
                    writers.add(frame, self._with_ids(frame, poses))
                    self._count(frame, poses)
                    stop.check_alone()
        except Interrupted:
            self.exit_code = EXIT_INTERRUPTED
        finally:
            self._bar.close()

    def join_others(self) -> None:
        """Waits for the other processes of a launch; counts and exit code are then those of all."""
        codes = [EXIT_INTERRUPTED, EXIT_USER_ERROR]
        here = [self._photos, self._people, *(self.exit_code == code for code in codes)]
        distributed.wait_for_all()
        self._photos, self._people, *ended = distributed.sum_over_processes(np.array(here, np.int64)).tolist()
        self.exit_code = next((code for code, count in zip(codes, ended) if count), 0)

    def tell(self, save_dir: str, formats: Sequence[str]) -> None:
        """One line: what was looked at, who was found, how long it took, where it is."""
        seconds = time.monotonic() - self._began
        seen = [_counted(self._photos, "photo")] if self._photos or not self._frames else []
        seen += [_counted(self._frames, "frame")] if self._frames else []
        people = "1 person" if self._people == 1 else f"{self._people} people"
        ended = "interrupted after " if self.exit_code == EXIT_INTERRUPTED else ""
        print(f"{ended}{' and '.join(seen)}, {people}, {seconds:.1f} s: {', '.join(formats)} in {save_dir}")

    def _total(self) -> Optional[int]:
        """Number of pictures; None where a source does not say."""
        counts = [source.num_frames for source in self._sources]
        if None in counts:
            return None
        return sum(min(count, self._max_frames or count) for count in counts)

    def _pictures(self) -> Iterator[Frame]:
        for source in self._sources:
            try:
                yield from islice(source, self._max_frames)
            except UserError as error:
                self.exit_code = EXIT_USER_ERROR
                self._refuse(source.name, f"error: {' '.join(str(error).split())}")

    def _with_ids(self, frame: Frame, poses: FramePoses) -> FramePoses:
        if frame.time_s is None or self._make_tracker is None:
            return poses
        if self._tracker is None or self._tracked != frame.source:
            self._tracker, self._tracked = self._make_tracker(), frame.source
        return self._tracker(poses, frame.time_s)

    def _count(self, frame: Frame, poses: FramePoses) -> None:
        if frame.time_s is None:
            self._photos += 1
        else:
            self._frames += 1
        self._people += len(poses)
        self._bar.update()


def _print_error(_source: str, line: str) -> None:
    tqdm.write(line, file=sys.stderr)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
