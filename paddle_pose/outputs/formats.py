"""All writers of a run, by the names that --save takes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Union

from paddle_pose.media.sources import Source
from paddle_pose.outputs.coco_json import CocoWriter
from paddle_pose.outputs.csv_table import CsvWriter
from paddle_pose.outputs.drawing import Drawing
from paddle_pose.outputs.names import OutputNames
from paddle_pose.outputs.openpose_json import OpenPoseWriter
from paddle_pose.outputs.pictures import PictureWriter
from paddle_pose.outputs.video import VideoWriter
from paddle_pose.outputs.writer import PoseWriter, Writers, check_writable
from paddle_pose.skeletons import Skeleton

FORMATS = ("pictures", "video", "coco", "openpose", "csv")


def open_writers(
    save_dir: Union[str, Path],
    formats: Sequence[str],
    skeleton: Skeleton,
    drawing: Drawing,
    sources: Sequence[Source],
) -> Writers:
    """Writers of the named formats as one.

    Args:
        save_dir: folder of all outputs; made if it is missing.
        formats: some of FORMATS.
        skeleton: of the people to come.
        drawing: draws pictures and videos.
        sources: of the run: outputs are named after them, and none of them is overwritten.

    Raises:
        DataError: nothing can be written in `save_dir`, or a drawn picture would get the place of an input.
    """
    save_dir, names = Path(save_dir), OutputNames(source.name for source in sources)
    check_writable(save_dir)
    if set(formats) & {"pictures", "video"}:
        names.check_inputs_kept(save_dir)
    return Writers(_open(name, save_dir, skeleton, drawing, sources, names) for name in dict.fromkeys(formats))


def _open(
    name: str, save_dir: Path, skeleton: Skeleton, drawing: Drawing, sources: Sequence[Source], names: OutputNames
) -> PoseWriter:
    if name == "pictures":
        return PictureWriter(save_dir, drawing, names)
    if name == "video":
        by_name = {source.name: source for source in sources}  # asked when its time comes: a video's header is read
        return VideoWriter(save_dir, drawing, lambda source: getattr(by_name.get(source), "frame_rate", None), names)
    if name == "coco":
        return CocoWriter(save_dir, skeleton, [source.name for source in sources])
    if name == "openpose":
        return OpenPoseWriter(save_dir, skeleton, names)
    return CsvWriter(save_dir, skeleton)
