"""The layer that is exported: pixels in, joints out, with the code that runs in training and validation inside.

Paddle records what this code does with tensors. It need not rewrite it first (`not_to_static`), as no branch in it
depends on what a tensor holds; that saves most of the time of an export.
"""

import paddle

from paddle_pose.builder import Parts
from paddle_pose.engine.preprocess import seen_output


class Deployable(paddle.nn.Layer):
    """A network with its normalisation before it and its decoding behind it.

    Args:
        parts: network, codec, normalisation; the network is put in eval mode.
        mirror_test: average with the un-mirrored output of the mirrored input.
        raw: the output itself comes out too, as `maps`.
    """

    def __init__(self, parts: Parts, mirror_test: bool = False, raw: bool = False) -> None:
        super().__init__()
        self.network = parts.network
        self.codec, self.normalise, self.mirror_test = parts.codec, parts.normalise, mirror_test
        self.finds_everybody = hasattr(parts.codec, "people")
        self.raw = raw or self.finds_everybody
        self.eval()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what comes out, in order. A codec of everybody's joints needs the maps of the whole photo."""
        if self.finds_everybody:
            return ("maps",)
        return ("joints", "scores", "maps") if self.raw else ("joints", "scores")

    @paddle.no_grad()
    def forward(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """What `outputs` names.

        Args:
            images: (B, H, W, 3) uint8, RGB; of everybody's joints H and W are any multiples of the stride.

        Returns:
            joints (B, K, 2) float32 crop pixels, scores (B, K) float32, maps (B, C, h, w) float32.
        """
        return self.decoded(self.output(images))

    @paddle.jit.not_to_static
    def output(self, images: paddle.Tensor) -> paddle.Tensor:
        """The output that is decoded."""
        return seen_output(self.network, self.codec, self.normalise.colors(images), self.mirror_test)

    @paddle.jit.not_to_static
    def decoded(self, output: paddle.Tensor) -> list[paddle.Tensor]:
        """What `outputs` names, of what `output` gives."""
        if self.finds_everybody:
            return [output]
        joints_crop, scores = self.codec.decode(output)
        return [joints_crop, scores, output] if self.raw else [joints_crop, scores]
