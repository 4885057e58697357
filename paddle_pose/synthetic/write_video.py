"""A clip as `NAME.mp4`, and beside it `NAME.json`: who is where in every frame.

The JSON is COCO's, with what a video needs: `frame_index` and `time_s` of an image, `person_id` (from 1) of an
annotation. Outlines are left out. Somebody who is hidden, all but a few pixels, has no annotation in that frame.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from paddle_pose.atomic_files import replacing
from paddle_pose.errors import DataError
from paddle_pose.synthetic.clip import Clip, ClipRecipe
from paddle_pose.synthetic.write_coco import CATEGORY, FEWEST_PIXELS, describe_person
from paddle_pose.video_files import Mp4File

VERSION = 1  # of the frames: raise it when the same arguments give others


def write_video(path: str, recipe: ClipRecipe, progress: bool = False) -> bool:
    """Writes a clip.

    Args:
        path: the file to make, `.mp4`.
        recipe: what it is asked to be.
        progress: whether a bar shows how far it is, if this is a terminal.

    Returns:
        False if it is there already, made by the same recipe; nothing is done then.

    Raises:
        DataError: something else is there, or it cannot be written.
    """
    video, truth = Path(path), Path(path).with_suffix(".json")
    if video.suffix.lower() != ".mp4":
        raise DataError(f"{path}: a clip is an .mp4 file; give --root a name like clip.mp4")
    made_by = {"written_by": "paddle_pose.synthetic", "version": VERSION, "arguments": asdict(recipe)}
    if _holds(video, truth, made_by):
        return False
    file, dataset = Mp4File(video, recipe.frame_rate), _dataset(recipe, made_by)
    try:
        for image, found in _frames(Clip(recipe), progress):
            file.write(image)
            dataset["images"].append(_image(recipe, file.num_frames - 1))
            dataset["annotations"] += found
        with replacing(truth) as temporary:
            temporary.write_text(json.dumps(dataset), encoding="utf-8")
        file.close()
    except OSError as error:
        raise DataError(f"cannot write {truth}: {error.strerror or error}") from None
    finally:
        file.discard()
    return True


def _frames(clip: Clip, progress: bool) -> Iterator[tuple]:
    indices = range(clip.recipe.num_frames)
    if progress:
        from tqdm import tqdm

        indices = tqdm(indices, unit="frame", disable=None)  # in a terminal only
    for index in indices:
        image, people = clip.frame(index)
        yield (
            image,
            [
                _annotation(index, number, describe_person(person, image.shape[:2]))
                for number, person in enumerate(people, 1)
                if person.mask.sum() >= FEWEST_PIXELS
            ],
        )


def _annotation(index: int, number: int, described: dict) -> dict:
    kept = {name: value for name, value in described.items() if name != "segmentation"}
    return {"id": (index + 1) * 100 + number, "image_id": index + 1, "person_id": number, **kept}


def _image(recipe: ClipRecipe, index: int) -> dict:
    height, width = recipe.image_hw
    time_s = round(index / recipe.frame_rate, 6)
    return {"id": index + 1, "frame_index": index, "time_s": time_s, "height": height, "width": width}


def _dataset(recipe: ClipRecipe, made_by: dict) -> dict:
    info = {"description": "a made video, as COCO describes photos", "frame_rate": recipe.frame_rate, **made_by}
    return {"info": info, "images": [], "annotations": [], "categories": [CATEGORY]}


def _holds(video: Path, truth: Path, made_by: dict) -> bool:
    """Whether both files are there, made so; DataError if there is anything else."""
    there = [path for path in (video, truth) if os.path.lexists(path)]
    if not there:
        return False
    try:
        info = json.loads(truth.read_text(encoding="utf-8"))["info"]
        same = len(there) == 2 and {name: info[name] for name in made_by} == made_by
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise DataError(f"{there[0]} is there, not made with these arguments; give --root a new name or delete it")
    return True
