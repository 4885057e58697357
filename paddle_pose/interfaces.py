"""What each part promises the others. Read this first.

Letters: B batch, S stages, N people, P other people of a photo, K joints, C channels, H W crop, h w map.
Frames:  `_image` photo pixels (0-based), `_crop` network input pixels, `_map` output cells.
         Integer coordinate = pixel centre. A pair says its order: `_xy`, `_wh`, `_hw`.
Way:     annotation file -> Sample -> Crop -> Batch -> [device: normalise, encode] -> network -> stages
         -> loss | decode -> Predictions -> metric -> Report

Tensors are paddle tensors; arrays are numpy arrays. Nothing here imports paddle.
"""

from typing import Any, Optional, Protocol

from paddle_pose.samples import Predictions, Report, Sample, Truth
from paddle_pose.skeletons import Skeleton

Tensor = Any


class Dataset(Protocol):
    """People of one split of one dataset; annotations are held in a few numpy arrays."""

    skeleton: Skeleton
    num_images: int

    def __len__(self) -> int:
        """Number N of people."""

    def sample(self, index: int) -> Sample:
        """Person `index`, 0 <= index < N."""

    def truth(self) -> Truth:
        """What predictions are scored against, in the order of `sample`."""

    def identity(self) -> tuple[Any, Any, Any]:
        """Names of photos, joints (N, K, 2) and labelled (N, K) of the annotated people: what makes this split."""


class Network(Protocol):
    """A `paddle.nn.Layer` built from plain values. `stride` = crop pixels per output cell.

    `head` are the beginnings of the names of what depends on the joints: what weights for other joints do not give.
    """

    # A network with more that a photo classifier does not have may also have `beyond_trunk`, names as in `head`.
    # conversion/ needs both.

    stride: int
    head: tuple[str, ...]

    def __call__(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) normalised images -> stage outputs, the last one best; a list also when there is one."""


class Codec(Protocol):
    """Owns both directions between joints and network outputs, and the mirror; all on the device."""

    # A codec of maps may also have `map_from_crop`, (2, 3): where a crop pixel lies on the map. The multi-scale test
    # (engine/multi_scale.py) needs it.

    def encode(
        self,
        joints_crop: Tensor,
        weight: Tensor,
        others: Optional[tuple[Tensor, Tensor]] = None,
        unknown: Optional[Tensor] = None,
    ) -> tuple[Tensor, Tensor]:
        """(B, K, 2), (B, K) -> the target that the loss compares stages with, and each joint's weight (B, K) in it.

        `others` are the joints (B, P, K, 2) and weights (B, P, K) of the other people in the crop, `unknown` (B, H, W)
        is above 0 where the crop shows people of whom nobody says where their joints are. Both are for codecs of
        everybody in a crop, whose weights are those of cells, (B, 1, h, w); others take no notice.
        """

    def decode(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """One stage output -> joints_crop (B, K, 2) and scores (B, K)."""

    def mirror(self, output: Tensor) -> Tensor:
        """The output for a mirrored crop -> as if the crop had not been mirrored."""

    def output_shape(self, num_joints: int) -> tuple[int, ...]:
        """Shape of one stage output without its batch axis."""


class Loss(Protocol):
    """Stage outputs against the target; sums over stages."""

    def __call__(self, stages: list[Tensor], target: Tensor, weight: Tensor) -> Tensor:
        """A scalar."""


class Metric(Protocol):
    """Scores predictions; pure functions behind it do the arithmetic."""

    def value_names(self) -> tuple[str, ...]:
        """Names of the values of every report, without scoring anything."""

    def check(self, truth: Truth) -> None:
        """DataError unless this truth has what the metric needs: before hours of training, not after."""

    def __call__(self, predictions: Predictions, truth: Truth) -> Report:
        """Percentages, with the rule that defines them."""
