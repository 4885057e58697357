"""Photo in, list of people out: runs a bottom-up network over whole photos of any size.

Source: Cao et al., "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", CVPR 2017; the test over
several scales as in the authors' release: maps of all scales are averaged, then people are grouped once.

Differs from that release
    The common grid is the map of the largest scale, not the photo's pixels: maps are brought there by cubic convolution
    and peaks are placed between its cells by the codec. At one scale nothing is resampled at all.
    A joint found beyond the photo's edge, which is in the padding and thus less than a cell away, is put on the edge.
"""

from collections.abc import Iterable, Iterator
from typing import Callable, Literal

import numpy as np
import paddle
from paddle import Tensor

from paddle_pose import geometry
from paddle_pose.data.photo_pyramid import PhotoPyramid, ScaledPhoto
from paddle_pose.engine.multi_scale import between_cells
from paddle_pose.engine.preprocess import Normaliser, seen_output
from paddle_pose.errors import ConfigError
from paddle_pose.interfaces import Codec, Network
from paddle_pose.samples import FoundPeople

Pyramid = tuple[ScaledPhoto, ...]
_WAITING = 4  # batches: photos of other sizes that wait until there are enough of them for a batch


class NetworkMaps:
    """(B, H, W, 3) uint8 images -> the last stage's maps (B, C, h, w) float32 of a network.

    Args:
        network: used as it is, so that it follows what training does to it; put in eval mode and back.
        codec: un-mirrors the maps.
        normalise: prepares images on the device.
        mirror_test: average also with the un-mirrored maps of the mirrored photo.
    """

    def __init__(self, network: Network, codec: Codec, normalise: Normaliser, mirror_test: bool) -> None:
        self._network, self._codec, self._normalise, self._mirror_test = network, codec, normalise, mirror_test

    def __call__(self, images: np.ndarray) -> Tensor:
        """Maps of a batch of inputs of equal size."""
        was_training = self._network.training
        self._network.eval()
        try:
            normalised = self._normalise(images, np.ones((len(images), 3), np.float32))
            return seen_output(self._network, self._codec, normalised, self._mirror_test)
        finally:
            if was_training:
                self._network.train()


class PeopleInMaps:
    """Finds everybody in a photo by the maps that any model makes of it. Nothing is kept from photo to photo.

    Args:
        maps: (B, H, W, 3) uint8 images -> (B, C, h, w) float32 maps.
        codec: has `people`, which groups maps into people, and `map_from_crop`.
        pyramid: makes the inputs of a photo.
        batch_size: inputs of side x side pixels in a batch of `many`, if one scale is used; fewer of larger ones.
    """

    def __init__(
        self, maps: Callable[[np.ndarray], Tensor], codec: Codec, pyramid: PhotoPyramid, batch_size: int = 1
    ) -> None:
        if not hasattr(codec, "people"):
            raise ConfigError(
                f"{type(codec).__name__} does not find everybody in a photo; use a model of a bottom-up network, whose "
                "codec is PartAffinity"
            )
        self._maps, self._codec, self.pyramid = maps, codec, pyramid
        self._most_pixels = batch_size * pyramid.side**2

    def __call__(self, photo: np.ndarray) -> FoundPeople:
        """The people in one (H, W, 3) uint8 RGB photo, or frame of a video, in its pixels."""
        return self._find([self.pyramid(photo)])[0]

    def many(self, photos: Iterable[np.ndarray]) -> Iterator[tuple[int, FoundPeople]]:
        """(index, people) of each photo, faster than one by one: photos of equal size share a batch.

        Results come as batches fill up, not in the photos' order. Few photos are held at a time.
        """
        return self.of_pyramids((index, self.pyramid(photo)) for index, photo in enumerate(photos))

    def of_pyramids(self, pyramids: Iterable[tuple[int, Pyramid]]) -> Iterator[tuple[int, FoundPeople]]:
        """As `many`, of photos that `pyramid` has made inputs of, for example in a loader's threads."""
        waiting: dict[tuple, list[tuple[int, Pyramid]]] = {}
        for index, pyramid in pyramids:
            shapes = tuple(scaled.image.shape for scaled in pyramid)
            waiting.setdefault(shapes, []).append((index, pyramid))
            if (len(waiting[shapes]) + 1) * _pixels(shapes) > self._most_pixels:
                yield from self._batch(waiting.pop(shapes))
            while sum(len(group) * _pixels(key) for key, group in waiting.items()) > _WAITING * self._most_pixels:
                yield from self._batch(waiting.pop(next(iter(waiting))))  # those that have waited longest
        for group in waiting.values():
            yield from self._batch(group)

    def _batch(self, group: list[tuple[int, Pyramid]]) -> Iterator[tuple[int, FoundPeople]]:
        yield from zip((index for index, _ in group), self._find([pyramid for _, pyramid in group]))

    def with_maps(self, photo: np.ndarray) -> tuple[FoundPeople, np.ndarray, np.ndarray]:
        """The people in one photo, the maps (C, h, w) that they were found in, and image_from_map (2, 3)."""
        pyramid = self.pyramid(photo)
        output = self._output([pyramid])
        image_from_input = geometry.invert(pyramid[self._largest].input_from_image)
        image_from_map = geometry.chain(image_from_input, geometry.invert(self._codec.map_from_crop))
        return self._people(output, [pyramid])[0], output[0].numpy(), image_from_map

    def _find(self, batch: list[Pyramid]) -> list[FoundPeople]:
        """People in photos whose inputs have equal shapes."""
        return self._people(self._output(batch), batch)

    @paddle.no_grad()
    def _output(self, batch: list[Pyramid]) -> Tensor:
        """The mean over scales of the maps of photos, (B, C, h, w) float32."""
        outputs = [self._maps(np.stack([scaled.image for scaled in level])) for level in zip(*batch)]
        return outputs[0] if len(outputs) == 1 else self._mean(outputs, batch, self._largest)

    def _people(self, output: Tensor, batch: list[Pyramid]) -> list[FoundPeople]:
        found = self._codec.people(output)
        return [_in_photo(people, pyramid[self._largest]) for people, pyramid in zip(found, batch)]

    @property
    def _largest(self) -> int:
        """Number of the scale whose cells are the common grid."""
        return int(np.argmax(self.pyramid.scales))

    def _mean(self, outputs: list[Tensor], batch: list[Pyramid], largest: int) -> Tensor:
        """The mean over scales of maps (B, C, h, w), on the cells of the largest scale.

        All scales show the whole photo from its top left corner, so each of them has something to say in every cell
        of the photo: no count of scales is needed. What is averaged in the padding does not matter.
        """
        hw = outputs[largest].shape[2:]
        mean = outputs[largest].astype("float64")
        for level, maps in enumerate(outputs):
            if level != largest:
                moved = [
                    self._moved(maps[row], pyramid[level], pyramid[largest], hw) for row, pyramid in enumerate(batch)
                ]
                mean = mean + paddle.stack(moved)
        return (mean / len(outputs)).astype("float32")

    def _moved(self, maps: Tensor, source: ScaledPhoto, target: ScaledPhoto, target_hw: tuple[int, int]) -> Tensor:
        """Maps (C, h, w) of one scale of a photo at the places of the cells of another scale's; float64."""
        map_from_input = self._codec.map_from_crop
        matrix = geometry.chain(
            map_from_input,
            source.input_from_image,
            geometry.invert(target.input_from_image),
            geometry.invert(map_from_input),
        )
        across, down = (
            between_cells(matrix[axis, axis] * np.arange(cells) + matrix[axis, 2], length)
            for axis, cells, length in zip((0, 1), tuple(target_hw)[::-1], tuple(maps.shape)[:0:-1])
        )
        # float64: matrix products of float32 would be rounded to 10 bits (TF32) on newer GPUs
        rows = paddle.matmul(maps.astype("float64"), paddle.to_tensor(np.ascontiguousarray(across.T)))
        return paddle.matmul(paddle.to_tensor(down), rows)


class PeopleEstimator(PeopleInMaps):
    """Finds everybody in a photo by a network.

    Args:
        network: gives maps; used as it is, so that it follows what training does to it.
        codec: has `people`, which groups maps into people, and `map_from_crop`.
        normalise: prepares images on the device.
        side: pixels of the photo's side named by `fit`, at scale 1.
        fit: "shorter", "height" or "longer".
        scales: sizes whose maps are averaged.
        mirror_test: average also with the un-mirrored maps of the mirrored photo.
        border: RGB colour right of the photo and below, up to a multiple of the network's stride.
        batch_size: inputs of side x side pixels in a batch of `many`, if one scale is used; fewer of larger ones.
    """

    def __init__(
        self,
        network: Network,
        codec: Codec,
        normalise: Normaliser,
        side: int,
        fit: Literal["shorter", "height", "longer"] = "shorter",
        scales: tuple[float, ...] = (1.0,),
        mirror_test: bool = False,
        border: tuple[int, int, int] = (0, 0, 0),
        batch_size: int = 1,
    ) -> None:
        maps = NetworkMaps(network, codec, normalise, mirror_test)
        super().__init__(maps, codec, PhotoPyramid(side, fit, scales, network.stride, border), batch_size)


def _pixels(shapes: tuple) -> int:
    """Of the largest input of a photo."""
    return max(shape[0] * shape[1] for shape in shapes)


def _in_photo(people: FoundPeople, scaled: ScaledPhoto) -> FoundPeople:
    """People in the pixels of an input -> in those of its photo, none beyond its edges."""
    image_from_input = geometry.invert(scaled.input_from_image)
    size_image_wh = np.rint(scaled.photo_wh / np.diag(scaled.input_from_image))
    joints_image = np.clip(geometry.apply(image_from_input, people.joints_xy), 0.0, size_image_wh - 1)
    return FoundPeople(joints_image, people.joint_scores, people.scores)
