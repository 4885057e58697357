"""uint8 crops -> network input, on the device."""

import numpy as np
import paddle


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
        pixels = paddle.to_tensor(images).transpose([0, 3, 1, 2]).astype("float32")
        if (color_gain != 1).any():
            pixels = (pixels * paddle.to_tensor(color_gain.reshape(-1, 3, 1, 1))).clip(0.0, 255.0)
        if self._reversed:
            pixels = paddle.flip(pixels, axis=[1])
        return pixels * paddle.to_tensor(self._scale) - paddle.to_tensor(self._shift)
