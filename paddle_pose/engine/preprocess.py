"""uint8 crops -> network input, joints -> targets, network -> the output that is decoded, on the device.

`Normaliser.colors` and `seen_output` are also what an exported model holds: they run on tensors alone, and no size of a
batch or of a photo goes through Python.
"""

from typing import Optional

import numpy as np
import paddle

from paddle_pose.codecs.mirrored import reversed_columns
from paddle_pose.interfaces import Codec, Network
from paddle_pose.samples import Batch


class Normaliser:
    """(B, H, W, 3) uint8 RGB -> (B, 3, H, W) float32, (image / 255 - mean) / std.

    Only bytes travel to the device, a quarter of the floats.

    Args:
        mean: (3,) in [0, 1], in the order of `order`.
        std: (3,) in [0, 1], likewise.
        order: of the channels that come out. Networks from Caffe want BGR; the other order raises no error, but the
            numbers collapse.
    """

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...], order: str = "RGB") -> None:
        self._reversed = order == "BGR"
        self._scale = np.array(1.0 / (255.0 * np.array(std)), np.float32).reshape(1, 3, 1, 1)
        self._shift = np.array(np.array(mean) / np.array(std), np.float32).reshape(1, 3, 1, 1)

    def __call__(self, images: np.ndarray, color_gain: np.ndarray) -> paddle.Tensor:
        """Normalises a batch; a colour gain (B, 3) multiplies the image first, clipped at 255."""
        gain = paddle.to_tensor(color_gain.reshape(-1, 3, 1, 1)) if (color_gain != 1).any() else None
        # the trainer's may be on the device already, see prefetch.py
        return self.colors(images if isinstance(images, paddle.Tensor) else paddle.to_tensor(images), gain)

    def colors(self, images: paddle.Tensor, gain: Optional[paddle.Tensor] = None) -> paddle.Tensor:
        """The same of tensors: (B, H, W, 3) uint8 and a gain (B, 3, 1, 1), or none."""
        pixels = images.astype("float32").transpose([0, 3, 1, 2])  # Paddle 2.6 transposes no bytes in a program
        scale, shift = paddle.to_tensor(self._scale), paddle.to_tensor(self._shift)
        eager, shape = paddle.in_dynamic_mode(), pixels.shape
        if eager:  # in one piece, factors as (n, 1): other shapes take Paddle's CPU kernels twice as long
            pixels, scale, shift = pixels.contiguous(), scale.reshape([-1, 1]), shift.reshape([-1, 1])
        if gain is not None:
            if eager:
                pixels, gain = pixels.reshape([shape[0] * shape[1], -1]), gain.reshape([-1, 1])
            pixels = (pixels * gain).clip(0.0, 255.0)
        if eager:
            pixels = pixels.reshape([*shape[:2], -1])
        if self._reversed:
            pixels = paddle.flip(pixels, axis=[1])
        pixels = pixels * scale - shift
        return pixels.reshape(shape) if eager else pixels


def seen_output(network: Network, codec: Codec, normalised: paddle.Tensor, mirror_test: bool) -> paddle.Tensor:
    """The last stage's output, float32; with `mirror_test` the mean with the un-mirrored one of the mirrored images."""
    if not mirror_test:
        return network(normalised)[-1].astype("float32")
    mirrored_images = reversed_columns(normalised)
    if _is_program_of_crops(normalised):  # one batch: a tenth less time for HRNet of one crop, eager and large less
        both = paddle.stack([normalised, mirrored_images], axis=1).flatten(0, 1)  # image, mirrored, image, mirrored ...
        seen = network(both)[-1].astype("float32")
        output, mirrored = seen[0::2], seen[1::2]
    else:
        output = network(normalised)[-1].astype("float32")
        mirrored = network(mirrored_images)[-1].astype("float32")
    return (output + codec.mirror(mirrored)) * 0.5


def _is_program_of_crops(images: paddle.Tensor) -> bool:
    return not paddle.in_dynamic_mode() and -1 not in images.shape[2:]


def network_input(
    batch: Batch, normalise: Normaliser, codec: Codec
) -> tuple[paddle.Tensor, paddle.Tensor, paddle.Tensor]:
    """Normalised images of a batch, the targets drawn by the codec, and their weights."""
    images = normalise(batch.images, batch.color_gain)
    joints_crop, weight = paddle.to_tensor(batch.joints_crop), paddle.to_tensor(batch.weight)
    target, weight = codec.encode(joints_crop, weight, _others(batch), _unknown(batch))
    return images, target, weight


def _others(batch: Batch) -> Optional[tuple[paddle.Tensor, paddle.Tensor]]:
    """Joints and weights of the other people in a batch's crops; None where there are none."""
    if batch.others_weight is None or not batch.others_weight.any():
        return None
    return paddle.to_tensor(batch.others_crop), paddle.to_tensor(batch.others_weight)


def _unknown(batch: Batch) -> Optional[paddle.Tensor]:
    """Where a batch's crops show people without labels; None where they show none."""
    return None if batch.unknown_crop is None else paddle.to_tensor(batch.unknown_crop)
