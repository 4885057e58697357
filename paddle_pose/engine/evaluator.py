"""Batches -> predictions in photo pixels -> report."""

from collections.abc import Iterable
from typing import Callable

import numpy as np
import paddle

from paddle_pose import geometry
from paddle_pose.engine import distributed
from paddle_pose.engine.multi_scale import ScaleAverage
from paddle_pose.engine.preprocess import Normaliser, seen_output
from paddle_pose.interfaces import Codec, Network
from paddle_pose.samples import Batch, Predictions


class Evaluator:
    """Runs a network over a dataset.

    Args:
        codec: decodes outputs and un-mirrors them.
        normalise: prepares images on the device.
        mirror_test: average with the un-mirrored output of the mirrored image.
        test_scales: average over these scales of the person, see `multi_scale.py`. Unless they are (1.0,), images
            hold a crop for each, one below the other (`data/multi_scale.py`).
    """

    def __init__(
        self, codec: Codec, normalise: Normaliser, mirror_test: bool, test_scales: tuple[float, ...] = (1.0,)
    ) -> None:
        self._codec, self._normalise, self._mirror_test = codec, normalise, mirror_test
        self._scales = tuple(test_scales)

    @paddle.no_grad()
    def predict(
        self,
        network: Network,
        batches: Iterable[Batch],
        num_people: int,
        num_joints: int,
        on_batch: Callable[[int], None] = lambda count: None,
    ) -> Predictions:
        """Joints of all people, in dataset order, on every process.

        Args:
            network: put in eval mode here and back as it was.
            batches: this process's share; shares are disjoint and cover all people.
            num_people: N.
            num_joints: K.
            on_batch: called with the number of people of each finished batch.
        """
        was_training = network.training
        network.eval()
        table = np.zeros((num_people, num_joints, 3))  # rows of other processes stay 0 and are summed in
        try:
            for batch in batches:
                joints_crop, scores = self.decode(network, batch)
                table[batch.index, :, :2] = geometry.apply(geometry.invert(batch.crop_from_image), joints_crop)
                table[batch.index, :, 2] = scores
                on_batch(len(batch))
        finally:
            if was_training:
                network.train()
        distributed.wait_for_all()
        table = distributed.sum_over_processes(table)
        return Predictions(joints_image=table[..., :2], scores=table[..., 2].astype(np.float32))

    def decode(self, network: Network, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """Joints (B, K, 2) in crop pixels (of scale 1), float64, and scores (B, K) of one batch."""
        if self._scales == (1.0,):
            joints_crop, scores = self._codec.decode(self.output(network, batch.images, batch.color_gain))
        else:
            joints_crop, scores = self._decode_scales(network, batch)
        return joints_crop.numpy().astype(np.float64), scores.numpy()

    def output(self, network: Network, images: np.ndarray, color_gain: np.ndarray) -> paddle.Tensor:
        """The last stage's output for (B, H, W, 3) crops."""
        normalised = self._normalise(images, color_gain)
        return seen_output(network, self._codec, normalised, self._mirror_test)

    def _decode_scales(self, network: Network, batch: Batch) -> tuple[paddle.Tensor, paddle.Tensor]:
        crops = np.split(batch.images, len(self._scales), axis=1)
        mean = ScaleAverage(self._codec, crops[0].shape[2:0:-1])
        for scale, images in zip(self._scales, crops):
            mean.add(scale, self.output(network, images, batch.color_gain))
        return mean.decode()
