"""Pictures that commands leave behind: predictions on photos, and what VisualDL shows of a run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import paddle

from paddle_pose import viewer
from paddle_pose.builder import Parts, build_crop_maker
from paddle_pose.cli.photo_pictures import draw_annotated, draw_bottom_up, draw_maps, draw_photos
from paddle_pose.data.coco_found import FoundPoses
from paddle_pose.data.loader import BadPhotos, Loader
from paddle_pose.data.photos import read_photo
from paddle_pose.interfaces import Dataset
from paddle_pose.outputs.pictures import write_picture
from paddle_pose.samples import Batch, Predictions


def save_pictures(folder: Path, dataset: Dataset, predictions: Predictions, count: int) -> None:
    """Draws the joints found on the photos of `count` people spread over the dataset, and a sheet of them.

    Orange is the person's right, blue the left. Where people have been found in whole photos, `count` photos with
    everybody in them.
    """
    draw = draw_photos if isinstance(dataset, FoundPoses) else _draw_people
    drawn = dict(draw(dataset, predictions, count))
    for name, picture in drawn.items():
        write_picture(folder / f"{name}.png", picture)
    write_picture(folder / "sheet.png", viewer.sheet(list(drawn.values()), columns=4, cell_wh=(320, 320)))
    print(f"{len(drawn)} pictures of predictions in {folder}, all of them in {folder / 'sheet.png'}")


def _draw_people(dataset: Dataset, predictions: Predictions, count: int) -> Iterator[tuple[str, np.ndarray]]:
    """(name, picture) of `count` people spread over the dataset."""
    for row in np.unique(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(int)):
        sample = dataset.sample(int(row))
        picture = viewer.draw_pose(read_photo(sample.image_path), predictions.joints_image[row], dataset.skeleton)
        yield f"{row:05d}_{Path(sample.image_path).stem}", picture


@paddle.no_grad()
def preview(
    parts: Parts, network: paddle.nn.Layer, datasets: dict[str, Dataset], count: int = 8
) -> dict[str, np.ndarray]:
    """For VisualDL: augmented training crops with their joints, and what the network makes of valid people."""
    annotated, batches = {}, {}
    for split, dataset in datasets.items():
        make_crop = build_crop_maker(parts, dataset, training=split == "train")
        skips = BadPhotos(len(dataset), 1.0, warn=lambda line: None)  # the training loader has told of them
        loader = Loader(make_crop, 0, parts.config.seed, skips)
        batch = next(loader.batches([np.arange(min(count, len(dataset)))]))
        annotated[f"{split}/annotated"] = draw_annotated(batch, parts)
        batches[split] = batch
    network.eval()
    batch = batches["valid"]
    output = network(parts.normalise(batch.images, batch.color_gain))[-1]
    draw = draw_bottom_up if hasattr(parts.codec, "people") else _draw_output
    pictures = {**annotated, **draw(batch, output, parts)}
    return {name: viewer.sheet(images, columns=4) for name, images in pictures.items()}


def _draw_output(batch: Batch, output: paddle.Tensor, parts: Parts) -> dict[str, list[np.ndarray]]:
    """One person in each crop."""
    joints_crop = parts.codec.decode(output)[0].numpy()
    found = [viewer.draw_pose(i, j, parts.skeleton) for i, j in zip(batch.images, joints_crop)]
    maps = draw_maps(batch.images, output.astype("float32").numpy(), parts)
    return {"valid/predicted": found, **{f"valid/{name}": pictures for name, pictures in maps.items()}}
