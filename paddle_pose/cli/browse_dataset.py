"""scripts/browse_dataset.py: samples as the network will see them, with what the loss will want of it."""

import argparse
from pathlib import Path
from typing import Any

from paddle_pose.cli.options import common_parser, positive, run_command

_CELL = 288  # pixels of a picture's longer side on the sheets, about


def parser() -> argparse.ArgumentParser:
    """The flags of scripts/browse_dataset.py."""
    flags = common_parser("Draw samples of a dataset as the network will see them: crops, joints, targets.")
    flags.add_argument(
        "--split", choices=("train", "valid"), default="train", help="augmented, or plain (default: train)"
    )
    flags.add_argument("--num_samples", type=positive, default=8, metavar="N", help="spread over it (default: 8)")
    flags.add_argument(
        "--epochs",
        type=positive,
        default=1,
        metavar="K",
        help="draws of each sample, of the first K epochs (default: 1)",
    )
    flags.add_argument("--save_dir", metavar="DIR", default="output/browse", help="default: output/browse")
    return flags


def main(argv=None) -> int:
    """Entry point; returns the exit code."""
    return run_command(_browse, parser().parse_args(argv))


def _browse(arguments: argparse.Namespace) -> int:
    import numpy as np

    from paddle_pose import runtime
    from paddle_pose.builder import build, build_crop_maker
    from paddle_pose.builder_data import build_dataset
    from paddle_pose.cli.evaluation import print_counts
    from paddle_pose.cli.options import read_config
    from paddle_pose.data.loader import Loader
    from paddle_pose.outputs.pictures import write_picture
    from paddle_pose.viewer import sheet

    config = read_config(arguments, "train")
    runtime.choose_device(arguments.device, config.cpu_threads)
    dataset = build_dataset(config, arguments.split)
    print_counts(dataset)
    parts = build(config)
    loader = Loader(build_crop_maker(parts, dataset, training=arguments.split == "train"), 0, config.seed)
    count = min(arguments.num_samples, len(dataset))
    folder, first = Path(arguments.save_dir), []
    for index in np.unique(np.linspace(0, len(dataset) - 1, count).astype(int)):
        rows = [
            _draw(next(loader.batches([np.array([index])], epoch)), dataset, parts) for epoch in range(arguments.epochs)
        ]
        name = f"{index:06d}_{Path(rows[0][0]).stem}"
        pictures = [picture for _, _, row in rows for picture in row]
        write_picture(folder / f"{name}.png", sheet(pictures, columns=len(rows[0][2])))
        first += rows[0][2]
        for epoch, (photo, view, _) in enumerate(rows):
            print(f"{name}: {Path(photo).name}, epoch {epoch + 1}: {view}")
    write_picture(folder / "sheet.png", sheet(first, columns=len(rows[0][2]) * (2 if count > 1 else 1)))
    print(f"{count} samples of {arguments.split} in {folder}, all of them in {folder / 'sheet.png'}")
    return 0


def _draw(batch: Any, dataset: Any, parts: Any) -> tuple[str, str, list]:
    """Photo, what was done to it in words, and pictures, of a batch of one: the crop with joints, then its targets."""
    from paddle_pose.cli.photo_pictures import draw_annotated, draw_maps
    from paddle_pose.engine.preprocess import network_input
    from paddle_pose.viewer import caption

    target = network_input(batch, parts.normalise, parts.codec)[1].astype("float32").numpy()
    maps = target[:, -1] if target.ndim == 5 else target  # of the last stage
    photo, view, seen = batch.image_paths[0], _view(batch, dataset, parts), _enlarged(batch)
    crop = caption(
        draw_annotated(seen, parts)[0],
        f"{batch.index[0]}: {Path(photo).name}\n{view}".replace(", colours", "\ncolours"),
    )
    return photo, view, [crop, *(caption(m[0], name) for name, m in draw_maps(seen.images, maps, parts).items())]


def _enlarged(batch: Any) -> Any:
    """The batch in its colours; small crops and their joints in whole multiples of their size: words need room."""
    from dataclasses import replace

    import numpy as np

    times = max(1, round(_CELL / max(batch.images.shape[1:3])))
    colored = np.clip(batch.images * batch.color_gain[:, None, None], 0, 255).astype(np.uint8)
    larger = {"images": colored.repeat(times, axis=1).repeat(times, axis=2)}
    if batch.unknown_crop is not None:
        larger["unknown_crop"] = batch.unknown_crop.repeat(times, axis=1).repeat(times, axis=2)
    joints = {name: getattr(batch, name) for name in ("joints_crop", "others_crop")}
    larger |= {name: (xy + 0.5) * times - 0.5 for name, xy in joints.items() if xy is not None}
    return replace(batch, **larger)


def _view(batch: Any, dataset: Any, parts: Any) -> str:
    """What augmentation did to the first sample of a batch, read from its matrix."""
    from paddle_pose.data.augment import plain_view
    from paddle_pose.data.crops import view_matrix

    view, input_wh = plain_view(dataset.sample(int(batch.index[0]))), parts.config.input_wh
    plain = view_matrix(view, input_wh, parts.codec.pixel_centres)
    return describe_view(batch.crop_from_image[0], plain, view.center_image_xy, input_wh, batch.color_gain[0])


def describe_view(
    crop_from_image: Any, plain: Any, center_image_xy: Any, input_wh: tuple[int, int], color_gain: Any
) -> str:
    """A view of a sample in words, against the view of evaluation.

    Args:
        crop_from_image: (2, 3) of the view.
        plain: (2, 3) of the view of evaluation.
        center_image_xy: (2,) middle of the view of evaluation.
        input_wh: width and height of the crop.
        color_gain: (3,) factors of the colours.
    """
    import numpy as np

    from paddle_pose import geometry

    linear = crop_from_image[:, :2].copy()
    mirrored = np.linalg.det(linear) < 0
    if mirrored:
        linear[:, 0] *= -1
    angle = float(np.rad2deg(np.arctan2(-linear[1, 0], linear[0, 0])))
    size = float(np.sqrt(abs(np.linalg.det(plain[:, :2]) / np.linalg.det(linear))))
    center = np.asarray(center_image_xy)[None]
    moved = (geometry.apply(crop_from_image, center) - geometry.apply(plain, center))[0] / input_wh
    words = ["mirrored"] if mirrored else []
    words += [f"turned {angle:+.0f} deg"] if abs(angle) >= 0.5 else []
    words += [f"region x {size:.2f}"] if abs(size - 1) >= 0.005 else []
    words += [f"moved {100 * moved[0]:+.0f} %, {100 * moved[1]:+.0f} %"] if np.abs(moved).max() >= 0.005 else []
    words += (
        [f"colours x {' '.join(f'{gain:.2f}' for gain in color_gain)}"] if (np.asarray(color_gain) != 1).any() else []
    )
    return ", ".join(words) or "as in evaluation"
