"""What a model says of itself to the programs around it: which input it wants, what comes out, which joints these are.

The same record describes a network in training's own files and an exported one (`deploy.yaml`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Optional

from paddle_pose.skeletons import Skeleton

if TYPE_CHECKING:  # who only reads a description, to run ONNX for instance, need not wait for Paddle
    from paddle_pose.builder import Parts

PADDING = 1.25  # of a box, where the dataset that a network was trained on does not say


@dataclass(frozen=True)
class Description:
    """A model from outside.

    Args:
        network: its class.
        finds: `one` person in the middle of a crop, or `everybody` in a photo.
        input_wh: crop width and height; None: any photo whose sides are multiples of `stride`.
        stride: input pixels per cell of the maps.
        outputs: names of what comes out, in order: `joints` (B, K, 2) crop pixels, `scores` (B, K), `maps`
            (B, C, h, w) of the last stage.
        mirror_test: whether the mirrored input is looked at too.
        pixel_centres: how crops are cut, see `geometry.crop_matrix`.
        border: RGB colour, 0 to 255, of what lies beyond the photo.
        padding: factor on both sides of a person's box.
        skeleton: names of joints and limbs.
        config: the configuration that it was trained with: a codec and the test on photos can be built from it.
    """

    network: str
    finds: Literal["one", "everybody"]
    input_wh: Optional[tuple[int, int]]
    stride: int
    outputs: tuple[str, ...]
    mirror_test: bool
    pixel_centres: bool
    border: tuple[int, int, int]
    padding: float
    skeleton: Skeleton
    config: dict[str, Any]


def describe(parts: "Parts", outputs: tuple[str, ...], mirror_test: bool) -> Description:
    """The description of what a configuration builds."""
    config = parts.config
    everybody = hasattr(parts.codec, "people")
    return Description(
        network=config.network.type,
        finds="everybody" if everybody else "one",
        input_wh=None if everybody else config.input_wh,
        stride=parts.network.stride,
        outputs=outputs,
        mirror_test=mirror_test,
        pixel_centres=parts.codec.pixel_centres,
        border=config.normalise.border,
        padding=config.dataset.arguments.get("padding", PADDING),
        skeleton=parts.skeleton,
        config=config.model_dump(mode="json"),
    )
