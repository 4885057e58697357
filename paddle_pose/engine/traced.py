"""The network as a program that Paddle traces once, for training alone."""

import paddle


class _Through(paddle.nn.Layer):
    """Passes images on; what is traced is this layer, so that the network within stays eager for all others."""

    def __init__(self, network: paddle.nn.Layer) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """(B, 3, H, W) -> stage outputs."""
        return self.network(images)


def traced(network: paddle.nn.Layer) -> paddle.nn.Layer:
    """What the forward pass of training goes through; its parameters are the network's own.

    The program is traced at the first call, with the layers in the modes that they are then in. Validation, export and
    checkpoints use `network` itself.
    """
    return paddle.jit.to_static(_Through(network), backend=None, full_graph=True)
