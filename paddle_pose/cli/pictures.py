"""Pictures that commands leave behind: predictions on photos, and what VisualDL shows of a run."""

from pathlib import Path

import cv2
import numpy as np
import paddle

from paddle_pose import viewer
from paddle_pose.builder import Parts, build_crop_maker
from paddle_pose.data.loader import BadPhotos, Loader
from paddle_pose.data.photos import read_photo
from paddle_pose.errors import UserError
from paddle_pose.interfaces import Dataset
from paddle_pose.samples import Predictions


def save_pictures(folder: Path, dataset: Dataset, predictions: Predictions, count: int) -> None:
    """Draws the joints found on the photos of `count` people spread over the dataset, and a sheet of them.

    Orange is the person's right, blue the left.
    """
    rows = np.unique(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(int))
    drawn = []
    for row in rows:
        sample = dataset.sample(int(row))
        image = read_photo(sample.image_path)
        drawn.append(viewer.draw_pose(image, predictions.joints_image[row], dataset.skeleton))
        write_png(folder / f"{row:05d}_{Path(sample.image_path).stem}.png", drawn[-1])
    write_png(folder / "sheet.png", viewer.sheet(drawn, columns=4, cell_wh=(320, 320)))
    print(f"{len(drawn)} pictures of predictions in {folder}, all of them in {folder / 'sheet.png'}")


def write_png(path: Path, image: np.ndarray) -> None:
    """Writes an (H, W, 3) uint8 RGB picture; UserError if the folder cannot be written."""
    encoded = cv2.imencode(".png", np.ascontiguousarray(image[:, :, ::-1]))[1]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another folder") from None


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
        shown = zip(batch.images, batch.joints_crop, batch.weight > 0)
        annotated[f"{split}/annotated"] = [viewer.draw_pose(i, j, parts.skeleton, w) for i, j, w in shown]
        batches[split] = batch
    network.eval()
    batch = batches["valid"]
    output = network(parts.normalise(batch.images, batch.color_gain))[-1]
    joints_crop = parts.codec.decode(output)[0].numpy()
    found = [viewer.draw_pose(i, j, parts.skeleton) for i, j in zip(batch.images, joints_crop)]
    pictures = {**annotated, "valid/predicted": found}
    if output.ndim == 4:
        maps = output.astype("float32").numpy()
        pictures["valid/heatmaps"] = [viewer.overlay_maps(i, m) for i, m in zip(batch.images, maps)]
    return {name: viewer.sheet(images, columns=4) for name, images in pictures.items()}
